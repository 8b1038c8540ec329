import { answerOf, FAKE_CHAT, FAKE_RUN, FAKE_RUN_ID, MODEL_FAILED } from '../../../../test/support/chats/fake-runs';
import { unavailable } from '../../../common/errors';
import type { AnswerFormat, EndedRun, RunEvent } from './views';
import { shownOf, uiFormat, uiMessage, uiStart } from './ui-format';

const started = (afterIndex = -1): RunEvent => ({ type: 'started', runId: FAKE_RUN, afterIndex });
const tokens = (text: string, index: number): RunEvent => ({ type: 'tokens', runId: FAKE_RUN, text, index });
const ended = (more: Parameters<typeof answerOf>[0] = {}): EndedRun => ({
  ...{ type: 'ended', runId: FAKE_RUN, answer: answerOf(more) },
});

function typesOf(format: AnswerFormat, events: readonly RunEvent[]): unknown[] {
  return events.flatMap((event) => format.events(event).map((chunk) => (chunk as { type: string }).type));
}

describe('the UI message stream', () => {
  it('begins with the id of the answer and of its chat', () => {
    expect(uiStart(FAKE_CHAT, FAKE_RUN)).toEqual({
      ...{ type: 'start', messageId: FAKE_RUN_ID, messageMetadata: { chatId: FAKE_CHAT.chatId } },
    });
  });

  it('has one part of text, begun with its first token and ended before the end', () => {
    const format = uiFormat();
    const chunks = [started(), tokens('Hi ', 0), tokens('there', 2), ended()].flatMap((event) => format.events(event));
    expect(chunks).toEqual([
      { type: 'start-step' },
      { type: 'text-start', id: 'part-0' },
      { type: 'text-delta', id: 'part-0', delta: 'Hi ' },
      { type: 'text-delta', id: 'part-0', delta: 'there' },
      { type: 'text-end', id: 'part-0' },
      { type: 'finish-step' },
      {
        type: 'finish',
        finishReason: 'stop',
        messageMetadata: {
          ...{ seq: 2, createdAt: '2026-01-31T12:00:02.000Z', status: 'completed', finishReason: 'stop' },
          usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 },
        },
      },
    ]);
  });

  it('has a part for what the model thinks, wherever it does, and text is text', () => {
    const thinks = (text: string): RunEvent => ({ type: 'reasoning', runId: FAKE_RUN, text });
    const format = uiFormat();
    const events = [started(), thinks('Hm'), thinks('.'), tokens('Hi ', 0), thinks('And?'), tokens('there', 2)];
    const chunks = [...events, ended()].flatMap((event) => format.events(event));
    expect(chunks.slice(0, -1)).toEqual([
      { type: 'start-step' },
      { type: 'reasoning-start', id: 'part-0' },
      { type: 'reasoning-delta', id: 'part-0', delta: 'Hm' },
      { type: 'reasoning-delta', id: 'part-0', delta: '.' },
      { type: 'reasoning-end', id: 'part-0' },
      { type: 'text-start', id: 'part-1' },
      { type: 'text-delta', id: 'part-1', delta: 'Hi ' },
      { type: 'text-end', id: 'part-1' },
      { type: 'reasoning-start', id: 'part-2' },
      { type: 'reasoning-delta', id: 'part-2', delta: 'And?' },
      { type: 'reasoning-end', id: 'part-2' },
      { type: 'text-start', id: 'part-3' },
      { type: 'text-delta', id: 'part-3', delta: 'there' },
      { type: 'text-end', id: 'part-3' },
      { type: 'finish-step' },
    ]);
    expect(chunks.at(-1)).toMatchObject({ type: 'finish', finishReason: 'stop' });
  });

  it.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['content_filter', 'content-filter'],
    ['refusal', 'content-filter'],
    ['tool_calls', 'tool-calls'],
    ['other', 'other'],
    [null, 'other'],
  ] as const)('the finish reason %s is %s', (finishReason, said) => {
    expect(
      uiFormat()
        .events(ended({ finishReason, content: '' }))
        .at(-1),
    ).toMatchObject({ type: 'finish', finishReason: said });
  });

  it.each<[string, RunEvent[], string[]]>([
    [
      'stopped',
      [tokens('Hi', 0), ended({ status: 'cancelled', content: 'Hi' })],
      ['text-end', 'finish-step', 'message-metadata', 'abort'],
    ],
    ['stopped before its first token', [ended({ status: 'cancelled', content: '' })], ['message-metadata', 'abort']],
    [
      'cut',
      [tokens('Hi', 0), ended({ status: 'interrupted', content: 'Hi' })],
      ['text-end', 'finish-step', 'message-metadata', 'error'],
    ],
    ['failed', [MODEL_FAILED], ['message-metadata', 'error']],
    [
      'superseded since',
      [tokens('Hi', 0), ended({ status: 'superseded', content: 'Hi' })],
      ['text-end', 'finish-step', 'finish'],
    ],
  ])('an answer that was %s', (_, events, end) => {
    expect(typesOf(uiFormat(), events).slice(-end.length)).toEqual(end);
  });

  it('errors begin with their code', () => {
    expect(uiFormat().events(MODEL_FAILED).at(-1)).toEqual({
      ...{ type: 'error', errorText: 'MODEL_ERROR: The model answered 500' },
    });
    expect(uiFormat().refusal(unavailable('away'))).toEqual({ type: 'error', errorText: 'SERVICE_UNAVAILABLE: away' });
    expect(uiFormat().gone()).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('a text that begins anew cannot be told: the stream is broken, once there was any', () => {
    const format = uiFormat();
    expect(format.broken?.(started())).toBeUndefined();
    format.events(started());
    expect(format.broken?.(tokens('Hi', 0))).toBeUndefined();
    format.events(tokens('Hi', 0));
    expect(format.broken?.(started())).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  it('more than what is stored was told: the end is an error', () => {
    const format = uiFormat();
    format.events(tokens('Hi there, and', 3));
    for (const status of ['completed', 'cancelled', 'interrupted'] as const)
      expect(format.events(ended({ status })).at(-1)).toMatchObject({
        type: 'error',
        errorText: expect.stringContaining('lost'),
      });
  });

  it('ends with [DONE]; an end that is not the answer’s says so before', () => {
    const words = (why: Parameters<NonNullable<AnswerFormat['lastWords']>>[0]): string =>
      uiFormat().lastWords?.(why)?.toString() ?? '';
    expect(words('done')).toBe('data: [DONE]\n\n');
    expect(words('stopping')).toMatch(
      /^data: \{"type":"error","errorText":"SERVICE_UNAVAILABLE: .*"\}\n\ndata: \[DONE\]\n\n$/,
    );
    expect(words('expired')).toMatch(
      /^data: \{"type":"error","errorText":"AUTHENTICATION_ERROR: .*"\}\n\ndata: \[DONE\]\n\n$/,
    );
    // There is nobody who reads.
    expect([words('client'), words('slow')]).toEqual(['', '']);
  });
});

describe('messages as the SDK keeps them', () => {
  const question = answerOf({
    role: 'user',
    seq: 1,
    replyToSeq: null,
    content: 'Hello',
    usage: null,
    finishReason: null,
  });

  it('a user’s has its client’s id, where it has one', () => {
    const ids = ['mine', null, 'key:abc'].map((clientId) => uiMessage(FAKE_CHAT, question, clientId).id);
    expect(ids).toEqual(['mine', FAKE_RUN_ID, FAKE_RUN_ID]);
    expect(uiMessage(FAKE_CHAT, question, 'mine')).toMatchObject({
      ...{ role: 'user', parts: [{ type: 'text', text: 'Hello' }], metadata: { chatId: FAKE_CHAT.chatId, seq: 1 } },
    });
  });

  it('an answer has the server’s, and the parts that its stream makes', () => {
    expect(uiMessage(FAKE_CHAT, answerOf(), FAKE_RUN)).toMatchObject({
      id: FAKE_RUN_ID,
      parts: [{ type: 'step-start' }, { type: 'text', text: 'Hi there', state: 'done' }],
      metadata: { status: 'completed', finishReason: 'stop' },
    });
  });

  it('an answer has what its model thought before its text, where that was kept', () => {
    const { parts } = uiMessage(FAKE_CHAT, answerOf({ reasoning: 'Hm.' }), FAKE_RUN);
    expect(parts).toEqual([
      { type: 'step-start' },
      { type: 'reasoning', text: 'Hm.', state: 'done' },
      { type: 'text', text: 'Hi there', state: 'done' },
    ]);
  });

  it('each answer is behind its question, and what is no part of the chat is left out', () => {
    const said = (seq: number, more: object = {}) =>
      answerOf({ seq, replyToSeq: null, role: 'user', content: `${seq}`, ...more });
    const reply = (seq: number, replyToSeq: number, more: object = {}) =>
      answerOf({ seq, replyToSeq, content: `${seq}`, ...more });
    const page = [
      ...[
        said(1),
        said(2),
        reply(3, 1, { status: 'superseded' }),
        reply(4, 2),
        reply(5, 1),
        said(6, { deletedAt: new Date() }),
      ],
      ...[said(7), reply(8, 7, { status: 'failed', content: '' })],
    ];
    expect(shownOf(page, 'asc').map(({ seq }) => seq)).toEqual([1, 5, 2, 4, 7]);
    expect(shownOf([...page].reverse(), 'desc').map(({ seq }) => seq)).toEqual([7, 4, 2, 5, 1]);
  });
});
