import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../common/time';
import { AppError } from '../../../common/errors';
import { ModelsConfig } from '../../../config';
import { Metrics } from '../../../platform/metrics';
import { answerOf, estimateTokens, Meter, type ModelAttempt, sumOf } from '../answer/answer';
import type { Channel } from '../channels/channel-directory';
import type { FaultReason, ModelMessage, ModelPart, ModelPrices, ModelRequest, ModelUsage } from '../contract';
import { ChannelFault, type Endpoint, type RefusedParam, type WireParams } from '../providers/chat-model';
import { chatModelOf } from '../providers/registry';
import { type Asking, Gates, OPEN_MS, type Pass } from './gates';
import {
  ChannelChoice,
  contextTokensOf,
  costOf,
  dearestOf,
  hasPrices,
  LearnedParams,
  namesFor,
  pricesOf,
} from './channel-choice';
import { FaultBook, hintOfReason, type NotedFault } from './fault-book';

/** Faults that an error names. */
const MAX_TOLD = 3;

/** A channel has failed before the first token: the next one may be tried. */
class Passed extends Error {
  constructor(
    readonly channel: string,
    readonly fault: ChannelFault,
  ) {
    super(`channel "${channel}" ${fault.message}`);
  }
}

/** What came of a channel that was asked for one token. */
export interface ChannelTest {
  readonly model: string;
  /** Milliseconds until it had answered, or failed. */
  readonly latencyMs: number;
  /** Undefined where no model had begun. */
  readonly usage: ModelUsage | undefined;
  /** Undefined: it works. */
  readonly fault: NotedFault | undefined;
}

/** What is known of all tries of one request so far. */
interface Tries {
  /** What those have used that came to no end. */
  readonly spent: ModelUsage[];
  /** One of them has thought aloud. */
  hasThought: boolean;
}

/**
 * Ways to a model: tries the channels of the tenant, then the environment's, one after the other until one has begun to
 * answer.
 */
@Injectable()
export class ModelsService {
  private readonly learned = new LearnedParams();

  constructor(
    private readonly choice: ChannelChoice,
    private readonly gates: Gates,
    private readonly faults: FaultBook,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    @Inject(ModelsConfig) private readonly config: Pick<ModelsConfig, 'maxAnswerBytes'>,
  ) {}

  /**
   * Throws CHANNEL_UNAVAILABLE (503, with Retry-After) when no channel can answer now. One cheap (cached) look.
   * @param model as in the request; unset: whichever, so that a broken model closes no other
   * @param pricedOnly as in the request
   */
  async available(tenantId: string, model?: string, pricedOnly = false): Promise<void> {
    const channels = (await this.choice.of(tenantId)).filter((channel) => !pricedOnly || hasPrices(channel));
    const waits =
      model === undefined
        ? this.leastWaits(tenantId, channels)
        : this.waits(askings(channels, { tenantId, model, pricedOnly }));
    if (!waits.includes(0)) throw unavailable(waits, pricedOnly);
  }

  /**
   * The highest prices of the channels that may answer; undefined where none is known. @param model as in the request
   */
  async dearestPrices(tenantId: string, model?: string): Promise<ModelPrices | undefined> {
    const asked = askings(await this.choice.of(tenantId), { tenantId, model });
    return dearestOf(asked.map(priceOf));
  }

  /**
   * How many tokens the channel that would be tried first reads, its answer included: what the channel says, else what
   * is known of the model's family, else 16,000. @param model as in the request
   */
  async contextTokens(tenantId: string, model?: string): Promise<number> {
    const asked = askings(await this.choice.of(tenantId), { tenantId, model });
    const waits = this.waits(asked);
    const first = asked[Math.max(0, waits.indexOf(0))];
    return first?.channel.contextTokens ?? contextTokensOf(first?.model ?? model ?? '');
  }

  /**
   * Messages with what their images count as: nothing, where no channel is shown any. @param model as in the request
   */
  async weighed<T extends Pick<ModelMessage, 'images'>>(
    tenantId: string,
    model: string | undefined,
    messages: readonly T[],
  ): Promise<readonly T[]> {
    if (messages.every(({ images }) => images === undefined)) return messages;
    const asked = askings(await this.choice.of(tenantId), { tenantId, model });
    return asked.some(({ channel }) => channel.vision) ? messages : messages.map(weightless);
  }

