import { UnreliableBus } from '../../../test/support/cluster/unreliable-bus';
import { ChannelSimulator } from '../../../test/support/realtime/channel-simulator';
import { FeedNode } from '../../../test/support/realtime/feed-nodes';
import type { JsonLineConnection } from '../../../test/support/realtime/json-line-connection';
import { type Change, eventOf, ModelDatabase, type ModelRoom, turns } from '../../../test/support/realtime/model-log';
import { encodeId } from '../../common/ids';
import type { Connection, StreamPart } from '../transport/connection';
import type { RoomEvent } from './ports';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
const ROOM = '0190bbbb-0000-7000-8000-000000000001';
const MESSAGE = '0190cccc-0000-7000-8000-000000000001';

describe('a channel', () => {
  let database: ModelDatabase;
  let room: ModelRoom;
  let node: FeedNode;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
    database = new ModelDatabase(TENANT);
    room = database.room(ROOM, ['ann', 'ben']);
    node = new FeedNode(database, new UnreliableBus());
  });
  afterEach(() => {
    node.stop();
    jest.useRealTimers();
  });

  async function open(user: string): Promise<JsonLineConnection> {
    const { connection, opened } = node.open(user);
    await opened;
    return connection;
  }

  const publish = (...changes: Change[]): void =>
    node.feed.feed.publishEvents(changes.map((c) => eventOf(TENANT, ROOM, c)));
  const revs = (connection: JsonLineConnection): unknown[] => connection.frames.map((frame) => frame['rev']);
  const messages = (count: number): Change[] => Array.from({ length: count }, () => room.message());

  it('serialises once, and queues one batch per connection and turn', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => open('ann')));
    publish(...messages(32));
    expect(node.batches.encoded).toBe(32);
    for (const connection of all) {
      expect(connection.batches).toBe(1);
      expect(revs(connection)).toHaveLength(32);
    }
    publish(...messages(1));
    expect(all.map((connection) => connection.batches)).toEqual(all.map(() => 2));
  });

  it('serialises nothing where nobody is', async () => {
    await open('zoe');
    publish(...messages(3));
    expect(node.batches.encoded).toBe(0);
  });

  it('seals the batch when somebody comes or goes within a turn', async () => {
    const [ann, ben] = [await open('ann'), await open('ben')];
    const [first, second, third] = messages(3) as [Change, Change, Change];
    publish(first);
    node.feed.audience.unsubscribeConnection(ben, ROOM);
    publish(second);
    // The position is that of now: the third message lies after it.
    const subscribed = node.feed.audience.subscribeConnection(ben, ROOM);
    publish(third);
    await subscribed;
    await turns();
    const fourth = room.message();
    publish(fourth);
    expect(revs(ann)).toEqual([1, 2, 3, 4]);
    expect(revs(ben)).toEqual([1, 4]);
  });

  it('puts what comes early, twice or late into order without asking the log', async () => {
    const ann = await open('ann');
    const before = database.reads;
    const [a, b, c] = messages(3) as [Change, Change, Change];
    publish(c);
    publish(b, b);
    expect(revs(ann)).toEqual([]);
    publish(a, c, a);
    expect(revs(ann)).toEqual([1, 2, 3]);
    await jest.advanceTimersByTimeAsync(1000);
    expect(database.reads).toBe(before);
  });

  it('reads the log when what lies between has not come within 50 ms', async () => {
    const ann = await open('ann');
    const [, , third] = messages(3) as [Change, Change, Change];
    publish(third);
    await jest.advanceTimersByTimeAsync(49);
    expect(revs(ann)).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    await turns();
    expect(revs(ann)).toEqual([1, 2, 3]);
    publish(...messages(1));
    expect(revs(ann)).toEqual([1, 2, 3, 4]);
  });

  it('reads once at a time, and once more when it was told of something meanwhile', async () => {
    const ann = await open('ann');
    database.isPatient = true;
    messages(1);
    for (let i = 0; i < 5; i++) node.feed.feed.touchRoom(TENANT, ROOM);
    await turns();
    expect(database.calls.map(({ name }) => name)).toEqual(['after']);
    await database.answer();
    const [second] = messages(1) as [Change];
    publish(second);
    expect(revs(ann)).toEqual([1]);
    await database.settle();
    expect(revs(ann)).toEqual([1, 2]);
    expect(database.calls).toEqual([]);
  });

  it('knows that messages of a page have changed since, also where as many other changes lie between', async () => {
    const event = (rev: number, seq?: number): RoomEvent => ({
      ...{ tenantId: TENANT, roomId: ROOM, rev, frame: () => ({ type: 'x', rev }) },
      ...(seq === undefined ? {} : { seq, messageId: MESSAGE }),
    });
    const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
    // The first message has changed since: it stands behind the first page, and at its place in the second one.
    const pages = [
      { events: upTo(20).map((i) => event(2 + i)), position: { rev: 21, seq: 0 }, more: true },
      {
        events: [event(41, 1), ...upTo(19).map((i) => event(22 + i, 2 + i))],
        position: { rev: 41, seq: 20 },
        more: false,
      },
    ];
    const simulator = new ChannelSimulator(room, [], 20);
    simulator.read = () => Promise.resolve(pages.shift());
    simulator.channel.refresh();
    await turns();
    expect(simulator.channel.position).toEqual({ rev: 41, seq: 20 });
    expect(simulator.channel.cache.quietSince).toBe(41);
  });

  it('tries again, ever more slowly, while the database is away', async () => {
    const ann = await open('ann');
    database.isPatient = true;
    messages(2);
    node.feed.feed.touchRoom(TENANT, ROOM);
    for (const pause of [100, 200, 400]) {
      await turns();
      const [call] = database.calls.splice(0);
      call?.fail();
      await turns();
      await jest.advanceTimersByTimeAsync(pause - 1);
      expect(database.calls).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
    }
    await turns();
    await database.settle();
    expect(revs(ann)).toEqual([1, 2]);
  });

  it('believes the log, not a hint of what does not exist', async () => {
    await open('ann');
    publish({ rev: 9, type: 'message', seq: 9 });
    await jest.advanceTimersByTimeAsync(60);
    await turns();
    const before = database.reads;
    await jest.advanceTimersByTimeAsync(5000);
    expect(database.reads).toBe(before);
  });

  it('brings a room that a connected user is added to, from right before their joining', async () => {
    const cat = await open('cat');
    messages(2);
    const joined = room.join('cat');
    messages(1);
    expect(joined?.rev).toBe(3);
    node.feed.feed.touchRoom(TENANT, ROOM, ['cat']);
    await turns();
    expect(revs(cat)).toEqual([3, 4]);
  });

  it('is over when nobody is in it, and its room ends for everybody at once', async () => {
    const [ann, ben] = [await open('ann'), await open('ben')];
    expect(node.feed.channels.size).toBe(1);
    ann.close();
    expect(node.feed.channels.size).toBe(1);
    publish(room.delete());
    expect(ben.frames).toMatchObject([{ type: 'room.deleted', rev: 1 }]);
    node.rest();
    expect(node.feed.channels.size).toBe(0);
  });

  it('tells who is a member here, and who has left', async () => {
    const gone: string[] = [];
    node.feed.audience.onDetached((connection) => void gone.push(connection.userId));
    const [ann, ben, lea] = [await open('ann'), await open('ben'), await open('lea')];
    await node.feed.audience.subscribeConnection(lea, ROOM);
    const members = (): string[] => [...node.feed.audience.members(TENANT, ROOM)].map(({ userId }) => userId);
    expect(members()).toEqual(['ann', 'ben']);
    expect(node.feed.audience.isMember(lea, ROOM)).toBe(false);
    publish(room.join('lea') as Change, room.leave('ben') as Change);
    expect(members()).toEqual(['ann', 'lea']);
    expect(gone).toEqual(['ben']);
    ann.close();
    expect(gone).toEqual(['ben', 'ann']);
    expect(ben.frames.map(({ type }) => type)).toEqual(['member.joined', 'member.left']);
  });

  it('tells who is a member here, live or being synced, until they have left', async () => {
    const [ann, ben, lea] = [await open('ann'), await open('ben'), await open('lea')];
    await node.feed.audience.subscribeConnection(lea, ROOM);
    const of = (found: Iterable<Connection>): string[] => [...found].map(({ userId }) => userId);
    const { audience, places } = node.feed;
    places.hold(ben, ROOM);
    expect(of(audience.members(TENANT, ROOM))).toEqual(['ann']);
    expect(of(audience.allMembers(TENANT, ROOM))).toEqual(['ann', 'ben']);
    publish(room.leave('ben') as Change);
    expect(of(audience.allMembers(TENANT, ROOM))).toEqual(['ann']);
    ann.close();
    expect(of(audience.allMembers(TENANT, ROOM))).toEqual([]);
  });

  it('sends what is not in the log to those who are live, but not to its cause', async () => {
    const [ann, ben] = [await open('ann'), await open('ben')];
    node.feed.feed.signalMembers(TENANT, ROOM, 'typing/ann', { type: 'typing', user_id: 'ann' }, 'ann');
    expect(ann.ephemeral).toEqual([]);
    expect(ben.ephemeral).toEqual([{ key: 'typing/ann', frame: { type: 'typing', user_id: 'ann' } }]);
  });

  it('keeps a stream in its place among the messages of the turn', async () => {
    const [ann, ben] = [await open('ann'), await open('ben')];
    const message = '0190cccc-0000-7000-8000-000000000001';
    const tell = (part: StreamPart): void => node.feed.feed.streamPart(TENANT, ROOM, message, part);
    const [question, answer] = messages(2) as [Change, Change];
    publish(question);
    tell({ type: 'start', senderId: 'agent_default' });
    tell({ type: 'delta', text: 'Hi', index: 0 });
    tell({ type: 'end', seq: 2, status: 'completed', finishReason: 'stop' });
    publish(answer);
    const ids = { room_id: encodeId('room', ROOM), message_id: encodeId('message', message) };
    for (const connection of [ann, ben])
      expect(connection.frames).toEqual([
        expect.objectContaining({ rev: 1 }),
        { type: 'message.stream.start', ...ids, sender_id: 'agent_default' },
        { type: 'message.stream.delta', ...ids, text: 'Hi', index: 0 },
        { type: 'message.stream.end', ...ids, seq: 2, status: 'completed', finish_reason: 'stop' },
        expect.objectContaining({ rev: 2 }),
      ]);
  });

  it('brings a stream to the other nodes', async () => {
    const wire = new UnreliableBus();
    const [here, there] = [new FeedNode(database, wire), new FeedNode(database, wire)];
    const { connection, opened } = there.open('ann');
    await opened;
    here.feed.feed.streamPart(TENANT, ROOM, '0190cccc-0000-7000-8000-000000000001', {
      type: 'error',
      code: 'MODEL_ERROR',
      message: 'no',
    });
    await turns();
    wire.deliverAll();
    expect(connection.frames).toMatchObject([{ type: 'message.stream.error', code: 'MODEL_ERROR', message: 'no' }]);
    for (const each of [here, there]) each.stop();
  });
});
