import { randomUUID } from 'node:crypto';
import { type Chat, type ChatEvent, ChatStreams } from '../../src/modules/chats/contract';
import { ChatsService } from '../../src/modules/chats/chats/chats.service';
import { RunsRepository } from '../../src/modules/chats/runs/runs.repository';
import { FollowedRepository } from '../../src/modules/chats/streams/followed.repository';
import { TurnsService } from '../../src/modules/chats/turns/turns.service';
import { Bus } from '../../src/platform/cluster';
import { Metrics } from '../../src/platform/metrics';
import { type CoreFixture, startCore } from '../support/chat-core';
import { withModel, type WithModel } from '../support/chats/http';
import { AnswerGate, type ProviderServer } from '../support/fake-model';
import { HintLoss } from '../support/lossy-bus';
import { until } from '../support/poll';

let core: WithModel<CoreFixture>;
let model: ProviderServer;
let loss: HintLoss;
let tenantId: string;
let chat: Chat;

beforeAll(async () => {
  core = await withModel(startCore);
  ({ model } = core);
  loss = new HintLoss(core.get(Bus));
  loss.sayDown();
});
afterAll(() => core.close());
beforeEach(async () => {
  model.reset();
  loss.lose();
  tenantId = await core.tenant();
  chat = await core.get(ChatsService).createChat(alice(), { userId: 'alice' });
});

const alice = () => core.caller(tenantId, 'alice');
const send = (content: string, clientMessageId?: string) =>
  core.get(TurnsService).send(alice(), chat, { content, clientMessageId });

/** What a watcher of one run is told; of the whole chat without one. */
async function eventsOf(runId?: string): Promise<readonly ChatEvent[]> {
  const events: ChatEvent[] = [];
  const watcher = (event: ChatEvent): number => events.push(event);
  const streams = core.get(ChatStreams);
  await (runId === undefined ? streams.watch(chat, watcher) : streams.follow(chat, runId, -1, watcher));
  return events;
}

const has = (events: readonly ChatEvent[], type: ChatEvent['type'], count = 1): Promise<unknown> =>
  until(
    () => Promise.resolve(events.filter((event) => event.type === type).length),
    (found) => found >= count,
  );
const textOf = (events: readonly ChatEvent[]): string =>
  events.map((event) => (event.type === 'tokens' ? event.text : '')).join('');

