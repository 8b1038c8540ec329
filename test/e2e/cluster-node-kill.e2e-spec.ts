import { createChat, messagesOf, rejoin, say, withModel, type WithModel } from '../support/chats/http';
import { textOf } from '../support/chats/sse';
import { at, Cluster, type ClusterNode, describeCluster } from '../support/cluster/cluster';
import { Crowd } from '../support/cluster/crowd';
import { AnswerGate } from '../support/fake-model';
import { metricOf } from '../support/http/api';
import { MessageWriters } from '../support/message-writers';
import { until } from '../support/poll';
import { createRoom } from '../support/rooms';
import { keyOf } from '../support/ws/socket-app';
import { WsClient } from '../support/ws/client';

const ROOMS = 20;
const PER_ROOM = 10;

interface Served {
  readonly cluster: Cluster;
  close(): Promise<void>;
}

describeCluster('three nodes, of which one is killed', () => {
  let served: WithModel<Served>;
  let cluster: Cluster;
  let crowd: Crowd | undefined;

  beforeAll(async () => {
    served = await withModel(async (env) => {
      // Only a node that is killed ends an answer early.
      const started = await Cluster.start(3, { env: { ...env, MODEL_IDLE_MS: '600000' } });
      return { cluster: started, close: () => started.stop() };
    });
    ({ cluster } = served);
  });
  afterEach(async () => {
    await MessageWriters.abandonAll();
    await crowd?.stop();
  });
  afterAll(() => served.close());

  it(`loses nothing of what its ${ROOMS * PER_ROOM} sockets and the writers were told; all come back at the others`, async () => {
    const tenant = await cluster.tenant();
    crowd = await Crowd.of(tenant, [cluster.url], { rooms: ROOMS, perRoom: PER_ROOM, writers: 4 });
    const writers = new MessageWriters(crowd.target).start();
    await writers.progress(200);
    await cluster.node(1).end('SIGKILL');
    await writers.progress(400);
    await cluster.node(1).restart();
    await writers.progress(200);
    await writers.finish();
    expect(await writers.faults()).toEqual([]);
    // Nobody was refused: what the node did not answer was asked of another one.
    expect(writers.refusals).toEqual([]);
    const connections = crowd.clients.reduce((sum, client) => sum + client.connections, 0);
    expect(connections).toBeGreaterThan(ROOMS * PER_ROOM);
    expect(await crowd.faults()).toEqual([]);
  });

  /** The node that writes the one answer there is, and another one: whoever has a free slot takes it, wherever it was asked for. */
  async function writerAndAnother(): Promise<[ClusterNode, ClusterNode]> {
    const writer = await until(
      async () => {
        const live = await Promise.all(cluster.nodes.map((node) => metricOf(node.anonymous, 'chatapi_runs_live')));
        return cluster.nodes.find((_, n) => live[n] === 1);
      },
      (found) => found !== undefined,
    );
    const other = cluster.nodes.find((node) => node !== writer);
    if (writer === undefined || other === undefined) throw new Error('there are three nodes');
    return [writer, other];
  }

  it('its answers end as interrupted, with what was said, and its people go offline, for the others', async () => {
    const tenant = await cluster.tenant();
    const chat = await createChat(tenant.key);
    const gate = new AnswerGate();
    served.model.next({ steps: ['One', { hold: gate }, ' two'] });
    const asked = say(tenant.key, chat.id, 'Count').catch(() => undefined);
    await gate.reached;
    const [writer, other] = await writerAndAnother();
    await createRoom(tenant.as('ann'), 'group', ['ben']);
    const ann = await WsClient.connect(other.url, { headers: keyOf(tenant, 'ann') });
    const isUpdate = (status: string): Promise<unknown> =>
      ann.frame(
        (frame) => frame.type === 'presence.update' && frame['user_id'] === 'ben' && frame['status'] === status,
      );
    // Who is there by then is in it, and is not told of again.
    await ann.frame('presence.snapshot');
    await WsClient.connect(writer.url, { headers: keyOf(tenant, 'ben') });
    await isUpdate('online');
    // Who joins later elsewhere gets what is in the database: it outlives the node.
    const joined = await rejoin(at(other, tenant.key), chat.id);
    expect(textOf(await joined.take(2))).toBe('One');
    await writer.end('SIGKILL');
    await isUpdate('offline');
    // Whoever reads it elsewhere hears of its end.
    await joined.rest();
    await asked;
    const stored = (await messagesOf(at(other, tenant.key), chat.id)).at(-1);
    expect([stored?.content, stored?.status]).toEqual(['One', 'interrupted']);
    gate.open();
    await ann.close();
    await writer.restart();
  });
});
