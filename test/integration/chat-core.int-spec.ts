import { type Chat, type ChatEvent, type ChatMessage, ChatStreams, END_INDEX } from '../../src/modules/chats/contract';
import { ChatsService } from '../../src/modules/chats/chats/chats.service';
import { TurnsService } from '../../src/modules/chats/turns/turns.service';
import { LiveRuns } from '../../src/modules/chats/runs/live-runs';
import { RunsRepository } from '../../src/modules/chats/runs/runs.repository';
import { RunChunksRepository } from '../../src/modules/chats/runs/run-chunks.repository';
import { Jobs } from '../../src/platform/jobs';
import { type CoreFixture, startCore } from '../support/chat-core';
import { withModel, type WithModel } from '../support/chats/http';
import { AnswerGate, type ProviderServer } from '../support/fake-model';
import { until } from '../support/poll';

let core: WithModel<CoreFixture>;
let model: ProviderServer;
let tenantId: string;
let chat: Chat;

beforeAll(async () => {
  core = await withModel(startCore);
  ({ model } = core);
});
afterAll(() => core.close());
beforeEach(async () => {
  model.reset();
  tenantId = await core.tenant();
  chat = await core.get(ChatsService).createChat(alice(), { userId: 'alice' });
});

const alice = () => core.caller(tenantId, 'alice');
const send = (content: string) => core.get(TurnsService).send(alice(), chat, { content });
const messages = async (): Promise<ChatMessage[]> =>
  (await core.get(ChatsService).messages(chat, 'asc', { limit: 100, offset: 0 })).messages;

/** Everything of a run from an index on, up to its end. */
function whole(runId: string, afterIndex = -1): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  return new Promise((resolve, reject) => {
    const watcher = (event: ChatEvent): void => {
      events.push(event);
      if (event.type === 'ended') resolve(events);
    };
    core.get(ChatStreams).follow(chat, runId, afterIndex, watcher).catch(reject);
  });
}

const textOf = (events: readonly ChatEvent[]): string =>
  events.map((event) => (event.type === 'tokens' ? event.text : '')).join('');

