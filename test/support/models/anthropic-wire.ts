import { isImage } from '../images';
import type { Wire, WireRequest } from './provider-server';
import type { ProviderScript } from './script';

type Json = Readonly<Record<string, unknown>>;

/** What the Messages API takes; other names are refused. */
const FIELDS: readonly string[] = [
  ...['model', 'max_tokens', 'messages', 'system', 'stream', 'temperature', 'top_p', 'top_k', 'stop_sequences'],
  ...['thinking', 'output_config', 'metadata', 'tools', 'tool_choice', 'service_tier'],
];
const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};
const STOP_REASONS = {
  stop: 'end_turn',
  length: 'max_tokens',
  content_filter: 'refusal',
  tool_calls: 'tool_use',
} as const;

/** The block of content that is being written. */
interface Block {
  index: number;
  open: string | undefined;
}
const blocks = new WeakMap<WireRequest, Block>();

/** Anthropic's Messages API, as its clients expect it. */
export const ANTHROPIC_WIRE: Wire = {
  basePath: '/v1',
  refuse: (request) => {
    const refusal = refusalOf(request);
    return refusal === undefined ? undefined : { status: refusal[0], body: anthropicError(...refusal) };
  },
  refusal: anthropicError,
  streams: ({ body }) => body['stream'] === true,
  whole: (request, text, script) => ({
    ...messageOf(request, script),
    content: [{ type: 'text', text }],
    stop_reason: STOP_REASONS[script.finish ?? 'stop'],
    ...(script.usage === null ? {} : { usage: { ...promptOf(script), output_tokens: script.usage?.completion ?? 1 } }),
  }),
  begin: (request, script) =>
    event({ type: 'message_start', message: messageOf(request, script) }) + event({ type: 'ping' }),
  token: (request, text) =>
    opened(request, 'text', { type: 'text', text: '' }) + added(request, { type: 'text_delta', text }),
  reasoning: (request, thinking) =>
    opened(request, 'thinking', { type: 'thinking', thinking: '', signature: '' }) +
    added(request, { type: 'thinking_delta', thinking }) +
    added(request, { type: 'signature_delta', signature: 'c2lnbmVk' }),
  toolCall: (request, name) =>
    closed(request) +
    opened(request, 'tool_use', { type: 'tool_use', id: 'toolu_1', name, input: {} }) +
    added(request, { type: 'input_json_delta', partial_json: '{}' }) +
    closed(request),
  error: (message) => event({ type: 'error', error: { type: 'api_error', message } }),
  end: (request, tokens, script) => {
    if (script.finish === null) return '';
    const usage = script.usage === null ? {} : { usage: { output_tokens: script.usage?.completion ?? tokens } };
    const delta = { stop_reason: STOP_REASONS[script.finish ?? 'stop'], stop_sequence: null };
    return closed(request) + event({ type: 'message_delta', delta, ...usage }) + event({ type: 'message_stop' });
  },
};

/** A refusal as the real API words it. */
export function anthropicError(status: number, message: string): Json {
  return { type: 'error', error: { type: TYPES[status] ?? 'api_error', message }, request_id: 'req_fake' };
}

function refusalOf({
  method,
  url,
  headers,
  body,
}: WireRequest): readonly [status: number, message: string] | undefined {
  if (method !== 'POST' || url.split('?', 1)[0] !== '/v1/messages') return [404, 'Not found'];
  if (headers['x-api-key'] === undefined && headers.authorization === undefined)
    return [401, 'x-api-key header is required'];
  if (headers['anthropic-version'] !== '2023-06-01') return [400, 'anthropic-version: header is required'];
  const unknown = Object.keys(body).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) return [400, `${unknown}: Extra inputs are not permitted`];
  if (typeof body['model'] !== 'string' || body['model'] === '') return [400, 'model: Field required'];
  const fault =
    limitFault(body) ?? messagesFault(body['messages']) ?? samplingFault(body) ?? schemaFault(body['output_config']);
  return fault === undefined ? undefined : [400, fault];
}

function limitFault({ max_tokens, thinking }: Json): string | undefined {
  if (!Number.isInteger(max_tokens)) return 'max_tokens: Field required';
  if (Number(max_tokens) < 1) return 'max_tokens: Input should be greater than or equal to 1';
  const { type, budget_tokens } = (thinking ?? {}) as Json;
  if (type !== 'enabled') return undefined;
  if (!(Number(budget_tokens) >= 1024)) return 'thinking.enabled.budget_tokens: Input should be at least 1024';
  return Number(budget_tokens) < Number(max_tokens)
    ? undefined
    : '`max_tokens` must be greater than `thinking.budget_tokens`';
}

