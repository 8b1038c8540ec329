import type { TestTenant } from '../support/app';
import { at, Cluster, describeCluster } from '../support/cluster/cluster';
import { Crowd } from '../support/cluster/crowd';
import { MessageWriters } from '../support/message-writers';
import { until } from '../support/poll';
import { bodyOf, createRoom } from '../support/rooms';
import { hookedTenant, Receiver, untilNothingIsPlanned } from '../support/webhooks/receiver';
import { keyOf } from '../support/ws/socket-app';
import { type ServerFrame, WsClient } from '../support/ws/client';

/** One at each node; they stay. */
const WATCHERS = ['ann', 'ben', 'cid'];
/** Longer than a node may be silent before the others take it for lost, and twice over. */
const OUTAGE_MS = 35_000;
/** Between two messages of a writer: outages take minutes in all, and the machine has other tests to run. */
const REST_MS = 100;
/** Acknowledged messages that make sure that something was on its way. */
const WORK = 60;

describeCluster('three nodes whose Redis fails', () => {
  let cluster: Cluster;
  let receiver: Receiver;
  let tenant: TestTenant;
  let roomId: string;
  let crowd: Crowd;
  let watchers: WsClient[];
  let writers: MessageWriters;

  beforeAll(async () => {
    cluster = await Cluster.start(3, { env: { WEBHOOK_OFFLINE_DELAY_MS: '1000', REDIS_DEADLINE_MS: '100' } });
    receiver = await Receiver.start();
    tenant = await hookedTenant(cluster, receiver, ['message.offline', 'notification.offline']);
    ({ room_id: roomId } = await createRoom(tenant.as('ann'), 'group', ['ben', 'cid']));
  });
  afterAll(async () => {
    await receiver.stop();
    await cluster.stop();
  });
  beforeEach(async () => {
    const urls = cluster.nodes.map(({ url }) => url);
    watchers = await Promise.all(
      WATCHERS.map((user, n) => WsClient.connect(urls[n] ?? '', { headers: keyOf(tenant, user) })),
    );
    await everybodyIsOnline();
    // Writers without a socket are offline, and are told of by webhooks: their room is another tenant's.
    crowd = await Crowd.of(await cluster.tenant(), urls, { rooms: 6, perRoom: 3, writers: 3 });
    writers = new MessageWriters(crowd.target, REST_MS).start();
  });
  afterEach(async () => {
    await writers.abandon();
    await crowd.stop();
    await Promise.all(watchers.map((client) => client.close()));
    for (const { redis } of cluster.nodes) redis.pass();
  });

  const isPresence = ({ type }: ServerFrame): boolean => type === 'presence.update';

  /** As each node sees it. */
  async function everybodyIsOnline(): Promise<void> {
    for (const node of cluster.nodes)
      await until(
        async () => bodyOf(await at(node, tenant.as('ann')).get(`/rooms/${roomId}/presence`)),
        ({ online }) => JSON.stringify(online) === JSON.stringify(WATCHERS),
      );
  }

  /** Sends go on while something is so, for at least so long, and to people who are online. */
  async function meanwhile(ms: number): Promise<void> {
    bodyOf(await tenant.as('ann').post(`/rooms/${roomId}/messages`, { content: 'to people who are online' }), 201);
    const end = performance.now() + ms;
    do await writers.progress(WORK);
    while (performance.now() < end);
  }

  /** All is well again: what has to hold whatever happened to Redis. */
  async function afterwards(flapsBefore: readonly number[]): Promise<void> {
    await writers.progress(WORK);
    await writers.finish();
    expect(await writers.faults()).toEqual([]);
    expect([writers.refusals, writers.unanswered]).toEqual([[], 0]);
    expect(await crowd.faults()).toEqual([]);
    await everybodyIsOnline();
    await untilNothingIsPlanned(tenant);
    expect(watchers.map(({ frames }) => frames.filter(isPresence).length)).toEqual(flapsBefore);
    expect(receiver.received).toEqual([]);
  }

  const told = (): number[] => watchers.map(({ frames }) => frames.filter(isPresence).length);

  it.each<[string, (isOver: () => Promise<void>) => Promise<void>]>([
    [
      'gone, and back empty',
      async (isOver) => {
        await cluster.redis.kill();
        await isOver();
        await cluster.redis.restart();
      },
    ],
    [
      'restarted empty in a moment',
      async (isOver) => {
        await cluster.redis.kill();
        await cluster.redis.restart();
        await isOver();
      },
    ],
    [
      'frozen, and thawed',
      async (isOver) => {
        cluster.redis.freeze();
        await isOver();
        cluster.redis.thaw();
      },
    ],
    [
      'slow',
      async (isOver) => {
        for (const { redis } of cluster.nodes) redis.delay(300);
        await isOver();
        for (const { redis } of cluster.nodes) redis.pass();
      },
    ],
  ])('%s: no send is refused, nobody misses a message, goes offline or is posted as offline', async (name, fail) => {
    await writers.progress(WORK);
    const before = told();
    await fail(() => meanwhile(name === 'slow' ? 0 : OUTAGE_MS));
    await afterwards(before);
  });

  it('lost to one node only: its sends are stored, its sockets and the others’ get all', async () => {
    await writers.progress(WORK);
    cluster.node(2).redis.cut();
    await writers.progress(3 * WORK);
    cluster.node(2).redis.pass();
    await writers.progress(WORK);
    await writers.finish();
    expect(await writers.faults()).toEqual([]);
    expect([writers.refusals, writers.unanswered]).toEqual([[], 0]);
    expect(await crowd.faults()).toEqual([]);
    await everybodyIsOnline();
  });
});
