import { Cluster, describeCluster } from '../support/cluster/cluster';
import type { SyncingTarget } from '../support/convergence/syncing-client';
import { ConvergenceSimulator, HOST, randomOf, RESIDENTS, VISITORS } from '../support/convergence/simulator';
import { metricOf } from '../support/http/api';
import { createRoom } from '../support/rooms';

/** Longer: CONVERGENCE_STEPS=20000. A run that failed: its CONVERGENCE_SEED. */
const STEPS = Number(process.env['CONVERGENCE_STEPS'] ?? 1500);
const SEED = Number(process.env['CONVERGENCE_SEED'] ?? 1 + Math.floor(Math.random() * 1e6));
const ROOMS = 30;
const OTHERS = [...VISITORS, ...RESIDENTS];

describeCluster('three nodes: order', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start(3);
  });
  afterAll(() => cluster.stop());

  async function world(): Promise<SyncingTarget> {
    const limits = { requests_per_second: null, ws_messages_per_second: null, ai_requests_per_minute: null };
    const tenant = await cluster.tenant(limits);
    const rooms = new Map<string, ReadonlyMap<string, string>>();
    for (let n = 0; n < ROOMS; n++) {
      const { room_id } = await createRoom(tenant.as(HOST), 'group', OTHERS);
      rooms.set(room_id, new Map([[HOST, 'admin'], ...OTHERS.map((user) => [user, 'member'] as const)]));
    }
    return { url: cluster.url, tenant, rooms };
  }

  it(`clients at any of them, who come and go, see ${ROOMS} rooms as they are in the end, seed ${SEED}`, async () => {
    const play = new ConvergenceSimulator(await world(), randomOf(SEED));
    try {
      await play.run(STEPS);
      await play.settle();
    } finally {
      await play.stop();
    }
    expect(play.faults).toEqual([]);
    // All three were written to, and had sockets.
    for (const { anonymous } of cluster.nodes) {
      expect(await metricOf(anonymous, 'chatapi_frames_received_total{type="send_message"}')).toBeGreaterThan(0);
      expect(await metricOf(anonymous, 'chatapi_append_items_total{status="new"}')).toBeGreaterThan(0);
    }
  });
});
