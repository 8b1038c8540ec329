import { Injectable } from '@nestjs/common';
import { IsInt, IsOptional, IsString, IsUUID } from 'class-validator';
import { AppError, isUnavailable } from '../../../common/errors';
import { AGENT_PREFIX } from '../../../common/text';
import { RuntimeConfig } from '../../../config';
import { LIMIT_DEFAULTS } from '../../../platform/auth';
import { type Job, JobHandler, JobKind, type JobRunner, LEASE_LOST, type TenantJobLimit } from '../../../platform/jobs';
import { AiWindow } from '../../../platform/rate-limit';
import { AgentRooms, ChatLog, isStored, type Stored } from '../../messages';
import { type AnswerMeta, failureMeta, failureOf, givenUp, messageOf, usageMeta } from '../chats/chats.repository';
import { type Begun, type BegunAgent, budgetFailure } from '../chats.functions';
import { ChatTitler } from '../chats/titles';
import type { ChatMessage, RunFailure, TurnOptions } from '../contract';
import type { AgentRefusal } from '../entities/run.entity';
import { ChatHub } from '../streams/chat-hub';
import { Answerer, type Question } from './answerer';
import { ChunkWriter, LiveRun, LiveRuns, type RunOutcome, RunPublisher, type RunRef, STOPPED } from './live-runs';
import { PromptImages } from './prompt-images';
import { retryWhileAway, RunsRepository } from './runs.repository';

/** As the append and chat_answer_again write it. */
class RunPayload {
  @IsUUID()
  run_id!: string;

  @IsUUID()
  room_id!: string;

  /** Of the question; the append adds it. */
  @IsInt()
  seq!: number;

  /** With what the model is asked, as JSON text. */
  @IsOptional()
  @IsString()
  options?: string;

  /** Of the call that asked. */
  @IsOptional()
  @IsString()
  request_id?: string;
}

/** The jobs that answer; the append and chat_answer_again make a run with each. */
export const RUN = new JobKind('run', RunPayload);

/** A run whose turn has come. */
export type Taken = Extract<Begun, { fence: number }>;

const NOTICES: Readonly<Record<AgentRefusal, string>> = {
  pair: 'I answer one member at most 10 times a minute here: ask me again in a minute.',
  room: 'Agents answer at most 30 times a minute in this room: ask again in a minute.',
  queue: 'I have 20 questions to answer before: ask me again later.',
};

/** What comes before an answer and after it. */
@Injectable()
export class RunTurns {
  constructor(
    private readonly titler: ChatTitler,
    private readonly window: AiWindow,
    private readonly rooms: AgentRooms,
    private readonly images: PromptImages,
  ) {}

  /** How a run ends that may not begin; undefined: it may. */
  async refusal(live: LiveRun, begun: Taken): Promise<RunOutcome | undefined> {
    const { agent } = begun;
    if (agent !== undefined) this.rooms.note(live.ref.tenantId, live.ref.chatId);
    if (begun.status === 'cancelled') return STOPPED;
    if (begun.status === 'spent') return failed(budgetFailure(begun));
    if (agent === undefined) return undefined;
    if (agent.refused === null) return this.takeStart(live.ref, agent);
    const message = NOTICES[agent.refused];
    live.add(message);
    // It is no stream.
    live.published = live.count;
    return failed({ code: 'RATE_LIMIT_EXCEEDED', message });
  }

  /** The run has been begun, or can never be: it is shown nothing any more, whatever becomes of it. */
  over(runId: string): void {
    this.images.release(runId);
  }

  /** The answer is stored. */
  async settled({ ref, replyToSeq }: LiveRun, begun: Taken, { status }: RunOutcome): Promise<void> {
    if (status === 'completed' && begun.auto_title) await this.titler.settle(ref, replyToSeq);
  }

  /** An agent's answer counts as a call of the AI APIs: there was no call that could. */
  private async takeStart({ tenantId }: RunRef, { limits }: BegunAgent): Promise<RunOutcome | undefined> {
    try {
      await this.window.takeAiRequest({ tenantId, status: 'active', limits, settings: {} });
      return undefined;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'RATE_LIMIT_EXCEEDED') throw error;
      const { message, retryAfterSeconds } = error;
      return failed({ code: error.code, message, retryAfterSeconds });
    }
  }
}

/** Stores how answers end. */
@Injectable()
export class RunEnds {
  constructor(
    private readonly messages: ChatLog,
    private readonly runs: RunsRepository,
    private readonly live: LiveRuns,
    private readonly chunks: ChunkWriter,
    private readonly publisher: RunPublisher,
    private readonly hub: ChatHub,
  ) {}