  /**
   * The first 300 characters of what a provider said when this answer failed, without keys and addresses. It may quote
   * messages of users: for admin keys of the tenant only. In this node's memory, for the latest failures.
   */
  providerMessage(tenantId: string, messageId: string): string | undefined {
    return this.faults.ofMessage(tenantId, messageId);
  }

  /**
   * Streams an answer. Throws MODEL_ERROR (502) when all channels that were tried failed, CHANNEL_UNAVAILABLE (503)
   * when none may be tried; after the first delta an error means that the answer is cut. `faultReasonOf` tells what the
   * error is about, e.g. `overflow`; where a provider says when to come back, `retryAfterSeconds` is set. When the signal
   * is aborted it throws the signal's reason, and the provider sees its connection close. Leaving the loop closes it too.
   */
  async *streamAnswer(request: ModelRequest): AsyncGenerator<ModelPart> {
    const { metrics } = this;
    const begunMs = this.clock.monotonicMs();
    const tries: Tries = { spent: request.spentBefore === undefined ? [] : [request.spentBefore], hasThought: false };
    let hasToken = false;
    // Where nothing below sets another outcome, the reader has left.
    let outcome = 'cancelled';
    try {
      for await (const part of this.routed(request, tries)) {
        if (part.type === 'delta' && !hasToken) {
          hasToken = true;
          metrics.histogram('chatapi_model_first_token_seconds').observe(this.secondsSince(begunMs));
        }
        if (part.type === 'end') outcome = 'completed';
        yield part;
      }
    } catch (error) {
      if (!request.signal.aborted) outcome = isUnavailable(error) ? 'unavailable' : hasToken ? 'cut' : 'failed';
      throw error;
    } finally {
      metrics.counter('chatapi_model_requests_total').labels({ outcome }).inc();
      const usage = outcome === 'completed' ? undefined : sumOf(tries.spent);
      if (usage !== undefined) request.onSpent?.(usage);
    }
  }

  /**
   * Asks one channel for one token, whether it is enabled, and may be tried, or not; no breaker moves. A model that used
   * the token for thinking has answered.
   */
  async testChannel(tenantId: string, channel: Channel, signal: AbortSignal): Promise<ChannelTest> {
    const asking = { channel: hurried(channel), tenantId, model: channel.model, isModelFree: false };
    const request = { ...TEST, tenantId, signal };
    const begunMs = this.clock.monotonicMs();
    const tries: Tries = { spent: [], hasThought: false };
    let usage: ModelUsage | undefined;
    let fault: ChannelFault | undefined;
    try {
      for await (const part of this.answered(asking, request, tries))
        if (part.type === 'end') usage = priced(asking, part.usage);
    } catch (error) {
      if (!(error instanceof ChannelFault)) throw error;
      const isThought = error.reason === 'reasoning' || error.facts.finishReason === 'length';
      if (!isThought) fault = error;
    }
    const latencyMs = Math.round(this.clock.monotonicMs() - begunMs);
    const noted = fault === undefined ? undefined : this.faults.note(asking, fault, undefined);
    return {
      model: channel.model,
      latencyMs,
      usage: sumOf([...tries.spent, ...(usage === undefined ? [] : [usage])]),
      fault: noted,
    };
  }

  private async *routed(request: ModelRequest, tries: Tries): AsyncGenerator<ModelPart> {
    request.signal.throwIfAborted();
    const asked = askings(await this.choice.of(request.tenantId), request);
    const passed: Passed[] = [];
    for (const asking of asked) {
      const pass = this.gates.enter(asking);
      if (pass === undefined) continue;
      if (passed.length > 0) this.metrics.counter('chatapi_model_fallbacks_total').inc();
      try {
        yield* this.tried(asking, pass, request, tries);
        return;
      } catch (error) {
        if (!(error instanceof Passed)) throw error;
        passed.push(error);
        // What one provider refuses to hear is not carried to the next.
        if (error.fault.reason === 'content') break;
      }
    }
    throw passed.length === 0 ? unavailable(this.waits(asked), request.pricedOnly) : unanswered(passed);
  }

