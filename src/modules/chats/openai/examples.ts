/** Streams of the documents, as they go over the wire. */

const HEAD =
  '"id":"chatcmpl-0190a1b2c3d4e5f60718293a4b5c6d7e","object":"chat.completion.chunk","created":1767225600,"model":"default"';

const chunk = (delta: string, reason = 'null'): string =>
  `data: {${HEAD},"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${reason}}]}\n\n`;

export const COMPLETION_STREAM = `${chunk('{"role":"assistant","content":"","refusal":null}')}${chunk('{"content":"Hello"}')}${chunk('{}', '"stop"')}data: [DONE]\n\n`;

export const COMPLETION_STREAM_IS =
  'With `stream`: server-sent events, each one `data:` line with a `chat.completion.chunk`, and `data: [DONE]` behind the answer’s end; a comment every 15 s. One with an `error` ends the stream.';

const DELTA =
  '{"type":"response.output_text.delta","item_id":"msg_0190a1b2c3d4e5f60718293a4b5c6d7e","output_index":0,"content_index":0,"delta":"Hello","logprobs":[],"sequence_number":4}';

export const RESPONSE_STREAM = `event: response.output_text.delta\ndata: ${DELTA}\n\n`;

export const RESPONSE_STREAM_IS =
  'With `stream`: server-sent events, each with its type as `event:` and in its `data:`. `response.created`, `response.in_progress`, `response.output_item.added`, `response.content_part.added`, `response.output_text.delta`…, `response.output_text.done`, `response.content_part.done`, `response.output_item.done` and `response.completed`, or `response.incomplete`, or `response.failed` alone. `sequence_number` grows, not by one: it says how much of the answer you have. A stream that ends without its last event was cut: join again with `starting_after`.';
