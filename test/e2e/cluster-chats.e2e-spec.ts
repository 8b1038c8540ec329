import { askAgents, roomWithAgent } from '../support/agents';
import type { TestTenant } from '../support/app';
import {
  chatPath,
  createChat,
  FAKE_ANSWER,
  messagesOf,
  rejoin,
  roomIdOf,
  sayStreaming,
  withModel,
  type WithModel,
} from '../support/chats/http';
import { type SseClient, type SseEvent, textOf } from '../support/chats/sse';
import { listed, plain, UiTab } from '../support/chats/ui';
import { at, Cluster, describeCluster } from '../support/cluster/cluster';
import { AnswerGate } from '../support/fake-model';
import type { Api } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import { runs } from '../support/timing';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

const ROUNDS = runs(200);

interface Served {
  readonly cluster: Cluster;
  close(): Promise<void>;
}

describeCluster('three nodes: chats', () => {
  let served: WithModel<Served>;
  let tenant: TestTenant;

  beforeAll(async () => {
    served = await withModel(async (env) => {
      const cluster = await Cluster.start(3, { env });
      return { cluster, close: () => cluster.stop() };
    });
    tenant = await served.cluster.tenant(undefined, { while_answering: 'reject' });
  });
  afterAll(() => served.close());
  beforeEach(() => served.model.reset());

  /** The tenant's key at node 0, 1 and 2. */
  const keys = (): [Api, Api, Api] => {
    const [a, b, c] = [0, 1, 2].map((n) => at(served.cluster.node(n), tenant.key));
    if (a === undefined || b === undefined || c === undefined) throw new Error('there are three nodes');
    return [a, b, c];
  };

  /** Reads until so much text has come. */
  async function upTo(stream: SseClient, text: string): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    while (textOf(events) !== text) {
      const event = await stream.next();
      if (event === undefined) throw new Error(`the stream ended after "${textOf(events)}"`);
      events.push(event);
    }
    return events;
  }

  it('an answer that A gives is read at B, and the rest of it at C with Last-Event-ID', async () => {
    const [a, b, c] = keys();
    const chat = await createChat(a);
    const gates = [new AnswerGate(), new AnswerGate()] as const;
    served.model.next({ steps: ['One ', { hold: gates[0] }, 'two ', { hold: gates[1] }, 'three.'] });
    const asked = await sayStreaming(a, chat.id, 'Count');
    await gates[0].reached;
    const atB = await rejoin(b, chat.id);
    const first = await upTo(atB, 'One ');
    gates[0].open();
    const second = await upTo(atB, 'two ');
    atB.cut();
    const atC = await rejoin(c, chat.id, second.at(-1)?.id);
    gates[1].open();
    const rest = await atC.rest();
    expect(textOf([...first, ...second, ...rest])).toBe('One two three.');
    expect(rest.at(-1)?.data['event_type']).toBe('message_stream_ended');
    expect(textOf(await asked.rest())).toBe('One two three.');
  });

  it('a tab of the UI stream whose connection to A breaks joins at B, and stops at C', async () => {
    const [a, b, c] = keys().map((key) => key.with({ 'x-user-id': 'alice' })) as [Api, Api, Api];
    const gate = new AnswerGate();
    served.model.next({ steps: ['One ', { hold: gate }, 'two.'] });
    const atA = new UiTab(a, 'moving');
    atA.cutAfter = 4;
    await atA.chat.sendMessage({ text: 'Count' });
    expect([atA.chat.status, atA.text]).toEqual(['error', 'One ']);
    const atB = new UiTab(b, 'moving', await listed(b, 'moving'));
    const joined = atB.chat.resumeStream();
    await until(
      () => Promise.resolve(atB.text),
      (text) => text === 'One ',
    );
    const stopped = await new UiTab(c, 'moving').stopAnswer();
    await joined;
    expect([atB.chat.status, atB.chunks.at(-1)?.type]).toEqual(['ready', 'abort']);
    expect(plain(atB.chat.messages)).toEqual(plain(await listed(c, 'moving')));
    expect(plain(stopped)).toEqual(plain(atB.chat.messages.slice(1)));
    gate.open();
  });

  it('tabs that begin one chat at three nodes begin one, and one of them is taken', async () => {
    const alices = keys().map((key) => key.with({ 'x-user-id': 'alice' }));
    const gate = new AnswerGate();
    served.model.otherwise = { steps: [{ hold: gate }, 'Hello'] };
    const tabs = alices.map((by) => new UiTab(by, 'racing'));
    const sent = tabs.map(({ chat }, i) => chat.sendMessage({ text: `from ${i}` }));
    await until(
      () => Promise.resolve(tabs.flatMap(({ statuses }) => statuses)),
      (statuses) => statuses.length === 3,
    );
    gate.open();
    await Promise.all(sent);
    expect(tabs.flatMap(({ statuses }) => statuses).sort()).toEqual([200, 409, 409]);
    const taken = tabs.find(({ statuses }) => statuses[0] === 200);
    for (const by of alices) expect(plain(await listed(by, 'racing'))).toEqual(plain(taken?.chat.messages ?? []));
  });

  it('an agent’s answer is shown from its beginning to who comes late, at whichever node', async () => {
    const [a] = keys();
    const alice = a.with({ 'x-user-id': 'alice' });
    const roomId = await roomWithAgent(alice);
    const gates = [new AnswerGate(), new AnswerGate()] as const;
    served.model.next({ steps: ['One ', 'two ', { hold: gates[0] }, 'three ', { hold: gates[1] }, 'four.'] });
    const join = (n: number): Promise<WsClient> =>
      WsClient.connect(served.cluster.node(n).url, { headers: keyOf(tenant, 'bob') });
    const early = await join(0);
    // Its channel is there: a presence comes after the rooms.
    await early.frame('presence.snapshot');
    await askAgents(alice, roomId, 'Count');
    await early.frame(() => streamedText(early) === 'One two ');
    // No token comes meanwhile: what they are shown was asked for.
    const late = await Promise.all([0, 1, 2].map(join));
    for (const each of late) await each.frame(() => streamedText(each) === 'One two ');
    gates[0].open();
    for (const each of late) await each.frame(() => streamedText(each) === 'One two three ');
    const later = await Promise.all([0, 1, 2].map(join));
    for (const each of later) await each.frame(() => streamedText(each) === 'One two three ');
    gates[1].open();
    for (const each of [early, ...late, ...later]) {
      await each.frame('message.stream.end');
      expect(each.got('message.stream.start')).toHaveLength(1);
      expect(streamedText(each)).toBe('One two three four.');
      await each.close();
    }
  });

  it('is stopped at C while A writes it and B reads it', async () => {
    const [a, b, c] = keys();
    const chat = await createChat(a);
    const gate = new AnswerGate();
    served.model.next({ steps: ['One', { hold: gate }, ' two'] });
    const asked = await sayStreaming(a, chat.id, 'Count');
    await gate.reached;
    const atB = await rejoin(b, chat.id);
    await upTo(atB, 'One');
    bodyOf(await c.post(`${chatPath(chat.id)}/stop`));
    for (const stream of [asked, atB]) {
      const last = (await stream.rest()).at(-1);
      expect(last?.data['event_type']).toBe('message_stream_ended');
    }
    const stored = (await messagesOf(b, chat.id)).at(-1);
    expect([stored?.content, stored?.status]).toEqual(['One', 'cancelled']);
    gate.open();
  });

  it(`of three messages in one moment at A, B and C one is taken (reject), ${ROUNDS} times`, async () => {
    const alice = keys().map((key) => key.with({ 'x-user-id': 'alice' }));
    for (let round = 0; round < ROUNDS; round++) {
      const chat = await createChat(tenant.key);
      const gate = new AnswerGate();
      served.model.next({ steps: [{ hold: gate }, FAKE_ANSWER] });
      const path = `/rooms/${roomIdOf(chat.id)}/messages`;
      const answers = await Promise.all(alice.map((each, n) => each.post(path, { content: `from ${n}` })));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
      gate.open();
      // The next round's answer is the next one of the model.
      await until(
        () => messagesOf(tenant.key, chat.id),
        (all) => all.length === 2 && all[1]?.status === 'completed',
      );
    }
  });
});

/** What a socket was told of answers that are written. */
function streamedText(client: WsClient): string {
  return client
    .got('message.stream.delta')
    .map(({ text }) => String(text))
    .join('');
}
