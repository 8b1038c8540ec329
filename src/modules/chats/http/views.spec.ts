import {
  answerOf,
  FAKE_CHAT,
  CONVERSATION_ID,
  MODEL_FAILED,
  FAKE_RUN,
  FAKE_RUN_ID,
} from '../../../../test/support/chats/fake-runs';
import { unavailable } from '../../../common/errors';
import {
  chatFormat,
  chatIdOf,
  chatMessageView,
  chatView,
  conversationFormat,
  conversationIdOf,
  conversationMessageView,
  conversationView,
  type EndedRun,
  type RunEvent,
  tokenUsageView,
} from './views';

const STARTED: RunEvent = { type: 'started', runId: FAKE_RUN, afterIndex: -1 };
const TOKENS: RunEvent = { type: 'tokens', runId: FAKE_RUN, text: 'Hi ', index: 0 };
const THINKS: RunEvent = { type: 'reasoning', runId: FAKE_RUN, text: 'Hm.' };
const ENDED: EndedRun = { type: 'ended', runId: FAKE_RUN, answer: answerOf() };
const INTERRUPTED: EndedRun = { ...MODEL_FAILED, answer: answerOf({ status: 'interrupted', content: 'Hi' }) };

describe('the format of the AI chats API', () => {
  const format = chatFormat(FAKE_CHAT, 'r1');

  it("has the socket's events", () => {
    const told = [STARTED, THINKS, TOKENS, ENDED].flatMap((event) => format.events(event));
    const types = ['started', 'reasoning', 'token', 'ended'].map((name) => `message_stream_${name}`);
    expect(told).toEqual(types.map((event_type) => expect.objectContaining({ event_type }) as unknown));
  });

  it('ends a bad answer with an error instead', () => {
    for (const event of [MODEL_FAILED, INTERRUPTED])
      expect(format.events(event)).toMatchObject([
        {
          event_type: 'error',
          error_code: 'MODEL_ERROR',
          details: { message_id: FAKE_RUN_ID, chat_id: FAKE_CHAT.chatId, status: event.answer.status },
        },
      ]);
  });

  it('names the request in a refusal', () => {
    expect(format.refusal(unavailable('away'))).toMatchObject({ error_code: 'SERVICE_UNAVAILABLE', request_id: 'r1' });
  });

  it('over plain REST an answer that was cut is one, a failed one is an error', () => {
    expect(format.failure(ENDED)).toBeUndefined();
    expect(format.failure(INTERRUPTED)).toBeUndefined();
    expect(format.failure(MODEL_FAILED)).toMatchObject({
      code: 'MODEL_ERROR',
      message: 'The model answered 500',
      details: { message_id: FAKE_RUN_ID, chat_id: FAKE_CHAT.chatId, hint: expect.any(String) },
    });
  });
});

describe('the format of the Conversations API', () => {
  const format = conversationFormat(FAKE_CHAT, false);

  it('has the events of the source', () => {
    expect([STARTED, THINKS, TOKENS, ENDED].flatMap((event) => format.events(event))).toEqual([
      { type: 'start', conversationId: CONVERSATION_ID },
      { type: 'reasoning', text: 'Hm.' },
      { type: 'content', text: 'Hi ' },
      { type: 'end', usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 }, finishReason: 'stop' },
    ]);
  });

  it('says start once, and null for a usage that nobody knows', () => {
    expect(conversationFormat(FAKE_CHAT, true).events(STARTED)).toEqual([]);
    expect(format.events({ ...ENDED, answer: answerOf({ usage: null }) })).toEqual([
      { type: 'end', usage: null, finishReason: 'stop' },
    ]);
  });

  it('errors have the shape of the source', () => {
    expect(format.events(INTERRUPTED)).toEqual([
      { type: 'error', code: 'MODEL_ERROR', message: 'The model answered 500' },
    ]);
    expect(format.refusal(unavailable('away'))).toEqual({
      type: 'error',
      code: 'SERVICE_UNAVAILABLE',
      message: 'away',
    });
  });

  it('over plain REST a cut answer is an error too, which names the conversation', () => {
    expect(format.failure(ENDED)).toBeUndefined();
    for (const event of [MODEL_FAILED, INTERRUPTED])
      expect(format.failure(event)).toMatchObject({
        code: 'MODEL_ERROR',
        details: { conversationId: CONVERSATION_ID, messageId: FAKE_RUN_ID },
      });
    const noChannel: EndedRun = { ...MODEL_FAILED, failure: { code: 'CHANNEL_UNAVAILABLE', message: 'none' } };
    expect(format.failure(noChannel)).toMatchObject({ status: 503, retryAfterSeconds: 1 });
  });
});