  /** Throws Passed as long as the answer has no text. */
  private async *tried(asking: Asking, pass: Pass, request: ModelRequest, tries: Tries): AsyncGenerator<ModelPart> {
    let hasBegun = false;
    let isSettled = false;
    try {
      for await (const part of this.answered(asking, request, tries)) {
        if (!hasBegun && part.type !== 'reasoning') {
          hasBegun = true;
          pass.alive();
          yield startOf(asking, request);
        }
        if (part.type === 'end') {
          isSettled = true;
          pass.succeeded();
          yield { ...part, usage: sumOf([...tries.spent, priced(asking, part.usage)]) ?? part.usage };
        } else yield part;
      }
    } catch (error) {
      request.signal.throwIfAborted();
      if (!(error instanceof ChannelFault)) throw error;
      isSettled = true;
      pass.failed(error);
      this.faults.note(asking, error, request.trace);
      const passed = new Passed(asking.channel.name, error);
      if (hasBegun) throw modelError(`The answer was cut: ${passed.message}`, error.reason, error.facts.retryAfterMs);
      throw passed;
    } finally {
      if (!isSettled) pass.abandoned();
    }
  }

  /** The answer of one channel, asked in the way that it takes. */
  private async *answered(asking: Asking, request: ModelRequest, tries: Tries): AsyncGenerator<ModelPart> {
    const { channel, model } = asking;
    const messages = shownTo(channel, request.messages);
    const hasMaxTokens = (request.maxTokens ?? channel.maxTokens) !== null;
    const tried = new Set<RefusedParam>();
    let wire: WireParams | undefined = this.learned.of(channel, model);
    while (wire !== undefined) {
      const meter = new Meter(messages, tokensIn(tries.spent));
      let isWhole = false;
      try {
        const hasThought = tries.hasThought;
        let isApart = false;
        for await (const part of answerOf(this.attemptOf(asking, { ...request, messages }, wire), meter)) {
          isWhole = part.type === 'end';
          if (part.type === 'reasoning') {
            yield hasThought && !isApart ? { ...part, text: `\n\n${part.text}` } : part;
            tries.hasThought = isApart = true;
          } else yield part;
        }
        this.learned.worked(channel, model, wire, hasMaxTokens);
        return;
      } catch (error) {
        const next: WireParams | undefined =
          error instanceof ChannelFault ? this.learned.instead(channel, hasMaxTokens, wire, error, tried) : undefined;
        if (next === undefined) throw error;
        wire = next;
      } finally {
        if (!isWhole && meter.spent !== undefined) tries.spent.push(priced(asking, meter.spent));
      }
    }
  }

  private attemptOf({ channel, model }: Asking, request: ModelRequest, wire: WireParams): ModelAttempt {
    const { messages, signal, topP, stop, reasoningEffort, responseFormat, seed } = request;
    const chatModel = chatModelOf(channel.provider);
    // A row of a later version of this server.
    if (chatModel === undefined) throw new ChannelFault(`has a provider that this server does not know`);
    return {
      model: chatModel,
      endpoint: endpointOf(channel),
      request: {
        ...{ messages, model, wire, signal, topP, stop, reasoningEffort, responseFormat, seed },
        temperature: request.temperature ?? channel.temperature ?? undefined,
        maxTokens: request.maxTokens ?? channel.maxTokens ?? undefined,
      },
      timeouts: channel.timeouts,
      maxBytes: this.config.maxAnswerBytes,
      bound: request.bound,
    };
  }

  private waits(asked: readonly Asking[]): number[] {
    return asked.map((asking) => this.gates.waitMs(asking));
  }

  private leastWaits(tenantId: string, channels: readonly Channel[]): number[] {
    return channels.map((channel) => this.gates.leastWaitMs(channel, tenantId));
  }

  private secondsSince(ms: number): number {
    return (this.clock.monotonicMs() - ms) / 1000;
  }
}

function startOf({ channel, model }: Asking, { messages }: ModelRequest): ModelPart {
  const leftOut = channel.vision ? 0 : messages.reduce((sum, { images = [] }) => sum + images.length, 0);
  return { type: 'start', channel: channel.name, model, ...(leftOut === 0 ? {} : { imagesLeftOut: leftOut }) };
}

