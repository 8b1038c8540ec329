import { unavailable } from '../../../common/errors';
import { roomKey } from '../../../common/ids';
import type { AppendLevels, Metrics } from '../../../platform/metrics';
import {
  type Appended,
  Batch,
  isStateChange,
  isStored,
  type LogWrite,
  type NewMessage,
  Pending,
  repeatKey,
  type StateChange,
  type StateOutcome,
  type Written,
} from './item';
import type { WriteOutcome } from './batch-writer';
import { TenantMix, FairQueue, Quota, type Bounds } from './fair-queue';

/** Writes a batch and says of each message what became of it; see BatchWriter. */
export interface Writer {
  /** @param lockMs how long it waits for each room that another transaction holds */
  write(batch: readonly LogWrite[], lockMs: number): Promise<WriteOutcome[]>;
}

export interface GroupCommitOptions {
  /** Messages of a batch, and their bytes; a single message may be larger. */
  readonly batch: Bounds;
  /** What one tenant may have of a batch while other tenants send, too: a commit takes as long as its batch is large. */
  readonly share: Bounds;
  /** Bounds of what waits; beyond them callers get 503. */
  readonly total: Bounds;
  readonly perTenant: Bounds;
  /** Calls that may wait for locked rooms at the same time. */
  readonly waiters: number;
  /** How long the first writer waits for each room that another transaction holds, in ms, before it skips it. */
  readonly lockMs: number;
  /** The same of a call for one room that the first writer has skipped. */
  readonly contendedLockMs: number;
  /** After this many ms a caller gets 503; what a call was made for may be stored, what only waited is not. */
  readonly answerMs: number;
}

/**
 * Messages that arrive while a commit is running go together in the next one; there is no timer, so a lone message
 * goes at once.
 *
 * Invariants
 * - Messages of one room are committed in the order in which they were handed in.
 * - Changes of states go with the messages of their batch, in one commit, in the same order (docs/adr/0043).
 * - A caller is answered only after the commit, with what the log says; or after `answerMs` with 503.
 * - Within a batch no two messages share (room, sender, client_message_id): repeats wait for the first one and get
 *   its answer, or a mismatch when their body differs.
 * - Waiting tenants are served in turns. While several send, none has more than its share of a batch, so no tenant waits
 *   for the commit of another's flood; alone, a tenant fills batches.
 * - One locked room stops no other: the first writer skips it, at once or after `lockMs`; its messages go, in order, to
 *   ContendedRooms, whose calls wait for that room alone, and later ones of that room queue behind them.
 *
 * Concurrency: one batch of the first writer at a time, and one of each contended room. All state is touched between
 * awaits only.
 */
export class GroupCommit {
  private readonly queue = new FairQueue<Pending>();
  private readonly mix = new TenantMix();
  private readonly quota: Quota;
  private readonly contended: ContendedRooms;
  /** Since when the oldest message of each write that runs has waited. */
  private readonly writing: number[] = [];
  private running: Promise<void> | undefined;
  /** For who looks back. */
  readonly written = new WrittenBatches();

  constructor(
    private readonly writer: Writer,
    private readonly metrics: Metrics,
    private readonly options: GroupCommitOptions,
  ) {
    this.quota = new Quota(options.total, options.perTenant);
    this.contended = new ContendedRooms((waiting) => this.serveRoom(waiting), options.waiters);
  }

  /** Messages that were handed in and have not left yet. */
  get size(): number {
    return this.quota.items;
  }

  /** What was handed in and has not left yet; of one tenant alone, the oldest is of those that no write has taken. */
  levels(tenantId?: string): AppendLevels {
    const used = this.quota.used(tenantId);
    const waiting = [...this.queue.firsts(tenantId), ...this.contended.firsts(tenantId)];
    const now = performance.now();
    const written = tenantId === undefined ? this.writing : [];
    const oldest = waiting.reduce((least, { since }) => Math.min(least, since), Math.min(now, ...written));
    return { ...used, oldestMs: now - oldest };
  }

  /** Resolves after the commit with what the log says. Rejects with 503 when too much waits or it takes too long. */
  async append(message: NewMessage): Promise<Appended> {
    const result = await this.handIn(message);
    if (result.status === 'state') throw new Error('a message was answered as a state');
    return result;
  }

  /** The same for a state of a message. */
  async change(change: StateChange): Promise<StateOutcome> {
    const result = await this.handIn(change);
    if (result.status !== 'state') throw new Error('a state was answered as a message');
    return result;
  }

  private handIn(message: LogWrite): Promise<Written> {
    return new Promise((resolve, reject) => {
      const item = new Pending(message, this.options.answerMs, resolve, reject);
      if (!this.quota.take(message.tenantId, item.bytes)) {
        item.reject(unavailable('Too many messages are waiting. Try again in a moment'));
        return;
      }
      this.mix.note(message.tenantId);
      this.queue.push(message.tenantId, item);
      this.running ??= this.run();
    });
  }

