import { FAKE_RUN, FAKE_RUN_ID } from '../../../test/support/chats/fake-runs';
import { AppError, invalid, unavailable } from '../../common/errors';
import type { ChatEvent, ChatMessage } from './contract';
import { chatEvent, errorEvent, eventId, failureEvent, positionOf, usageView } from './events';

const CHAT = '019aa1c2-d3e4-7506-8728-394a5b6c7d8e';
const NOW = new Date('2026-01-31T12:00:00.000Z');
const BASE = { timestamp: NOW.toISOString(), message_id: FAKE_RUN_ID, chat_id: CHAT };

const answer: ChatMessage = {
  messageId: FAKE_RUN,
  seq: 2,
  role: 'assistant',
  senderId: 'agent_default',
  content: 'Hi there',
  metadata: null,
  status: 'completed',
  replyToSeq: 1,
  usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5, estimated: false },
  finishReason: 'stop',
  createdAt: NOW,
  deletedAt: null,
};
const ended: Extract<ChatEvent, { type: 'ended' }> = { type: 'ended', runId: FAKE_RUN, answer };
const failed: typeof ended = {
  ...ended,
  answer: { ...answer, status: 'failed', content: '', usage: null, finishReason: 'error' },
  failure: { code: 'MODEL_ERROR', message: 'The model answered 500' },
};

describe('events of a chat', () => {
  it('message_received carries what the sender gave, and the request id where it is theirs', () => {
    const event: ChatEvent = { type: 'message', message: { ...answer, content: 'Hello' }, clientMessageId: 'c1' };
    const plain = { event_type: 'message_received', ...BASE, seq: 2, content: 'Hello' };
    expect(chatEvent(event, CHAT, 'r1', NOW)).toEqual({ ...plain, client_message_id: 'c1', request_id: 'r1' });
    expect(chatEvent({ ...event, clientMessageId: null }, CHAT, undefined, NOW)).toEqual(plain);
  });

  it('the stream: started, token, ended', () => {
    expect(chatEvent({ type: 'started', runId: FAKE_RUN, afterIndex: -1 }, CHAT, undefined, NOW)).toEqual({
      event_type: 'message_stream_started',
      ...BASE,
      after_index: -1,
    });
    expect(chatEvent({ type: 'tokens', runId: FAKE_RUN, text: 'Hi ', index: 4 }, CHAT, undefined, NOW)).toEqual({
      event_type: 'message_stream_token',
      ...BASE,
      token: 'Hi ',
      index: 4,
    });
    expect(chatEvent({ type: 'reasoning', runId: FAKE_RUN, text: 'Hm.' }, CHAT, undefined, NOW)).toEqual({
      event_type: 'message_stream_reasoning',
      ...BASE,
      reasoning: 'Hm.',
    });
    expect(chatEvent(ended, CHAT, undefined, NOW)).toEqual({
      event_type: 'message_stream_ended',
      ...BASE,
      seq: 2,
      content: 'Hi there',
      status: 'completed',
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      finish_reason: 'stop',
    });
  });

  it('an answer that ended badly has an error beside its end; one that ended well has none', () => {
    expect(failureEvent(ended, CHAT)).toBeUndefined();
    expect(failureEvent(failed, CHAT, NOW)).toEqual({
      event_type: 'error',
      timestamp: BASE.timestamp,
      error_code: 'MODEL_ERROR',
      error_message: 'The model answered 500',
      details: {
        message_id: FAKE_RUN_ID,
        chat_id: CHAT,
        hint: expect.any(String),
        finish_reason: 'error',
        status: 'failed',
      },
    });
    expect(chatEvent(failed, CHAT, undefined, NOW)).toMatchObject({ status: 'failed', usage: null, content: '' });
  });
});

describe('refusals as events', () => {
  it('say which field, what to do, and what they answer', () => {
    expect(errorEvent(invalid('content', 'content is required'), 'r1', undefined, NOW)).toEqual({
      event_type: 'error',
      timestamp: BASE.timestamp,
      error_code: 'VALIDATION_ERROR',
      error_message: 'content is required',
      details: { hint: expect.any(String), field: 'content', retryable: false },
      request_id: 'r1',
    });
  });

  it('say when to come back, and keep the details of the error', () => {
    const details = { retryable: true, retry_after_ms: 1000 };
    expect(errorEvent(unavailable('away')).details).toMatchObject({ ...details, outcome: 'none' });
    expect(errorEvent(new AppError('CONFLICT', 'running', { retryAfterSeconds: 1 })).details).toMatchObject(details);
    expect(errorEvent(new AppError('CONFLICT', 'busy')).details).toMatchObject({ retryable: false });
    expect(errorEvent(new AppError('RATE_LIMIT_EXCEEDED', 'slow'), 'r', 250).details).toMatchObject({
      retry_after_ms: 250,
    });
  });
});

it('usage says that it was counted here only where it was', () => {
  const usage = { promptTokens: 1, completionTokens: 2, totalTokens: 3, estimated: true };
  expect(usageView(usage)).toEqual({ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, estimated: true });
});

function fieldOf(refused: () => unknown): string | undefined {
  try {
    refused();
  } catch (error) {
    return (error as AppError).field;
  }
  throw new Error('nothing was refused');
}

describe('Last-Event-ID', () => {
  it.each([-1, 0, 7, 1_000_000, 2_147_483_647])('reads what was written: index %d', (afterIndex) => {
    const position = { runId: FAKE_RUN, afterIndex };
    expect(eventId(position)).toBe(`${FAKE_RUN_ID}:${afterIndex}`);
    expect(positionOf(eventId(position), undefined)).toEqual(position);
    expect(positionOf(undefined, eventId(position))).toEqual(position);
  });

  it('the header wins over the query; an empty one is none', () => {
    expect(positionOf(`${FAKE_RUN_ID}:1`, `${FAKE_RUN_ID}:2`)?.afterIndex).toBe(1);
    expect(positionOf('', `${FAKE_RUN_ID}:2`)?.afterIndex).toBe(2);
    expect(positionOf(undefined, undefined)).toBeUndefined();
    expect(positionOf('', '')).toBeUndefined();
  });

  it.each([
    'x',
    FAKE_RUN_ID,
    `${FAKE_RUN_ID}:`,
    `${FAKE_RUN_ID}:-2`,
    `${FAKE_RUN_ID}:01`,
    `${FAKE_RUN_ID}:1.5`,
    `${FAKE_RUN_ID}:2147483648`,
    `${FAKE_RUN_ID}:99999999999`,
    `${FAKE_RUN}:1`,
    ` ${FAKE_RUN_ID}:1`,
    `msg_zz9aa1c2d3e475068728394a5b6c7d8f:1`,
  ])('refuses %s and says where it stood', (text) => {
    expect(fieldOf(() => positionOf(text, undefined))).toBe('Last-Event-ID');
    expect(fieldOf(() => positionOf(undefined, text))).toBe('last_event_id');
  });
});