/** The texts name the images, whoever reads them. */
function shownTo({ vision }: Channel, messages: readonly ModelMessage[]): readonly ModelMessage[] {
  if (vision || messages.every(({ images }) => images === undefined)) return messages;
  return messages.map(({ role, content }) => ({ role, content }));
}

const TEST = { messages: [{ role: 'user', content: 'Hi' }], maxTokens: 1 } as const;
/** What a test asks for, by our own count. */
export const TEST_CALL = { contextTokens: estimateTokens(Buffer.byteLength(TEST.messages[0].content)), maxTokens: 1 };
/** Somebody waits for what comes of a test, and does not want to wait for long. */
const TEST_MS = 60_000;

function hurried(channel: Channel): Channel {
  const { firstMs, idleMs, totalMs } = channel.timeouts;
  const most = (ms: number): number => Math.min(ms, TEST_MS);
  return { ...channel, timeouts: { firstMs: most(firstMs), idleMs: most(idleMs), totalMs: most(totalMs) } };
}

function askings(
  channels: readonly Channel[],
  request: Pick<ModelRequest, 'tenantId' | 'model' | 'isModelFree' | 'pricedOnly'>,
): Asking[] {
  const { tenantId, model, isModelFree = false, pricedOnly = false } = request;
  const names = namesFor(channels, model);
  const asked = channels.map((channel, i) => ({ channel, tenantId, model: names[i] ?? channel.model, isModelFree }));
  return pricedOnly ? asked.filter((asking) => priceOf(asking) !== undefined) : asked;
}

function priceOf({ channel, model }: Asking): ModelPrices | undefined {
  return pricesOf(channel, model);
}

function priced(asking: Asking, usage: ModelUsage): ModelUsage {
  const cost = costOf(usage, priceOf(asking));
  return cost === undefined ? usage : { ...usage, cost };
}

/** Of what an answer may have, its context aside: that was reserved once, and is charged for each try. */
function tokensIn(spent: Tries['spent']): number {
  return spent.reduce((sum, { completionTokens }) => sum + completionTokens, 0);
}

function weightless<T extends Pick<ModelMessage, 'images'>>(message: T): T {
  const { images } = message;
  return images === undefined ? message : { ...message, images: images.map((image) => ({ ...image, tokens: 0 })) };
}

function endpointOf(channel: Channel): Endpoint {
  try {
    return channel.endpoint();
  } catch {
    throw new ChannelFault('has a key that cannot be read any more: set it again', { reason: 'auth' });
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'CHANNEL_UNAVAILABLE';
}

/** @param waits of all channels, in milliseconds */
function unavailable(waits: readonly number[], pricedOnly = false): AppError {
  const none = pricedOnly
    ? 'No model channel that is enabled has prices, which a budget of money needs'
    : 'All model channels are disabled';
  const message =
    waits.length === 0
      ? none
      : 'All model channels have failed repeatedly, or want a slower pace, and are left alone for a while';
  const waitMs = waits.length === 0 ? OPEN_MS : Math.min(...waits);
  return new AppError('CHANNEL_UNAVAILABLE', message, { retryAfterSeconds: secondsOf(waitMs) });
}

function unanswered(passed: readonly Passed[]): AppError {
  const faults = passed.map(({ fault }) => fault);
  const waits = faults.flatMap(({ facts: { retryAfterMs } }) => (retryAfterMs === undefined ? [] : [retryAfterMs]));
  // A shorter chat may do, wherever it was too long; else the first channel is the one that was meant.
  const reason = faults.find((fault) => fault.reason === 'overflow')?.reason ?? faults[0]?.reason ?? 'provider';
  return modelError(
    `No model has answered: ${told(passed)}`,
    reason,
    waits.length === 0 ? undefined : Math.min(...waits),
  );
}

function modelError(message: string, reason: FaultReason, retryAfterMs: number | undefined): AppError {
  return new AppError('MODEL_ERROR', message, {
    details: { reason, hint: hintOfReason(reason) },
    ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: secondsOf(retryAfterMs) }),
  });
}

function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

/** The first few: a tenant may have many channels. */
function told(passed: readonly Passed[]): string {
  const shown = passed.slice(0, MAX_TOLD).map(({ message }) => message);
  const rest = passed.length - shown.length;
  return rest === 0 ? shown.join('; ') : `${shown.join('; ')}; and ${rest} more`;
}
