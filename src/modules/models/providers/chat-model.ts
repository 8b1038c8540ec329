import type { OutboundPost } from '../../../platform/outbound';
import type { AnswerOptions, FinishReason, ModelMessage } from '../contract';

/** Where and how to ask: one channel, ready to be used. */
export interface Endpoint {
  readonly baseUrl: string;
  /** In clear. */
  readonly apiKey: string | undefined;
  /** Every connection is made with it: it knows where it may lead. */
  readonly post: OutboundPost;
}

export interface ChatRequest extends AnswerOptions {
  readonly messages: readonly ModelMessage[];
  readonly model: string;
  /** Ends the connection at once. */
  readonly signal: AbortSignal;
}

/** What a provider says, as it comes: text that may hold anything, and tokens as far as it counts them. */
export type RawPart =
  | { readonly type: 'text'; readonly text: string }
  /** A sign of life that is not shown: it thinks, or calls a tool. */
  | { readonly type: 'alive' }
  | {
      readonly type: 'end';
      readonly finishReason: FinishReason;
      readonly promptTokens: number | undefined;
      readonly completionTokens: number | undefined;
    };

/** Why a channel gave no whole answer, in words that follow its name; they name no key and no address. */
export class ChannelFault extends Error {
  /** @param blame `request`: it would fail anywhere and says nothing about the channel's health */
  constructor(
    message: string,
    readonly blame: 'channel' | 'request' = 'channel',
  ) {
    super(message);
    this.name = 'ChannelFault';
  }
}

/**
 * One provider's protocol. Implementations hold no state, keep no time and retry nothing: that is done for all of them
 * alike. They pass test/integration/chat-models.int-spec.ts.
 */
export abstract class ChatModel {
  /** As `provider` of a channel. */
  abstract readonly provider: string;
  /** Of a channel that names none. */
  abstract readonly defaultBaseUrl: string;
  abstract readonly defaultModel: string;

  /**
   * One answer; its last part is `end`. Throws a ChannelFault for what the provider did wrong, and whatever the signal
   * was aborted with.
   */
  abstract stream(endpoint: Endpoint, request: ChatRequest): AsyncIterable<RawPart>;
}
