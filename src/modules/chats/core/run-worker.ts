import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AGENT_PREFIX } from '../../../common/text';
import { type Job, type JobHandler, JobHandlers, LEASE_LOST } from '../../../platform/jobs';
import { Answerer } from './answerer';
import { Titles } from './titles';
import { countUsage } from './context';
import { LiveRun, type RunRef } from './live-run';
import { LiveRuns } from './live-runs';
import { patiently } from './patience';
import { RunEnds } from './run-ends';
import { RUN } from './run-kind';
import type { RunOutcome } from './run-outcome';
import { type Begun, RunsRepository } from './runs.repository';

/** As the append and chat_answer_again write it; ids are UUIDs. */
interface RunPayload {
  readonly run_id: string;
  readonly room_id: string;
  readonly seq: number;
}

type Taken = Extract<Begun, { fence: number }>;

const STOPPED: RunOutcome = { status: 'cancelled', finishReason: 'stopped', usage: undefined };

/**
 * Answers, one at a time per chat. Only a run that was still queued is begun: one whose worker died while it streamed ends
 * `interrupted` with the text that was stored, so no answer is shown twice and none hangs.
 */
@Injectable()
export class RunWorker implements JobHandler, OnModuleInit {
  readonly schedule = [1000, 5000, 30_000];
  readonly maxAttempts = 20;
  readonly concurrency = 1;
  readonly perTenant = 512;
  readonly slots = 1024;
  /** What is being answered when the server stops gets this long. */
  readonly drainMs = 10_000;

  constructor(
    private readonly handlers: JobHandlers,
    private readonly runs: RunsRepository,
    private readonly live: LiveRuns,
    private readonly answerer: Answerer,
    private readonly ends: RunEnds,
    private readonly titles: Titles,
  ) {}

  onModuleInit(): void {
    this.handlers.add(RUN, this);
  }

  async run({ tenantId, payload }: Job, signal: AbortSignal): Promise<void> {
    const { run_id: runId, room_id: chatId, seq } = payload as RunPayload;
    const ref = { tenantId, chatId, runId };
    const begun = await patiently(signal, () => this.runs.begin(tenantId, runId));
    if (begun.status === 'gone') return;
    if (begun.status === 'ended') return this.ends.republish(ref);
    const senderId = AGENT_PREFIX + begun.preset;
    if (begun.status === 'lost') return this.endLost(ref, seq, senderId, begun, signal);
    const live = new LiveRun(ref, begun.fence, seq, senderId);
    this.live.add(live);
    try {
      await this.answer(live, begun, signal);
    } finally {
      this.live.remove(live);
    }
  }

  /** No answer can be stored for it: it must not stay open for ever. */
  async onDead({ tenantId, payload }: Job, error: string): Promise<void> {
    const { run_id: runId, room_id: chatId, seq } = payload as RunPayload;
    await this.ends.giveUp({ tenantId, chatId, runId }, seq, error);
  }

  private async answer(live: LiveRun, begun: Taken, signal: AbortSignal): Promise<void> {
    const question = { preset: begun.preset, clearedSeq: begun.cleared_seq };
    const outcome = begun.status === 'cancelled' ? STOPPED : await this.answerer.answer(live, question, signal);
    if (signal.reason === LEASE_LOST) {
      // Whoever gets the job next, perhaps this node again, has more than what was stored of it.
      this.live.keep(live.ref.runId, { live, outcome });
      throw new Error('the lease of a run was lost');
    }
    await this.ends.store(live, outcome, signal);
    if (outcome.status === 'completed' && begun.auto_title) await this.titles.settle(live.ref, live.replyToSeq);
  }

  private async endLost(ref: RunRef, seq: number, senderId: string, begun: Taken, signal: AbortSignal): Promise<void> {
    const kept = this.live.takeUnstored(ref.runId);
    if (kept !== undefined) return this.ends.store(kept.live, kept.outcome, signal);
    const tokens = await patiently(signal, () => this.runs.tokens(ref.tenantId, ref.runId));
    const live = new LiveRun(ref, begun.fence, seq, senderId, tokens);
    const usage = live.count === 0 ? undefined : countUsage([], live.text);
    await this.ends.store(live, { status: 'interrupted', finishReason: 'stopped', usage }, signal);
  }
}
