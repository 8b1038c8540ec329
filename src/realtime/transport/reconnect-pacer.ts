import { performance } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { SocketConfig } from '../../config';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { Gauge, Metrics } from '../../platform/metrics';
import { PieceCost } from './piece-cost';

/** Says which work may begin now. A caller that was given a turn gives it back. */
export interface TurnTaker {
  /** Resolves when it is the caller's turn; false: it was not wanted any more when it came, and is not to be given back. */
  take(isWanted?: () => boolean): Promise<boolean>;
  giveBack(): void;
}

/** So many may work at once; the others wait, first come, first served. */
export class Permits implements TurnTaker {
  private readonly queue: (() => void)[] = [];

  constructor(private free: number) {}

  take(): Promise<boolean> {
    if (this.free > 0) {
      this.free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => this.queue.push(() => resolve(true)));
  }

  giveBack(): void {
    const next = this.queue.shift();
    if (next === undefined) this.free++;
    else next();
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await work();
    } finally {
      this.giveBack();
    }
  }
}

interface LoopUse {
  /** ms that it worked, or waited for a processor. */
  readonly active: number;
  /** ms that it waited for something to happen. */
  readonly idle: number;
}

/** What this process's event loop has done since it began; reading it costs less than a microsecond. */
@Injectable()
export class LoopTime {
  read(): LoopUse {
    return performance.eventLoopUtilization();
  }
}

/** The part of the loop's time up to which pieces are begun while clients are sent nothing live; the rest is for requests. */
const QUIET_SHARE = 0.8;
/** After the last live event. */
const QUIET_MS = 1000;
/** A batch is to take about so long: a live message that comes at the wrong moment waits for that. */
const SLICE_MS = 2;
/** The same while nothing live is sent: longer, since each batch and each rest costs a turn of the loop. */
const QUIET_SLICE_MS = 8;
/** A batch begins at most so much later than the one before was to have ended, however busy the loop is. */
const LONGEST_REST_MS = 10;
/** Of a slice, what begins then: a tenth of the loop where other work takes all of it and a slice is 2 ms. */
const UNRESTED_SHARE = 0.5;
/** Timers come up to two milliseconds late: what the loop rests beyond its due counts for the next rest. */
const MOST_REST_SAVED_MS = 2;
/** Answers come in lumps: a rest that was cut short is made up for later. Beyond this it is forgotten: that was no piece (a pause of the collector). */
const MOST_REST_OWED_MS = 4 * LONGEST_REST_MS;
/** Pieces of one kind cost now less, now more: so many slices of what was rested for in vain count for dearer ones. */
const VARIANCE_SLICES = 2;
/** When nothing was begun for so long the next piece is the first of another storm: what pieces cost is not known. */
const LULL_MS = 1000;

/** The kinds of work that come with a reconnect; a label of /metrics. */
export type PieceKind = 'upgrade' | 'sync' | 'presence' | 'resync';

interface Waiter {
  /** Of the monotonic clock, in ms. */
  readonly since: number;
  readonly isWanted: () => boolean;
  readonly resolve: (isTurn: boolean) => void;
}

/** First come, first served; to take the first of ten thousand moves none of the others. */
class Line {
  private waiters: Waiter[] = [];
  private head = 0;

  get length(): number {
    return this.waiters.length - this.head;
  }

  get first(): Waiter | undefined {
    return this.waiters[this.head];
  }

  push(waiter: Waiter): void {
    this.waiters.push(waiter);
  }

  shift(): Waiter | undefined {
    const { first } = this;
    if (first === undefined) return undefined;
    this.head++;
    if (this.head * 2 < this.waiters.length) return first;
    this.waiters = this.waiters.slice(this.head);
    this.head = 0;
    return first;
  }
}

/** What the queues ask of their pacer. */
interface Gate {
  now(): number;
  ended(): void;
  pump(): void;
}

/** One kind of work that comes with a reconnect. */
class PacedQueue implements TurnTaker {
  readonly waiting = new Line();
  inWork = 0;

  constructor(
    readonly most: number,
    readonly waited: { observe(seconds: number): void },
    private readonly gate: Gate,
  ) {}

  get isReady(): boolean {
    return this.waiting.length > 0 && this.inWork < this.most;
  }

  take(isWanted: () => boolean = () => true): Promise<boolean> {
    return new Promise((resolve) => {
      this.waiting.push({ since: this.gate.now(), isWanted, resolve });
      this.gate.pump();
    });
  }

  giveBack(): void {
    this.inWork--;
    this.gate.ended();
    this.gate.pump();
  }
}

/** The loop at one moment. */
interface Moment extends LoopUse {
  /** Of the monotonic clock, in ms. */
  readonly at: number;
}