async function missed(what: string): Promise<number> {
  const line = new RegExp(`^chatapi_chat_hints_missed_total\\{what="${what}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await core.get(Metrics).text())?.[1] ?? 0);
}

describe('what no hint has told', () => {
  it('of a run its follower is told: tokens while the provider is silent, and the end', async () => {
    loss.lose('started', 'tokens', 'ended');
    const gate = new AnswerGate();
    model.next({ steps: ['One', ' two', { hold: gate }, ' three'] });
    const { runId } = await send('count');
    const events = await eventsOf(runId);
    await until(
      () => Promise.resolve(textOf(events)),
      (text) => text === 'One two',
    );
    gate.open();
    await has(events, 'ended');
    expect(events.map(({ type }) => type).filter((type) => type !== 'tokens')).toEqual(['started', 'ended']);
    expect(textOf(events)).toBe('One two three');
    expect(await missed('run')).toBeGreaterThan(0);
  });

  it('of a deletion whoever follows the chat, or a run of it, is told', async () => {
    loss.lose('deleted');
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] });
    const { runId } = await send('first');
    await gate.reached;
    const all = [await eventsOf(), await eventsOf(runId)];
    const before = await missed('deletion');
    await core.get(ChatsService).deleteChat(alice(), chat);
    for (const events of all) {
      await has(events, 'deleted');
      expect(events.at(-1)?.type).toBe('deleted');
    }
    expect(await missed('deletion')).toBe(before + 1);
  });

  it('of messages a watcher of the chat is told in their order, with what their senders called them', async () => {
    loss.lose('message');
    const events = await eventsOf();
    for (const content of ['first', 'second', 'third']) await send(content, `c ${content}`);
    await has(events, 'message', 3);
    await has(events, 'ended', 3);
    const told = events.flatMap((event) => (event.type === 'message' ? [event] : []));
    expect(told.map(({ message, clientMessageId }) => [message.content, clientMessageId])).toEqual([
      ['first', 'c first'],
      ['second', 'c second'],
      ['third', 'c third'],
    ]);
    const [first] = (await core.get(ChatsService).messages(chat, 'asc', { limit: 1, offset: 0 })).messages;
    expect(told[0]?.message).toEqual(first);
    expect(events.filter(({ type }) => type === 'ended')).toHaveLength(3);
  });

  it('of a message that was deleted meanwhile nothing is told', async () => {
    loss.lose('message', 'ended');
    const events = await eventsOf();
    await core.database.sql(
      `CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $g$
         BEGIN NEW.deleted_at = now(); NEW.content = ''; RETURN NEW; END $g$;
       CREATE TRIGGER forget BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.content = 'oops') EXECUTE FUNCTION forget()`,
    );
    await send('oops');
    await send('second');
    await has(events, 'message');
    await core.database.sql('DROP TRIGGER forget ON messages; DROP FUNCTION forget()');
    expect(events.flatMap((event) => (event.type === 'message' ? [event.message.content] : []))).toEqual(['second']);
  });

  it('of a run that was given up the end is told, also to who was not told of its message', async () => {
    await core.database.sql(
      `CREATE FUNCTION garble() RETURNS trigger LANGUAGE plpgsql AS $g$
         BEGIN NEW.payload = jsonb_set(NEW.payload, '{options}', '5'); RETURN NEW; END $g$;
       CREATE TRIGGER garble BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION garble()`,
    );
    loss.lose('message', 'ended');
    const events = await eventsOf();
    try {
      const { runId } = await send('Hello');
      await has(events, 'ended');
      expect(events.at(-1)).toMatchObject({ runId, failure: { code: 'INTERNAL_ERROR' }, answer: { seq: 0 } });
      expect(events.map(({ type }) => type).sort()).toEqual(['ended', 'message']);
    } finally {
      await core.database.sql('DROP TRIGGER garble ON jobs; DROP FUNCTION garble()');
    }
  });

  it('a stop reaches an answer whose provider is silent', async () => {
    loss.lose('stop');
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] });
    const { runId } = await send('first');
    // Whoever stores a token learns of the stop by that.
    await until(
      () => core.get(RunsRepository).tokens(tenantId, runId),
      ({ text }) => text === 'One',
    );
    const before = await missed('stop');
    const stopped = await core.get(TurnsService).stop(alice(), chat);
    expect(stopped).toMatchObject([{ messageId: runId, status: 'cancelled', content: 'One' }]);
    expect(await (await model.request(1)).closed).toBe('early');
    expect(await missed('stop')).toBe(before + 1);
  });
});

describe('the statement that asks how all stands', () => {
  const states = (runs: readonly string[], chats: readonly { tenantId: string; chatId: string }[]) =>
    core.get(FollowedRepository).states({ runs: runs.map((runId) => ({ tenantId, runId })), chats });

  it('says of each run and chat where it is, and of a chat which runs have not ended', async () => {
    const gate = new AnswerGate();
    model.next({}, { steps: ['One', ' two', { hold: gate }] });
    const ended = await send('first');
    await has(await eventsOf(ended.runId), 'ended');
    const [streaming, queued] = [await send('second'), await send('third')];
    const none = randomUUID();
    const runs = [ended, streaming, queued].map(({ runId }) => runId);
    const found = await until(
      () => states([...runs, none], [chat]),
      (all) => all.run(tenantId, streaming.runId)?.tokens === 2,
    );
    expect([...runs, none].map((runId) => found.run(tenantId, runId)?.state)).toEqual([
      ...['ended', 'streaming', 'queued'],
      'gone',
    ]);
    expect(found.run(tenantId, streaming.runId)).toMatchObject({ fence: 1, isCancelled: false });
    const { lastSeq, unfinished = [] } = found.chat(chat) ?? {};
    expect([lastSeq, unfinished.map(({ runId }) => runId).sort()]).toEqual([4, [queued.runId, streaming.runId].sort()]);
    gate.open();
    await has(await eventsOf(queued.runId), 'ended');
  });

  it('says nothing of what was not asked for, of another tenant’s ids that there is nothing, and of deleted chats', async () => {
    const { runId } = await send('first');
    await has(await eventsOf(runId), 'ended');
    const stranger = { tenantId: await core.tenant(), chatId: chat.chatId };
    const found = await states([], [stranger, { tenantId, chatId: randomUUID() }]);
    expect(found.run(tenantId, runId)).toBeUndefined();
    expect(found.chat(chat)).toBeUndefined();
    expect(found.chat(stranger)).toEqual({ lastSeq: undefined, unfinished: [] });
    await core.get(ChatsService).deleteChat(alice(), chat);
    expect(await core.get(FollowedRepository).chat(chat)).toEqual({ lastSeq: undefined, unfinished: [] });
  });
});
