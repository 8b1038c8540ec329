import { newUuid } from '../../src/common/ids';
import { type Appended, isStored, type NewMessage } from '../../src/modules/messages/appender/item';
import { aiChat, aiTurn } from '../support/ai-chats';
import { AppendFixture, checkLog, messageTo, type RoomRef, seqOf } from '../support/append-model';
import { type AppendNode, openNode } from '../support/append-nodes';
import { MAX_WAIT_MS } from '../support/timing';

/** How several servers wait for each other's rooms: not at all, or a little. */
const PATIENCE = [0, 50];

let bench: AppendFixture;
beforeAll(async () => {
  bench = await AppendFixture.start();
});
afterAll(() => bench.close());

const statuses = (rows: readonly { item: number; status: string }[]): string[] =>
  [...rows].sort((a, b) => a.item - b.item).map(({ status }) => status);

describe('a call that waits for rooms', () => {
  /** Two rooms in the order in which they are locked. */
  async function pair(): Promise<readonly [RoomRef, RoomRef]> {
    const tenantId = await bench.tenant();
    const [low = '', high = ''] = [newUuid(), newUuid()].sort();
    return [await bench.room({ tenantId, roomId: low }), await bench.room({ tenantId, roomId: high })];
  }

  /** Nobody holds the room. */
  async function isFree({ tenantId, roomId }: RoomRef): Promise<boolean> {
    const free = await bench.database.sql(
      'SELECT FROM rooms WHERE tenant_id = $1 AND room_id = $2 FOR NO KEY UPDATE SKIP LOCKED',
      [tenantId, roomId],
    );
    return free.length === 1;
  }

  it('takes them in one order, whatever the order of its messages: no two calls wait for each other', async () => {
    const [low, high] = await pair();
    const held = await bench.hold(low);
    const sending = [
      [low, high],
      [high, low],
    ].map((rooms) =>
      bench.repository.append(
        rooms.map((room) => messageTo(room)),
        MAX_WAIT_MS,
      ),
    );
    await bench.lockWaiters(2);
    expect(await isFree(high)).toBe(true);
    await held.release();
    expect((await Promise.all(sending)).map(statuses)).toEqual([
      ['new', 'new'],
      ['new', 'new'],
    ]);
  });

  it('stores all when a room comes free in time, and decides then', async () => {
    const [low, high] = await pair();
    const held = await bench.hold(high);
    const batch = [low, high, low].map((room) => messageTo(room));
    const sending = bench.repository.append([...batch, messageTo(high, { senderId: 'bob' })], MAX_WAIT_MS);
    await bench.lockWaiters(1);
    expect(await isFree(low)).toBe(false);
    await held.run('DELETE FROM room_members WHERE tenant_id = $1 AND room_id = $2 AND user_id = $3', [
      high.tenantId,
      high.roomId,
      'bob',
    ]);
    await held.release();
    expect(statuses(await sending)).toEqual(['new', 'new', 'new', 'not_member']);
    for (const room of [low, high]) checkLog(await bench.log(room));
  });

  it.each([0, 1])('goes on without the one that stays held, the others are stored (%s of two)', async (nth) => {
    const rooms = await pair();
    const held = await bench.hold(rooms[nth === 0 ? 0 : 1]);
    const rows = await bench.repository.append(
      rooms.map((room) => messageTo(room)),
      20,
    );
    expect(statuses(rows)).toEqual(nth === 0 ? ['locked', 'new'] : ['new', 'locked']);
    await held.release();
    const again = await Promise.all(rooms.map((room) => bench.appendOne(messageTo(room), 0)));
    expect(again.map(({ seq }) => seq)).toEqual(nth === 0 ? [1, 2] : [2, 1]);
  });
});

