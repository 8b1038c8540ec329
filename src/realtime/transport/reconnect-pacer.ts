import { performance } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { Gauge } from '../../platform/metrics';

/** Says which work may begin now. A caller that was given a turn gives it back. */
export interface TurnTaker {
  /** Resolves when it is the caller's turn; false: it was not wanted any more when it came, and is not to be given back. */
  take(isWanted?: () => boolean): Promise<boolean>;
  giveBack(): void;
  /** Other work waits for a turn, of whatever kind: what can be done together later had better wait. */
  readonly isCrowded: boolean;
}

/** So many may work at once; the others wait, first come, first served. */
export class Permits implements TurnTaker {
  private readonly queue: (() => void)[] = [];

  constructor(private free: number) {}

  get isCrowded(): boolean {
    return this.queue.length > 0;
  }

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

/** What this process's event loop has done since it began, in ms; reading it costs about a microsecond. */
@Injectable()
export class LoopTime {
  /** `active`: it worked, or waited for a processor; `idle`: it waited for something to happen. */
  read(): { readonly active: number; readonly idle: number } {
    return performance.eventLoopUtilization();
  }
}

/** The part of the event loop's time up to which pieces of work are begun without delay. */
const LOOP_SHARE = 0.4;
/** The same while clients are sent nothing live: the rest is for requests. */
const QUIET_SHARE = 0.8;
/** After the last live event. */
const QUIET_MS = 1000;
/** Two pieces never begin in one turn: what the first one costs shows only afterwards. */
const SHORTEST_REST_MS = 0.5;
/** The next piece waits at most so long, however busy the loop is with other things. */
const LONGEST_REST_MS = 10;

interface Waiter {
  readonly isWanted: () => boolean;
  readonly resolve: (isTurn: boolean) => void;
}

/** One kind of work that comes with a reconnect. */
class PacedQueue implements TurnTaker {
  readonly waiting: Waiter[] = [];
  inWork = 0;

  constructor(
    readonly most: number,
    private readonly gate: { waiting(): number; pump(): void },
  ) {}

  get isCrowded(): boolean {
    return this.gate.waiting() > 0;
  }

  get isReady(): boolean {
    return this.waiting.length > 0 && this.inWork < this.most;
  }

  take(isWanted: () => boolean = () => true): Promise<boolean> {
    return new Promise((resolve) => {
      this.waiting.push({ isWanted, resolve });
      this.gate.pump();
    });
  }

  giveBack(): void {
    this.inWork--;
    this.gate.pump();
  }
}

/**
 * What a reconnect costs is begun piece by piece, so that a storm of reconnects leaves most of the event loop, and with
 * it of the database that it asks, to the clients that are connected already (docs/adr/0020-comeback.md).
 *
 * Invariants
 * - The next piece begins when the loop was idle for one and a half times as long as it was active since the last one
 *   began; at the latest 10 ms after that. So the loop's use stays at 40 % wherever the storm alone is what drives it
 *   beyond, and no piece waits for ever where it is not. It is 80 % while nothing live is sent: no client is there to be spared,
 *   and all reconnect sooner.
 * - On a server that is idle a piece begins at once.
 * - Kinds of work take turns; within a kind it is first come, first served. A kind has at most so many in work.
 * - A piece that is not wanted any more when its turn comes takes none.
 */
@Injectable()
export class ReconnectPacer {
  private readonly queues: PacedQueue[] = [];
  private next = 0;
  private timer: NodeJS.Timeout | undefined;
  private begun: { readonly at: number; readonly active: number; readonly idle: number } | undefined;
  private isStopped = false;
  private liveAt = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly loop: LoopTime,
  ) {}

  /** A kind of work, of which at most so many pieces are in work at once. */
  queue(most: number): TurnTaker {
    const queue = new PacedQueue(most, this);
    this.queues.push(queue);
    return queue;
  }

  /** Pieces that wait. */
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
    this.pump();
  }

  /** Begins what may begin. For the queues. */
  pump(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.isStopped)
      for (const queue of this.queues) for (const waiter of queue.waiting.splice(0)) waiter.resolve(false);
    for (let queue = this.due(); queue !== undefined; queue = this.due()) {
      const rest = this.rest();
      if (rest > 0) {
        this.timer = setTimeout(() => this.pump(), Math.ceil(rest)).unref();
        return;
      }
      this.begin(queue);
    }
  }

  /** The queue whose turn it is, without those of it that have gone. */
  private due(): PacedQueue | undefined {
    for (let i = 0; i < this.queues.length; i++) {
      const queue = this.queues[(this.next + i) % this.queues.length];
      while (queue?.isReady === true && queue.waiting[0]?.isWanted() === false) queue.waiting.shift()?.resolve(false);
      if (queue?.isReady === true) return queue;
    }
    return undefined;
  }

  private begin(queue: PacedQueue): void {
    this.next = (this.queues.indexOf(queue) + 1) % this.queues.length;
    this.begun = { at: this.clock.monotonicMs(), ...this.loop.read() };
    queue.inWork++;
    queue.waiting.shift()?.resolve(true);
  }

  /** ms that the next piece has to wait yet. */
  private rest(): number {
    if (this.begun === undefined) return 0;
    const { active, idle } = this.loop.read();
    const now = this.clock.monotonicMs();
    const share = now - this.liveAt < QUIET_MS ? LOOP_SHARE : QUIET_SHARE;
    const due = Math.max(SHORTEST_REST_MS, ((active - this.begun.active) * (1 - share)) / share);
    const rested = idle - this.begun.idle;
    return Math.min(due - rested, LONGEST_REST_MS - (now - this.begun.at));
  }
}
