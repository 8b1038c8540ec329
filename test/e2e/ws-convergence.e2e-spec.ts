import { type ListedRoom, RoomView } from '../support/convergence/room-view';
import { startTestApp, type TestApp } from '../support/app';
import type { SyncingTarget } from '../support/convergence/syncing-client';
import { ConvergenceSimulator, GUESTS, HOST, randomOf, RESIDENTS, VISITORS } from '../support/convergence/simulator';
import { ASKED } from '../support/convergence/stream-faults';
import { type ErasureBody, requestErase, whenErased } from '../support/erase';
import { metricOf } from '../support/http/api';
import { bodyOf, createRoom } from '../support/rooms';
import { uuidOf } from '../support/tenants';
import type { ServerFrame } from '../support/ws/client';

/** Longer: CONVERGENCE_STEPS=20000. A run that failed: its CONVERGENCE_SEED. */
const STEPS = Number(process.env['CONVERGENCE_STEPS'] ?? 1500);
const SEED = Number(process.env['CONVERGENCE_SEED'] ?? 1 + Math.floor(Math.random() * 1e6));
const ROOMS = 3;

describe('clients that come, go, stall and are let in and out', () => {
  let app: TestApp;
  let play: ConvergenceSimulator;
  let truths: ReadonlyMap<string, ListedRoom>;

  beforeAll(async () => {
    // Nothing is sent again by itself: a stream that repeats is a fault here.
    app = await startTestApp({ env: { WS_ACK_TIMEOUT_MS: '600000' } });
  });
  afterAll(() => app.close());

  async function worldOf(guests: readonly string[] = []): Promise<SyncingTarget> {
    const tenant = await app.tenant({ requests_per_second: null, ws_messages_per_second: null });
    const rooms = new Map<string, ReadonlyMap<string, string>>();
    const others = [...VISITORS, ...RESIDENTS, ...guests];
    for (let n = 0; n < ROOMS; n++) {
      const { room_id } = await createRoom(tenant.as(HOST), 'group', others);
      rooms.set(room_id, new Map([[HOST, 'admin'], ...others.map((user) => [user, 'member'] as const)]));
    }
    return { url: app.url, tenant, rooms };
  }

  it(`all see the rooms as they are in the end, and each connection in order, seed ${SEED}`, async () => {
    play = new ConvergenceSimulator(await worldOf(), randomOf(SEED));
    try {
      await play.run(STEPS);
      truths = await play.settle();
    } finally {
      await play.stop();
    }
    expect(play.faults).toEqual([]);
    // The first storm may come before somebody's first connection.
    for (const { connections } of play.devices) expect(connections).toBeGreaterThanOrEqual(play.storms);
    expect(play.storms).toBeGreaterThan(1);
    // Both ways of bringing somebody up to date were met, by turns in the same rooms.
    for (const source of ['memory', 'log'])
      expect(await metricOf(app.anonymous, `chatapi_sync_messages_total{source="${source}"}`)).toBeGreaterThan(
        STEPS / 20,
      );
  });

  /** Makes what a room has up to a message too old, and retention look. */
  async function expire(tenantId: string, roomId: string, seq: number): Promise<void> {
    const room = [uuidOf(tenantId), uuidOf(roomId), seq];
    // In the room's lock, as nothing else changes a time of a message.
    await app.database.sql(
      `WITH r AS MATERIALIZED (SELECT 1 FROM rooms WHERE tenant_id = $1 AND room_id = $2 FOR NO KEY UPDATE)
       UPDATE messages SET created_at = created_at - interval '31 days' FROM r
       WHERE tenant_id = $1 AND room_id = $2 AND seq <= $3`,
      room,
    );
    await app.database.sql(
      `UPDATE room_events SET created_at = created_at - interval '31 days' WHERE tenant_id = $1 AND room_id = $2
         AND rev < (SELECT min(rev) FROM messages WHERE tenant_id = $1 AND room_id = $2 AND seq > $3)`,
      room,
    );
    await app.database.sql(
      `UPDATE jobs SET run_at = clock_timestamp() WHERE tenant_id = $1 AND kind = 'retention' AND state = 'queued'`,
      [uuidOf(tenantId)],
    );
  }

  it(`all see the rooms as they are where messages expire and people are erased meanwhile, seed ${SEED}`, async () => {
    const world = await worldOf(GUESTS);
    const { tenant } = world;
    const settings = { retention_days: 30 };
    bodyOf(await tenant.key.patch(`/admin/tenants/${tenant.tenantId}`, { settings }));
    const erased: ErasureBody[] = [];
    const removing = new ConvergenceSimulator(world, randomOf(SEED), {
      expire: (roomId, seq) => expire(tenant.tenantId, roomId, seq),
      erase: async (user) => {
        erased.push(await whenErased(app, tenant, await requestErase(app, tenant, user)));
      },
    });
    let ends: ReadonlyMap<string, ListedRoom>;
    try {
      await removing.run(STEPS);
      ends = await removing.settle();
    } finally {
      await removing.stop();
    }
    expect(removing.faults).toEqual([]);
    for (const { firstSeq } of ends.values()) expect(firstSeq).toBeGreaterThan(20);
    // Those who had been away for longer than anything is kept began anew.
    expect(removing.devices.reduce((sum, { forgotten }) => sum + forgotten, 0)).toBeGreaterThan(0);
    expect(erased.map(({ state }) => state)).toEqual(GUESTS.map(() => 'done'));
    expect(erased.reduce((sum, { counts }) => sum + (counts['messages'] ?? 0), 0)).toBeGreaterThan(0);
    const left = 'SELECT 1 FROM messages WHERE tenant_id = $1 AND sender_id = ANY ($2)';
    expect(await app.database.sql(left, [uuidOf(tenant.tenantId), GUESTS])).toEqual([]);
  });

  describe('a run that is doctored is found out:', () => {
    /** A view that has seen everything, but for what `doctor` does to it. */
    const found = (doctor: (view: RoomView) => void): string[] => {
      const device = play.devices.at(-1);
      const [roomId = ''] = truths.keys();
      const whole = device?.view(roomId);
      if (!device || !whole) throw new Error('there is no device');
      const view = new RoomView(new Map());
      for (const part of ['messages', 'members', 'reads', 'reactions'] as const)
        for (const [key, value] of whole[part]) (view[part] as Map<unknown, unknown>).set(key, value);
      device.views.set(roomId, view);
      doctor(view);
      const faults = play.divergences(truths);
      device.views.set(roomId, whole);
      return faults;
    };

    it.each<[string, (view: RoomView) => void]>([
      ['a message is missing', ({ messages }) => messages.delete(3)],
      [
        'a message is one too many',
        ({ messages }) => messages.set(1e6, { id: '', rev: 1, content: '', isDeleted: false }),
      ],
      [
        'an edit is missing',
        ({ messages }) => messages.set(2, { id: '', rev: 2, content: 'before', isDeleted: false }),
      ],
      ['a deletion is missing', ({ messages }) => messages.set(2, { id: '', rev: 1e6, content: '', isDeleted: false })],
      [
        'a reaction is missing',
        (view) => view.reactions.delete([...view.reactions.keys()].find((seq) => view.reactionsOf(seq) !== '[]') ?? 0),
      ],
      ['a joining is missing', ({ members }) => members.delete(VISITORS[0] ?? '')],
      ['a role is old', ({ members }) => members.set(HOST, { rev: 1, role: 'member' })],
      ['a read mark is missing', ({ reads }) => reads.set(HOST, (reads.get(HOST) ?? 0) - 1)],
    ])('%s', (_, doctor) => {
      expect(found(() => undefined)).toEqual([]);
      expect(found(doctor)).toHaveLength(1);
    });

    it('a message that was accepted is lost', () => {
      const [[roomId, { messages }] = ['', { messages: [] }]] = [...truths];
      const device = play.devices[0];
      device?.accepted.push({ roomId, seq: messages.length + 1, content: 'nobody stored this' });
      const faults = play.divergences(truths);
      device?.accepted.pop();
      expect(faults).toHaveLength(1);
    });

    it.each<[string, (frames: ServerFrame[], at: number) => ServerFrame[]]>([
      ['a live message is left out', (frames, at) => frames.toSpliced(at + 1, 1)],
      ['one comes twice', (frames, at) => frames.toSpliced(at, 0, frames[at] as ServerFrame)],
      ['two change places', (frames, at) => frames.toSpliced(at, 2, ...frames.slice(at, at + 2).reverse())],
    ])('%s', (_, doctor) => {
      const live = play.devices.flatMap((device) => device.streams.map((frames) => ({ device, frames })));
      const places = live.flatMap(({ device, frames }) => {
        const from = frames.findIndex(({ type, request_id: id }) => type === 'sync.complete' && id !== undefined);
        const at = frames.findIndex((_frame, i) => i > from && areThree(frames.slice(i, i + 3)));
        // Where a sync was asked for, a message that comes twice may be its first one.
        if (frames.slice(from, at).some(({ type }) => type === ASKED)) return [];
        return from < 0 || at < 0 ? [] : [{ device, frames, at }];
      });
      expect(places.length).toBeGreaterThan(5);
      for (const { device, frames, at } of places) {
        expect(device.streamFaults(frames)).toEqual([]);
        expect(device.streamFaults(doctor(frames, at))).toHaveLength(1);
      }
    });

    const areThree = (frames: readonly ServerFrame[]): boolean =>
      frames.length === 3 && frames.every(({ type }) => type === 'message');
  });
});
