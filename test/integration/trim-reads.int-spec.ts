import { newUuid } from '../../src/common/ids';
import { chatAnswerAgain, chatCreate, runBegin } from '../../src/modules/chats/chats.functions';
import { ChatsRepository } from '../../src/modules/chats/chats/chats.repository';
import { deadLettersPage, deadLettersReplay, deadLettersTrimmed } from '../../src/modules/delivery/delivery.functions';
import { ChatLog } from '../../src/modules/messages/chat-log.repository';
import { messageDelete, messageEdit, messagesTrimmed } from '../../src/modules/messages/messages.functions';
import { MessageFacts, MessagesRepository } from '../../src/modules/messages/messages.repository';
import { MissedRepository, RoomLogRepository } from '../../src/modules/messages/room-log/room-log.repository';
import { roomCut } from '../../src/modules/rooms/rooms.functions';
import { AppendFixture, type RoomRef } from '../support/append-model';

/** Messages of each room; those up to GONE are older than the room's days. In the room that is to be empty all are. */
const ALL = 6;
const GONE = 3;
const PAGE = { messages: 100, changes: 100, bytes: 1_000_000 };

/** A question by `bob` and an answer by turns, each changed once: what has gone says `gone`. */
const MESSAGES = `
INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at, edited_at, kind, status,
  reply_to_seq)
SELECT $1, $2, n, overlay($2::uuid::text PLACING lpad(n::text, 4, '0') FROM 20)::uuid, ${ALL} + n,
  CASE WHEN n % 2 = 1 THEN 'bob' ELSE 'agent_x' END, CASE WHEN n <= $3 THEN 'gone ' ELSE 'kept ' END || n,
  clock_timestamp() - make_interval(days => CASE WHEN n <= $3 THEN 5 ELSE 0 END), clock_timestamp(),
  CASE WHEN n % 2 = 1 THEN 'user' ELSE 'assistant' END, CASE WHEN n % 2 = 1 THEN NULL ELSE 'completed' END,
  CASE WHEN n % 2 = 1 THEN NULL ELSE n - 1 END
FROM generate_series(1, ${ALL}) n`;

