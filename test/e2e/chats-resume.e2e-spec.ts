import type { TestApp } from '../support/app';
import {
  chatPath,
  conversationIdOf,
  createChat,
  messagesOf,
  rejoin,
  sayStreaming,
  startChatApp,
  type WithModel,
} from '../support/chats/http';
import { SseClient, type SseEvent, textOf } from '../support/chats/sse';
import { AnswerGate, type ProviderServer } from '../support/fake-model';
import type { Api } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';

const WORDS = ['One ', 'two ', 'drei ', '四 ', '😀 ', 'six ', 'seven ', 'eight.'];

interface Door {
  readonly name: string;
  begin(by: Api, chatId: string, userId: string): Promise<SseClient>;
  join(by: Api, chatId: string, lastEventId?: string): Promise<SseClient>;
  isLast(event: SseEvent): boolean;
  startsOver(event: SseEvent): boolean;
}

const CHATS: Door = {
  name: 'the AI chats API',
  begin: (by, chatId) => sayStreaming(by, chatId, 'Count'),
  join: rejoin,
  isLast: ({ data }) => data['event_type'] === 'message_stream_ended',
  startsOver: ({ data }) => data['event_type'] === 'message_stream_started' && data['after_index'] === -1,
};
const CONVERSATIONS: Door = {
  name: 'the Conversations API',
  begin: (by, chatId, userId) =>
    SseClient.open(by, 'POST', '/api/chat/stream', {
      body: { message: 'Count', userId, conversationId: conversationIdOf(chatId) },
    }),
  join: (by, chatId, lastEventId) =>
    SseClient.open(by, 'GET', `/api/conversations/${conversationIdOf(chatId)}/stream`, { lastEventId }),
  isLast: ({ data }) => data['type'] === 'end',
  startsOver: ({ id, data }) => data['type'] === 'start' && (id?.endsWith(':-1') ?? false),
};

describe('joining an answer again', () => {
  let app: WithModel<TestApp>;
  let model: ProviderServer;
  let key: Api;

  beforeAll(async () => {
    app = await startChatApp();
    ({ model } = app);
    ({ key } = await app.tenant());
  });
  afterAll(() => app.close());

  describe.each([CHATS, CONVERSATIONS])('on $name', (door) => {
    it.each([1, 2, 3, 4, 5])('cut after every %d tokens, nothing is missing and nothing comes twice', async (n) => {
      const chat = await createChat(key);
      const gates = WORDS.map(() => new AnswerGate());
      model.next({ steps: WORDS.flatMap((word, i) => [word, { hold: gates[i] ?? new AnswerGate() }]) });
      const whole = WORDS.join('');
      let text = '';
      let last: string | undefined;
      let isOver = false;
      let stream = await door.begin(key, chat.id, 'alice');
      for (let cuts = 0; !isOver && cuts < 50; cuts++) {
        for (let taken = 0; taken < n && !isOver;) {
          const event = await stream.next();
          if (event === undefined) throw new Error('the stream ended without its last event');
          if (door.startsOver(event)) text = '';
          const token = textOf([event]);
          text += token;
          if (token !== '') taken++;
          // A word is let out once the one before was read, so that each event holds one.
          gates[text.split(' ').length - 2]?.open();
          if (text === whole) gates.at(-1)?.open();
          last = event.id;
          isOver = door.isLast(event);
        }
        stream.cut();
        if (!isOver) stream = await door.join(key, chat.id, last);
      }
      const stored = (await messagesOf(key, chat.id)).at(-1);
      expect([text, stored?.content]).toEqual([whole, whole]);
      expect((await door.join(key, chat.id, last)).status).toBe(204);
    });

    it('after its end gives what is missing, and 204 when nothing is', async () => {
      const chat = await createChat(key);
      model.next({ steps: WORDS });
      const events = await (await door.begin(key, chat.id, 'alice')).rest();
      const whole = WORDS.join('');
      const seen = (count: number): string => textOf(events.slice(0, count));
      for (let count = 1; count < events.length; count++) {
        const stream = await door.join(key, chat.id, events[count - 1]?.id);
        const rest = await stream.rest();
        expect([count, seen(count) + textOf(rest)]).toEqual([count, whole]);
        expect(rest.filter(door.isLast)).toHaveLength(1);
      }
      expect((await door.join(key, chat.id, events.at(-1)?.id)).status).toBe(204);
    });

    it('an index that the answer never had gives it from its beginning, while it is written', async () => {
      const chat = await createChat(key);
      const gate = new AnswerGate();
      model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
      const first = await door.begin(key, chat.id, 'alice');
      await gate.reached;
      const [{ id = '' } = { id: '' }] = await first.take(1);
      const stream = await door.join(key, chat.id, id.replace(/:.*$/, ':999'));
      gate.open();
      const events = await stream.rest();
      expect(events.some(door.startsOver)).toBe(true);
      expect(textOf(events)).toBe('Hello');
      await first.rest();
    });
  });

  it('the two doors and several readers share one run, under the same ids', async () => {
    const chat = await createChat(key);
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
    const streams = [await CHATS.begin(key, chat.id, 'alice')];
    await gate.reached;
    streams.push(await CHATS.join(key, chat.id), await CONVERSATIONS.join(key, chat.id));
    gate.open();
    const all = await Promise.all(streams.map((stream) => stream.rest()));
    const texts = all.map(textOf);
    expect(texts).toEqual(['Hello', 'Hello', 'Hello']);
    expect(new Set(all.map((events) => events.at(-1)?.id)).size).toBe(1);
    expect(model.requests.filter(({ body }) => JSON.stringify(body).includes('Count')).length).toBeGreaterThan(0);
  });

  it('a queued answer can be joined before it begins', async () => {
    const chat = await createChat(key);
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] }, { steps: ['Two'] });
    const one = await CHATS.begin(key, chat.id, 'alice');
    await gate.reached;
    const two = await CHATS.begin(key, chat.id, 'alice');
    const [received] = await two.take(1);
    two.cut();
    const again = await CHATS.join(key, chat.id, received?.id);
    gate.open();
    await one.rest();
    expect(textOf(await again.rest())).toBe('Two');
  });

  it('open streams are counted, and why they ended', async () => {
    const chat = await createChat(key);
    const gate = new AnswerGate();
    model.next({ steps: ['a', { hold: gate }] });
    const stream = await CHATS.begin(key, chat.id, 'alice');
    await gate.reached;
    const metric = async (name: string): Promise<number> => {
      const text = await (await fetch(`${app.url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    };
    const left = 'chatapi_sse_closes_total{reason="client"}'.replace(/[{}]/g, '\\$&');
    const before = await metric(left);
    expect(await metric('chatapi_sse_streams')).toBeGreaterThanOrEqual(1);
    stream.cut();
    await until(
      () => metric(left),
      (now) => now > before,
    );
    bodyOf(await key.post(`${chatPath(chat.id)}/stop`));
    gate.open();
  });
});
