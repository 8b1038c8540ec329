import { answerOf, CHAT, CONVERSATION_ID, RUN_ID } from '../../../../test/support/chats/fake-runs';
import { chatMessageView, chatView, conversationMessageView, conversationView, tokenUsageView } from './views';

describe('the objects of the AI chats API', () => {
  it('a chat has the fields of the source, and the preset in its config', () => {
    const lastMessageAt = new Date('2026-01-31T12:00:03.000Z');
    expect(chatView({ ...CHAT, metadata: { a: 1 }, lastMessageAt })).toEqual({
      id: CHAT.chatId,
      user_id: 'alice',
      tenant_id: 'tenant_019aa1c2d3e475068728394a5b6c7d01',
      title: 'A chat',
      config: { metadata: { a: 1 }, preset: 'default' },
      created_at: '2026-01-31T12:00:00.000Z',
      updated_at: '2026-01-31T12:00:01.000Z',
      last_message_at: '2026-01-31T12:00:03.000Z',
    });
    expect(chatView(CHAT)).toMatchObject({ config: { metadata: {} }, last_message_at: null });
  });

  it('A10: an answer says what it answers, what it took and why it ended', () => {
    expect(chatMessageView(CHAT.chatId, answerOf({ metadata: { a: 1 } }))).toEqual({
      id: RUN_ID,
      chat_id: CHAT.chatId,
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
    const keys = Object.keys(chatMessageView(CHAT.chatId, said));
    expect(keys).not.toEqual(expect.arrayContaining(['reply_to_seq']));
    expect(keys).not.toEqual(expect.arrayContaining(['usage']));
    expect(keys).not.toEqual(expect.arrayContaining(['deleted_at']));
    expect(chatMessageView(CHAT.chatId, { ...said, deletedAt: said.createdAt })).toMatchObject({
      deleted_at: '2026-01-31T12:00:02.000Z',
    });
  });
});

describe('A15: a chat whose preset was deleted', () => {
  it('says so in its config', () => {
    expect(chatView(CHAT, new Set(['default'])).config).toEqual({
      metadata: {},
      preset: 'default',
      preset_deleted: true,
    });
    expect(chatView(CHAT, new Set(['other'])).config).toEqual({ metadata: {}, preset: 'default' });
  });
});

describe('the objects of the Conversations API', () => {
  it('a conversation shows its last message and its last activity', () => {
    const chat = { ...CHAT, groupId: 'g1', messageCount: 2, lastMessageAt: new Date(1_800_000_000_000) };
    expect(conversationView(chat, { text: 'Hi there', truncated: false })).toEqual({
      id: CONVERSATION_ID,
      userId: 'alice',
      groupId: 'g1',
      messageCount: 2,
      lastMessage: 'Hi there',
      lastMessageTruncated: false,
      updatedAt: 1_800_000_000_000,
    });
    expect(conversationView(CHAT, undefined)).toMatchObject({
      groupId: null,
      lastMessage: null,
      lastMessageTruncated: false,
      updatedAt: CHAT.updatedAt.getTime(),
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