describe('what reads the log, where a room begins later and the rows before are still there', () => {
  let bench: AppendFixture;
  let room: RoomRef;
  let empty: RoomRef;

  beforeAll(async () => {
    bench = await AppendFixture.start();
  });
  afterAll(() => bench.close());

  beforeEach(async () => {
    const tenantId = await bench.tenant();
    await bench.database.sql(`UPDATE tenants SET settings = '{"retention_days":3}' WHERE tenant_id = $1`, [tenantId]);
    room = await chat(tenantId, GONE);
    empty = await chat(tenantId, ALL);
  });

  async function chat(tenantId: string, gone: number): Promise<RoomRef> {
    const made = { tenantId, roomId: newUuid() };
    await bench.call(made, chatCreate, {
      ...{ p_room: made.roomId, p_user: 'bob', p_preset: 'x', p_agent: 'agent_x', p_title: 'chat' },
      ...{ p_auto_title: false, p_active: false },
    });
    await sql(made, MESSAGES, gone);
    await sql(made, `UPDATE rooms SET last_seq = ${ALL}, last_rev = ${2 * ALL} WHERE tenant_id = $1 AND room_id = $2`);
    await sql(
      made,
      `INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, state, answer_seq, token_count, ended_at)
       SELECT $1, gen_random_uuid(), $2, 'bob', n - 1, 'completed', n, 0, now() FROM generate_series(2, ${ALL}, 2) n`,
    );
    await sql(made, `INSERT INTO cursors (tenant_id, room_id, user_id, has_dead_letters) VALUES ($1, $2, 'bob', true)`);
    await sql(
      made,
      `INSERT INTO dead_letters (tenant_id, room_id, user_id, from_seq, to_seq, letter_no, attempts, last_attempt_at, error)
       SELECT $1, $2, 'bob', 1, ${ALL}, (SELECT count(*) FROM dead_letters WHERE tenant_id = $1), 5, now(), ''`,
    );
    return made;
  }

  function sql<R extends object>(of: RoomRef, text: string, ...values: unknown[]): Promise<R[]> {
    return bench.database.sql<R>(text, [of.tenantId, of.roomId, ...values]);
  }
  /** The id that MESSAGES gives. */
  const idOf = ({ roomId }: RoomRef, seq: number): string =>
    `${roomId.slice(0, 19)}${`${seq}`.padStart(4, '0')}${roomId.slice(23)}`;
  const cut = async (): Promise<void> => {
    for (const one of [room, empty])
      expect(await bench.call(one, roomCut, { p_room: one.roomId })).toMatchObject({ status: 'ok' });
    expect(await bench.log(room)).toHaveLength(ALL);
  };
  const sweep = async (): Promise<void> => {
    for (const { tenantId, roomId } of [room, empty]) {
      const args = { p_room: roomId, p_limit: 100 };
      await messagesTrimmed.call(bench.open.database, tenantId, { ...args, p_after: 0 });
      await deadLettersTrimmed.call(bench.open.database, tenantId, args);
    }
    expect(await bench.log(room)).toHaveLength(ALL - GONE);
  };

  const facts = (): MessageFacts => new MessageFacts(bench.open.database);
  const log = (): ChatLog => new ChatLog(bench.open.database, undefined as never, undefined as never);
  const messages = (): MessagesRepository => new MessagesRepository(bench.open.database);
  const roomLog = (): RoomLogRepository => new RoomLogRepository(bench.open.database);
  const missed = (of: RoomRef, changedThroughSeq: number, named?: number): Promise<object[]> =>
    new MissedRepository(bench.open.database).missed(
      of.tenantId,
      [
        {
          userId: 'bob',
          part: {
            ...{ roomId: of.roomId, afterSeq: changedThroughSeq, throughSeq: ALL, afterRev: 0, throughRev: 2 * ALL },
            ...{ changedThroughSeq, marks: false, named },
          },
          limits: PAGE,
        },
      ],
      10,
    );

  it.each<[string, (tenantId: string, roomId: string) => Promise<unknown>]>([
    [
      'a list',
      (t, r) => messages().list(t, r, 'bob', { afterSeq: null, beforeSeq: null, limit: 9, offset: 0, newest: false }),
    ],
    ['what is sent again', (t, r) => messages().between(t, r, 0, ALL, 9)],
    ['one message', (t, r) => messages().find(t, r, 'bob', idOf(room, GONE))],
    ['the changes', (t, r) => messages().changes(t, r, 'bob', 0, 99)],
    [
      'the room in a list of rooms',
      async (t) => {
        const [row] = await sql<{ firstSeq: number }>(
          empty,
          'SELECT first_seq::int AS "firstSeq" FROM rooms WHERE tenant_id = $1 AND room_id = $2',
        );
        const wanted = { roomId: empty.roomId, joinedSeq: 0, firstSeq: row?.firstSeq ?? 0, lastSeq: ALL, readSeq: ALL };
        return messages().previews(t, 'bob', [wanted], { count: 9, reach: 9 });
      },
    ],
    ['what webhooks tell', (t, r) => facts().ofSeqs(t, r, [1, 2, 3, 4, 5])],
    ['what an administrator sees of a room', (t, r) => facts().newest(t, r, 99)],
    [
      'what an administrator sees of a user',
      (t) => facts().newestBy(t, 'bob', [room.roomId, empty.roomId], { reach: 99, limit: 99 }),
    ],
    ['the message of a trace', (t, r) => facts().find(t, r, idOf(room, GONE))],
    ['the feed, from the beginning', (t, r) => roomLog().after(t, r, { rev: 0, seq: 0 }, 99)],
    ['the feed, what changed', (t, r) => roomLog().after(t, r, { rev: ALL, seq: ALL }, 99)],
    ['a range', (t, roomId) => roomLog().ranges(t, [{ roomId, afterSeq: 0, throughSeq: ALL, bytes: 9e6 }])],
    ['an opening', (t) => roomLog().openings(t, [{ roomId: empty.roomId, mostMarks: 0, named: ALL }])],
    ['a sync', () => missed(room, 0)],
    ['a sync, what changed', () => missed(room, ALL)],
    ['a sync, the last id', () => missed(empty, ALL, ALL)],
    ['a page of a chat', (t, r) => log().pageOfChat(t, r, false, 9, 0)],
    ['a page of a chat, further', (t, r) => log().pageOfChat(t, r, false, 2, 1)],
    ['a message of a chat', (t, r) => log().findMessage(t, r, idOf(room, 2))],
    ['a message of a chat by seq', (t, r) => log().ofSeq(t, r, 1)],
    ['the turns of a chat', (t, r) => log().said(t, r, 9, 0)],
    ['how chats end', (t) => log().lastSaid(t, [room.roomId, empty.roomId])],
    ['what a model is told', (t, r) => log().context(t, r, 5, 0, 99)],
    ['answers without a word', (t, r) => new ChatsRepository(bench.open.database).silent(t, [r])],
    ['dead letters', (t) => deadLettersPage.call(bench.open.database, t, { p_limit: 99 })],
    ['dead letters that are sent again', (t) => deadLettersReplay.call(bench.open.database, t, { p_limit: 99 })],
  ])('%s shows what it will when they have gone', async (_, read) => {
    const { tenantId, roomId } = room;
    const shown = async (): Promise<unknown> => {
      const text = JSON.stringify(await read(tenantId, roomId), (__, value: unknown) =>
        value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
      );
      return JSON.parse(text ?? 'null', (key, value: unknown) => (key === 'last_attempt_at' ? '' : value));
    };
    const before = await shown();
    await cut();
    const between = await shown();
    expect(JSON.stringify(between)).not.toContain('gone');
    expect(between).not.toEqual(before);
    await sweep();
    expect(await shown()).toEqual(between);
  });

  it('an edit and a deletion find no message, and nothing is changed', async () => {
    await cut();
    const { last_rev } = await bench.counters(room);
    const target = { p_room: room.roomId, p_message: idOf(room, 1), p_user: 'bob' };
    expect(await bench.call(room, messageEdit, { ...target, p_content: 'new' })).toEqual({ status: 'no_message' });
    expect(await bench.call(room, messageDelete, target)).toEqual({ status: 'no_message' });
    expect(await bench.counters(room)).toMatchObject({ last_rev });
    const kept = { ...target, p_message: idOf(room, 5) };
    expect(await bench.call(room, messageEdit, { ...kept, p_content: 'new' })).toMatchObject({ status: 'ok' });
  });

  it('a question that has gone is not answered: neither again, nor where its run had not begun', async () => {
    await sql(
      room,
      `INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq) SELECT $1, n, $2, 'bob', q
       FROM (VALUES (overlay($2::uuid::text PLACING '0001' FROM 20)::uuid, 1), (overlay($2::uuid::text PLACING '0005' FROM 20)::uuid, 5))
         v(n, q)`,
    );
    await cut();
    const begin = (nth: number): Promise<unknown> => bench.call(room, runBegin, { p_run: idOf(room, nth) });
    expect(await begin(1)).toMatchObject({ status: 'cancelled' });
    expect(await begin(5)).toMatchObject({ status: 'started' });
    const again = { p_room: empty.roomId, p_run: newUuid() };
    expect(await bench.call(empty, chatAnswerAgain, again)).toEqual({ status: 'nothing' });
  });
});
