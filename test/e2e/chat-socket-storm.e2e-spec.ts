import type { TestApp, TestTenant } from '../support/app';
import { ask, type ChatBody, createChat, messagesOf, startChatApp, type WithModel } from '../support/chats/http';
import { AnswerReader, openChat } from '../support/chats/socket';
import { randomOf } from '../support/convergence/simulator';
import type { ProviderServer } from '../support/fake-model';
import { until } from '../support/poll';

const ROUNDS = 25;
const CLIENTS = 5;
const MOST_TOKENS = 40;
const MOST_EVENTS = 12;

let app: WithModel<TestApp>;
let model: ProviderServer;
let tenant: TestTenant;

beforeAll(async () => {
  app = await startChatApp();
  ({ model } = app);
  tenant = await app.tenant();
});
afterAll(() => app.close());

/** Comes and goes, each time after a random number of events, with the place that it has; reads as the page says. */
class Wanderer {
  readonly answers = new Map<string, AnswerReader>();
  visits = 0;

  constructor(
    private readonly chat: ChatBody,
    private readonly random: () => number,
  ) {}

  /** One connection. */
  async visit(): Promise<void> {
    this.visits++;
    const client = await openChat(app.url, tenant, this.chat.id, { query: this.unfinished?.place ?? {} });
    const most = 1 + Math.floor(this.random() * MOST_EVENTS);
    // It may be quiet: it leaves with less when the chat has nothing more to say for a while.
    await client.settled();
    for (let trips = 0; trips < 20 && client.frames.length < most; trips++) await client.settled();
    client.ws.terminate();
    for (const frame of client.frames.slice(0, most)) {
      const id = frame['message_id'];
      if (!frame.type.startsWith('message_stream_') || typeof id !== 'string') continue;
      const reader = this.answers.get(id) ?? new AnswerReader();
      this.answers.set(id, reader);
      reader.take(frame);
    }
  }

  /** The answer of which it has not seen the end. */
  get unfinished(): AnswerReader | undefined {
    return [...this.answers.values()].find(({ end }) => end === undefined);
  }
}

it.each([1, 2, 3])('clients that come and go at random put together what is stored (seed %d)', async (seed) => {
  const random = randomOf(seed);
  const chat = await createChat(tenant.key);
  const wanderers = Array.from({ length: CLIENTS }, (_, n) => new Wanderer(chat, randomOf(seed * 1000 + n)));
  let isOver = false;
  const wandering = wanderers.map(async (wanderer) => {
    while (!isOver) await wanderer.visit();
    await until(
      async () => {
        if (wanderer.unfinished !== undefined) await wanderer.visit();
        return wanderer.unfinished;
      },
      (unfinished) => unfinished === undefined,
    );
  });
  // How much of it clients are there for is chance: it goes on until there is enough to compare.
  const seen = (): number => wanderers.reduce((sum, { answers }) => sum + answers.size, 0);
  let round = 0;
  for (; round < ROUNDS || (round < 2 * ROUNDS && seen() <= ROUNDS); round++) {
    const count = 1 + Math.floor(random() * MOST_TOKENS);
    model.next({ steps: Array.from({ length: count }, (_, n) => `${round}.${n} 😀 `) });
    await ask(tenant.key, chat.id, `${round}`);
  }
  isOver = true;
  await Promise.all(wandering);
  const stored = new Map((await messagesOf(tenant.key, chat.id)).map(({ id, content }) => [id, content]));
  for (const { answers } of wanderers)
    for (const [id, { text, end }] of answers)
      expect([text, end?.['content']]).toEqual([stored.get(id), stored.get(id)]);
  expect(stored.size).toBe(2 * round);
  expect(seen()).toBeGreaterThan(ROUNDS);
});
