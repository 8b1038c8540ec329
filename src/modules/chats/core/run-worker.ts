import { Injectable } from '@nestjs/common';
import { AGENT_PREFIX } from '../../../common/text';
import { LIMIT_DEFAULTS } from '../../../platform/auth';
import { type Job, JobHandler, type JobRunner, LEASE_LOST, type TenantJobLimit } from '../../../platform/jobs';
import type { AnswerOptions } from '../../models';
import type { Begun } from '../chats.functions';
import { Answerer, type Question } from './answerer';
import { budgetFailure } from './budgets';
import { Titles } from './titles';
import { LiveRun } from './live-run';
import { LiveRuns } from './live-runs';
import { patiently } from './patience';
import { RunEnds } from './run-ends';
import { RUN, type RunPayload } from './run-kind';
import { type RunOutcome, STOPPED } from './run-outcome';
import { RunsRepository } from './runs.repository';

type Taken = Extract<Begun, { fence: number }>;

/**
 * Answers, one at a time per chat. Only a run that was still queued is begun: one whose worker died while it streamed ends
 * `interrupted` with the text that was stored, so no answer is shown twice and none hangs.
 */
@Injectable()
@JobHandler({
  kind: RUN,
  schedule: [1000, 5000, 30_000],
  maxAttempts: 20,
  concurrency: 1,
  perTenant: 512,
  slots: 1024,
  limits: { perTenant: limit('runs_at_once'), perUser: limit('runs_at_once_per_user') },
  // What is being answered when the server stops gets all the time that there is for workers.
  drainMs: 600_000,
})
export class RunWorker implements JobRunner<RunPayload> {
  constructor(
    private readonly runs: RunsRepository,
    private readonly live: LiveRuns,
    private readonly answerer: Answerer,
    private readonly ends: RunEnds,
    private readonly titles: Titles,
  ) {}

  async run({ tenantId, payload }: Job<RunPayload>, signal: AbortSignal): Promise<void> {
    const { run_id: runId, room_id: chatId, seq, options, request_id: requestId } = payload;
    const ref = { tenantId, chatId, runId };
    const begun = await patiently(signal, () => this.runs.begin(tenantId, runId, options ?? null));
    if (begun.status === 'gone') return;
    if (begun.status === 'ended') return this.ends.republish(ref);
    const senderId = AGENT_PREFIX + begun.preset;
    const question = questionOf(begun, options);
    if (begun.status === 'lost') return this.endLost(new LiveRun(ref, begun.fence, seq, senderId), question, signal);
    const live = new LiveRun(ref, begun.fence, seq, senderId);
    live.requestId = requestId;
    this.live.add(live);
    try {
      await this.answer(live, begun, question, signal);
    } finally {
      this.live.remove(live);
    }
  }

  /** No answer can be stored for it: it must not stay open for ever, also where the rest of its payload cannot be read. */
  async onDead({ tenantId, key, payload }: Job<Partial<RunPayload>>, error: string): Promise<void> {
    const { run_id: runId, room_id: chatId = key, seq = 0 } = payload;
    if (runId === undefined) return;
    await this.ends.giveUp({ tenantId, chatId, runId }, seq, error);
  }

  private async answer(live: LiveRun, begun: Taken, question: Question, signal: AbortSignal): Promise<void> {
    const outcome = refusalOf(begun) ?? (await this.answerer.answer(live, question, signal));
    if (signal.reason === LEASE_LOST) {
      // Whoever gets the job next, perhaps this node again, has more than what was stored of it.
      this.live.keep(live.ref.runId, { live, outcome });
      throw new Error('the lease of a run was lost');
    }
    await this.ends.store(live, outcome, signal);
    if (outcome.status === 'completed' && begun.auto_title) await this.titles.settle(live.ref, live.replyToSeq);
  }

  private async endLost(lost: LiveRun, question: Question, signal: AbortSignal): Promise<void> {
    const { ref, fence, replyToSeq, senderId } = lost;
    const kept = this.live.takeUnstored(ref.runId);
    if (kept !== undefined) return this.ends.store(kept.live, kept.outcome, signal);
    const tokens = await patiently(signal, () => this.runs.tokens(ref.tenantId, ref.runId));
    const live = new LiveRun(ref, fence, replyToSeq, senderId, tokens);
    const usage = await patiently(signal, () => this.answerer.usageOfLost(live, question));
    await this.ends.store(live, { status: 'interrupted', finishReason: 'stopped', usage }, signal);
  }
}

function limit(name: 'runs_at_once' | 'runs_at_once_per_user'): TenantJobLimit {
  return { name, byDefault: LIMIT_DEFAULTS[name] };
}

function questionOf(begun: Taken, options: string | undefined): Question {
  const asked = options === undefined ? {} : (JSON.parse(options) as AnswerOptions);
  return { preset: begun.preset, clearedSeq: begun.cleared_seq, options: asked };
}

/** How a run ends that may not begin. */
function refusalOf(begun: Taken): RunOutcome | undefined {
  if (begun.status === 'cancelled') return STOPPED;
  if (begun.status !== 'spent') return undefined;
  return { status: 'failed', finishReason: 'error', usage: undefined, failure: budgetFailure(begun) };
}
