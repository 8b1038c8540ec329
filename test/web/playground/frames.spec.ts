import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AsyncApi, frameKinds, frameOf } from '../../../web/src/features/playground/frame-form-model';
import { FrameLog, NO_FILTER } from '../../../web/src/features/playground/frame-log';

const document = JSON.parse(
  readFileSync(join(__dirname, '..', '..', '..', 'docs', 'asyncapi.json'), 'utf8'),
) as AsyncApi;

function log(): FrameLog {
  return new FrameLog((run) => run());
}

const frame = (data: string, type = 'message', direction: 'in' | 'out' = 'in') => ({ direction, type, data });

describe('the form of frames', () => {
  const kinds = frameKinds(document);

  it('has every frame that a client may send on either socket', () => {
    const all = Object.entries(document.operations).filter(([, { action }]) => action === 'receive');
    expect(kinds.map(({ name }) => name)).toEqual(all.map(([name]) => name));
    expect(kinds.find(({ name }) => name === 'chat.stop')).toMatchObject({ endpoint: '/ws/chat' });
  });

  it('makes a frame of what is filled in, and sends what is wrong as it stands', () => {
    const ack = kinds.find(({ name }) => name === 'ack');
    expect(ack && frameOf(ack, { room_id: 'room_1', seq: '7', request_id: '' })).toEqual({
      ...{ type: 'ack', room_id: 'room_1', seq: 7 },
    });
    expect(ack && frameOf(ack, { seq: 'seven' })).toEqual({ type: 'ack', seq: 'seven' });
  });
});

describe('FrameLog', () => {
  it('keeps the newest, and counts all', () => {
    const frames = log();
    for (let n = 1; n <= 30_000; n++) frames.write('alice', '/ws', frame(`{"n":${n}}`));
    expect(frames.total).toBe(30_000);
    expect(frames.visible.length).toBeLessThanOrEqual(11_000);
    expect(frames.visible.at(-1)?.text).toBe('{"n":30000}');
  });

  it('keeps no more than 16 M characters', () => {
    const frames = log();
    const large = 'x'.repeat(1_000_000);
    for (let n = 1; n <= 40; n++) frames.write('alice', '/ws', frame(large));
    expect(frames.visible.length).toBeLessThanOrEqual(17);
  });

  it('filters by words, by words that are not wanted, by person and way', () => {
    const frames = log();
    frames.write('alice', '/ws', frame('{"content":"Hello"}'));
    frames.write('bob', '/ws', frame('{"content":"Hello too"}'));
    frames.write('bob', '/ws', frame('{}', 'ack', 'out'));
    const shown = (part: object): number => {
      frames.show({ ...NO_FILTER, ...part });
      return frames.visible.length;
    };
    expect([shown({ words: 'hello' }), shown({ words: 'hello -too' }), shown({ person: 'bob' })]).toEqual([2, 1, 2]);
    expect([shown({ direction: 'out' }), shown({})]).toEqual([1, 3]);
  });

  it('holds still, and says what came since', () => {
    const frames = log();
    frames.write('alice', '/ws', frame('{}'));
    frames.hold(true);
    frames.write('alice', '/ws', frame('{}'));
    expect([frames.visible.length, frames.since]).toEqual([1, 1]);
    frames.hold(false);
    expect([frames.visible.length, frames.since]).toEqual([2, 0]);
  });

  it('finds the answer to what was sent: by its request id, or an error that names none', () => {
    const frames = log();
    frames.write('alice', '/ws', frame('{"request_id":"1"}', 'pong'));
    const sent = frames.total;
    frames.write('bob', '/ws', frame('{"request_id":"1"}', 'pong'));
    frames.write('alice', '/ws', frame('{"content":"other"}'));
    expect(frames.answerTo(sent, 'alice', '1')).toBeUndefined();
    frames.write('alice', '/ws', frame('{"code":"VALIDATION_ERROR"}', 'error'));
    expect(frames.answerTo(sent, 'alice', '1')?.type).toBe('error');
    expect(frames.answerTo(0, 'alice', '1')?.type).toBe('pong');
  });
});
