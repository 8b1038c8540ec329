import { Injectable } from '@nestjs/common';
import { isUnavailable } from '../../../common/errors';
import { ChatLog, isStored, type Stored } from '../../messages';
import type { ChatMessage } from '../contract';
import { type AnswerMeta, failureMeta, failureOf, messageOf, usageMeta } from '../chats/chat-row';
import { ChatHub } from '../streams/chat-hub';
import { ChunkWriter } from './chunk-writer';
import { LiveRun, type RunRef } from './live-run';
import { LiveRuns } from './live-runs';
import type { RunOutcome } from './run-outcome';
import { patiently } from './patience';
import { RunPublisher } from './run-publisher';
import { RunsRepository } from './runs.repository';

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
   * Stores the answer and ends its run, as often as it takes: nobody may be told of an end that a crash could undo. When
   * the signal says that the run is this worker's no longer, the answer is kept for whoever gets it next.
   */
  async store(live: LiveRun, outcome: RunOutcome, signal: AbortSignal): Promise<void> {
    await this.chunks.settle(live);
    try {
      await patiently(signal, async () => {
        const result = await this.append(live, outcome);
        if (isStored(result)) return;
        // Somebody else ended the run, or the chat is gone: what they stored is the truth.
        live.isOver = true;
        await this.republish(live.ref);
      });
    } catch (error) {
      if (isUnavailable(error)) this.live.keep(live.ref.runId, { live, outcome });
      throw error;
    }
  }

  /** Tells watchers of an end that is stored already. */
  async republish(ref: RunRef): Promise<void> {
    const { tenantId, chatId, runId } = ref;
    const [row, run] = await Promise.all([
      this.messages.find(tenantId, chatId, runId),
      this.runs.find(tenantId, chatId, runId),
    ]);
    if (row === undefined) return;
    const failure = failureOf(row);
    const ending = { kind: 'ended', runId, count: run?.token_count ?? 0, answer: messageOf(row) } as const;
    this.hub.publish(ref, failure === undefined ? ending : { ...ending, failure });
  }

  /** Ends a run that no answer can be stored for, and tells those who wait for it. */
  async giveUp(ref: RunRef, replyToSeq: number, error: string): Promise<void> {
    await this.runs.abandon(ref.tenantId, ref.runId, error);
    const failure = { code: 'INTERNAL_ERROR', message: 'The answer could not be stored' } as const;
    const live = new LiveRun(ref, 0, replyToSeq, '');
    const outcome: RunOutcome = { status: 'failed', finishReason: 'error', usage: undefined, failure };
    // There is no message: its seq is that of none.
    const stored: Stored = { status: 'new', messageId: ref.runId, seq: 0, rev: 0, createdAt: new Date() };
    const answer = messageFrom(live, outcome, metaOf(live, outcome), stored);
    this.hub.publish(ref, { kind: 'ended', runId: ref.runId, count: 0, answer, failure });
  }

  private append(live: LiveRun, outcome: RunOutcome): ReturnType<ChatLog['answer']> {
    const { tenantId, chatId, runId } = live.ref;
    const meta = metaOf(live, outcome);
    const onStored = (stored: Stored): void =>
      this.publisher.ended(live, messageFrom(live, outcome, meta, stored), outcome.failure);
    return this.messages.answer({
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

function metaOf(live: LiveRun, { finishReason, usage, failure }: RunOutcome): AnswerMeta {
  return {
    ...(live.channel === undefined ? {} : { channel: live.channel }),
    ...(live.model === undefined ? {} : { model: live.model }),
    finish_reason: finishReason,
    ...(usage === undefined ? {} : { usage: usageMeta(usage) }),
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
    error_code: failure?.code ?? null,
    error_message: failure?.message ?? null,
  };
}

function messageFrom(live: LiveRun, outcome: RunOutcome, meta: AnswerMeta, stored: Stored): ChatMessage {
  const { usage, finish_reason: finishReason, ...metadata } = meta;
  return {
    messageId: live.ref.runId,
    seq: stored.seq,
    role: 'assistant',
    senderId: live.senderId,
    content: live.text,
    metadata,
    status: outcome.status,
    replyToSeq: live.replyToSeq,
    usage: usage === undefined ? null : (outcome.usage ?? null),
    finishReason,
    createdAt: stored.createdAt,
    deletedAt: null,
  };
}