  /**
   * Stores the answer and ends its run, as often as it takes: no watcher may be told of an end that a crash could undo. When
   * the signal says that the run is this worker's no longer, the answer is kept for the worker that gets it next.
   */
  async store(live: LiveRun, outcome: RunOutcome, signal: AbortSignal): Promise<void> {
    await this.chunks.settle(live);
    try {
      await retryWhileAway(signal, async () => {
        if (isUnsaid(live, outcome)) return this.drop(live);
        const result = await this.append(live, outcome);
        if (isStored(result)) return;
        if (live.agent !== undefined && result.status !== 'mismatch') return this.drop(live);
        // Another worker ended the run, or the chat is gone: what is stored is the truth.
        live.isOver = true;
        await this.republish(live.ref);
      });
    } catch (error) {
      if (isUnavailable(error)) this.live.keep(live.ref.runId, { live, outcome });
      throw error;
    }
  }

  /** Ends an agent's answer without a message: it was stopped before its first word, or the agent or its room is gone. */
  private async drop(live: LiveRun): Promise<void> {
    await this.runs.endUnsaid(live.ref.tenantId, live.ref.runId, live.fence);
    this.publisher.dropped(live);
  }

  /** Tells watchers of an end that is stored already. */
  async republish(ref: RunRef): Promise<void> {
    const { tenantId, chatId, runId } = ref;
    const [row, run] = await Promise.all([
      this.messages.findMessage(tenantId, chatId, runId),
      this.runs.find(tenantId, chatId, runId),
    ]);
    if (row === undefined) return;
    const failure = failureOf(row);
    const thought = row.deleted_at === null ? run?.reasoning : null;
    const answer = { ...messageOf(row), ...(thought == null ? {} : { reasoning: thought }) };
    const ending = { kind: 'ended', runId, count: run?.token_count ?? 0, answer } as const;
    this.hub.publish(ref, failure === undefined ? ending : { ...ending, failure });
  }

  /** Ends a run that no answer can be stored for, and tells its watchers. */
  async giveUp(ref: RunRef, replyToSeq: number, error: string): Promise<void> {
    await this.runs.abandon(ref.tenantId, ref.runId, error);
    this.hub.publish(ref, { kind: 'ended', runId: ref.runId, count: 0, ...givenUp(ref.runId, replyToSeq, new Date()) });
  }

  private append(live: LiveRun, outcome: RunOutcome): ReturnType<ChatLog['appendAnswer']> {
    const { tenantId, chatId, runId } = live.ref;
    const meta = metaOf(live, outcome);
    const onStored = (stored: Stored): void =>
      this.publisher.ended(live, messageFrom(live, outcome, meta, stored), outcome.failure);
    return this.messages.appendAnswer({
      tenantId,
      roomId: chatId,
      runId,
      senderId: live.senderId,
      content: live.text,
      meta,
      status: outcome.status,
      replyToSeq: live.replyToSeq,
      run: columnsOf(live, outcome),
      onStored,
    });
  }
}

/** In a room of people an answer that was stopped before its first word is no message, and no notice that was lost. */
function isUnsaid({ agent, text }: LiveRun, { status }: RunOutcome): boolean {
  return agent !== undefined && text === '' && (status === 'cancelled' || agent.refused !== null);
}

function metaOf(live: LiveRun, { finishReason, usage, failure }: RunOutcome): AnswerMeta {
  return {
    ...(live.channel === undefined ? {} : { channel: live.channel }),
    ...(live.model === undefined ? {} : { model: live.model }),
    ...(live.imagesLeftOut === 0 ? {} : { images_left_out: live.imagesLeftOut }),
    finish_reason: finishReason,
    ...(usage === undefined ? {} : { usage: usageMeta(usage) }),
    ...(live.reasoning === '' ? {} : { reasoning: true }),
    ...(failure === undefined ? {} : { error: failureMeta(failure) }),
  };
}

function columnsOf(live: LiveRun, { finishReason, usage, failure }: RunOutcome): object {
  return {
    channel: live.channel ?? null,
    model: live.model ?? null,
    finish_reason: finishReason,
    token_count: live.count,
    prompt_tokens: usage?.promptTokens ?? 0,
    completion_tokens: usage?.completionTokens ?? 0,
    total_tokens: usage?.totalTokens ?? 0,
    estimated: usage?.estimated ?? false,
    cost: usage?.cost ?? null,
    error_code: failure?.code ?? null,
    error_message: failure?.message ?? null,
    ...(live.reasoning === '' ? {} : { reasoning: live.reasoning }),
    ...(live.agent?.refused == null ? {} : { refused: live.agent.refused }),
  };
}

