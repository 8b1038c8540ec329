import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Readable } from 'node:stream';
import { AppError } from '../../common/errors';
import type { Caller } from '../../platform/auth';
import { eventBytes, type SseStream, SseStreams } from '../../platform/http';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { Gauge } from '../../platform/metrics';
import { Counts } from './counts';
import { Ring } from './ring';
import { Sampler } from './sampler';
import { sampleView } from './views';

const SECOND_MS = 1000;
/** At a time, on this node. */
export const MOST_STREAMS = 20;
/** Of these, so many with tenants' keys, and so many of one tenant: the operator is never shut out by them. */
export const MOST_OF_KEYS = 15;
export const MOST_OF_TENANT = 5;
const RETRY_SECONDS = 5;
/** A reader that has not taken so much gets no more until it has. */
const PACE_BYTES = 256 * 1024;
const CATCH_UP_MS = 20;

interface Reader {
  readonly stream: SseStream;
  /** Whose samples it gets; undefined: those about all. */
  readonly tenantId: string | undefined;
  /** The tenant of its key; undefined with the master key. */
  readonly keyOf: string | undefined;
  /** The number of the sample that it gets next. */
  next: number;
}

/**
 * The readers of samples. Each gets every sample after the one that it came with, once and in order, as fast as it reads;
 * one that reads slower than ten minutes' worth goes on with the oldest that there is.
 *
 * A sample is serialised once for all who get it. What waits for a reader has a bound, and so has the number of readers.
 */
@Injectable()
export class StatsStreams {
  private readonly readers = new Set<Reader>();
  /** Frames about a tenant of the newest sample. */
  private readonly frames = new Map<string, Buffer>();
  private catchingUp: NodeJS.Timeout | undefined;
  private isOver = false;

  constructor(
    private readonly sse: SseStreams,
    private readonly sampler: Sampler,
    private readonly ring: Ring,
    private readonly counts: Counts,
  ) {}

  @Gauge('chatapi_stats_streams')
  size(): number {
    return this.readers.size;
  }

  /**
   * @param tenantId whose samples; undefined: those about all
   * @param after the id of the last sample that the reader has; undefined: it begins with the newest
   * @throws 429 where there are as many streams as there may be
   */
  openStream(reply: FastifyReply, caller: Caller, tenantId: string | undefined, after: number | undefined): Readable {
    const keyOf = caller.tenant?.tenantId;
    this.refuseBeyond(keyOf);
    const stream = this.sse.openStream(reply, caller);
    const reader: Reader = { stream, tenantId, keyOf, next: this.first(after) };
    this.readers.add(reader);
    stream.onClose(() => this.readers.delete(reader));
    this.pump(reader);
    this.catchUp();
    return stream.body;
  }

  /** The sample of this second, for all who wait for it. */
  @Every(SECOND_MS, 'stats', StopStage.sockets)
  tick(): void {
    const watched = new Set<string>();
    for (const { tenantId } of this.readers) if (tenantId !== undefined) watched.add(tenantId);
    this.frames.clear();
    const sample = this.sampler.sample(watched);
    this.ring.keepFrame(eventBytes(sampleView(sample), String(sample.id)));
    for (const reader of this.readers) this.pump(reader);
    this.catchUp();
  }

  @OnStop(StopStage.sockets)
  end(): void {
    this.isOver = true;
    clearTimeout(this.catchingUp);
  }

  private refuseBeyond(keyOf: string | undefined): void {
    const ofKeys = [...this.readers].filter((reader) => reader.keyOf !== undefined);
    const isFull =
      this.readers.size >= MOST_STREAMS ||
      (keyOf !== undefined &&
        (ofKeys.length >= MOST_OF_KEYS || ofKeys.filter((reader) => reader.keyOf === keyOf).length >= MOST_OF_TENANT));
    if (!isFull) return;
    throw new AppError('RATE_LIMIT_EXCEEDED', 'Too many open streams of stats', {
      details: { limit: 'stats_streams' },
      retryAfterSeconds: RETRY_SECONDS,
    });
  }

  private first(after: number | undefined): number {
    const { newest } = this.ring;
    if (after === undefined) return Math.max(newest, 0);
    // An id of the future is one of another life of this server: its clock was set back.
    return newest >= 0 && after > this.ring.idOf(newest) ? newest : this.ring.after(after);
  }

  /** What it has not got yet, as far as it reads. */
  private pump(reader: Reader): void {
    const { stream, tenantId } = reader;
    const { newest, oldest } = this.ring;
    reader.next = Math.max(reader.next, oldest);
    for (; reader.next <= newest && stream.waiting < PACE_BYTES; reader.next++) {
      const frame = tenantId === undefined ? this.ring.frameOf(reader.next) : this.frameOf(tenantId, reader.next);
      if (frame !== undefined) stream.sendBytes(frame);
    }
  }

  private frameOf(tenantId: string, n: number): Buffer | undefined {
    const isNewest = n === this.ring.newest;
    const made = isNewest ? this.frames.get(tenantId) : undefined;
    if (made !== undefined) return made;
    const numbers = this.ring.read(tenantId, n);
    if (numbers === undefined) return undefined;
    const id = this.ring.idOf(n);
    const counts = isNewest ? this.counts.latest(tenantId) : undefined;
    const frame = eventBytes(sampleView({ id, atMs: this.ring.timeOf(n), tenantId, numbers, counts }), String(id));
    if (isNewest) this.frames.set(tenantId, frame);
    return frame;
  }

  /** Until the readers that are behind are not. */
  private catchUp(): void {
    const isBehind = [...this.readers].some(({ next }) => next <= this.ring.newest);
    if (!isBehind || this.isOver || this.catchingUp !== undefined) return;
    this.catchingUp = setTimeout(() => {
      this.catchingUp = undefined;
      for (const reader of this.readers) this.pump(reader);
      this.catchUp();
    }, CATCH_UP_MS).unref();
  }
}