function messagesFault(messages: unknown): string | undefined {
  if (!Array.isArray(messages) || messages.length === 0) return 'messages: at least one message is required';
  for (const [i, message] of messages.entries()) {
    const { role, content } = message as Json;
    if (role !== 'user' && role !== 'assistant') return `messages: Unexpected role "${String(role)}"`;
    if (role !== (i % 2 === 0 ? 'user' : 'assistant'))
      return i === 0 ? 'messages: first message must use the "user" role' : 'messages: roles must alternate';
    if (Array.isArray(content) && !content.every((block) => isBlock(block, role)))
      return `messages.${i}.content: Input should be a valid block`;
    if (textOf(content).trim() === '') return `messages.${i}: all messages must have non-empty content`;
  }
  return messages.length % 2 === 0 ? 'This model does not support assistant message prefill' : undefined;
}

function samplingFault({ temperature, top_p, thinking, stop_sequences }: Json): string | undefined {
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 1))
    return 'temperature: range: 0..1';
  if (temperature !== undefined && top_p !== undefined)
    return '`temperature` and `top_p` cannot both be specified for this model';
  const isThinking = ['enabled', 'adaptive'].includes(String((thinking as Json | undefined)?.['type']));
  if (isThinking && temperature !== undefined && temperature !== 1)
    return '`temperature` may only be set to 1 when thinking is enabled';
  const stops = Array.isArray(stop_sequences) ? stop_sequences : [];
  return stops.some((stop) => String(stop).trim() === '')
    ? 'stop_sequences: each stop sequence must contain non-whitespace'
    : undefined;
}

function schemaFault(config: unknown): string | undefined {
  const schemas: unknown[] = [((config as Json | undefined)?.['format'] as Json | undefined)?.['schema']];
  for (const schema of schemas) {
    if (typeof schema !== 'object' || schema === null) continue;
    if ((schema as Json)['type'] === 'object' && (schema as Json)['additionalProperties'] !== false)
      return "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false";
    schemas.push(...Object.values(schema as Json));
  }
  return undefined;
}

function isBlock(block: unknown, role: unknown): boolean {
  const { type, text, source } = (block ?? {}) as Json;
  if (type === 'text') return typeof text === 'string' && text.trim() !== '';
  const { type: kind, media_type, data } = (source ?? {}) as Json;
  return type === 'image' && role === 'user' && kind === 'base64' && isImage(media_type, data);
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return Array.isArray(content)
    ? (content as readonly { readonly text?: string }[]).map(({ text = '' }) => text).join('')
    : '';
}

function promptOf({ usage }: ProviderScript): Json {
  const { prompt, cached = 0 } = usage ?? { prompt: 11 };
  return { input_tokens: prompt - cached, cache_creation_input_tokens: 0, cache_read_input_tokens: cached };
}

function messageOf({ body }: WireRequest, script: ProviderScript): Json {
  const message = { id: 'msg_fake', type: 'message', role: 'assistant', model: body['model'], content: [] };
  const usage = script.usage === null ? {} : { usage: { ...promptOf(script), output_tokens: 1 } };
  return { ...message, stop_reason: null, stop_sequence: null, ...usage };
}

function event(data: Json): string {
  return `event: ${String(data['type'])}\ndata: ${JSON.stringify(data)}\n\n`;
}

function blockOf(request: WireRequest): Block {
  const block = blocks.get(request) ?? { index: -1, open: undefined };
  blocks.set(request, block);
  return block;
}

/** What has to come before an addition to a block of that type. */
function opened(request: WireRequest, type: string, content_block: Json): string {
  const block = blockOf(request);
  if (block.open === type) return '';
  const before = closed(request);
  block.open = type;
  block.index++;
  return before + event({ type: 'content_block_start', index: block.index, content_block });
}

function added(request: WireRequest, delta: Json): string {
  return event({ type: 'content_block_delta', index: blockOf(request).index, delta });
}

function closed(request: WireRequest): string {
  const block = blockOf(request);
  if (block.open === undefined) return '';
  block.open = undefined;
  return event({ type: 'content_block_stop', index: block.index });
}
