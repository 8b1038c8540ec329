import type { TestTenant } from '../support/app';
import { ask, createChat, messagesOf, rejoin, say, withModel, type WithModel } from '../support/chats/http';
import { textOf } from '../support/chats/sse';
import { at, Cluster, type ClusterNode, describeCluster } from '../support/cluster/cluster';
import { Crowd } from '../support/cluster/crowd';
import { AnswerGate } from '../support/fake-model';
import { metricOf } from '../support/http/api';
import { MessageWriters } from '../support/message-writers';
import { send as sendMessage } from '../support/messages';
import { until } from '../support/poll';
import { createRoom } from '../support/rooms';
import { hookedTenant, type Received, Receiver, untilNothingIsPlanned } from '../support/webhooks/receiver';
import { keyOf } from '../support/ws/socket-app';
import { WsClient } from '../support/ws/client';

const ROOMS = 20;
const PER_ROOM = 10;

interface Served {
  readonly cluster: Cluster;
  close(): Promise<void>;
}

describeCluster('three nodes, of which one is gone', () => {
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

  it(`killed: nothing is lost of what its ${ROOMS * PER_ROOM} sockets and the writers were told; all come back at the others`, async () => {
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

  /** Ann at one node; at another one, which writes an answer to which somebody else listens elsewhere, is ben. */
  async function scene(tenant: TestTenant) {
    const chat = await createChat(tenant.key);
    const gate = new AnswerGate();
    served.model.next({ steps: ['One', { hold: gate }, ' two'] });
    const asked = say(tenant.key, chat.id, 'Count').catch(() => undefined);
    await gate.reached;
    const [writer, other] = await writerAndAnother();
    const { room_id: roomId } = await createRoom(tenant.as('ann'), 'group', ['ben']);
    const ann = await WsClient.connect(other.url, { headers: keyOf(tenant, 'ann') });
    const isUpdate = (status: string, times = 1): Promise<unknown> => {
      const those = () => ann.got('presence.update').filter((frame) => frame['user_id'] === 'ben');
      return until(
        async () => those().filter((frame) => frame['status'] === status).length,
        (count) => count >= times,
      );
    };
    // Who is there by then is in it, and is not told of again.
    await ann.frame('presence.snapshot');
    const ben = await WsClient.connect(writer.url, { headers: keyOf(tenant, 'ben') });
    await isUpdate('online');
    // Who joins later elsewhere gets what is in the database: it outlives the node.
    const joined = await rejoin(at(other, tenant.key), chat.id);
    expect(textOf(await joined.take(2))).toBe('One');
    /** What became of the answer, for whoever was there and whoever comes. */
    const ended = async (): Promise<void> => {
      await joined.rest();
      const stored = (await messagesOf(at(other, tenant.key), chat.id)).at(-1);
      expect([stored?.content, stored?.status]).toEqual(['One', 'interrupted']);
    };
    return { chat, asked, gate, writer, other, roomId, ann, ben, isUpdate, ended };
  }

  it('killed: its answers end as interrupted, with what was said, and its people go offline, for the others', async () => {
    const { asked, writer, isUpdate, ended, gate, ann } = await scene(await cluster.tenant());
    await writer.end('SIGKILL');
    await isUpdate('offline');
    await ended();
    await asked;
    gate.open();
    await ann.close();
    await writer.restart();
  });

  it('standing still: the others take over what it did, and it takes nothing back when it wakes up', async () => {
    const receiver = await Receiver.start();
    const tenant = await hookedTenant(cluster, receiver, ['message.created']);
    const { chat, asked, writer, other, roomId, ann, ben, isUpdate, ended, gate } = await scene(tenant);
    const by = at(other, tenant.as('ann'));
    const sent: string[] = [];
    const messageOf = ({ data }: Received): string => (data['message'] as { readonly message_id: string }).message_id;
    const isOfRoom = (received: Received): boolean => sent.includes(messageOf(received));
    const send = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++)
        sent.push((await sendMessage(by, roomId, { content: `${sent.length}` })).message_id);
    };
    // A node may learn of another one's new webhook two seconds later.
    await until(
      async () => {
        await send(1);
        return receiver.received.filter(isOfRoom).length;
      },
      (count) => count > 0,
    );
    writer.freeze();
    try {
      await send(20);
      await isUpdate('offline');
      await ended();
    } finally {
      writer.thaw();
    }
    // It goes on with the answer as if nothing had been: what it says now is nobody's. Who has asked there hears of its end.
    gate.open();
    await asked;
    await isUpdate('online', 2);
    await until(
      () => metricOf(writer.anonymous, 'chatapi_runs_live'),
      (live) => live === 0,
    );
    await ended();
    await send(3);
    const ids = (client: WsClient): unknown[] => client.got('message').map((frame) => frame['message_id']);
    await ben.many('message', sent.length);
    expect([ids(ben), ids(ann)]).toEqual([sent, sent]);
    // Each is told of once, also those whose turn came when it stood still.
    await ask(tenant.key, chat.id, 'And then?');
    await untilNothingIsPlanned(tenant);
    const told = receiver.received.filter(isOfRoom).map(messageOf);
    expect(told.sort()).toEqual(sent.slice(-told.length).sort());
    expect(told.length).toBeGreaterThan(23);
    await Promise.all([ann.close(), ben.close(), receiver.stop()]);
  });
});
