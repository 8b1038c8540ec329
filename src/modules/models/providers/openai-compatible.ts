import { retryAfterMs } from '../../../common/time';
import { OutboundError, type StreamAnswer } from '../../../platform/outbound';
import type { ModelMessage } from '../contract';
import { ChannelFault, ChatModel, type ChatRequest, type Endpoint, type RawPart } from './chat-model';
import { eventsOf } from './events';
import { ChunkReader } from './openai-chunks';
import { faultOf, toldErrorIn } from './told-errors';

/** What a refusal says is waited for so long; the status is said already. */
const BODY_MS = 2000;
const MAX_BODY_BYTES = 64 * 1024;

/** Throws for what is no success. @param secrets see faultOf */
async function refuseOtherStatus(answer: StreamAnswer, secrets: readonly string[]): Promise<void> {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return;
  const told = { ...toldErrorIn(await beginningOf(answer.body)), status };
  throw faultOf(`answered HTTP ${status}`, told, secrets, waitOf(headers));
}

/** What answers 200 with a page is a proxy, or a wrong base URL. */
function refusePages({ headers }: StreamAnswer): void {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  if (/^text\/html$/i.test(type))
    throw new ChannelFault(`answered with ${type.toLowerCase()} and not with a stream: check its base URL`);
}

/** Milliseconds until the provider wants to be asked again; undefined where it does not say. */
function waitOf(headers: StreamAnswer['headers']): number | undefined {
  const exact = Number(headers['retry-after-ms']);
  return Number.isFinite(exact) && exact > 0 ? exact : retryAfterMs(headers['retry-after']);
}

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const iterator = body[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), BODY_MS)));
  try {
    while (bytes < MAX_BODY_BYTES) {
      const next = await Promise.race([iterator.next(), late]);
      if (next === undefined || next.done === true) break;
      chunks.push(next.value);
      bytes += next.value.length;
    }
  } catch {
    // The status is enough.
  } finally {
    clearTimeout(timer);
    // Not waited for: it may hang as the body does.
    iterator.return?.().catch(() => undefined);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What OpenAI's chat completions are, and what Ollama, vLLM, Groq, OpenRouter, DeepSeek, Mistral … have in common with it. */
export class OpenAiCompatible extends ChatModel {
  readonly provider = 'openai-compatible';
  readonly defaultBaseUrl = 'https://api.openai.com/v1';
  readonly defaultModel = 'gpt-4o-mini';

  async *stream(endpoint: Endpoint, request: ChatRequest): AsyncGenerator<RawPart> {
    const secrets = secretsOf(endpoint);
    const reader = new ChunkReader(secrets);
    try {
      const answer = await asked(endpoint, request);
      await refuseOtherStatus(answer, secrets);
      refusePages(answer);
      for await (const event of eventsOf(answer.body)) {
        if (event.data === '[DONE]') {
          reader.done();
          yield reader.finished;
          return;
        }
        const part = reader.read(event);
        if (part !== undefined) yield part;
        if (reader.hasFinished) yield reader.finished;
      }
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof ChannelFault) throw error;
      // What was said to be whole is whole, however the connection ends.
      if (reader.hasFinished) return;
      throw new ChannelFault(error instanceof OutboundError ? error.message : 'cut its answer');
    }
  }
}

function asked(endpoint: Endpoint, request: ChatRequest): Promise<StreamAnswer> {
  const { model, messages, signal, wire } = request;
  const body = JSON.stringify({
    ...wire.extra,
    model,
    messages: wire.systemRole === 'system' ? messages : messages.map((message) => spoken(message, wire.systemRole)),
    // What is undefined is left out.
    ...defined({
      temperature: request.temperature,
      top_p: request.topP,
      [wire.maxTokensField]: request.maxTokens,
      stop: request.stop,
      reasoning_effort: request.reasoningEffort,
      response_format: request.responseFormat,
      seed: request.seed,
      // Else it is counted here: see token-count.ts.
      stream_options: wire.streamOptions ? { include_usage: true } : undefined,
    }),
    stream: true,
  });
  return endpoint.post(chatUrl(endpoint.baseUrl), { headers: headersOf(endpoint), body, signal });
}

/** The path of the chat completions below a base URL; its query, e.g. Azure's `api-version`, stays. */
function chatUrl(baseUrl: string): string {
  const at = baseUrl.indexOf('?');
  const [base, query] = at < 0 ? [baseUrl, ''] : [baseUrl.slice(0, at), baseUrl.slice(at)];
  return `${base.replace(/\/+$/, '')}/chat/completions${query}`;
}

function headersOf({ apiKey, authHeader }: Endpoint): Record<string, string> {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
  if (apiKey === undefined) return headers;
  return { ...headers, [authHeader]: authHeader === 'authorization' ? `Bearer ${apiKey}` : apiKey };
}

function spoken({ role, content }: ModelMessage, systemRole: ChatRequest['wire']['systemRole']): object {
  return { role: role === 'system' ? systemRole : role, content };
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What a provider might say back of what it was sent with. */
function secretsOf({ apiKey, baseUrl }: Endpoint): string[] {
  return [...(apiKey === undefined ? [] : [apiKey]), baseUrl];
}
