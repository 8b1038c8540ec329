import { Outbox } from '../../../web/src/socket/outbox';

function outbox() {
  const sent: string[] = [];
  const state = { isOpen: true };
  let ids = 0;
  const box = new Outbox(
    ({ content }) => {
      if (state.isOpen) sent.push(content);
      return state.isOpen;
    },
    () => `id${++ids}`,
  );
  return { box, sent, state };
}

describe('Outbox', () => {
  it('sends one message of a room after the other', () => {
    const { box, sent } = outbox();
    box.add('a', '1');
    box.add('a', '2');
    box.add('b', '3');
    expect(sent).toEqual(['1', '3']);
    box.accepted('id1');
    box.accepted('id1');
    expect([sent, box.of('a').length]).toEqual([['1', '3', '2'], 1]);
  });

  it('sends again after a break what was not answered, in order', () => {
    const { box, sent, state } = outbox();
    box.add('a', '1');
    state.isOpen = false;
    box.lost();
    box.add('a', '2');
    state.isOpen = true;
    box.open();
    box.accepted('id1');
    box.accepted('id2');
    expect([sent, box.size]).toEqual([['1', '1', '2'], 0]);
  });

  it('keeps what is refused for good, and goes on with the next', () => {
    const { box, sent } = outbox();
    box.add('a', '1');
    box.add('a', '2');
    expect(box.refused({ request_id: 'id1', retryable: false, message: 'no' })).toBe(true);
    expect(box.of('a')[0]).toMatchObject({ state: 'failed', fault: 'no' });
    expect(sent).toEqual(['1', '2']);
    box.drop('id1');
    expect(box.size).toBe(1);
    expect(box.refused({ request_id: 'other', retryable: false, message: 'no' })).toBe(false);
  });

  it('sends again what was too fast, before the next', () => {
    jest.useFakeTimers();
    const { box, sent } = outbox();
    box.add('a', '1');
    box.add('a', '2');
    box.refused({ request_id: 'id1', retryable: true, retry_after_ms: 500, message: 'too fast' });
    jest.advanceTimersByTime(500);
    expect(sent).toEqual(['1', '1']);
    box.accepted('id1');
    expect(sent).toEqual(['1', '1', '2']);
    jest.useRealTimers();
  });
});