  /** Resolves when everything that was handed in has left. */
  async idle(): Promise<void> {
    await this.running;
    await this.contended.idle();
  }

  private async run(): Promise<void> {
    // What arrives in the same turn goes into the first batch.
    await Promise.resolve();
    while (this.queue.size > 0) {
      const { batch, repeats } = this.compose();
      if (batch.length === 0) continue;
      const outcomes = await this.write(batch, repeats, this.options.lockMs);
      batch.forEach((item, i) => this.settle(item, outcomeAt(outcomes, i)));
      this.settleRepeats(batch, outcomes, repeats);
    }
    this.running = undefined;
  }

  /** Fills a batch in fair order; repeats of a message in it are set aside, contended rooms handed over. */
  private compose(): { batch: Pending[]; repeats: Pending[] } {
    const { batch: limits, share } = this.options;
    const batch = new Batch(limits, this.mix.isMixed ? share : limits);
    const repeats: Pending[] = [];
    this.queue.drain((item) => {
      if (batch.isFull || repeats.length >= limits.items) return 'full';
      if (batch.isServed(item.message.tenantId)) return 'later';
      if (item.answered) this.leave(item);
      else if (!this.contended.join(item) && !batch.add(item)) repeats.push(item);
      return 'taken';
    });
    return { batch: batch.items, repeats };
  }

  /** One call for a room that was found locked, which waits for it; a repeat of an item in it comes next time. */
  private async serveRoom(waiting: readonly Pending[]): Promise<readonly Pending[]> {
    const alive = waiting.filter((item) => !item.answered);
    for (const item of waiting) if (item.answered) this.leave(item);
    const batch = new Batch(this.options.batch);
    for (const item of alive) if (batch.isFull || !batch.add(item)) break;
    const rest = alive.slice(batch.items.length);
    if (batch.items.length === 0) return rest;
    const outcomes = await this.write(batch.items, [], this.options.contendedLockMs);
    const locked = batch.items.filter((_, i) => outcomeAt(outcomes, i).status === 'locked');
    batch.items.forEach((item, i) => {
      const outcome = outcomeAt(outcomes, i);
      if (outcome.status !== 'locked') this.settle(item, outcome);
    });
    return [...locked, ...rest];
  }

  private async write(batch: readonly Pending[], repeats: readonly Pending[], lockMs: number): Promise<WriteOutcome[]> {
    const begun = performance.now();
    this.metrics.histogram('chatapi_append_batch_size').observe(batch.length);
    const oldest = batch.reduce((since, item) => Math.min(since, item.since), begun);
    this.metrics.histogram('chatapi_append_wait_seconds').observe((begun - oldest) / 1000);
    for (const item of [...batch, ...repeats]) item.tried = true;
    const messages = batch.map((item) => item.message);
    this.writing.push(oldest);
    const outcomes = await this.writer
      .write(messages, lockMs)
      .catch((error: unknown) => batch.map((): WriteOutcome => ({ status: 'failed', error })));
    this.writing.splice(this.writing.indexOf(oldest), 1);
    const ended = performance.now();
    this.metrics.histogram('chatapi_append_seconds').observe((ended - begun) / 1000);
    this.count(outcomes);
    if (lockMs > 0 && outcomes.some(({ status }) => status === 'locked'))
      this.metrics.counter('chatapi_append_locked_total').inc();
    let [from, to] = [Infinity, -Infinity];
    batch.forEach(({ message, since }, i) => {
      const outcome = outcomes[i];
      if (outcome?.status !== 'new') return;
      this.metrics.sent(message.tenantId, ended - since, ended);
      const at = outcome.createdAt.getTime();
      if (at < from) from = at;
      if (at > to) to = at;
    });
    if (from <= to)
      this.written.note({ from, to, messages: batch.length, waitedMs: begun - oldest, tookMs: ended - begun });
    return outcomes;
  }

  private settle(item: Pending, outcome: WriteOutcome): void {
    if (outcome.status === 'locked') {
      this.contended.park(item);
      return;
    }
    this.leave(item);
    if (outcome.status === 'failed') item.reject(outcome.error);
    else item.resolve(outcome);
  }

  /** A repeat gets the answer of the message that it repeats; where that one was not stored it goes on its own. */
  private settleRepeats(
    batch: readonly Pending[],
    outcomes: readonly WriteOutcome[],
    repeats: readonly Pending[],
  ): void {
    if (repeats.length === 0) return;
    const first = new Map(batch.map((item, i) => [repeatKey(item.message), { item, outcome: outcomeAt(outcomes, i) }]));
    for (const item of repeats) {
      const original = first.get(repeatKey(item.message));
      if (original?.outcome.status === 'locked') this.contended.park(item);
      else if (original && isStored(original.outcome)) {
        const isSame = hasSameBody(original.item.message, item.message);
        const outcome: WriteOutcome = isSame ? { ...original.outcome, status: 'duplicate' } : { status: 'mismatch' };
        this.count([outcome]);
        this.settle(item, outcome);
      } else this.queue.push(item.message.tenantId, item);
    }
  }

