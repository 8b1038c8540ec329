import { createChat, messagesOf, sayStreaming, withModel, type WithModel } from '../support/chats/http';
import { at, Cluster, describeCluster } from '../support/cluster/cluster';
import { Crowd } from '../support/cluster/crowd';
import { AnswerGate } from '../support/fake-model';
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
      const started = await Cluster.start(3, { env });
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

  it('its answers end as interrupted, with what was said, and its people go offline, for the others', async () => {
    const tenant = await cluster.tenant();
    const [a, b] = [cluster.node(0), cluster.node(1)];
    await createRoom(tenant.as('ann'), 'group', ['ben']);
    const ann = await WsClient.connect(a.url, { headers: keyOf(tenant, 'ann') });
    await WsClient.connect(b.url, { headers: keyOf(tenant, 'ben') });
    const isUpdate = (status: string): Promise<unknown> =>
      ann.frame(
        (frame) => frame.type === 'presence.update' && frame['user_id'] === 'ben' && frame['status'] === status,
      );
    await isUpdate('online');
    const chat = await createChat(tenant.key);
    const gate = new AnswerGate();
    served.model.next({ steps: ['One', { hold: gate }, ' two'] });
    const stream = await sayStreaming(at(b, tenant.key), chat.id, 'Count');
    await gate.reached;
    await until(
      () => messagesOf(at(a, tenant.key), chat.id),
      (all) => all.at(-1)?.content === 'One',
    );
    await b.end('SIGKILL');
    stream.cut();
    await isUpdate('offline');
    await until(
      () => messagesOf(at(a, tenant.key), chat.id),
      (all) => all.at(-1)?.status === 'interrupted' && all.at(-1)?.content === 'One',
    );
    gate.open();
    await ann.close();
    await b.restart();
  });
});
