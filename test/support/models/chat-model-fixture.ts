import { answerOf, type AnswerPart, type Timeouts } from '../../../src/modules/models/answer/answer';
import { ChannelFault, type ChatModel, type ChatRequest } from '../../../src/modules/models/providers/chat-model';
import { outboundPost } from '../../../src/platform/outbound';
import { ANTHROPIC, GOOGLE, OPENAI_COMPATIBLE } from '../../../src/modules/models/providers/registry';
import { OPENAI_WIRE } from '../fake-model';
import { ANTHROPIC_WIRE } from './anthropic-wire';
import { endpointTo, WIRE } from './channels';
import { GOOGLE_WIRE } from './google-wire';
import { ProviderServer, type Wire, type WireRequest } from './provider-server';
import type { ProviderScript } from './script';

export interface ChatModelSubject {
  readonly model: ChatModel;
  readonly wire: Wire;
  /** Where the key is in the fake's record of the headers, and as what. */
  readonly keyHeader: readonly [name: string, value: (key: string) => string];
  /** What a request says of the model, the texts of the messages, the temperature and the token limit. */
  readonly asked: (request: WireRequest) => Asked;
  /** The content of the last message where it is asked with this text and a PNG. */
  readonly shown: (base64: string, text: string) => unknown;
  /** What of the request that is. */
  readonly lastContent: (request: WireRequest) => unknown;
  /** The limit that is sent where nobody names one. */
  readonly defaultMaxTokens?: number;
  /** What a refusal with HTTP 413 is about, as the provider names it. */
  readonly words413?: string;
}

export interface Asked {
  readonly model: unknown;
  readonly texts: unknown;
  readonly temperature?: unknown;
  readonly maxTokens?: unknown;
}

interface OpenAiBody {
  readonly model?: string;
  readonly messages?: readonly { readonly content: string }[];
  readonly temperature?: number;
  readonly max_tokens?: number;
}

interface AnthropicBody extends OpenAiBody {
  readonly system?: string;
}

interface GoogleBody {
  readonly systemInstruction?: Content;
  readonly contents?: readonly Content[];
  readonly generationConfig?: { readonly temperature?: number; readonly maxOutputTokens?: number };
}

interface Content {
  readonly parts: readonly { readonly text: string }[];
}

/** Every protocol that is spoken over a connection. A new one is a wire for the fake, and a line here. */
export const SUBJECTS: Readonly<Record<string, ChatModelSubject>> = {
  'openai-compatible': {
    model: OPENAI_COMPATIBLE,
    wire: OPENAI_WIRE,
    keyHeader: ['authorization', (key) => `Bearer ${key}`],
    asked: ({ body }) => {
      const { model, messages, temperature, max_tokens: maxTokens } = body as OpenAiBody;
      return { model, texts: messages?.map(({ content }) => content), temperature, maxTokens };
    },
    shown: (base64, text) => [
      { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } },
      { type: 'text', text },
    ],
    lastContent: ({ body }) => (body as OpenAiBody).messages?.at(-1)?.content,
  },
  anthropic: {
    model: ANTHROPIC,
    wire: ANTHROPIC_WIRE,
    keyHeader: ['x-api-key', (key) => key],
    asked: ({ body }) => {
      const { model, system, messages = [], temperature, max_tokens: maxTokens } = body as AnthropicBody;
      const texts = messages.map(({ content }) => content);
      return { model, texts: system === undefined ? texts : [system, ...texts], temperature, maxTokens };
    },
    shown: (data, text) => [
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data } },
      { type: 'text', text },
    ],
    lastContent: ({ body }) => (body as AnthropicBody).messages?.at(-1)?.content,
    defaultMaxTokens: 4096,
    words413: ': the chat is longer than the model can read',
  },
  google: {
    model: GOOGLE,
    wire: GOOGLE_WIRE,
    keyHeader: ['x-goog-api-key', (key) => key],
    asked: ({ url, body }) => {
      const { systemInstruction, contents = [], generationConfig = {} } = body as GoogleBody;
      const said = systemInstruction === undefined ? contents : [systemInstruction, ...contents];
      return {
        model: /models\/([^:]+)/.exec(url)?.[1],
        texts: said.map(({ parts }) => parts.map(({ text }) => text).join('')),
        temperature: generationConfig.temperature,
        maxTokens: generationConfig.maxOutputTokens,
      };
    },
    shown: (data, text) => [{ inlineData: { mimeType: 'image/png', data } }, { text }],
    lastContent: ({ body }) => (body as GoogleBody).contents?.at(-1)?.parts,
  },
};

export type Limits = Partial<Timeouts> & { readonly maxBytes?: number };

export interface Outcome {
  readonly text: string;
  readonly thought: string;
  readonly end: Extract<AnswerPart, { type: 'end' }> | undefined;
  readonly fault: unknown;
}

export const PROVIDER_API_KEY = 'sk-secret-key';
const LONG_MS = 20_000;
const NEVER = new AbortController().signal;

/** One provider's protocol and a fake of it, joined by a real connection. */
export class ChatModelFixture {
  private constructor(
    readonly server: ProviderServer,
    private readonly model: ChatModel,
  ) {}

  static async start({ model, wire }: ChatModelSubject): Promise<ChatModelFixture> {
    return new ChatModelFixture(await ProviderServer.start(wire), model);
  }

  /** An answer; limits are long unless given. */
  parts(
    limits: Limits = {},
    request: Partial<ChatRequest> = {},
    baseUrl = this.server.url,
  ): AsyncGenerator<AnswerPart> {
    const bounds = { allowPrivate: true, connectMs: LONG_MS, maxBytes: 1_000_000, maxErrorBytes: 1000 };
    const messages = [{ role: 'user', content: 'hello there' }] as const;
    const { maxBytes = 2_000_000, ...timeouts } = limits;
    return answerOf({
      model: this.model,
      endpoint: endpointTo(baseUrl, outboundPost(bounds), PROVIDER_API_KEY, this.model.defaultAuthHeader),
      request: { messages, model: 'm1', wire: WIRE, signal: NEVER, ...request },
      timeouts: { firstMs: LONG_MS, idleMs: LONG_MS, totalMs: LONG_MS, ...timeouts },
      maxBytes,
    });
  }

  /** What a script leads to. */
  async outcomeOf(
    script: ProviderScript,
    limits?: Limits,
    request?: Partial<ChatRequest>,
    baseUrl?: string,
  ): Promise<Outcome> {
    this.server.next(script);
    let [text, thought, end, fault]: [string, string, Outcome['end'], unknown] = ['', '', undefined, undefined];
    try {
      for await (const part of this.parts(limits, request, baseUrl)) {
        expect(end).toBeUndefined();
        if (part.type === 'end') end = part;
        else {
          expect(part.text).not.toBe('');
          if (part.type === 'delta') text += part.text;
          else thought += part.text;
        }
      }
    } catch (error) {
      fault = error;
    }
    return { text, thought, end, fault };
  }

  /** The fault that a script leads to, and what was said before it. It gives nothing away. */
  async faultOf(script: ProviderScript, limits?: Limits): Promise<[text: string, message: string, blame: string]> {
    const { text, end, fault } = await this.outcomeOf(script, limits);
    expect(end).toBeUndefined();
    expect(fault).toBeInstanceOf(ChannelFault);
    const { message, blame } = fault as ChannelFault;
    for (const hidden of [PROVIDER_API_KEY, this.server.url, '127.0.0.1', 'fault 4', 'fault 5'])
      expect(message).not.toContain(hidden);
    return [text, message, blame];
  }
}
