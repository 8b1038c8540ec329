import type { OutboundPost } from '../../../platform/outbound';
import type { AnswerOptions, FaultReason, FinishReason, ModelMessage } from '../contract';

/** Which header a provider reads its key from: OpenAI's, as `Bearer`, Azure's, Anthropic's, Google's. */
export const AUTH_HEADERS = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key'] as const;
export type AuthHeader = (typeof AUTH_HEADERS)[number];

/** Where and how to ask: one channel, ready to be used. */
export interface Endpoint {
  /** May have a query, which goes with every request. */
  readonly baseUrl: string;
  /** In clear. */
  readonly apiKey: string | undefined;
  readonly authHeader: AuthHeader;
  /** Every connection is made with it: it knows where it may lead. */
  readonly post: OutboundPost;
}

export type MaxTokensField = 'max_tokens' | 'max_completion_tokens';

/** How the provider wants to be asked, where providers of one protocol differ. */
export interface WireParams {
  readonly maxTokensField: MaxTokensField;
  /** Whether it is asked to count the tokens of a stream. */
  readonly streamOptions: boolean;
  /** As what the system prompt is sent. */
  readonly systemRole: 'system' | 'developer' | 'user';
  /** Fields that are put beside ours. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** What of WireParams is no matter of every protocol; a protocol that does not have one ignores it. */
export const WIRE_VARIANTS = ['maxTokensField', 'streamOptions', 'developer'] as const;
/** `developer`: as a role of the system prompt. */
export type WireVariant = (typeof WIRE_VARIANTS)[number];

export interface ChatRequest extends AnswerOptions {
  readonly messages: readonly ModelMessage[];
  readonly model: string;
  readonly wire: WireParams;
  /** Ends the connection at once. */
  readonly signal: AbortSignal;
}

/** What a provider says, as it comes: text that may hold anything, and tokens as far as it counts them. */
export type RawPart =
  | { readonly type: 'text'; readonly text: string }
  /** What it thinks; no part of the answer, but it costs. */
  | { readonly type: 'reasoning'; readonly text: string }
  /**
   * All text has come, for this reason. What may follow is an account of it: another of these parts then takes the place
   * of this one, and the answer is over with the stream, or when nothing has followed for a while.
   */
  | Finished;

export interface Finished {
  readonly type: 'finished';
  readonly finishReason: FinishReason;
  /** All of the prompt, what came out of a cache included. */
  readonly promptTokens: number | undefined;
  /** Of these, the ones that the provider had read before, and charges less for. */
  readonly cachedPromptTokens?: number | undefined;
  /** What it thought included. */
  readonly completionTokens: number | undefined;
}

/**
 * Whose fault it is: the channel's, which may be broken for all tenants; the request's, which says nothing about the
 * channel's health; neither's, the provider only asks for a slower pace.
 */
export type Blame = 'channel' | 'request' | 'pace';

/** What is known of a fault beyond its words. */
export interface FaultFacts {
  /** Default `provider`. */
  readonly reason?: FaultReason;
  /** Default: as its reason says. */
  readonly blame?: Blame | undefined;
  /** HTTP's, or what stood for it inside a stream. */
  readonly status?: number | undefined;
  /** The provider's own names for it; short words, and no text. */
  readonly type?: string | undefined;
  readonly code?: string | undefined;
  /** What the provider said, cleaned; it may quote a prompt. */
  readonly said?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Of an answer that has ended without any text: why. */
  readonly finishReason?: FinishReason | undefined;
  /** Which of our parameters the provider objects to. */
  readonly refused?: RefusedParam | undefined;
}

export type RefusedParam = 'max_tokens' | 'stream_options';

const REQUESTS_REASONS: ReadonlySet<FaultReason> = new Set(['model', 'overflow', 'content', 'request', 'reasoning']);

/** Why a channel gave no whole answer, in words that follow its name; they name no key and no address. */
export class ChannelFault extends Error {
  readonly reason: FaultReason;
  readonly blame: Blame;

  constructor(
    message: string,
    readonly facts: FaultFacts = {},
  ) {
    super(message);
    this.name = 'ChannelFault';
    this.reason = facts.reason ?? 'provider';
    this.blame =
      facts.blame ?? (this.reason === 'pace' ? 'pace' : REQUESTS_REASONS.has(this.reason) ? 'request' : 'channel');
  }
}

/**
 * One provider's protocol. Implementations hold no state, keep no time and retry nothing: that is done for all of them
 * alike. They pass test/integration/chat-models.int-spec.ts.
 */
export abstract class ChatModel {
  /** As `provider` of a channel. */
  abstract readonly provider: string;
  /** Of a channel that names none, in this and the next two. */
  abstract readonly defaultBaseUrl: string;
  abstract readonly defaultModel: string;
  abstract readonly defaultAuthHeader: AuthHeader;
  abstract readonly variants: readonly WireVariant[];

  /**
   * One answer; its last part is `finished`, unless it was cut. Throws a ChannelFault for what the provider did wrong, and
   * whatever the signal was aborted with.
   */
  abstract stream(endpoint: Endpoint, request: ChatRequest): AsyncIterable<RawPart>;
}
