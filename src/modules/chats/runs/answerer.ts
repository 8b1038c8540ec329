import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../../../common/errors';
import { describeError, Log } from '../../../platform/logging';
import { ChatLog, type LoggedMessage } from '../../messages';
import {
  type AnswerOptions,
  faultReasonOf,
  type ModelMessage,
  Models,
  type ModelUsage,
  type Preset,
  Presets,
} from '../../models';
import type { RunFailure } from '../contract';
import { contextOf, countUsage, halfOf, mostTold } from './context';
import type { LiveRun } from './live-run';
import { patiently } from './patience';
import { STOPPED, type RunOutcome } from './run-outcome';
import { RunPublisher } from './run-publisher';

/** What was too long for a model is remembered for so long: a channel may be changed. */
const REMEMBERED_MS = 60 * 60_000;
const MODELS_REMEMBERED = 10_000;
/** However often a model refuses: less is no question any more. */
const LEAST_TOLD = 256;

/** What an answer needs to know of its chat, and how it is wanted. */
export interface Question {
  readonly preset: string;
  /** The model sees nothing up to here. */
  readonly clearedSeq: number;
  /** Of the request: before the preset's. */
  readonly options: AnswerOptions;
}

/** One question on its way to a model. */
interface Asking {
  readonly preset: Preset;
  readonly options: AnswerOptions;
  readonly messages: readonly LoggedMessage[];
  told: readonly ModelMessage[];
  /** What a model that came to no end says that it has used. */
  spent: ModelUsage | undefined;
}

/** Has a model answer, and says how that ended; never throws. */
@Injectable()
export class Answerer {
  /** Of models that turned out to read less than was known of them: how much they are told; by tenant and model. */
  private readonly learned = new LRUCache<string, number>({ max: MODELS_REMEMBERED, ttl: REMEMBERED_MS });

  constructor(
    private readonly models: Models,
    private readonly presets: Presets,
    private readonly messages: ChatLog,
    private readonly publisher: RunPublisher,
    private readonly log: Log,
  ) {}

  /** @param signal aborts when the run is this worker's no longer, or the server stops */
  async answer(live: LiveRun, question: Question, signal: AbortSignal): Promise<RunOutcome> {
    let asking: Asking | undefined;
    const either = AbortSignal.any([signal, live.abort.signal]);
    try {
      asking = await patiently(either, () => this.asking(live, question));
      // It was deleted a moment ago.
      if (asking.messages.at(-1)?.seq !== live.replyToSeq) return STOPPED;
      return await this.streamWhatFits(live, asking, either);
    } catch (error) {
      return either.aborted ? stopped(live, asking) : this.failed(live, asking, error);
    }
  }

  /** What an answer has used whose worker died: by what its model was told, as far as that is still there. */
  async usageOfLost(live: LiveRun, question: Question): Promise<ModelUsage | undefined> {
    if (live.count === 0) return undefined;
    return countUsage((await this.asking(live, question)).told, live.text);
  }

  private async asking(live: LiveRun, { preset: name, clearedSeq, options: own }: Question): Promise<Asking> {
    const { tenantId, chatId } = live.ref;
    const preset = await this.preset(tenantId, name);
    const options = { ...preset.options, ...own };
    const window = await this.models.contextTokens(tenantId, options.model);
    const limit = Math.max(1, preset.contextMessages);
    const messages = await this.messages.context(tenantId, chatId, live.replyToSeq, clearedSeq, limit);
    const most = Math.min(mostTold(preset, options, window), this.learned.get(keyOf(tenantId, options)) ?? Infinity);
    const told = contextOf(preset.systemPrompt, messages, most);
    return { preset, options, messages, told, spent: undefined };
  }

  /** A preset that was deleted since answers as the default one. */
  private async preset(tenantId: string, name: string): Promise<Preset> {
    const found = (await this.presets.find(tenantId, name)) ?? (await this.presets.find(tenantId, 'default'));
    if (found === undefined) throw new Error('there is no default preset');
    return found;
  }

  /**
   * A model that can read less than was known of it is asked once more, with half; and the next time no more than that, so
   * that a chat which grows is not refused again and again.
   */
  private async streamWhatFits(live: LiveRun, asking: Asking, signal: AbortSignal): Promise<RunOutcome> {
    try {
      return await this.stream(live, asking, signal);
    } catch (error) {
      if (signal.aborted || live.begun || faultReasonOf(error) !== 'overflow') throw error;
      const half = this.halved(live, asking);
      asking.told = contextOf(asking.preset.systemPrompt, asking.messages, half);
    }
    try {
      return await this.stream(live, asking, signal);
    } catch (error) {
      if (!live.begun && faultReasonOf(error) === 'overflow') this.halved(live, asking);
      throw error;
    }
  }

  private halved({ ref: { tenantId } }: LiveRun, { told, options }: Asking): number {
    const half = Math.max(LEAST_TOLD, halfOf(told));
    this.learned.set(keyOf(tenantId, options), half);
    return half;
  }

  private async stream(live: LiveRun, asking: Asking, signal: AbortSignal): Promise<RunOutcome> {
    const { tenantId, chatId, runId } = live.ref;
    const parts = this.models.stream({
      ...asking.options,
      tenantId,
      messages: asking.told,
      isModelFree: asking.options.model !== asking.preset.options.model,
      trace: { requestId: live.requestId, chatId, messageId: runId },
      onSpent: (usage) => (asking.spent = usage),
      signal,
    });
    for await (const part of parts) {
      signal.throwIfAborted();
      if (part.type === 'start') {
        live.begun = true;
        live.channel = part.channel;
        live.model = part.model;
        this.publisher.started(live);
      } else if (part.type === 'delta') {
        if (part.text === '') continue;
        live.add(part.text);
        this.publisher.grown(live);
      } else return { status: 'completed', finishReason: part.finishReason, usage: part.usage };
    }
    throw new Error('the stream of a model had no end');
  }

  private failed(live: LiveRun, asking: Asking | undefined, error: unknown): RunOutcome {
    const isExpected = error instanceof AppError;
    if (!isExpected)
      this.log.error(
        { run_id: live.ref.runId, tenant_id: live.ref.tenantId, error: describeError(error) },
        'run failed',
      );
    const status = live.count === 0 ? 'failed' : 'interrupted';
    return { status, finishReason: 'error', usage: usageOf(live, asking), failure: failureOf(error) };
  }
}

function keyOf(tenantId: string, { model = '' }: AnswerOptions): string {
  return `${tenantId}/${model}`;
}

/** Stopped by a user (`cancelled`), or cut off: the server stops, or the run is somebody else's by now. */
function stopped(live: LiveRun, asking: Asking | undefined): RunOutcome {
  const status = live.abort.signal.reason === 'cancelled' ? 'cancelled' : 'interrupted';
  return { status, finishReason: 'stopped', usage: usageOf(live, asking) };
}

/** What an answer without an end has used: as its model says, else counted. */
function usageOf(live: LiveRun, asking: Asking | undefined): ModelUsage | undefined {
  return asking?.spent ?? (live.begun ? countUsage(asking?.told ?? [], live.text) : undefined);
}

function failureOf(error: unknown): RunFailure {
  if (error instanceof AppError && (error.code === 'MODEL_ERROR' || error.code === 'CHANNEL_UNAVAILABLE'))
    return {
      code: error.code,
      message: error.message,
      reason: faultReasonOf(error),
      retryAfterSeconds: error.retryAfterSeconds,
    };
  return { code: 'INTERNAL_ERROR', message: 'The answer could not be written' };
}