/** What holds for batches now: it depends on whether clients are sent something live. */
interface Terms {
  /** The longest that a batch is to take, in ms. */
  readonly slice: number;
  /** ms that the loop rests for each ms that it was active. */
  readonly rest: number;
}

/** Pieces that begin without a rest between them. */
interface Batch {
  readonly opened: Moment;
  /** The slice that it is to take, in ms. */
  readonly slice: number;
  /** Pieces. */
  readonly size: number;
  /** ms of activity that a piece is expected to cost. */
  readonly each: number;
  begun: number;
  /** The turn of the loop in which it began is over: what it did at once has been measured. */
  isSeen: boolean;
}

/**
 * What a reconnect costs is begun piece by piece, so that a storm of reconnects leaves most of the event loop, and with
 * it of the database that it asks, to the clients that are connected already (docs/adr/0020-comeback.md).
 *
 * Invariants
 * - Pieces begin in batches: as many as are expected to take a slice of the loop (2 ms; 8 ms while nothing live is sent)
 *   by what pieces have cost of late (`PieceCost`), at least 1, at most 64. The first batch of a storm has 8, and
 *   the second waits until a piece has ended. Two batches never begin in one turn of the loop.
 * - The next batch begins when the loop was idle for (1 - share) / share times as long as it was active since the last
 *   one began, or was expected to be: costs that come after an await are charged before they are seen. The share is
 *   `WS_COMEBACK_SHARE`, and at least 80 % while nothing live is sent: no client is there to be spared, and all reconnect
 *   sooner. So the loop's use stays at the share wherever the storm alone is what drives it beyond. A rest that was too
 *   long or too short is made up for by the next ones, within bounds.
 * - No piece waits for ever where the loop does not rest: what takes half a slice begins 10 ms after the last batch was
 *   to have ended, one piece where no cost is known. A piece that has begun is never held up, and one that never ends
 *   takes a place of its kind only.
 * - On a server that is idle a piece begins at once.
 * - Kinds of work take turns, within a batch, too; within a kind it is first come, first served. A kind has at most so
 *   many in work.
 * - A piece that is not wanted any more when its turn comes takes none.
 * - The loop is never kept turning to wait: a batch asks once for the end of its turn, a rest is one timer.
 */
