import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/metrics';
import { RoomFeed } from '../../../realtime';
import type { ChatMessage, RunFailure } from '../contract';
import { ChatHub } from '../streams/chat-hub';
import { ChunkWriter } from './chunk-writer';
import type { LiveRun } from './live-run';

/** Tells everybody how an answer comes along: watchers of the chat, and members of its room on /ws. */
@Injectable()
export class RunPublisher {
  private readonly fresh = new Set<LiveRun>();

  constructor(
    private readonly hub: ChatHub,
    private readonly feed: RoomFeed,
    private readonly chunks: ChunkWriter,
    private readonly metrics: Metrics,
  ) {}

  started(live: LiveRun): void {
    const { tenantId, chatId, runId } = live.ref;
    this.hub.publish(live.ref, { kind: 'started', runId });
    this.feed.stream(tenantId, chatId, runId, { type: 'start', senderId: live.senderId });
  }

  /** The run has new tokens: what one turn brings goes together. */
  grown(live: LiveRun): void {
    if (this.fresh.size === 0) setImmediate(() => this.flush());
    this.fresh.add(live);
    this.chunks.mark(live);
  }

  /** Right before the answer's message is published. */
  ended(live: LiveRun, answer: ChatMessage, failure: RunFailure | undefined): void {
    const { tenantId, chatId, runId } = live.ref;
    this.tokens(live);
    this.fresh.delete(live);
    live.isOver = true;
    this.metrics.counter('chatapi_runs_ended_total').labels({ status: answer.status }).inc();
    const ending = { kind: 'ended', runId, count: live.count, answer } as const;
    this.hub.publish(live.ref, failure === undefined ? ending : { ...ending, failure });
    this.feed.stream(
      tenantId,
      chatId,
      runId,
      failure === undefined
        ? { type: 'end', seq: answer.seq, status: answer.status, finishReason: answer.finishReason }
        : { type: 'error', code: failure.code, message: failure.message },
    );
  }

  private flush(): void {
    for (const live of this.fresh) this.tokens(live);
    this.fresh.clear();
  }

  private tokens(live: LiveRun): void {
    const first = live.published;
    if (live.count === first) return;
    live.published = live.count;
    const { tenantId, chatId, runId } = live.ref;
    const { text, ends } = live.from(first);
    this.hub.publish(live.ref, { kind: 'tokens', runId, first, text, ends });
    this.feed.stream(tenantId, chatId, runId, { type: 'delta', text, index: live.count - 1 });
  }
}
