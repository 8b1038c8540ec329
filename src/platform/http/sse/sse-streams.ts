import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../../auth';
import { Lifecycle, StopStage } from '../../lifecycle';
import { Metrics } from '../../metrics';
import { SseStream } from './sse-stream';

/** The longest delay that Node's timers know. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  // nginx would collect the answer otherwise.
  'X-Accel-Buffering': 'no',
} as const;

/** The open SSE answers of this node. They end when the server stops, so that HTTP can drain; readers join again. */
@Injectable()
export class SseStreams implements OnModuleInit {
  private readonly live = new Set<SseStream>();
  private ended = false;

  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.metrics.collect('chatapi_sse_streams', () => [{ labels: {}, value: this.live.size }]);
    this.lifecycle.onStop(StopStage.sockets, 'sse streams', () => this.endAll());
  }

  /**
   * Begins an answer; to be returned, or sent, as `stream.body`. It lives no longer than the caller's credential.
   */
  open(reply: FastifyReply, caller: Pick<Caller, 'endsAtMs' | 'replayed'>): SseStream {
    const stream = new SseStream(reply.raw);
    this.live.add(stream);
    stream.onClose((why) => {
      this.live.delete(stream);
      this.metrics.counter('chatapi_sse_closes_total').labels({ reason: why }).inc();
    });
    endWith(stream, caller.endsAtMs);
    reply.headers(HEADERS);
    if (caller.replayed) reply.header('Idempotent-Replayed', 'true');
    // A call that was let in before the stop and got here after it.
    if (this.ended) stream.end('stopping');
    return stream;
  }

  private endAll(): void {
    this.ended = true;
    for (const stream of this.live) stream.end('stopping');
  }
}

function endWith(stream: SseStream, endsAtMs: number | undefined): void {
  if (endsAtMs === undefined) return;
  const timer = setTimeout(() => stream.end('expired'), Math.min(endsAtMs - Date.now(), MAX_TIMER_MS)).unref();
  stream.onClose(() => clearTimeout(timer));
}
