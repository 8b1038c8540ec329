import { UnreliableBus } from '../../../test/support/cluster/unreliable-bus';
import { FeedNode } from '../../../test/support/realtime/feed-nodes';
import type { JsonLineConnection } from '../../../test/support/realtime/json-line-connection';
import { eventOf, ModelDatabase, type ModelRoom, turns } from '../../../test/support/realtime/model-log';
import { encodeId } from '../../common/ids';
import { SYNC_BOUNDS, type SyncBounds } from './room-sync';
import type { SyncService } from './sync-service';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
const roomId = (n: number): string => `0190bbbb-0000-7000-8000-00000000000${n}`;
const ROOM = roomId(1);

describe('a sync', () => {
  let database: ModelDatabase;
  let room: ModelRoom;
  let node: FeedNode;
  let service: SyncService;

  function start(bounds: Partial<SyncBounds> = {}, cacheMegabytes = 1): void {
    database = new ModelDatabase(TENANT, 2);
    room = database.room(ROOM, ['ann', 'ben']);
    room.isChannel = false;
    node = new FeedNode(database, new UnreliableBus(), cacheMegabytes);
    service = node.syncing({ ...SYNC_BOUNDS, ...bounds });
    database.isPatient = true;
  }

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
    start();
  });
  afterEach(() => {
    node.stop();
    jest.useRealTimers();
  });

  const write = (count: number, to = room): void => void Array.from({ length: count }, () => to.message());
  const publish = (change: ReturnType<ModelRoom['message']> | undefined): void => {
    if (change !== undefined) node.feed.feed.publishEvents([eventOf(TENANT, ROOM, change)]);
  };
  const outline = (connection: JsonLineConnection): unknown[][] =>
    connection.frames.map((frame) => [frame.type, frame['seq'] ?? frame['last_seq'] ?? frame['before_seq']]);
  const through = (connection: JsonLineConnection): number | undefined =>
    node.feed.audience.sentThrough(connection, ROOM);

  /** A connection whose first page is being read. */
  async function opening(): Promise<JsonLineConnection> {
    const { connection, opened } = node.openSyncing('ben');
    await turns();
    await database.answer();
    await opened;
    return connection;
  }

  it('says how far the connection was sent the room, whatever it is doing', async () => {
    write(3);
    room.acked.set('ben', 1);
    const ben = await opening();
    expect(through(ben)).toBe(1);
    write(1);
    await database.answer();
    expect(through(ben)).toBe(3);
    publish(room.changes.at(-1));
    await database.settle();
    expect(through(ben)).toBe(4);
    expect(node.feed.audience.sentThrough(ben, roomId(2))).toBeUndefined();
    publish(room.leave('ben'));
    expect(through(ben)).toBeUndefined();
  });

  it('ends in the turn in which the channel reaches the removal, whatever is being read', async () => {
    write(4);
    const ben = await opening();
    publish(room.leave('ben'));
    expect(outline(ben)).toEqual([['member.left', undefined]]);
    await database.settle();
    expect(outline(ben)).toHaveLength(1);
    node.rest();
    expect(node.feed.channels.size).toBe(0);
  });

  it('tells what is shared up to where the database saw its user, whose removal nobody told, and that by a poll', async () => {
    write(4);
    const ben = await opening();
    room.leave('ben');
    write(1);
    await database.settle();
    expect(outline(ben).at(-1)).toEqual(['sync.complete', 4]);
    const polled = node.feed.resync.poll((ask) => ask());
    await database.settle();
    await polled;
    expect(outline(ben).at(-1)).toEqual(['member.left', undefined]);
  });

  it('sends nothing of a page that says so, and looks for the removal of which nobody told', async () => {
    node.stop();
    start({}, 0);
    write(4);
    const ben = await opening();
    room.leave('ben');
    await database.settle();
    expect(outline(ben)).toEqual([['member.left', undefined]]);
  });

  it('is told from the log where what was there for it is always given up before it is sent', async () => {
    write(3);
    jest.spyOn(node.feed.places.pages, 'take').mockReturnValue(undefined);
    const ben = await opening();
    await database.settle();
    expect(outline(ben).map(([, seq]) => seq)).toEqual([1, 2, 3, 3]);
  });

  it('stops with its connection', async () => {
    write(4);
    const ben = await opening();
    ben.close();
    await database.settle();
    const { reads } = database;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(database.reads).toBe(reads);
    expect(service.waiting()).toBe(0);
  });

  it('waits for the database as long as it is away', async () => {
    write(3);
    const ben = await opening();
    for (let i = 0; i < 4; i++) {
      database.calls.splice(0).forEach(({ fail }) => fail());
      await jest.advanceTimersByTimeAsync(5000);
    }
    expect(ben.isOpen).toBe(true);
    await database.settle();
    expect(outline(ben)).toEqual([
      ['message', 1],
      ['message', 2],
      ['message', 3],
      ['sync.complete', 3],
    ]);
  });

  it('reads the next page only when the client has taken the last one', async () => {
    write(6);
    const ben = await opening();
    ben.isSlow = true;
    await database.settle();
    expect(outline(ben)).toHaveLength(2);
    ben.read();
    await database.settle();
    expect(outline(ben)).toHaveLength(7);
  });

  it('sends the newest of each room and of all, and says what it left out', async () => {
    node.stop();
    start({ roomMessages: 3, messages: 5 });
    const rooms = [room, database.room(roomId(2), ['ben']), database.room(roomId(3), ['ben'])];
    for (const each of rooms) write(4, each);
    const ben = await opening();
    await database.settle();
    expect(outline(ben)).toEqual([
      ...[
        ['sync.truncated', 2],
        ['message', 2],
        ['message', 3],
        ['message', 4],
        ['sync.complete', 4],
      ],
      ...[
        ['sync.truncated', 3],
        ['message', 3],
        ['message', 4],
        ['sync.complete', 4],
      ],
      ...[
        ['sync.truncated', 5],
        ['sync.complete', 4],
      ],
    ]);
  });

  it('sends other changes of the newest revisions alone, and says between which they are left out', async () => {
    node.stop();
    start({ roomRevisions: 2 });
    write(1);
    const ben = await opening();
    await database.settle();
    for (let i = 0; i < 5; i++) publish(i % 2 === 0 ? room.join('cat') : room.leave('cat'));
    const before = ben.frames.length;
    const asked = service.one(ben, { room_id: encodeId('room', ROOM), after_seq: 1, after_rev: 1 }, 'r');
    await turns();
    await database.settle();
    await asked;
    expect(ben.frames.slice(before).map(({ type, rev }) => [type, rev])).toEqual([
      ['sync.truncated', undefined],
      ['member.left', 5],
      ['member.joined', 6],
      ['sync.complete', undefined],
    ]);
    expect(ben.frames[before]).toMatchObject({ after_seq: 1, before_seq: 2, after_rev: 1, before_rev: 5 });
  });

  it('is refused while too much of it waits', async () => {
    const ben = await opening();
    await database.settle();
    ben.isSlow = true;
    const rooms = Array.from({ length: 1000 }, () => ({ room_id: encodeId('room', ROOM), after_seq: 0 }));
    const two = [service.many(ben, rooms, 'a'), service.many(ben, rooms, 'b')];
    const refused = { code: 'RATE_LIMIT_EXCEEDED', retryAfterSeconds: 1 };
    await expect(service.many(ben, rooms.slice(0, 1), 'c')).rejects.toMatchObject(refused);
    await turns();
    await database.answer();
    await Promise.all(two);
    await expect(service.many(ben, rooms.slice(0, 1), 'd')).rejects.toMatchObject(refused);
    ben.read();
    await database.settle();
    expect(service.waiting()).toBe(0);
    expect(ben.frames.filter((frame) => frame['request_id'] === 'b')).toHaveLength(1000);
  });
});
