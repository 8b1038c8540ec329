import type { TestTenant } from '../support/app';
import { type Door, type DoorRun, doorRun, DoorReader, FIVE_DOORS, uiChunksOf } from '../support/chats/doors';
import { type ChatBody, createChat, messagesOf, sayStreaming, type WithModel, withModel } from '../support/chats/http';
import { openAiAs } from '../support/chats/openai';
import { postUi, uiBody } from '../support/chats/ui';
import { AnswerGate } from '../support/fake-model';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

const WORDS = ['One ', 'two ', 'drei ', '四 ', '😀 ', 'six.'];
const WHOLE = WORDS.join('');
const COUNT = { model: 'default', input: 'Count' };
const ALL = WORDS.map((_, index) => index);

/**
 * One run, read at once through `/ws`, `/ws/chat`, the stream of the AI chats API, the UI stream and Responses. A token is
 * let out when every reader has the one before it, so each piece holds one token, and every reader says of each index which text
 * goes up to it.
 */
describe('one answer through five doors', () => {
  let app: WithModel<SocketApp>;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await withModel((env) => startSocketApp({ env }));
    const limits = { ws_connections_per_user: null, chat_connections: null, sse_streams_per_user: null };
    tenant = await app.tenant({ requests_per_second: null, ai_requests_per_minute: null, ...limits });
  });
  afterAll(() => app.close());

  /** How a question gets into a chat: what of it has its answer's id. */
  const ASKED: Readonly<Record<string, () => Promise<{ readonly chatId: string; readonly messageId: string }>>> = {
    stream: async () => {
      const { id: chatId } = await createChat(tenant.key);
      const asked = await sayStreaming(tenant.key, chatId, 'Count');
      const [, started] = await asked.take(2);
      asked.cut();
      return { chatId, messageId: String(started?.data['message_id']) };
    },
    ui: async () => {
      const { id: chatId } = await createChat(tenant.key);
      const asked = await postUi(tenant.as('alice'), uiBody(chatId, 'Count'));
      for await (const { messageId } of uiChunksOf(asked)) return { chatId, messageId: String(messageId) };
      throw new Error('a stream begins with its message');
    },
    responses: async () => {
      const { id } = await openAiAs(app, tenant, 'alice').responses.create({ ...COUNT, background: true });
      const { chats } = bodyOf(await tenant.key.get<{ chats: ChatBody[] }>('/api/v1/chats/user/alice?limit=1'));
      return { chatId: chats[0]?.id ?? '', messageId: id.replace('resp_', 'msg_') };
    },
  };

  /** An answer that has begun, and the gate behind each of its tokens. */
  async function begun(by: string): Promise<{ readonly run: DoorRun; readonly gates: readonly AnswerGate[] }> {
    const gates = WORDS.map(() => new AnswerGate());
    app.model.next({ steps: WORDS.flatMap((word, i) => [word, ...gates.slice(i, i + 1).map((hold) => ({ hold }))]) });
    const asked = await ASKED[by]?.();
    if (asked === undefined) throw new Error(`nobody asks by ${by}`);
    return { run: doorRun(app, tenant, asked.chatId, asked.messageId), gates };
  }

  /** Lets out one token after the other, each when all have the one before it and `join` has brought who joins there. */
  async function pace(
    readers: DoorReader[],
    gates: readonly AnswerGate[],
    join: (index: number) => readonly DoorReader[] = () => [],
  ): Promise<void> {
    const reading: Promise<unknown>[] = readers.map((reader) => reader.read());
    const inStep = (async (): Promise<void> => {
      for (const [index, gate] of gates.entries()) {
        await everybodyHas(readers, index);
        for (const late of join(index)) {
          readers.push(late);
          reading.push(late.read());
        }
        await everybodyHas(readers, index);
        gate.open();
      }
    })();
    // Whoever fails ends the test: the others would wait for it.
    await Promise.race([inStep, failed(reading)]);
    await inStep;
    await Promise.all(reading);
  }

  const everybodyHas = (readers: readonly DoorReader[], index: number): Promise<unknown> =>
    until(
      () => Promise.resolve(readers.map((reader) => `${reader.door.name}: ${reader.index}`)),
      () => readers.every((reader) => reader.index >= index),
    );

  it('each of them gives the same text up to each index, and the log has it', async () => {
    const { run, gates } = await begun('stream');
    const readers = FIVE_DOORS.map((door) => new DoorReader(door, WORDS, run));
    await pace(readers, gates);
    expect(readers.map(({ door, seen, text }) => [door.name, seen, text])).toEqual(
      FIVE_DOORS.map(({ name }) => [name, ALL, WHOLE]),
    );
    expect((await messagesOf(run.alice, run.chatId)).at(-1)).toMatchObject({ content: WHOLE, status: 'completed' });
  });

  it('who joins after n tokens has them at once, then one after the other', async () => {
    const { run, gates } = await begun('ui');
    const readers = FIVE_DOORS.map((door) => new DoorReader(door, WORDS, run));
    await pace(readers, gates, () => FIVE_DOORS.map((door) => new DoorReader(door, WORDS, run)));
    expect(readers.map(({ door, seen, text }) => [door.name, seen, text])).toEqual(
      [0, ...ALL].flatMap((joined) => FIVE_DOORS.map(({ name }) => [name, ALL.slice(joined), WHOLE])),
    );
  });

  it('who is cut after each nth token and comes back lacks nothing, and has nothing twice', async () => {
    const { run, gates } = await begun('responses');
    const readers = [1, 2, 3].flatMap((n) => FIVE_DOORS.map((door) => new DoorReader(door, WORDS, run, n)));
    await pace(readers, gates);
    for (const { door, cuts, seen, text } of readers) {
      expect([door.name, text]).toEqual([door.name, WHOLE]);
      expect(cuts).toBeGreaterThan(0);
      // Where a reader names its place nothing of it comes again; elsewhere it begins with all that it had.
      expect([door.name, door.hasPlaces ? seen : [...new Set(seen)]]).toEqual([door.name, ALL]);
    }
  });

  it('once it is over, each gives what a reader lacks, from each index on', async () => {
    const { run, gates } = await begun('stream');
    for (const gate of gates) gate.open();
    await new DoorReader(lastOf(FIVE_DOORS), WORDS, run).read();
    for (const index of [-1, ...ALL])
      for (const door of FIVE_DOORS) {
        const reader = await new DoorReader(door, WORDS, run).having(index).read();
        expect([door.name, index, reader.text]).toEqual([door.name, index, WHOLE]);
        if (door.hasPlaces) expect([door.name, reader.seen]).toEqual([door.name, index < 5 ? [5] : []]);
      }
  });
});

/** Rejects with the first that does. */
function failed(reading: readonly Promise<unknown>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const each of reading) each.catch(reject);
  });
}

function lastOf(doors: readonly Door[]): Door {
  const door = doors.at(-1);
  if (door === undefined) throw new Error('there are doors');
  return door;
}
