import { isImage } from '../images';
import type { Wire, WireRequest } from './provider-server';
import type { ProviderScript } from './script';

type Json = Readonly<Record<string, unknown>>;

/** What the Gemini API takes; other names are refused. */
const FIELDS: readonly string[] = [
  ...['contents', 'systemInstruction', 'generationConfig', 'safetySettings', 'tools', 'toolConfig', 'cachedContent'],
];
const CONFIG: readonly string[] = [
  ...['temperature', 'topP', 'topK', 'maxOutputTokens', 'stopSequences', 'seed', 'candidateCount'],
  ...['responseMimeType', 'responseSchema', 'responseJsonSchema', 'thinkingConfig'],
];
const NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};
const FINISH_REASONS = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
  // A call is told by its part, and by no reason.
  tool_calls: 'STOP',
} as const;
const PATH = /^\/v1beta\/models\/[\w.-]+:(streamGenerateContent|generateContent)(\?.*)?$/;

/** Google's Gemini API, as its clients expect it. */
export const GOOGLE_WIRE: Wire = {
  basePath: '/v1beta',
  refuse: (request) => {
    const refusal = refusalOf(request);
    return refusal === undefined ? undefined : { status: refusal[0], body: googleError(...refusal) };
  },
  refusal: googleError,
  streams: ({ url }) => url.includes(':streamGenerateContent'),
  whole: (request, text, script) => chunkOf(request, [{ text }], script.finish ?? 'stop', usageOf(script, 1)),
  begin: () => '',
  token: (request, text) => event(chunkOf(request, [{ text }])),
  reasoning: (request, text) => event(chunkOf(request, [{ text, thought: true }])),
  toolCall: (request, name) => event(chunkOf(request, [{ functionCall: { name, args: {} } }])),
  error: (message) => event(googleError(500, message)),
  end: (request, tokens, script) => {
    if (script.finish === null) return '';
    const called = script.finish === 'tool_calls' ? [{ functionCall: { name: 'look_up', args: {} } }] : [];
    return event(chunkOf(request, [{ text: '' }, ...called], script.finish ?? 'stop', usageOf(script, tokens)));
  },
};

/** A refusal as the real API words it. */
export function googleError(code: number, message: string): Json {
  return { error: { code, message, status: NAMES[code] ?? 'UNKNOWN' } };
}

function refusalOf({
  method,
  url,
  headers,
  body,
}: WireRequest): readonly [status: number, message: string] | undefined {
  const path = PATH.exec(url);
  if (method !== 'POST' || path === null) return [404, `models/x is not found for API version v1beta: ${url}`];
  // Without it the real one answers with a list of chunks, which its own clients do not read.
  if (path[1] === 'streamGenerateContent' && !/[?&]alt=sse(&|$)/.test(url)) return [400, 'alt=sse is missing'];
  if (headers['x-goog-api-key'] === undefined) return [403, "Method doesn't allow unregistered callers"];
  const config = (body['generationConfig'] ?? {}) as Json;
  const unknown =
    Object.keys(body).find((name) => !FIELDS.includes(name)) ??
    Object.keys(config).find((name) => !CONFIG.includes(name));
  if (unknown !== undefined)
    return [400, `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`];
  if (/models\/gemma-/.test(url) && body['systemInstruction'] !== undefined)
    return [400, 'Developer instruction is not enabled for models/gemma'];
  const fault = contentsFault(body['contents']) ?? configFault(url, config);
  return fault === undefined ? undefined : [400, fault];
}

function isPart(part: unknown, role: unknown): boolean {
  const { text, inlineData } = (part ?? {}) as Json;
  if (inlineData === undefined) return typeof text === 'string';
  const { mimeType, data } = inlineData as Json;
  return role === 'user' && text === undefined && isImage(mimeType, data);
}

function contentsFault(contents: unknown): string | undefined {
  if (!Array.isArray(contents) || contents.length === 0)
    return '* GenerateContentRequest.contents: contents is not specified';
  for (const [i, content] of contents.entries()) {
    const { role, parts } = content as Json;
    if (role !== 'user' && role !== 'model') return 'Please use a valid role: user, model.';
    if (role !== (i % 2 === 0 ? 'user' : 'model'))
      return 'Please ensure that multiturn requests alternate between user and model.';
    if (Array.isArray(parts) && !parts.every((part) => isPart(part, role)))
      return `Invalid value at 'contents[${i}].parts'`;
    if (!Array.isArray(parts) || (parts as readonly { readonly text?: string }[]).every(({ text = '' }) => text === ''))
      return `* GenerateContentRequest.contents[${i}].parts: contents.parts must not be empty.`;
  }
  return contents.length % 2 === 0
    ? 'Please ensure that multiturn requests end with a user role or a function response.'
    : undefined;
}

function configFault(url: string, config: Json): string | undefined {
  const { temperature, maxOutputTokens, seed, responseSchema, responseJsonSchema, responseMimeType } = config;
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 2))
    return 'Unable to submit request because the temperature is out of range: [0, 2]';
  if (maxOutputTokens !== undefined && !(Number(maxOutputTokens) > 0)) return 'max_output_tokens must be positive.';
  if (seed !== undefined && seed !== (Number(seed) | 0))
    return "Invalid value at 'generation_config.seed' (TYPE_INT32)";
  if (JSON.stringify(responseSchema ?? {}).includes('additionalProperties'))
    return 'Invalid JSON payload received. Unknown name "additionalProperties" at \'generation_config.response_schema\'';
  if ((responseSchema ?? responseJsonSchema) !== undefined && responseMimeType !== 'application/json')
    return 'Response schema needs a response_mime_type of application/json';
  const { thinkingBudget, thinkingLevel } = (config['thinkingConfig'] ?? {}) as Json;
  if (thinkingBudget === 0 && url.includes('-pro'))
    return 'Budget 0 is invalid. This model only works in thinking mode.';
  return thinkingLevel === 'minimal' && url.includes('-pro')
    ? 'Thinking level MINIMAL is not supported for this model.'
    : undefined;
}

function chunkOf(
  { url }: WireRequest,
  parts: readonly Json[],
  finish?: keyof typeof FINISH_REASONS,
  usage: Json = {},
): Json {
  const finishReason = finish === undefined ? {} : { finishReason: FINISH_REASONS[finish] };
  return {
    candidates: [{ content: { parts, role: 'model' }, index: 0, ...finishReason }],
    ...usage,
    modelVersion: /models\/([^:]+)/.exec(url)?.[1],
    responseId: 'response-fake',
  };
}

function usageOf({ usage }: ProviderScript, tokens: number): Json {
  if (usage === null) return {};
  const { prompt, completion, cached } = { cached: undefined, ...(usage ?? { prompt: 11, completion: tokens }) };
  return {
    usageMetadata: {
      promptTokenCount: prompt,
      candidatesTokenCount: completion,
      totalTokenCount: prompt + completion,
      ...(cached === undefined ? {} : { cachedContentTokenCount: cached }),
    },
  };
}

function event(data: Json): string {
  return `data: ${JSON.stringify(data)}\r\n\r\n`;
}
