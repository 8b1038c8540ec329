import { answerOf, CHAT, CONVERSATION_ID, MODEL_FAILED, RUN, RUN_ID } from '../../../../test/support/chats/fake-runs';
import { unavailable } from '../../../common/errors';
import { chatDoor, conversationDoor, type EndedRun, type RunEvent } from './views';

const STARTED: RunEvent = { type: 'started', runId: RUN, afterIndex: -1 };
const TOKENS: RunEvent = { type: 'tokens', runId: RUN, text: 'Hi ', index: 0 };
const ENDED: EndedRun = { type: 'ended', runId: RUN, answer: answerOf() };
const INTERRUPTED: EndedRun = { ...MODEL_FAILED, answer: answerOf({ status: 'interrupted', content: 'Hi' }) };

describe('the door of the AI chats API', () => {
  const door = chatDoor(CHAT, 'r1');

  it("has the socket's events", () => {
    const types = [STARTED, TOKENS, ENDED].map((event) => (door.event(event) as { event_type: string }).event_type);
    expect(types).toEqual(['message_stream_started', 'message_stream_token', 'message_stream_ended']);
  });

  it('ends a bad answer with an error instead', () => {
    for (const event of [MODEL_FAILED, INTERRUPTED])
      expect(door.event(event)).toMatchObject({
        event_type: 'error',
        error_code: 'MODEL_ERROR',
        details: { message_id: RUN_ID, chat_id: CHAT.chatId, status: event.answer.status },
      });
  });

  it('names the request in a refusal', () => {
    expect(door.refusal(unavailable('away'))).toMatchObject({ error_code: 'SERVICE_UNAVAILABLE', request_id: 'r1' });
  });

  it('over plain REST an answer that was cut is one, a failed one is an error', () => {
    expect(door.failure(ENDED)).toBeUndefined();
    expect(door.failure(INTERRUPTED)).toBeUndefined();
    expect(door.failure(MODEL_FAILED)).toMatchObject({
      code: 'MODEL_ERROR',
      message: 'The model answered 500',
      details: { message_id: RUN_ID, chat_id: CHAT.chatId, hint: expect.any(String) },
    });
  });
});

describe('the door of the Conversations API', () => {
  const door = conversationDoor(CHAT, false);

  it('has the events of the source', () => {
    expect([STARTED, TOKENS, ENDED].map((event) => door.event(event))).toEqual([
      { type: 'start', conversationId: CONVERSATION_ID },
      { type: 'content', text: 'Hi ' },
      { type: 'end', usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 }, finishReason: 'stop' },
    ]);
  });

  it('says start once, and null for a usage that nobody knows', () => {
    expect(conversationDoor(CHAT, true).event(STARTED)).toBeUndefined();
    expect(door.event({ ...ENDED, answer: answerOf({ usage: null }) })).toEqual({
      type: 'end',
      usage: null,
      finishReason: 'stop',
    });
  });

  it('errors have the shape of the source', () => {
    expect(door.event(INTERRUPTED)).toEqual({ type: 'error', code: 'MODEL_ERROR', message: 'The model answered 500' });
    expect(door.refusal(unavailable('away'))).toEqual({ type: 'error', code: 'SERVICE_UNAVAILABLE', message: 'away' });
  });

  it('over plain REST a cut answer is an error too, which names the conversation', () => {
    expect(door.failure(ENDED)).toBeUndefined();
    for (const event of [MODEL_FAILED, INTERRUPTED])
      expect(door.failure(event)).toMatchObject({
        code: 'MODEL_ERROR',
        details: { conversationId: CONVERSATION_ID, messageId: RUN_ID },
      });
    const noChannel: EndedRun = { ...MODEL_FAILED, failure: { code: 'CHANNEL_UNAVAILABLE', message: 'none' } };
    expect(door.failure(noChannel)).toMatchObject({ status: 503, retryAfterSeconds: 1 });
  });
});
