import { Injectable, type OnModuleInit } from '@nestjs/common';
import { unavailable } from '../../../common/errors';
import { Availability } from '../../../platform/database';
import { Lifecycle, StopStage } from '../../../platform/lifecycle';
import { Metrics } from '../../../platform/metrics';
import { AppendRepository } from './append.repository';
import { BatchWriter, type Outcome } from './batch-writer';
import { FairQueue } from './fair-queue';
import { type Appended, isStored, type NewMessage, type Pending, roomKey } from './item';

const MAX_BATCH = 256;
const MAX_QUEUED = 20_000;
const MAX_QUEUED_PER_TENANT = 5000;
/** How long a batch whose COMMIT is in doubt waits for the database to come back and tell. */
const RECOVERY_MS = 4000;
const RECOVERY_POLL_MS = 50;
/** After this long a caller is told 503; the writer goes on finding out what became of the message. */
const ANSWER_MS = 4500;

/**
 * Group commit. Messages that arrive while a commit is running go together in the next one; there is no timer, so a
 * lone message goes at once.
 *
 * Invariants
 * - Messages of one room are committed in the order in which they were handed in.
 * - A caller is answered only after the commit, with what the log says.
 * - Within a batch no two messages share (room, sender, client_message_id): repeats wait for the first one and get
 *   its answer, or a mismatch when their body differs.
 * - One locked room stops nobody else: the first writer skips it (SKIP LOCKED); its messages go, in order, to a
 *   second writer that waits for it, and later ones of that room queue behind them.
 *
 * Concurrency: at most one batch of each writer is under way. All state is touched between awaits only.
 */
@Injectable()
export class Appender implements OnModuleInit {
  private readonly queue = new FairQueue(MAX_QUEUED, MAX_QUEUED_PER_TENANT);
  /** Rooms that belong to the second writer, with their waiting messages. */
  private readonly contended = new Map<string, Pending[]>();
  private readonly writer: BatchWriter;
  private running: Promise<void> | undefined;
  private waiting: Promise<void> | undefined;
  private closed = false;

  constructor(
    repository: AppendRepository,
    private readonly availability: Availability,
    private readonly lifecycle: Lifecycle,
    private readonly metrics: Metrics,
  ) {
    this.writer = new BatchWriter(repository, () => this.databaseBack());
  }

  onModuleInit(): void {
    this.metrics.collect('chatapi_append_queue_items', () => [{ labels: {}, value: this.queue.size }]);
    this.lifecycle.onStop(StopStage.requests, 'appender', () => this.drain());
  }

