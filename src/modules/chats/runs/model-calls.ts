import { Injectable } from '@nestjs/common';
import {
  type AnswerOptions,
  faultReasonOf,
  type ModelMessage,
  type ModelPart,
  ModelsService,
  type ModelUsage,
  type Preset,
} from '../../models';
import { budgetSpent } from '../chats.functions';
import { contextOf, countUsage, halfOf, mostTold, type PromptMessage } from './answerer';
import { type CallCharge, OwnCallCharges } from './call-charges';
import { PromptImages } from './prompt-images';

/** What a model is asked without a chat: nothing of it is kept but what it has cost. */
export interface ModelCall {
  readonly tenantId: string;
  /** Whose budget it stands under; null: only the tenant's. */
  readonly userId: string | null;
  /** UUID; its charge's. */
  readonly callId: string;
  readonly preset: Preset;
  /** The preset's, and what the call adds to it. */
  readonly systemPrompt: string;
  /** Of the call: before the preset's. */
  readonly options: AnswerOptions;
  /** Users' and the assistant's, in order; the last one is a user's. */
  readonly messages: readonly PromptMessage[];
  readonly requestId: string;
  /** Aborts when the client leaves: the call ends with it. */
  readonly signal: AbortSignal;
}

/** A call on its way to a model. */
interface Asked {
  readonly call: ModelCall;
  readonly options: AnswerOptions;
  readonly charge: CallCharge;
  readonly messages: readonly PromptMessage[];
  told: readonly ModelMessage[];
  used: ModelUsage | undefined;
}

/** Calls of models that are no answers of a chat, fitted to what the model reads as a chat is, and charged (`OwnCallCharges`). */
@Injectable()
export class ModelCalls {
  constructor(
    private readonly models: ModelsService,
    private readonly charges: OwnCallCharges,
    private readonly images: PromptImages,
  ) {}

  /**
   * Streams the answer; a reader who leaves ends it. Throws what `ModelsService.streamAnswer` throws, and 429 QUOTA_EXCEEDED
   * before a model is asked, or where the budget has ended the answer before its first word; 429 for too many images at a time.
   */
  async *stream(call: ModelCall): AsyncGenerator<ModelPart> {
    const { tenantId, callId, messages } = call;
    this.images.hold(
      tenantId,
      callId,
      messages.flatMap(({ images = [] }) => images),
    );
    try {
      yield* this.metered(call);
    } finally {
      this.images.release(callId);
    }
  }

  private async *metered(call: ModelCall): AsyncGenerator<ModelPart> {
    const asked = await this.charged(call);
    const { charge } = asked;
    let hasText = false;
    let isEnded = false;
    try {
      for await (const part of this.fitting(asked)) {
        hasText ||= part.type === 'delta';
        if (part.type === 'end') {
          isEnded = true;
          await charge.endCharge(part.usage);
          const { spent } = charge.bound ?? {};
          if (part.finishReason === 'budget' && !hasText && spent !== undefined) throw budgetSpent(spent);
        }
        yield part;
      }
    } finally {
      if (!isEnded) await charge.endCharge(asked.used);
    }
  }

  private async charged(call: ModelCall): Promise<Asked> {
    const { tenantId, userId, callId, preset, systemPrompt, signal } = call;
    const options = { ...preset.options, ...call.options };
    const { maxTokens, model } = options;
    const window = await this.models.contextTokens(tenantId, model);
    const messages = await this.models.weighed(tenantId, model, call.messages);
    const told = contextOf(systemPrompt, messages, mostTold(preset, options, window));
    const contextTokens = countUsage(told, '').promptTokens;
    const prices = await this.models.dearestPrices(tenantId, model);
    const charge = await this.charges.beginCharge(
      { tenantId, userId, contextTokens, maxTokens, prices, signal },
      callId,
    );
    return { call, options, charge, messages, told, used: undefined };
  }

  /** A model that can read less than was known of it is asked once more, with half. */
  private async *fitting(asked: Asked): AsyncGenerator<ModelPart> {
    let hasBegun = false;
    try {
      for await (const part of this.answered(asked)) {
        hasBegun ||= part.type !== 'reasoning';
        yield part;
      }
      return;
    } catch (error) {
      if (hasBegun || asked.charge.signal.aborted || faultReasonOf(error) !== 'overflow') throw error;
    }
    asked.told = contextOf(asked.call.systemPrompt, asked.messages, halfOf(asked.told));
    yield* this.answered(asked);
  }

  private answered(asked: Asked): AsyncGenerator<ModelPart> {
    const { call, options, told } = asked;
    const { bound, signal } = asked.charge;
    return this.models.streamAnswer({
      ...options,
      tenantId: call.tenantId,
      messages: told,
      isModelFree: options.model !== call.preset.options.model,
      trace: { requestId: call.requestId, messageId: call.callId },
      bound,
      spentBefore: asked.used,
      pricedOnly: bound?.pricedOnly,
      onSpent: (usage) => (asked.used = usage),
      signal,
    });
  }
}