function messageFrom(live: LiveRun, outcome: RunOutcome, meta: AnswerMeta, stored: Stored): ChatMessage {
  const { usage, finish_reason: finishReason, reasoning: _isKept, ...metadata } = meta;
  return {
    messageId: live.ref.runId,
    seq: stored.seq,
    role: 'assistant',
    senderId: live.senderId,
    content: live.text,
    ...(live.reasoning === '' ? {} : { reasoning: live.reasoning }),
    metadata,
    status: outcome.status,
    replyToSeq: live.replyToSeq,
    usage: usage === undefined ? null : (outcome.usage ?? null),
    finishReason,
    createdAt: stored.createdAt,
    deletedAt: null,
  };
}

/** The stop has less for its workers. */
const ALL_THERE_IS_MS = 600_000;

/**
 * Answers, one at a time per chat, and in a room of people per agent. Only a run that was still queued is begun: one whose worker died while it streamed ends
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
})
export class RunWorker implements JobRunner<RunPayload> {
  readonly drainMs: number;

  constructor(
    private readonly runs: RunsRepository,
    private readonly live: LiveRuns,
    private readonly answerer: Answerer,
    private readonly ends: RunEnds,
    private readonly turns: RunTurns,
    config: RuntimeConfig,
  ) {
    this.drainMs = config.runDrainMs ?? ALL_THERE_IS_MS;
  }

  async run({ tenantId, payload }: Job<RunPayload>, signal: AbortSignal): Promise<void> {
    const { run_id: runId, room_id: chatId, seq, options, request_id: requestId } = payload;
    const ref = { tenantId, chatId, runId };
    // Where this throws the run waits as before, and its images with it.
    const begun = await retryWhileAway(signal, () => this.runs.begin(tenantId, runId, options ?? null));
    try {
      if (begun.status === 'gone') return;
      if (begun.status === 'ended') {
        await this.ends.republish(ref);
        return;
      }
      const senderId = begun.agent?.agent_id ?? AGENT_PREFIX + begun.preset;
      const question = questionOf(begun, options);
      const live = new LiveRun(ref, begun.fence, seq, senderId);
      live.agent = begun.agent;
      if (begun.status === 'lost') {
        await this.endLost(live, question, signal);
        return;
      }
      live.requestId = requestId;
      await this.live.during(live, () => this.answer(live, begun, question, signal));
    } finally {
      this.turns.over(runId);
    }
  }

  /** No answer can be stored for it: it must not stay open for ever, also where the rest of its payload cannot be read. */
  async onDead({ tenantId, key, payload }: Job<Partial<RunPayload>>, error: string): Promise<void> {
    const { run_id: runId, room_id: chatId = key, seq = 0 } = payload;
    if (runId === undefined) return;
    this.turns.over(runId);
    await this.ends.giveUp({ tenantId, chatId, runId }, seq, error);
  }

  private async answer(live: LiveRun, begun: Taken, question: Question, signal: AbortSignal): Promise<void> {
    const outcome = (await this.turns.refusal(live, begun)) ?? (await this.answerer.answer(live, question, signal));
    if (signal.reason === LEASE_LOST) {
      // The worker that gets the job next, if on this node, has more than what was stored of it.
      this.live.keep(live.ref.runId, { live, outcome });
      throw new Error('the lease of a run was lost');
    }
    await this.ends.store(live, outcome, signal);
    // Does not matter enough to be tried again: the next reservation does the same.
    if (live.isBound) await this.runs.settle(live.ref.tenantId, live.ref.runId).catch(() => undefined);
    await this.turns.settled(live, begun, outcome);
  }

  private async endLost(lost: LiveRun, question: Question, signal: AbortSignal): Promise<void> {
    const { ref, fence, replyToSeq, senderId, agent } = lost;
    const kept = this.live.takeUnstored(ref.runId);
    if (kept !== undefined) return this.ends.store(kept.live, kept.outcome, signal);
    const tokens = await retryWhileAway(signal, () => this.runs.tokens(ref.tenantId, ref.runId));
    const live = new LiveRun(ref, fence, replyToSeq, senderId, tokens);
    live.agent = agent;
    const usage = await retryWhileAway(signal, () => this.answerer.usageOfLost(live, question));
    await this.ends.store(live, { status: 'interrupted', finishReason: 'stopped', usage }, signal);
  }
}

function limit(name: 'runs_at_once' | 'runs_at_once_per_user'): TenantJobLimit {
  return { name, byDefault: LIMIT_DEFAULTS[name] };
}

function questionOf(begun: Taken, options: string | undefined): Question {
  const asked = options === undefined ? {} : (JSON.parse(options) as TurnOptions);
  const { user_id: userId, preset, cleared_seq: clearedSeq, agent } = begun;
  return { userId, preset, clearedSeq, options: asked, agent };
}

function failed(failure: RunFailure): RunOutcome {
  return { status: 'failed', finishReason: 'error', usage: undefined, failure };
}