@Injectable()
export class ReconnectPacer {
  private readonly queues: PacedQueue[] = [];
  private readonly cost = new PieceCost();
  private next = 0;
  private batch: Batch | undefined;
  /** Pieces that have ended since the batch began. */
  private done = 0;
  /** No piece of this storm has ended: what they cost is a guess. */
  private isBlind = false;
  /** ms of idleness that the next rest has in advance; below 0: that it has to make up for. */
  private saved = 0;
  /** ms of activity that were expected and rested for, and have not shown yet. */
  private ahead = 0;
  /** Pieces have waited since the batch began: what the loop did was mostly for pieces. */
  private isPressed = false;
  private turn: NodeJS.Immediate | undefined;
  private timer: NodeJS.Timeout | undefined;
  private wakesAt = 0;
  private isStopped = false;
  private liveAt = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly loop: LoopTime,
    private readonly config: SocketConfig,
    private readonly metrics: Metrics,
  ) {}

  /** A kind of work, of which at most so many pieces are in work at once. */
  queue(most: number, kind: PieceKind): TurnTaker {
    const waited = this.metrics.histogram('chatapi_comeback_wait_seconds').labels({ kind });
    const queue = new PacedQueue(most, waited, this);
    this.queues.push(queue);
    return queue;
  }

  /** Pieces that wait: more than none in a storm, where what can be done together later had better wait. */
  @Gauge('chatapi_comeback_waiting')
  waiting(): number {
    return this.queues.reduce((sum, queue) => sum + queue.waiting.length, 0);
  }

  /** A client may be sent something live. */
  noteLive(): void {
    this.liveAt = this.clock.monotonicMs();
  }

  /** No piece gets a turn any more; those that wait are refused. */
  @OnStop(StopStage.workers)
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    clearImmediate(this.turn);
    this.pump();
  }

  /** Of the monotonic clock, in ms. For the queues. */
  now(): number {
    return this.clock.monotonicMs();
  }

  /** A piece was given back. For the queues. */
  ended(): void {
    this.done++;
    this.isBlind = false;
  }

  /** Begins what may begin. For the queues. */
  pump(): void {
    if (this.isStopped) this.refuseAll();
    let queue = this.due();
    if (queue !== undefined) {
      const moment = { at: this.now(), ...this.loop.read() };
      for (; queue !== undefined; queue = this.due()) {
        const batch = this.openBatch(moment);
        if (batch === undefined) break;
        this.begin(queue, batch, moment);
      }
    }
    // Those that wait for a place of their kind count, too.
    this.isPressed ||= this.waiting() > 0;
  }

  private refuseAll(): void {
    for (const { waiting } of this.queues)
      for (let waiter = waiting.shift(); waiter !== undefined; waiter = waiting.shift()) waiter.resolve(false);
  }

  /** The queue whose turn it is, without those of it that have gone. */
  private due(): PacedQueue | undefined {
    for (let i = 0; i < this.queues.length; i++) {
      const queue = this.queues[(this.next + i) % this.queues.length];
      while (queue?.isReady === true && queue.waiting.first?.isWanted() === false)
        queue.waiting.shift()?.resolve(false);
      if (queue?.isReady === true) return queue;
    }
    return undefined;
  }

  private begin(queue: PacedQueue, batch: Batch, { at }: Moment): void {
    this.next = (this.queues.indexOf(queue) + 1) % this.queues.length;
    batch.begun++;
    queue.inWork++;
    const waiter = queue.waiting.shift();
    if (waiter === undefined) return;
    queue.waited.observe((at - waiter.since) / 1000);
    waiter.resolve(true);
  }

  /** The batch in which a piece may begin now; undefined: none yet, and `pump` will be called when one may. */
  private openBatch(moment: Moment): Batch | undefined {
    const { batch } = this;
    if (batch === undefined) return this.newBatch(moment, true);
    const lacking = this.isBlind ? Infinity : this.lackingRest(batch, moment);
    if (batch.isSeen && lacking <= 0) return this.newBatch(moment, true);
    if (batch.begun < batch.size && moment.active - batch.opened.active < batch.slice) return batch;
    if (!batch.isSeen) return undefined;
    const expected = batch.begun > 1 ? batch.begun * batch.each : 0;
    const rest = Math.min(lacking, batch.opened.at + expected + LONGEST_REST_MS - moment.at);
    if (rest <= 0) return this.newBatch(moment, false);
    this.wake(moment.at, Math.ceil(rest));
    return undefined;
  }

  /** Asks again after so many ms, unless that happens sooner. */
  private wake(now: number, ms: number): void {
    if (this.timer !== undefined && this.wakesAt <= now + ms) return;
    clearTimeout(this.timer);
    this.wakesAt = now + ms;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.pump();
    }, ms).unref();
  }

  /** ms that the loop has to be idle yet before it has rested for the batch; below 0: that it was idle beyond that. */
  private lackingRest(batch: Batch, moment: Moment): number {
    return this.charge(batch, moment) * this.terms().rest - (moment.idle - batch.opened.idle) - this.saved;
  }

  /** ms of activity for which the loop is to rest after the batch. */
  private charge({ opened, begun, each }: Batch, { active }: Moment): number {
    return Math.max(active - opened.active - this.ahead, begun * each);
  }

  private newBatch(opened: Moment, isRested: boolean): Batch {
    const { slice } = this.terms();
    if (this.batch === undefined) this.restart(slice);
    else this.account(this.batch, opened, slice);
    const isUnknown = this.isBlind && !isRested;
    const size = isUnknown ? 1 : this.cost.fitting(isRested ? slice : slice * UNRESTED_SHARE);
    const batch: Batch = { opened, slice, size, each: this.cost.ms, begun: 0, isSeen: false };
    this.batch = batch;
    this.done = 0;
    this.isPressed = false;
    this.turn = setImmediate(() => {
      batch.isSeen = true;
      this.pump();
    });
    return batch;
  }

  /** What the batch before has cost, and what the loop has rested for it. */
  private account(batch: Batch, moment: Moment, slice: number): void {
    const { opened } = batch;
    const active = moment.active - opened.active;
    this.saved = clamped(-this.lackingRest(batch, moment), -MOST_REST_OWED_MS, MOST_REST_SAVED_MS);
    // Pieces in work have their costs to come; of those that ended some were cheap, and others will be dear.
    const inWork = this.queues.reduce((sum, queue) => sum + queue.inWork, 0);
    const most = inWork * this.cost.ms + VARIANCE_SLICES * slice;
    this.ahead = clamped(this.ahead + this.charge(batch, moment) - active, 0, most);
    if (moment.at - opened.at >= LULL_MS) this.restart(slice);
    else if (this.isPressed) this.cost.note(active, this.done, slice);
    else this.cost.skip();
  }

  private restart(slice: number): void {
    this.cost.restart(slice);
    this.isBlind = true;
  }

  private terms(): Terms {
    const own = this.config.comebackShare / 100;
    const isLive = this.now() - this.liveAt < QUIET_MS;
    const share = isLive ? own : Math.max(own, QUIET_SHARE);
    const rest = (1 - share) / share;
    // A rest that is cut short would be no share: where the share is small the slices are.
    return { slice: Math.min(isLive ? SLICE_MS : QUIET_SLICE_MS, LONGEST_REST_MS / rest), rest };
  }
}

function clamped(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
