import type { Clock } from '../../../common/clock';
import { AppError } from '../../../common/errors';
import type { Log } from '../../../platform/logging';
import type { Metrics } from '../../../platform/metrics';
import { answerOf, type Attempt } from '../answer/answer';
import type { Patience } from '../answer/timed';
import type { Channel } from '../channels/channel-directory';
import { type ModelPart, type ModelRequest, Models } from '../contract';
import { ChannelFault, type Endpoint } from '../providers/chat-model';
import { chatModelOf } from '../providers/registry';
import { type Breakers, OPEN_MS, type Permit } from './breakers';
import type { ChannelChoice } from './channel-choice';
import { contextTokensOf } from './model-names';

/** Faults that an error names. */
const MAX_TOLD = 3;

/** A channel has failed before the first token: the next one may be tried. */
class Passed extends Error {}

/** Tries the channels of a request one after the other, until one has begun to answer. */
export class RoutedModels extends Models {
  constructor(
    private readonly choice: ChannelChoice,
    private readonly breakers: Breakers,
    private readonly metrics: Metrics,
    private readonly log: Log,
    private readonly clock: Clock,
    private readonly patience: Patience,
  ) {
    super();
  }

  async available(tenantId: string): Promise<void> {
    const channels = await this.choice.of(tenantId);
    if (!channels.some(({ key }) => this.breakers.waitMs(key) === 0)) throw this.unavailable(channels);
  }

  async contextTokens(tenantId: string, model?: string): Promise<number> {
    const channels = await this.choice.of(tenantId);
    const first = channels.find(({ key }) => this.breakers.waitMs(key) === 0) ?? channels[0];
    return contextTokensOf(model ?? first?.model ?? '');
  }

  async *stream(request: ModelRequest): AsyncGenerator<ModelPart> {
    const begunMs = this.clock.monotonicMs();
    let hasToken = false;
    // Unless something is said to the contrary, the reader has left.
    let outcome = 'cancelled';
    try {
      for await (const part of this.routed(request)) {
        if (part.type === 'delta' && !hasToken) {
          hasToken = true;
          this.metrics.histogram('chatapi_model_first_token_seconds').observe(this.secondsSince(begunMs));
        }
        if (part.type === 'end') outcome = 'completed';
        yield part;
      }
    } catch (error) {
      if (!request.signal.aborted) outcome = isUnavailable(error) ? 'unavailable' : hasToken ? 'cut' : 'failed';
      throw error;
    } finally {
      this.metrics.counter('chatapi_model_requests_total').labels({ outcome }).inc();
    }
  }

  private async *routed(request: ModelRequest): AsyncGenerator<ModelPart> {
    request.signal.throwIfAborted();
    const channels = await this.choice.of(request.tenantId);
    const faults: string[] = [];
    for (const channel of channels) {
      const permit = this.breakers.enter(channel.key);
      if (permit === undefined) continue;
      if (faults.length > 0) this.metrics.counter('chatapi_model_fallbacks_total').inc();
      try {
        yield* this.tried(channel, permit, request);
        return;
      } catch (error) {
        if (!(error instanceof Passed)) throw error;
        faults.push(error.message);
      }
    }
    if (faults.length === 0) throw this.unavailable(channels);
    throw new AppError('MODEL_ERROR', `No model has answered: ${told(faults)}`);
  }

  /** Throws Passed as long as nothing was said. */
  private async *tried(channel: Channel, permit: Permit, request: ModelRequest): AsyncGenerator<ModelPart> {
    let hasBegun = false;
    let isSettled = false;
    try {
      const attempt = this.attemptOf(channel, request);
      for await (const part of answerOf(attempt)) {
        if (!hasBegun) {
          hasBegun = true;
          permit.alive();
          yield { type: 'start', channel: channel.name, model: attempt.request.model };
        }
        if (part.type === 'end') {
          isSettled = true;
          permit.succeeded();
        }
        yield part;
      }
    } catch (error) {
      request.signal.throwIfAborted();
      if (!(error instanceof ChannelFault)) throw error;
      if (error.blame === 'channel') {
        isSettled = true;
        permit.failed();
      }
      this.log.warn(
        { tenant_id: request.tenantId, channel: channel.name, fault: error.message },
        'model channel failed',
      );
      const fault = `channel "${channel.name}" ${error.message}`;
      if (hasBegun) throw new AppError('MODEL_ERROR', `The answer was cut: ${fault}`);
      throw new Passed(fault);
    } finally {
      if (!isSettled) permit.abandoned();
    }
  }

  private attemptOf(channel: Channel, { messages, signal, tenantId: _tenantId, ...asked }: ModelRequest): Attempt {
    const model = chatModelOf(channel.provider);
    // A row of a later version of this server.
    if (model === undefined) throw new ChannelFault(`has a provider that this server does not know`);
    return {
      model,
      endpoint: endpointOf(channel),
      request: {
        ...asked,
        messages,
        model: asked.model ?? channel.model,
        temperature: asked.temperature ?? channel.temperature ?? undefined,
        maxTokens: asked.maxTokens ?? channel.maxTokens ?? undefined,
        signal,
      },
      patience: this.patience,
      totalMs: channel.timeoutMs,
    };
  }

  private unavailable(channels: readonly Channel[]): AppError {
    const waits = channels.map(({ key }) => this.breakers.waitMs(key));
    const message =
      waits.length === 0
        ? 'All model channels are disabled'
        : 'All model channels have failed repeatedly and are left alone for a while';
    const retryAfterSeconds = Math.max(1, Math.ceil(Math.min(OPEN_MS, ...waits) / 1000));
    return new AppError('CHANNEL_UNAVAILABLE', message, { retryAfterSeconds });
  }

  private secondsSince(ms: number): number {
    return (this.clock.monotonicMs() - ms) / 1000;
  }
}

function endpointOf(channel: Channel): Endpoint {
  try {
    return channel.endpoint();
  } catch {
    throw new ChannelFault('has a key that cannot be read any more: set it again');
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'CHANNEL_UNAVAILABLE';
}

/** The first few: a tenant may have many channels. */
function told(faults: readonly string[]): string {
  const shown = faults.slice(0, MAX_TOLD);
  const rest = faults.length - shown.length;
  return rest === 0 ? shown.join('; ') : `${shown.join('; ')}; and ${rest} more`;
}
