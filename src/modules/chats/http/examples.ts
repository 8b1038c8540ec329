import { END_INDEX } from '../contract';

/** Streams as the documents show them. */
const MESSAGE_ID = 'msg_019aa1c2d3e475068728394a5b6c7d8e';
const CHAT_ID = '01900000-0000-7000-8000-0000000000c0';
const AT = { timestamp: '2026-01-31T12:00:00.000Z', message_id: MESSAGE_ID, chat_id: CHAT_ID };
const USAGE = { prompt_tokens: 50, completion_tokens: 3, total_tokens: 53 };
const END = { seq: 2, content: "I'm doing great!", status: 'completed', usage: USAGE, finish_reason: 'stop' };

const CONVERSATION_END = {
  type: 'end',
  usage: { promptTokens: 50, completionTokens: 3, totalTokens: 53 },
  finishReason: 'stop',
};

export const CHAT_STREAM = stream([
  [
    -1,
    {
      event_type: 'message_received',
      ...AT,
      message_id: 'msg_019aa1c2d3e475068728394a5b6c7d8d',
      seq: 1,
      content: 'Hello',
    },
  ],
  [-1, { event_type: 'message_stream_started', ...AT, after_index: -1 }],
  [1, { event_type: 'message_stream_token', ...AT, token: "I'm doing ", index: 1 }],
  [2, { event_type: 'message_stream_token', ...AT, token: 'great!', index: 2 }],
  [END_INDEX, { event_type: 'message_stream_ended', ...AT, ...END }],
]);

export const REJOINED_CHAT_STREAM = stream([
  [1, { event_type: 'message_stream_started', ...AT, after_index: 1 }],
  [2, { event_type: 'message_stream_token', ...AT, token: 'great!', index: 2 }],
  [END_INDEX, { event_type: 'message_stream_ended', ...AT, ...END }],
]);

export const CONVERSATION_STREAM = stream([
  [-1, { type: 'start', conversationId: 'conv_019000000000700080000000000000c0' }],
  [1, { type: 'content', text: "I'm doing " }],
  [2, { type: 'content', text: 'great!' }],
  [END_INDEX, CONVERSATION_END],
]);

export const REJOINED_CONVERSATION_STREAM = stream([
  [1, { type: 'start', conversationId: 'conv_019000000000700080000000000000c0' }],
  [2, { type: 'content', text: 'great!' }],
  [END_INDEX, CONVERSATION_END],
]);

const UI_START = [
  { type: 'start', messageId: MESSAGE_ID, messageMetadata: { chatId: CHAT_ID } },
  { type: 'start-step' },
  { type: 'text-start', id: 'part-0' },
];
const UI_METADATA = {
  seq: 2,
  createdAt: '2026-01-31T12:00:00.000Z',
  status: 'completed',
  finishReason: 'stop',
  usage: CONVERSATION_END.usage,
};
const UI_END = [
  { type: 'text-end', id: 'part-0' },
  { type: 'finish-step' },
  { type: 'finish', finishReason: 'stop', messageMetadata: UI_METADATA },
];
const uiText = (delta: string): object => ({ type: 'text-delta', id: 'part-0', delta });

export const UI_STREAM = uiStream([...UI_START, uiText("I'm doing "), uiText('great!'), ...UI_END]);

export const UI_STREAM_IS =
  'The UI message stream of the Vercel AI SDK, version 1 (`x-vercel-ai-ui-message-stream: v1`): chunks, each one `data:` line of JSON, then `[DONE]`; a comment every 15 s. An `error` ends it where the answer does not: its `errorText` begins with the code of the error. A stream that ends without `[DONE]` was cut: join again.';

export const NOTHING_RUNS = { description: 'No answer is being written.' } as const;

export const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  required: false,
  description:
    'The `id` of the last event that you have, `<message_id>:<index>`: the stream goes on after it. A malformed one is refused (400). Where the tokens are kept no longer the stream is given from its beginning, and the id of its first event says so: index -1.',
} as const;

export const NOTHING_MISSING = { description: 'No answer is being written, and nothing of yours is missing.' } as const;

function stream(events: readonly (readonly [number, object])[]): string {
  return events.map(([index, data]) => `id: ${MESSAGE_ID}:${index}\ndata: ${JSON.stringify(data)}\n\n`).join('');
}

function uiStream(chunks: readonly object[]): string {
  return [...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]'].map((data) => `data: ${data}\n\n`).join('');
}
