import { Injectable } from '@nestjs/common';
import { AppError } from '../../../common/errors';
import { describeError, Log } from '../../../platform/logging';
import { ChatLog } from '../../messages';
import { type ModelMessage, Models, type Preset, Presets } from '../../models';
import type { RunFailure } from '../contract';
import { contextOf, countUsage } from './context';
import type { LiveRun } from './live-run';
import type { RunOutcome } from './run-outcome';
import { patiently } from './patience';
import { RunPublisher } from './run-publisher';

/** What an answer needs to know of its chat. */
export interface Question {
  readonly preset: string;
  /** The model sees nothing up to here. */
  readonly clearedSeq: number;
}

/** Has a model answer, and says how that ended; never throws. */
@Injectable()
export class Answerer {
  constructor(
    private readonly models: Models,
    private readonly presets: Presets,
    private readonly messages: ChatLog,
    private readonly publisher: RunPublisher,
    private readonly log: Log,
  ) {}

  /** @param signal aborts when the run is this worker's no longer, or the server stops */
  async answer(live: LiveRun, question: Question, signal: AbortSignal): Promise<RunOutcome> {
    let told: readonly ModelMessage[] = [];
    const either = AbortSignal.any([signal, live.abort.signal]);
    try {
      const preset = await patiently(either, () => this.preset(live, question));
      told = await patiently(either, () => this.context(live, question, preset));
      return await this.stream(live, preset, told, either);
    } catch (error) {
      return either.aborted ? stopped(live, told) : this.failed(live, told, error);
    }
  }

  /** A preset that was deleted since answers as the default one. */
  private async preset({ ref: { tenantId } }: LiveRun, { preset }: Question): Promise<Preset> {
    const found = (await this.presets.find(tenantId, preset)) ?? (await this.presets.find(tenantId, 'default'));
    if (found === undefined) throw new Error('there is no default preset');
    return found;
  }

  private async context(live: LiveRun, { clearedSeq }: Question, preset: Preset): Promise<ModelMessage[]> {
    const { tenantId, chatId } = live.ref;
    const most = Math.max(1, preset.contextMessages);
    return contextOf(preset, await this.messages.context(tenantId, chatId, live.replyToSeq, clearedSeq, most));
  }

  private async stream(
    live: LiveRun,
    { model, temperature, maxTokens }: Preset,
    messages: readonly ModelMessage[],
    signal: AbortSignal,
  ): Promise<RunOutcome> {
    const parts = this.models.stream({
      tenantId: live.ref.tenantId,
      messages,
      signal,
      ...(model === null ? {} : { model }),
      ...(temperature === null ? {} : { temperature }),
      ...(maxTokens === null ? {} : { maxTokens }),
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

  private failed(live: LiveRun, told: readonly ModelMessage[], error: unknown): RunOutcome {
    const isExpected = error instanceof AppError;
    if (!isExpected)
      this.log.error(
        { run_id: live.ref.runId, tenant_id: live.ref.tenantId, error: describeError(error) },
        'run failed',
      );
    const usage = live.count === 0 ? undefined : countUsage(told, live.text);
    const status = live.count === 0 ? 'failed' : 'interrupted';
    return { status, finishReason: 'error', usage, failure: failureOf(error) };
  }
}

/** Stopped by a user (`cancelled`), or cut off: the server stops, or the run is somebody else's by now. */
function stopped(live: LiveRun, told: readonly ModelMessage[]): RunOutcome {
  const status = live.abort.signal.reason === 'cancelled' ? 'cancelled' : 'interrupted';
  return { status, finishReason: 'stopped', usage: live.begun ? countUsage(told, live.text) : undefined };
}

function failureOf(error: unknown): RunFailure {
  if (error instanceof AppError && (error.code === 'MODEL_ERROR' || error.code === 'CHANNEL_UNAVAILABLE'))
    return { code: error.code, message: error.message };
  return { code: 'INTERNAL_ERROR', message: 'The answer could not be written' };
}
