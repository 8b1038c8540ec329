import { OutboundError, type StreamAnswer } from '../../../platform/outbound';
import type { ModelMessage } from '../contract';
import { ChannelFault, ChatModel, type ChatRequest, type Endpoint, type RawPart } from './chat-model';
import { eventsOf } from './events';
import { ChunkReader } from './openai-chunks';
import { refuseOtherStatus, refusePages } from './refusals';

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