describe('the objects of the AI chats API', () => {
  it('a chat has the fields of the source, and the preset in its config', () => {
    const lastMessageAt = new Date('2026-01-31T12:00:03.000Z');
    expect(chatView({ ...FAKE_CHAT, metadata: { a: 1 }, lastMessageAt })).toEqual({
      id: FAKE_CHAT.chatId,
      user_id: 'alice',
      tenant_id: 'tenant_019aa1c2d3e475068728394a5b6c7d01',
      title: 'A chat',
      config: { metadata: { a: 1 }, preset: 'default' },
      created_at: '2026-01-31T12:00:00.000Z',
      updated_at: '2026-01-31T12:00:01.000Z',
      last_message_at: '2026-01-31T12:00:03.000Z',
    });
    expect(chatView(FAKE_CHAT)).toMatchObject({ config: { metadata: {} }, last_message_at: null });
  });

  it('A10: an answer says what it answers, what it took and why it ended', () => {
    expect(chatMessageView(FAKE_CHAT.chatId, answerOf({ metadata: { a: 1 } }))).toEqual({
      id: FAKE_RUN_ID,
      chat_id: FAKE_CHAT.chatId,
      content: 'Hi there',
      sender_role: 'assistant',
      seq: 2,
      reply_to_seq: 1,
      metadata: { a: 1 },
      status: 'completed',
      finish_reason: 'stop',
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      created_at: '2026-01-31T12:00:02.000Z',
    });
  });

  it('what a user says has neither; only what is deleted says so', () => {
    const said = answerOf({ role: 'user', replyToSeq: null, usage: null });
    const keys = Object.keys(chatMessageView(FAKE_CHAT.chatId, said));
    expect(keys).not.toEqual(expect.arrayContaining(['reply_to_seq']));
    expect(keys).not.toEqual(expect.arrayContaining(['usage']));
    expect(keys).not.toEqual(expect.arrayContaining(['deleted_at']));
    expect(chatMessageView(FAKE_CHAT.chatId, { ...said, deletedAt: said.createdAt })).toMatchObject({
      deleted_at: '2026-01-31T12:00:02.000Z',
    });
  });
});

describe('A15: a chat whose preset was deleted', () => {
  it('says so in its config', () => {
    expect(chatView(FAKE_CHAT, new Set(['default'])).config).toEqual({
      metadata: {},
      preset: 'default',
      preset_deleted: true,
    });
    expect(chatView(FAKE_CHAT, new Set(['other'])).config).toEqual({ metadata: {}, preset: 'default' });
  });
});

describe('the objects of the Conversations API', () => {
  it('a conversation shows its last message and its last activity', () => {
    const chat = { ...FAKE_CHAT, groupId: 'g1', messageCount: 2, lastMessageAt: new Date(1_800_000_000_000) };
    expect(conversationView(chat, { text: 'Hi there', truncated: false })).toEqual({
      id: CONVERSATION_ID,
      userId: 'alice',
      groupId: 'g1',
      messageCount: 2,
      lastMessage: 'Hi there',
      lastMessageTruncated: false,
      updatedAt: 1_800_000_000_000,
    });
    expect(conversationView(FAKE_CHAT, undefined)).toMatchObject({
      groupId: null,
      lastMessage: null,
      lastMessageTruncated: false,
      updatedAt: FAKE_CHAT.updatedAt.getTime(),
    });
  });

  it('A10: a message has its time in milliseconds, an answer says why it ended', () => {
    expect(conversationMessageView(answerOf())).toEqual({
      role: 'assistant',
      content: 'Hi there',
      timestamp: Date.parse('2026-01-31T12:00:02.000Z'),
      finishReason: 'stop',
    });
    expect(conversationMessageView(answerOf({ role: 'user', finishReason: null }))).not.toHaveProperty('finishReason');
  });

  it('usage says that it was counted here only where it was', () => {
    const usage = { promptTokens: 1, completionTokens: 2, totalTokens: 3 };
    expect(tokenUsageView({ ...usage, estimated: true })).toEqual({ ...usage, estimated: true });
    expect(tokenUsageView({ ...usage, estimated: false })).toEqual(usage);
  });
});

describe('ids', () => {
  const hex = FAKE_RUN.replaceAll('-', '');

  it('a chat has the bare UUID, a conversation that or its own prefix', () => {
    expect(chatIdOf(FAKE_RUN)).toBe(FAKE_RUN);
    expect(conversationIdOf(FAKE_RUN)).toBe(FAKE_RUN);
    expect(conversationIdOf(`conv_${hex}`)).toBe(FAKE_RUN);
  });

  it.each(['', 'x', hex, FAKE_RUN.toUpperCase(), `room_${hex}`, `conv_${FAKE_RUN}`, `${FAKE_RUN}\n`])(
    '%j is no id: there is no such thing',
    (id) => {
      expect(chatIdOf(id)).toBeUndefined();
      expect(conversationIdOf(id)).toBeUndefined();
    },
  );
});