describe.each(PATIENCE)('several servers on one database, each of which waits %s ms for a room', (lockMs) => {
  const nodes: AppendNode[] = [];
  beforeAll(async () => {
    for (let i = 0; i < 3; i++) nodes.push(await openNode(bench.database, { lockMs }));
  });
  afterAll(() => Promise.all(nodes.map((node) => node.close())));

  it('number many rooms and a hot one without a gap, and store each message once', async () => {
    const tenantId = await bench.tenant();
    const rooms = await Promise.all(Array.from({ length: 30 }, () => bench.room({ tenantId })));
    const sent = nodes.flatMap((node, at) =>
      Array.from({ length: 900 }, (_, i) => {
        const message = numbered(rooms[i % 3 === 0 ? 0 : i % rooms.length] as RoomRef, at, i);
        return { at, message, result: node.commits.append(message) };
      }),
    );
    const answered = await Promise.all(sent.map(async (one) => ({ ...one, result: await one.result })));
    for (const room of rooms) {
      const log = await bench.log(room);
      const own = answered.filter(({ message }) => message.roomId === room.roomId);
      checkLog(log);
      expect(await bench.counters(room)).toEqual({ last_seq: log.length, last_rev: log.length });
      expect(log.map(({ rev }) => rev)).toEqual(log.map(({ seq }) => seq));
      expect(own.filter(({ result }) => result.status === 'new')).toHaveLength(log.length);
      for (const { message, result } of own) {
        const at = log[seqOf(result) - 1];
        expect([at?.content, at?.client_message_id]).toEqual([message.content, message.clientMessageId]);
      }
      for (const at of nodes.keys()) expect(inOrder(own.filter((one) => one.at === at))).toBe(true);
    }
  });

  it('take one of two messages that race for a chat which refuses a second, 200 times', async () => {
    const tenantId = await bench.tenant();
    for (let wave = 0; wave < 20; wave++) {
      const chats = await Promise.all(Array.from({ length: 10 }, () => aiChat(bench, tenantId)));
      const raced = await Promise.all(
        chats.map((chat) =>
          Promise.all(nodes.slice(0, 2).map(({ commits }) => commits.append(aiTurn(chat, { onlyIfFree: true })))),
        ),
      );
      const outcomes = raced.map((pair) => pair.map(({ status }) => status).sort());
      expect(outcomes).toEqual(chats.map(() => ['busy', 'new']));
    }
    const [stored] = await bench.database.sql(
      `SELECT (SELECT count(*)::int FROM messages WHERE tenant_id = $1) AS messages,
         (SELECT count(*)::int FROM runs WHERE tenant_id = $1) AS runs,
         (SELECT count(*)::int FROM jobs WHERE tenant_id = $1) AS jobs`,
      [tenantId],
    );
    expect(stored).toEqual({ messages: 200, runs: 200, jobs: 200 });
  });

  it('go on while a room is held, whose messages follow in the order in which each server got them', async () => {
    const tenantId = await bench.tenant();
    const [locked, free] = [await bench.room({ tenantId }), await bench.room({ tenantId })];
    const held = await bench.hold(locked);
    const behind = nodes.flatMap((node, at) =>
      Array.from({ length: 20 }, (_, i) => ({ at, result: node.commits.append(numbered(locked, at, 5 * i + 1)) })),
    );
    await Promise.all(nodes.map((node, at) => node.commits.append(numbered(free, at, 1))));
    expect(await bench.log(locked)).toEqual([]);
    await held.release();
    const answered = await Promise.all(behind.map(async ({ at, result }) => ({ at, result: await result })));
    for (const at of nodes.keys()) expect(inOrder(answered.filter((one) => one.at === at))).toBe(true);
    expect(await bench.log(locked)).toHaveLength(60);
  });
});

/** The nth message of a server; every fifth one is the same on all of them. */
function numbered(room: RoomRef, at: number, n: number): NewMessage {
  if (n % 5 === 0) return messageTo(room, { content: `all ${n}`, clientMessageId: `all ${n}` });
  return messageTo(room, { content: `${at} ${n}` });
}

/** What a server has handed in stands in the log in that order, but for what another one had stored before. */
function inOrder(answered: readonly { readonly result: Appended }[]): boolean {
  const seqs = answered.flatMap(({ result }) => (isStored(result) && result.status === 'new' ? [result.seq] : []));
  return seqs.every((seq, i) => i === 0 || seq > (seqs[i - 1] ?? Infinity));
}
