import { RUN, RUN_ID } from '../../../test/support/chats/fake-runs';
import type { AppError } from '../../common/errors';
import { chatIdOf, conversationIdOf } from './http/views';
import { eventId, positionOf } from './events';

function fieldOf(refused: () => unknown): string | undefined {
  try {
    refused();
  } catch (error) {
    return (error as AppError).field;
  }
  throw new Error('nothing was refused');
}

describe('Last-Event-ID', () => {
  it.each([-1, 0, 7, 1_000_000, 2_147_483_647])('reads what was written: index %d', (afterIndex) => {
    const position = { runId: RUN, afterIndex };
    expect(eventId(position)).toBe(`${RUN_ID}:${afterIndex}`);
    expect(positionOf(eventId(position), undefined)).toEqual(position);
    expect(positionOf(undefined, eventId(position))).toEqual(position);
  });

  it('the header wins over the query; an empty one is none', () => {
    expect(positionOf(`${RUN_ID}:1`, `${RUN_ID}:2`)?.afterIndex).toBe(1);
    expect(positionOf('', `${RUN_ID}:2`)?.afterIndex).toBe(2);
    expect(positionOf(undefined, undefined)).toBeUndefined();
    expect(positionOf('', '')).toBeUndefined();
  });

  it.each([
    'x',
    RUN_ID,
    `${RUN_ID}:`,
    `${RUN_ID}:-2`,
    `${RUN_ID}:01`,
    `${RUN_ID}:1.5`,
    `${RUN_ID}:2147483648`,
    `${RUN_ID}:99999999999`,
    `${RUN}:1`,
    ` ${RUN_ID}:1`,
    `msg_zz9aa1c2d3e475068728394a5b6c7d8f:1`,
  ])('refuses %s and says where it stood', (text) => {
    expect(fieldOf(() => positionOf(text, undefined))).toBe('Last-Event-ID');
    expect(fieldOf(() => positionOf(undefined, text))).toBe('last_event_id');
  });
});

describe('ids', () => {
  const hex = RUN.replaceAll('-', '');

  it('a chat has the bare UUID, a conversation that or its own prefix', () => {
    expect(chatIdOf(RUN)).toBe(RUN);
    expect(conversationIdOf(RUN)).toBe(RUN);
    expect(conversationIdOf(`conv_${hex}`)).toBe(RUN);
  });

  it.each(['', 'x', hex, RUN.toUpperCase(), `room_${hex}`, `conv_${RUN}`, `${RUN}\n`])(
    '%j is no id: there is no such thing',
    (id) => {
      expect(chatIdOf(id)).toBeUndefined();
      expect(conversationIdOf(id)).toBeUndefined();
    },
  );
});