describe('an answer', () => {
  it('can be had from any token on, while it is written, after it and when its tokens are gone', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['One', ' two', { hold: gate }, ' three', ' four'] });
    const { runId } = await send('count');
    await written(runId, 2);
    const early = [-1, 0, 1].map((index) => whole(runId, index));
    gate.open();
    const expected = ['One two three four', ' two three four', ' three four', ' four', ''];
    expect((await Promise.all(early)).map(textOf)).toEqual(expected.slice(0, 3));
    for (const [i, text] of expected.entries()) {
      const events = await whole(runId, i - 1);
      expect([textOf(events), events[0]]).toEqual([text, { type: 'started', runId, afterIndex: i - 1 }]);
    }
    await core.database.sql(`UPDATE run_chunks SET expires_at = now() - interval '1 second'`);
    expect(await core.get(RunChunksRepository).purge()).toBeGreaterThan(0);
    expect(textOf(await whole(runId, 2))).toBe('One two three four');
  });

  it('that has just ended is given to its end, whenever somebody comes', async () => {
    // Its chat is named then, so its worker still has it.
    const { runId } = await send('Hello');
    const events = await whole(runId);
    const late = await Promise.all(Array.from({ length: 20 }, () => whole(runId)));
    for (const again of late) expect(again.at(-1)).toEqual(events.at(-1));
  });

  it('is known to have more until its end is had, also for who has more than there is', async () => {
    const { runId } = await send('Hello');
    await whole(runId);
    const after = (index: number) => core.get(ChatStreams).hasAfter(chat, runId, index);
    expect(await Promise.all([after(-1), after(5), after(6), after(99)])).toEqual([true, true, true, true]);
    expect(await after(END_INDEX)).toBe(false);
  });

  it('whose job cannot be read fails, instead of being waited for', async () => {
    await core.database.sql(
      `CREATE FUNCTION garble() RETURNS trigger LANGUAGE plpgsql AS $g$
         BEGIN NEW.payload = jsonb_set(NEW.payload, '{options}', '5'); RETURN NEW; END $g$;
       CREATE TRIGGER garble BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION garble()`,
    );
    try {
      const { runId } = await send('Hello');
      const failure = { code: 'INTERNAL_ERROR', message: 'The answer could not be stored' };
      const end = (await whole(runId)).at(-1);
      expect(end).toMatchObject({ type: 'ended', failure, answer: { status: 'failed', seq: 0 } });
      const [job] = await until(
        () => core.get(Jobs).dead(tenantId, 'run', 10),
        (dead) => dead.length > 0,
      );
      expect(job).toMatchObject({
        payload: { run_id: runId },
        error: expect.stringMatching(/^The payload does not fit: options/),
      });
      // Who comes when it is over is told the same, with or without tokens that they may have.
      for (const index of [-1, 3, END_INDEX])
        expect((await whole(runId, index)).at(-1)).toMatchObject({ type: 'ended', failure, answer: { seq: 0 } });
      expect(await core.get(ChatStreams).hasAfter(chat, runId, END_INDEX)).toBe(false);
      expect(model.requests).toEqual([]);
    } finally {
      await core.database.sql('DROP TRIGGER garble ON jobs; DROP FUNCTION garble()');
    }
  });

  it('whose worker died in the middle ends interrupted, with what was stored', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['One', ' two', { hold: gate }] });
    const { runId } = await send('count');
    await gate.reached;
    await until(
      () => core.get(RunsRepository).tokens(tenantId, runId),
      ({ text }) => text === 'One two',
    );
    const lost = whole(runId);
    // Its worker here is told that the job is another's; the job comes by again.
    await loseLease();
    expect((await lost).at(-1)).toMatchObject({
      type: 'ended',
      answer: { content: 'One two', status: 'interrupted', seq: 2 },
    });
    gate.open();
    // A5: what its model was told counts as well.
    const [, { usage }] = (await messages()) as [ChatMessage, ChatMessage];
    expect(usage).toMatchObject({ completionTokens: 2, estimated: true });
    expect(usage?.promptTokens).toBeGreaterThan(1);
    expect(await messages()).toHaveLength(2);
    expect(await core.get(RunsRepository).unfinished(tenantId, chat.chatId)).toEqual([]);
  });

  it('of which only the job is left is begun', async () => {
    const { runId } = await send('Hello');
    await whole(runId);
    await core.database.sql(`UPDATE runs SET state = 'queued', answer_seq = NULL, ended_at = NULL WHERE run_id = $1`, [
      runId,
    ]);
    await core.database.sql('DELETE FROM messages WHERE message_id = $1', [runId]);
    const payload = { run_id: runId, room_id: chat.chatId, user_id: 'alice', seq: 1 };
    await core.get(Jobs).add(tenantId, [{ kind: 'run', key: chat.chatId, payload }]);
    await until(
      () => messages(),
      (all) => all.length === 2,
    );
  });

  it('that runs is stopped with those that wait; the next message is answered', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] });
    const first = await send('first');
    await gate.reached;
    const second = await send('second');
    const stopped = await core.get(TurnsService).stop(alice(), chat);
    expect(stopped.map(({ messageId, status, content }) => [messageId, status, content]).sort()).toEqual(
      [
        [first.runId, 'cancelled', 'One'],
        [second.runId, 'cancelled', ''],
      ].sort(),
    );
    expect(await (await model.request(1)).closed).toBe('early');
    expect(model.requests).toHaveLength(1);
    const third = await send('third');
    expect((await whole(third.runId)).at(-1)).toMatchObject({ answer: { status: 'completed' } });
  });

  it('of a chat that is deleted meanwhile ends without a trace', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] });
    const { runId } = await send('first');
    await gate.reached;
    const events: ChatEvent[] = [];
    await core.get(ChatStreams).follow(chat, runId, -1, (event) => events.push(event));
    await core.get(ChatsService).deleteChat(alice(), chat);
    await until(
      () => Promise.resolve(events.at(-1)?.type),
      (type) => type === 'deleted',
    );
    expect(await (await model.request(1)).closed).toBe('early');
    await until(
      () => Promise.resolve(core.get(LiveRuns).size()),
      (live) => live === 0,
    );
    const rows = await core.database.sql('SELECT kind FROM messages WHERE tenant_id = $1', [tenantId]);
    expect(rows).toEqual([{ kind: 'user' }]);
  });

  it('is watched with all that happens in its chat, each thing once', async () => {
    const events: ChatEvent[] = [];
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }, ' two'] });
    const { runId } = await send('first');
    await gate.reached;
    const seen = await core.get(ChatsService).getChat(alice(), chat.chatId);
    const unwatch = await core.get(ChatStreams).watch(seen, (event) => events.push(event));
    gate.open();
    await whole(runId);
    const next = await core.get(TurnsService).send(alice(), chat, { content: 'second', clientMessageId: 'c' });
    await whole(next.runId);
    unwatch();
    await whole((await send('third')).runId);
    expect(events.map((event) => event.type).filter((type) => type !== 'tokens')).toEqual([
      ...['started', 'ended'],
      ...['message', 'started', 'ended'],
    ]);
    expect(textOf(events)).toBe('One twoHello from the fake model.');
    expect(events.find(({ type }) => type === 'message')).toMatchObject({ clientMessageId: 'c', message: { seq: 3 } });
  });
});

/** The server has so many tokens: the provider wrote them a moment before. */
async function written(runId: string, count: number): Promise<void> {
  await until(
    () => Promise.resolve(core.get(LiveRuns).find(runId)?.published),
    (published) => published === count,
  );
}

/** Jobs of the tenant are nobody's: their leases run out, and whoever works on them learns of it. */
async function loseLease(): Promise<void> {
  await core.database.sql(
    `UPDATE jobs SET lease_until = now() - interval '1 minute', fence = fence + 1 WHERE tenant_id = $1 AND kind = 'run'`,
    [tenantId],
  );
  core.get(Jobs).wake();
}