  /**
   * Appends a message; resolves after its commit. Rejects with 503 when the database is away, the queue is full or
   * the server is stopping.
   */
  append(message: NewMessage): Promise<Appended> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(unavailable('The server is stopping'));
        return;
      }
      if (!this.availability.up) {
        reject(unavailable('The database is not available right now. Try again in a moment'));
        return;
      }
      if (!this.queue.push({ message, resolve, reject, since: performance.now() })) {
        reject(unavailable('Too many messages are waiting. Try again in a moment'));
        return;
      }
      this.running ??= this.run();
    });
  }

  /** Writes what is queued and takes nothing more. */
  async drain(): Promise<void> {
    this.closed = true;
    await this.running;
    await this.waiting;
  }

  private async run(): Promise<void> {
    // What arrives in the same turn goes into the first batch.
    await Promise.resolve();
    while (this.queue.size > 0) {
      const { batch, repeats } = this.compose();
      if (batch.length > 0) await this.commit(batch, repeats, false);
      else for (const item of repeats) this.requeue(item);
    }
    this.running = undefined;
  }

  /** Fills a batch in fair order; repeats of a message in the batch are set aside, contended rooms handed over. */
  private compose(): { batch: Pending[]; repeats: Pending[] } {
    const batch: Pending[] = [];
    const repeats: Pending[] = [];
    const seen = new Set<string>();
    this.queue.drain((item) => {
      if (batch.length >= MAX_BATCH || repeats.length >= MAX_BATCH) return 'full';
      const parked = this.contended.get(roomKey(item.message));
      if (parked) parked.push(item);
      else if (isRepeat(item.message, seen)) repeats.push(item);
      else batch.push(item);
      return 'taken';
    });
    return { batch, repeats };
  }

  private async commit(batch: Pending[], repeats: Pending[], wait: boolean): Promise<void> {
    const begun = performance.now();
    this.metrics.histogram('chatapi_append_batch_size').observe(batch.length);
    for (const item of batch)
      this.metrics.histogram('chatapi_append_wait_seconds').observe((begun - item.since) / 1000);
    const overdue = this.watch(batch, wait);
    const results = await this.writer
      .write(
        batch.map((item) => item.message),
        wait,
      )
      .finally(() => clearTimeout(overdue));
    this.metrics.histogram('chatapi_append_seconds').observe((performance.now() - begun) / 1000);
    const first = new Map<string, { message: NewMessage; result: Outcome }>();
    batch.forEach((item, i) => {
      const result = results[i] ?? { status: 'failed', error: new Error('no outcome') };
      const key = repeatKey(item.message);
      if (key !== undefined) first.set(key, { message: item.message, result });
      this.settle(item, result);
    });
    for (const item of repeats) this.settleRepeat(item, first.get(repeatKey(item.message) ?? ''));
  }

  /** Answers callers whose commit takes too long, and those who wait behind it. */
  private watch(batch: readonly Pending[], wait: boolean): NodeJS.Timeout {
    const oldest = Math.min(...batch.map((item) => item.since));
    return setTimeout(
      () => {
        for (const item of batch)
          item.reject(unavailable('The database did not answer in time', { outcome: 'unknown' }));
        const behind = wait ? [...this.contended.values()].flatMap((parked) => parked.splice(0)) : this.queue.clear();
        for (const item of behind) item.reject(unavailable('The database did not answer in time'));
      },
      Math.max(0, oldest + ANSWER_MS - performance.now()),
    );
  }

  private settle(item: Pending, result: Outcome): void {
    this.metrics.counter('chatapi_append_items_total').labels({ status: result.status }).inc();
    if (result.status === 'failed') item.reject(result.error);
    else if (result.status === 'locked') this.park(item);
    else item.resolve(result);
  }

  /** A repeat gets the answer of the message that it repeats; where that one was not stored it goes on its own. */
  private settleRepeat(item: Pending, original: { message: NewMessage; result: Outcome } | undefined): void {
    const result = original?.result;
    if (!original || result === undefined || result.status === 'locked' || !('seq' in result) || !isStored(result)) {
      if (result?.status === 'locked') this.park(item);
      else this.requeue(item);
      return;
    }
    const isSame = original.message.bodyHash.equals(item.message.bodyHash);
    this.settle(item, isSame ? { ...result, status: 'duplicate' } : { status: 'mismatch' });
  }

  private requeue(item: Pending): void {
    if (!this.queue.push(item)) item.reject(unavailable('Too many messages are waiting. Try again in a moment'));
  }

  private park(item: Pending): void {
    const key = roomKey(item.message);
    const parked = this.contended.get(key);
    if (parked) parked.push(item);
    else this.contended.set(key, [item]);
    this.waiting ??= this.runWaiting();
  }

  /** The second writer: waits for the rooms that the first one could not get. */
  private async runWaiting(): Promise<void> {
    await Promise.resolve();
    while (this.contended.size > 0) {
      const seen = new Set<string>();
      const batch: Pending[] = [];
      for (const parked of this.contended.values()) {
        let taken = 0;
        for (const item of parked) {
          if (batch.length >= MAX_BATCH || isRepeat(item.message, seen)) break;
          batch.push(item);
          taken++;
        }
        parked.splice(0, taken);
      }
      if (batch.length > 0) await this.commit(batch, [], true);
      for (const [key, parked] of this.contended) if (parked.length === 0) this.contended.delete(key);
    }
    this.waiting = undefined;
  }

  private async databaseBack(): Promise<boolean> {
    const until = performance.now() + RECOVERY_MS;
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, RECOVERY_POLL_MS));
      if (this.availability.up && !this.availability.suspected) return true;
    }
    return false;
  }
}

/** Remembers the message's key in `seen`; true when it was there already. */
function isRepeat(message: NewMessage, seen: Set<string>): boolean {
  const key = repeatKey(message);
  if (key === undefined) return false;
  if (seen.has(key)) return true;
  seen.add(key);
  return false;
}

function repeatKey(message: NewMessage): string | undefined {
  if (message.clientMessageId === null) return undefined;
  return `${roomKey(message)}/${message.senderId}/${message.clientMessageId}`;
}
