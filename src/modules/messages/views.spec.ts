import fc from 'fast-check';
import { newUuid } from '../../common/ids';
import { changeView } from './message-pages';
import { messageDelete, messageEdit, refusal } from './messages.functions';
import { clientMessageId, listText, messageFrame, type MessageRow, messageText, messageView } from './views';

const [MESSAGE, ROOM] = [newUuid(), newUuid()];
const hex = (uuid: string): string => uuid.replaceAll('-', '');

const row: MessageRow = {
  message_id: MESSAGE,
  room_id: ROOM,
  seq: 3,
  rev: 7,
  sender_id: 'alice',
  content: 'hello',
  meta: '{"z":1,"a":2}',
  client_message_id: null,
  created_at: new Date('2026-01-31T12:00:00.120Z'),
  edited_at: '2026-01-31T13:00:00.5+00:00',
  deleted_at: null,
};

const view = {
  message_id: `msg_${hex(MESSAGE)}`,
  room_id: `room_${hex(ROOM)}`,
  seq: 3,
  rev: 7,
  sender_id: 'alice',
  content: 'hello',
  meta: { z: 1, a: 2 },
  client_message_id: null,
  created_at: '2026-01-31T12:00:00.120Z',
  edited_at: '2026-01-31T13:00:00.500Z',
  deleted_at: null,
};

describe('messageView', () => {
  it('is the object of the contract, from a column or from message_json', () => {
    expect(messageView(row)).toEqual(view);
    expect(messageView({ ...row, meta: { z: 1 }, deleted_at: row.created_at })).toMatchObject({
      meta: { z: 1 },
      deleted_at: '2026-01-31T12:00:00.120Z',
    });
    expect(messageView({ ...row, meta: null }).meta).toBeNull();
    expect(Object.keys(messageView(row).meta ?? {})).toEqual(['z', 'a']);
  });
});

describe('messages as text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom('"', '\\', '\u2028<b>\u0000', '😀'),
  );
  const time = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
  const mayBe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
  /** As the server stores it: what JSON.stringify has written. */
  const meta = fc.dictionary(text, fc.jsonValue());
  const rows: fc.Arbitrary<MessageRow> = fc
    .record({
      message_id: fc.constant(MESSAGE),
      room_id: fc.constant(ROOM),
      seq: fc.nat(),
      rev: fc.nat(),
      sender_id: text,
      content: text,
      meta: mayBe(meta),
      client_message_id: mayBe(fc.oneof(text, fc.constant(MESSAGE))),
      created_at: fc.oneof(
        time,
        time.map((date) => date.toISOString().replace('Z', '+00:00')),
      ),
      edited_at: mayBe(time),
      deleted_at: mayBe(time),
    })
    .chain((row) => fc.constantFrom(row, { ...row, meta: row.meta && JSON.stringify(row.meta) }));

  it('are byte for byte what JSON.stringify makes of their views', () => {
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 4 }), (page) => {
        expect(listText(page.map(messageText))).toBe(JSON.stringify(page.map(messageView)));
        for (const each of page) expect(messageText(each)).toBe(JSON.stringify(messageFrame(each)));
      }),
    );
  });

  it('name no answer of a model by its own id', () => {
    const answer = { ...row, client_message_id: MESSAGE };
    expect([clientMessageId(answer), JSON.parse(messageText(answer))]).toEqual([
      null,
      { type: 'message', ...view, client_message_id: null },
    ]);
  });
});

describe('changeView', () => {
  it.each(['message', 'message.updated', 'message.deleted'])('of %s is the message', (type) => {
    expect(changeView(ROOM, { ...row, type, payload: null })).toEqual({ ...view, type });
  });

  it('of a membership names the room by its outer id', () => {
    const payload = { room_id: ROOM, user_id: 'bob', role: 'member', by: 'alice' };
    expect(changeView(ROOM, { rev: 8, type: 'member.left', payload })).toEqual({
      ...payload,
      rev: 8,
      type: 'member.left',
      room_id: `room_${hex(ROOM)}`,
    });
  });

  it('S26: of settings is the room, with the type of the change, and its own beside it', () => {
    const payload = {
      room_id: ROOM,
      type: 'group',
      name: 'Team',
      created_at: '2026-01-31T12:00:00+00:00',
      updated_at: '2026-01-31T12:00:00+00:00',
    };
    expect(changeView(ROOM, { rev: 9, type: 'room.updated', payload })).toMatchObject({
      rev: 9,
      type: 'room.updated',
      room_type: 'group',
      room_id: `room_${hex(ROOM)}`,
      name: 'Team',
      updated_at: '2026-01-31T12:00:00.000Z',
    });
  });
});

describe('refusal', () => {
  it.each([
    ['no_room', 404, 'Room not found'],
    ['not_member', 403, 'You are not a member of this room'],
    ['posting', 403, 'Only admins may post in this room'],
    ['mismatch', 422, 'This client_message_id was used before with another body'],
  ])('of %s is %d', (status, code, message) => {
    expect(refusal(status, false)).toMatchObject({ status: code, message });
  });

  it.each([
    ['no_room', 404, 'Room not found'],
    ['no_message', 404, 'Message not found'],
    ['forbidden', 403, 'You may not change this message'],
  ])('of a change, %s is %d', (status, code, message) => {
    for (const { returns } of [messageEdit, messageDelete])
      expect(() => returns.read({ status })).toThrow(expect.objectContaining({ status: code, message }) as Error);
  });

  it('names what the client sent: the key or the id', () => {
    expect(refusal('mismatch', false).field).toBe('client_message_id');
    expect(refusal('mismatch', true)).toMatchObject({
      field: 'Idempotency-Key',
      message: 'This Idempotency-Key was used before with another body',
    });
  });

  it('of a status that nobody knows is a fault of ours', () => {
    expect(() => refusal('new', false)).toThrow('unknown status new');
    expect(() => messageEdit.returns.read({ status: 'new' })).toThrow('unknown status new');
  });
});