  /** Once per batch: finding a labelled counter costs as much as the rest of what is done for a message. */
  private count(outcomes: readonly WriteOutcome[]): void {
    const byStatus = new Map<string, number>();
    for (const { status } of outcomes) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    const counter = this.metrics.counter('chatapi_append_items_total');
    for (const [status, n] of byStatus) counter.labels({ status }).inc(n);
  }

  private leave(item: Pending): void {
    this.quota.release(item.message.tenantId, item.bytes);
  }
}

/** How a batch was written. */
export interface WrittenBatch {
  /** In it, those that were refused too. */
  readonly messages: number;
  /** Milliseconds that its oldest message waited for it, and that the write took. */
  readonly waitedMs: number;
  readonly tookMs: number;
}

/** With the times, in ms, that its first and last new message have in the log. */
type DatedBatch = WrittenBatch & { readonly from: number; readonly to: number };

const MOST_BATCHES = 4096;

/** The last 4,096 batches that stored something. A write costs one entry, a look goes through all. */
export class WrittenBatches {
  private readonly ring: DatedBatch[] = [];
  private next = 0;

  note(batch: DatedBatch): void {
    this.ring[this.next] = batch;
    this.next = (this.next + 1) % MOST_BATCHES;
  }

  /** The batch that a message with this time came with; undefined where none is remembered, or two may be it. */
  find(createdAt: Date): WrittenBatch | undefined {
    const at = createdAt.getTime();
    const found = this.ring.filter(({ from, to }) => from <= at && at <= to);
    return found.length === 1 ? found[0] : undefined;
  }
}

function hasSameBody(a: LogWrite, b: LogWrite): boolean {
  return !isStateChange(a) && !isStateChange(b) && a.bodyHash.equals(b.bodyHash);
}

function outcomeAt(outcomes: readonly WriteOutcome[], index: number): WriteOutcome {
  return outcomes[index] ?? { status: 'failed', error: new Error('no outcome for an item of a batch') };
}

/** Writes what it can of a room's messages, in order, and returns those that are still to be written. */
type ServeRoom = (waiting: readonly Pending[]) => Promise<readonly Pending[]>;

/**
 * Rooms that another transaction held when their messages were to be written. Each is served by itself, so that one that
 * stays locked delays no other; at most `limit` at a time, in turns. A room leaves when none of its messages waits.
 */
class ContendedRooms {
  private readonly rooms = new Map<string, Pending[]>();
  /** Rooms that wait for their turn. */
  private readonly turns: string[] = [];
  private readonly workers = new Set<Promise<void>>();

  constructor(
    private readonly serve: ServeRoom,
    private readonly limit: number,
  ) {}

  /** Queues the message if its room is here; false when it is not. */
  join(item: Pending): boolean {
    const waiting = this.rooms.get(roomKey(item.message.tenantId, item.message.roomId));
    waiting?.push(item);
    return waiting !== undefined;
  }

  /** The message that has waited longest of each room, or of each of one tenant. */
  firsts(tenantId?: string): Pending[] {
    const firsts = [...this.rooms.values()].flatMap(([first]) => first ?? []);
    return tenantId === undefined ? firsts : firsts.filter(({ message }) => message.tenantId === tenantId);
  }

  /** Queues a message of a room that was found locked. */
  park(item: Pending): void {
    if (this.join(item)) return;
    const key = roomKey(item.message.tenantId, item.message.roomId);
    this.rooms.set(key, [item]);
    this.turns.push(key);
    if (this.workers.size < this.limit) this.start();
  }

  /** Resolves when no room is left. */
  async idle(): Promise<void> {
    while (this.workers.size > 0) await Promise.all(this.workers);
  }

  private start(): void {
    const worker: Promise<void> = this.work().finally(() => this.workers.delete(worker));
    this.workers.add(worker);
  }

  private async work(): Promise<void> {
    // The rest of this batch is parked in this turn, too: the first call takes them all.
    await Promise.resolve();
    for (let key = this.turns.shift(); key !== undefined; key = this.turns.shift()) {
      const waiting = this.rooms.get(key) ?? [];
      this.rooms.set(key, []);
      const left = await this.serve(waiting);
      const next = [...left, ...(this.rooms.get(key) ?? [])];
      if (next.length === 0) this.rooms.delete(key);
      else {
        this.rooms.set(key, next);
        this.turns.push(key);
      }
    }
  }
}
