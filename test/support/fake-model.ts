/**
 * A model that speaks the OpenAI wire format, on a real server, and does what the test says.
 *
 *     const model = await FakeModel.start();                       // model.stop() in afterAll
 *     startTestApp({ env: { OPENAI_BASE_URL: model.url } });        // a channel for every tenant, or
 *     post('/api/channels', { …, provider: 'openai-compatible', baseUrl: model.url })   // with CHANNEL_ALLOW_PRIVATE
 *
 * Unscripted, it says "Hello from the fake model." in six tokens. `model.next(script, …)` scripts the next requests, one
 * each; `model.otherwise = script` all others:
 *
 *     const gate = new Gate();
 *     model.next({ steps: ['Hel', 'lo', { hold: gate }, '!'] });
 *     await gate.reached;      // two tokens were written, and it waits
 *     gate.open();             // and goes on
 *
 *     model.next(faults.status(500), faults.cut('Hel', 'lo'), faults.silentBeforeHeaders());
 *
 * `model.requests` holds what was asked (headers, body); `await (await model.request(1)).closed` is `early` when the
 * server hung up before the answer was whole. `GET`s, bodies without a model or messages, and wrong paths are refused as
 * the real API does, so what it takes is well formed; `model.refuse` makes one stricter. See script.ts for every step and
 * fault; `bare(…)` writes events as they are.
 */
import { isImage } from './images';
import { ProviderServer, type Wire, type WireRequest } from './models/provider-server';
import type { ProviderScript } from './models/script';

export { bare, AnswerGate, faults, type ProviderScript, type AnswerStep } from './models/script';
export { ProviderServer, type SeenRequest } from './models/provider-server';

const ROLES = ['system', 'developer', 'user', 'assistant'];

/** OpenAI's chat completions, as its clients expect them. */
export const OPENAI_WIRE: Wire = {
  basePath: '/v1',
  refuse: (request) => {
    if (request.method !== 'POST' || request.url.split('?', 1)[0] !== '/v1/chat/completions')
      return chatRefusal(404, `Invalid URL (${request.method} ${request.url})`);
    const { model, messages, stream, stream_options } = request.body;
    if (typeof model !== 'string' || model === '') return chatRefusal(400, 'you must provide a model parameter');
    if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isMessage))
      return chatRefusal(400, "'messages' is malformed");
    if (stream_options !== undefined && stream !== true)
      return chatRefusal(400, "'stream_options' needs 'stream' to be true");
    return undefined;
  },
  refusal: (_status, message) => ({ error: { message, type: 'fault' } }),
  streams: (request) => request.body['stream'] === true,
  whole: (request, text, script) => ({
    ...common(request, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text },
        finish_reason: script.finish ?? 'stop',
        logprobs: null,
      },
    ],
    ...usageOf(script, 1),
  }),
  begin: (request) => chunk(request, { role: 'assistant', content: '' }),
  token: (request, content) => chunk(request, { content }),
  reasoning: (request, text) => chunk(request, { reasoning_content: text }),
  toolCall: (request, name) =>
    chunk(request, {
      tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name, arguments: '{}' } }],
    }),
  error: (message) => event({ error: { message, type: 'server_error', param: null, code: null } }),
  end: (request, tokens, script) => {
    if (script.finish === null) return '';
    const finished = chunk(request, {}, script.finish ?? 'stop');
    const wantsUsage = (request.body['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage;
    const usage = usageOf(script, tokens);
    const counted =
      wantsUsage === true && usage.usage !== undefined
        ? event({ ...common(request, 'chat.completion.chunk'), choices: [], ...usage })
        : '';
    return `${finished}${counted}data: [DONE]\n\n`;
  },
};

/** Starts fakes of the OpenAI wire format. */
export const FakeModel = {
  start: (): Promise<ProviderServer> => ProviderServer.start(OPENAI_WIRE),
};

function isMessage(message: unknown): boolean {
  const { role, content } = (message ?? {}) as Record<string, unknown>;
  if (!ROLES.includes(String(role))) return false;
  return typeof content === 'string' || (role === 'user' && Array.isArray(content) && content.every(isPart));
}

function isPart(part: unknown): boolean {
  const { type, text, image_url: image } = (part ?? {}) as Record<string, unknown>;
  if (type === 'text') return typeof text === 'string' && text !== '';
  const { url } = (image ?? {}) as { url?: unknown };
  const [, mediaType, data] = /^data:([^;]+);base64,(.*)$/.exec(String(url)) ?? [];
  return type === 'image_url' && isImage(mediaType, data);
}

function common(request: WireRequest, object: string): Record<string, unknown> {
  return { id: 'chatcmpl-fake', object, created: 1_700_000_000, model: request.body['model'] };
}

function chunk(request: WireRequest, delta: object, finish_reason: string | null = null): string {
  return event({
    ...common(request, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  });
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function usageOf({ usage }: ProviderScript, tokens: number): { usage?: object } {
  if (usage === null) return {};
  const { prompt, completion, cached } = { cached: undefined, ...(usage ?? { prompt: 11, completion: tokens }) };
  const details = cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } };
  const total_tokens = prompt + completion;
  return { usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens, ...details } };
}

/** A refusal as the real API words it. */
export function chatRefusal(
  status: number,
  message: string,
  code: string | null = null,
): { status: number; body: Record<string, unknown> } {
  return { status, body: { error: { message, type: 'invalid_request_error', param: null, code } } };
}
