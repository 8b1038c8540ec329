import type { RecordingConnection } from '../../../test/support/realtime/recording-connection';
import { RedeliveryFixture, settle, takeSeqs, WAIT_MS } from '../../../test/support/realtime/redelivery-fixture';

/** A round of visits: what is due is noticed that much late. */
const ROUND_MS = 5000;
/** All five attempts, and the wait after them. */
const WHOLE_MS = 31 * WAIT_MS + 6 * ROUND_MS;

const seqs = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('Redelivery', () => {
  let world: RedeliveryFixture;
  let connection: RecordingConnection;

  beforeEach(() => {
    world = new RedeliveryFixture();
    world.cursors.set('room', 0).set('other', 0);
    world.rooms.set('room', 3);
    connection = world.open();
  });

  it('does not resend to a connection that never acks, also when the user’s cursor moves', async () => {
    await world.ack('room', 1);
    await world.pass(WHOLE_MS);
    expect(connection.frames).toEqual([]);
    expect([world.gaveUp, world.lookUps]).toEqual([[], 0]);
  });

  it('resends what is not acknowledged, in all rooms, until it gives up after five sendings', async () => {
    world.rooms.set('other', 1);
    world.redelivery.acks(connection);
    await world.pass(WAIT_MS - 1000);
    expect(connection.frames).toEqual([]);
    await world.pass(ROUND_MS);
    const frames = connection.take();
    expect(frames.map((frame) => [frame['room_id'], frame['seq']])).toEqual([
      ...seqs(1, 3).map((seq) => ['room', seq]),
      ['other', 1],
    ]);
    await world.pass(WHOLE_MS);
    expect(takeSeqs(connection)).toEqual([...seqs(1, 3), ...seqs(1, 3), ...seqs(1, 3)]);
    expect(world.gaveUp).toEqual([
      expect.objectContaining({ roomId: 'room', userId: 'alice', fromSeq: 1, toSeq: 3, attempts: 5 }),
      expect.objectContaining({ roomId: 'other', fromSeq: 1, toSeq: 1, attempts: 5 }),
    ]);
    await world.pass(WHOLE_MS);
    expect(connection.frames).toEqual([]);
  });

  it('goes on with what came later than what was given up on', async () => {
    world.redelivery.acks(connection);
    await world.pass(20 * WAIT_MS);
    world.rooms.set('room', 4);
    connection.take();
    await world.pass(WHOLE_MS);
    expect(world.gaveUp).toMatchObject([{ fromSeq: 1, toSeq: 3 }]);
    expect(takeSeqs(connection)).toEqual([4, 4, 4, 4]);
    await world.pass(WHOLE_MS);
    expect(world.gaveUp).toMatchObject([{ toSeq: 3 }, { fromSeq: 4, toSeq: 4 }]);
  });

  it('sends at most the oldest 100 of a room', async () => {
    world.rooms.set('room', 250);
    world.redelivery.acks(connection);
    await world.pass(WAIT_MS + ROUND_MS);
    expect(takeSeqs(connection)).toEqual(seqs(1, 100));
    await world.ack('room', 30);
    await world.pass(WAIT_MS + ROUND_MS);
    expect(takeSeqs(connection)).toEqual(seqs(31, 130));
  });

  it('starts anew with every progress of the cursor, from any device', async () => {
    world.redelivery.acks(connection);
    await world.pass(20_000);
    await world.ack('room', 1);
    await world.pass(20_000);
    expect(connection.frames).toEqual([]);
    await world.pass(10_000 + ROUND_MS);
    expect(takeSeqs(connection)).toEqual([2, 3]);
    // One short of giving up.
    await world.pass(14 * WAIT_MS + 4 * ROUND_MS);
    connection.take();
    await world.ack('room', 2);
    await world.pass(20 * WAIT_MS);
    expect(takeSeqs(connection)).toEqual([3, 3, 3, 3]);
    expect(world.gaveUp).toEqual([]);
    await world.ack('room', 3);
    await world.pass(WHOLE_MS);
    expect([connection.frames, world.gaveUp]).toEqual([[], []]);
  });

  it('notices an acknowledgement of which it was not told before it sends anything', async () => {
    world.redelivery.acks(connection);
    await world.pass(WAIT_MS + ROUND_MS);
    connection.take();
    await world.ack('room', 3, false);
    await world.pass(WHOLE_MS);
    expect([connection.frames, world.gaveUp]).toEqual([[], []]);
    world.rooms.set('room', 4);
    await world.pass(WAIT_MS + ROUND_MS);
    expect(takeSeqs(connection)).toEqual([4]);
  });

  it('asks for the cursors of all rooms at once, and for none where nothing is open', async () => {
    for (let i = 0; i < 50; i++) world.cursors.set(`room ${i}`, 2);
    for (let i = 0; i < 50; i++) world.rooms.set(`room ${i}`, 2);
    const reader = world.open();
    world.redelivery.acks(reader);
    await world.ack('room', 3);
    await world.pass(WHOLE_MS);
    expect(world.lookUps).toBe(1);
    expect(reader.frames).toEqual([]);
  });

  it('sends a device that keeps its own positions what came after it, and nothing from before', async () => {
    const device = world.open(world.redelivery, false);
    world.rooms.set('room', 5).set('other', 1);
    world.redelivery.acks(device);
    await world.pass(WAIT_MS + ROUND_MS);
    expect(device.take().map((frame) => [frame['room_id'], frame['seq']])).toEqual([
      ['room', 4],
      ['room', 5],
      ['other', 1],
    ]);
    world.leave(device, 'room');
    world.enter(device, 'room');
    await world.pass(WAIT_MS + ROUND_MS);
    expect(takeSeqs(device)).toEqual([4, 5]);
    await world.ack('room', 4);
    await world.pass(WHOLE_MS);
    expect(world.gaveUp).toMatchObject([
      { roomId: 'other', fromSeq: 1, toSeq: 1 },
      { roomId: 'room', fromSeq: 5, toSeq: 5 },
    ]);
  });

  it('counts attempts per connection', async () => {
    const second = world.open();
    world.redelivery.acks(connection);
    await world.pass(WAIT_MS);
    world.redelivery.acks(second);
    await world.pass(WAIT_MS / 2);
    expect([takeSeqs(connection), takeSeqs(second)]).toEqual([[1, 2, 3], []]);
    await world.pass(WAIT_MS / 2 + ROUND_MS);
    expect([takeSeqs(connection), takeSeqs(second)]).toEqual([[], [1, 2, 3]]);
    await world.pass(WHOLE_MS);
    expect(world.gaveUp).toHaveLength(2);
  });

  it('forgets a room that the connection leaves: when it comes back, the wait begins anew', async () => {
    world.redelivery.acks(connection);
    await world.pass(WAIT_MS - 1000);
    world.leave(connection, 'room');
    await world.pass(WHOLE_MS);
    expect(connection.frames).toEqual([]);
    world.enter(connection, 'room');
    await world.pass(WAIT_MS - 1000);
    expect(connection.frames).toEqual([]);
    await world.pass(ROUND_MS);
    expect(takeSeqs(connection)).toEqual([1, 2, 3]);
  });

  it('ends with the membership, also where the channel has not said so yet', async () => {
    world.redelivery.acks(connection);
    await world.pass(WAIT_MS + ROUND_MS);
    expect(takeSeqs(connection)).toEqual([1, 2, 3]);
    world.cursors.delete('room');
    await world.pass(WHOLE_MS);
    expect([connection.frames, world.gaveUp]).toEqual([[], []]);
  });

  it('ends with the connection', async () => {
    world.redelivery.acks(connection);
    expect(world.redelivery.isAcking(connection)).toBe(true);
    await world.pass(WAIT_MS);
    connection.over();
    const { lookUps } = world;
    await world.pass(WHOLE_MS);
    expect([world.gaveUp, world.lookUps]).toEqual([[], lookUps]);
    expect(world.redelivery.isAcking(connection)).toBe(false);
  });

  it('makes one attempt at a time, however long it takes', async () => {
    let open = (): void => undefined;
    world.gate = new Promise((resolve) => (open = resolve));
    world.redelivery.acks(connection);
    await world.pass(3 * WAIT_MS);
    expect(connection.frames).toEqual([]);
    open();
    await settle();
    expect(takeSeqs(connection)).toEqual([1, 2, 3]);
    await world.pass(WAIT_MS);
    expect(connection.frames).toEqual([]);
  });

  it('breaks off when the acknowledgement comes between two pages', async () => {
    world.rooms.set('room', 60);
    let open = (): void => undefined;
    world.gate = new Promise((resolve) => (open = resolve));
    world.redelivery.acks(connection);
    await world.pass(WAIT_MS + ROUND_MS);
    await world.ack('room', 60);
    open();
    await settle();
    expect(connection.frames).toEqual([]);
  });

  it('leaves a client alone that does not read, and counts no attempt', async () => {
    Object.defineProperty(connection, 'waiting', { value: 300 * 1024, configurable: true });
    world.redelivery.acks(connection);
    await world.pass(WHOLE_MS);
    expect([connection.frames, world.gaveUp]).toEqual([[], []]);
    Object.defineProperty(connection, 'waiting', { value: 0 });
    await world.pass(ROUND_MS);
    expect(takeSeqs(connection)).toEqual([1, 2, 3]);
  });

  it('tries again at the next visit while the database is away, and says so once', async () => {
    world.failures = 3;
    world.redelivery.acks(connection);
    await world.pass(WAIT_MS + ROUND_MS);
    expect(takeSeqs(connection)).toEqual([1, 2, 3]);
    expect(world.log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'redelivery has to wait'],
      ['info', 'redelivery works again'],
    ]);
  });

  it('replays on all connections that are there, on all nodes, acking or not', async () => {
    const node = world.node();
    const elsewhere = world.open(node);
    const gone = world.open();
    world.leave(gone, 'room');
    const { tenantId } = connection;
    world.redelivery.sendAgain([{ tenantId, roomId: 'room', userId: 'alice', fromSeq: 2, toSeq: 3 }]);
    await settle();
    expect([takeSeqs(connection), takeSeqs(elsewhere), gone.frames]).toEqual([[2, 3], [2, 3], []]);
    world.redelivery.sendAgain([{ tenantId, roomId: 'room', userId: 'bob', fromSeq: 2, toSeq: 3 }]);
    await settle();
    expect(connection.frames).toEqual([]);
  });

  it('sends what it gave up on again where a replay may have been lost, and nothing that is acknowledged', async () => {
    world.redelivery.acks(connection);
    await world.pass(WHOLE_MS);
    expect(world.gaveUp).toHaveLength(1);
    connection.take();
    await world.pass(WHOLE_MS);
    expect(takeSeqs(connection)).toEqual([]);
    await world.ack('room', 1, false);
    world.bus.tellGap();
    await world.pass(WAIT_MS + ROUND_MS);
    expect(takeSeqs(connection)).toEqual([2, 3]);
    await world.ack('room', 3);
    world.bus.tellGap();
    await world.pass(WHOLE_MS);
    expect(takeSeqs(connection)).toEqual([]);
  });
});
