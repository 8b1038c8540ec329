import type { RuntimeConfig } from '../../config';
import { describeError, type Log } from '../logging';

/** The order in which a server stops; a stage begins when the one before has ended. */
export enum StopStage {
  /** /health/ready answers 503, so that load balancers look elsewhere; until they have, all is served as before. */
  readiness = 1,
  /** New requests and upgrades are refused. */
  refuse,
  /** Sockets hear `server.shutdown` and are closed, spread over time. */
  sockets,
  /** HTTP requests in flight finish. */
  requests,
  /** Workers finish or give their leases back; timers end. */
  workers,
  /** What is on its way into the log is written; what goes round between nodes ends. */
  log,
  /** The connections to the database are closed. */
  pool,
  /** The embedded PostgreSQL is shut down. */
  postgres,
}

/** All stages, first to last. */
export const STOP_STAGES: readonly StopStage[] = [
  StopStage.readiness,
  StopStage.refuse,
  StopStage.sockets,
  StopStage.requests,
  StopStage.workers,
  StopStage.log,
  StopStage.pool,
  StopStage.postgres,
];

/** How long a stage may take. */
interface Budget {
  /** It is over after this share of the grace, counted from the beginning of the stop: what one leaves is the next one's. */
  readonly share: number;
  /** Milliseconds that it has in any case, also where those before it have used up the grace. */
  readonly leastMs: number;
}

/** A worker that is cut off stores what it has, and PostgreSQL writes a checkpoint: that cannot be hurried to nothing. */
const STAGE_BUDGETS: Readonly<Record<StopStage, Budget>> = {
  [StopStage.readiness]: { share: 0.05, leastMs: 250 },
  [StopStage.refuse]: { share: 0.1, leastMs: 250 },
  [StopStage.sockets]: { share: 0.4, leastMs: 500 },
  [StopStage.requests]: { share: 0.6, leastMs: 0 },
  [StopStage.workers]: { share: 0.75, leastMs: 1500 },
  [StopStage.log]: { share: 0.8, leastMs: 500 },
  [StopStage.pool]: { share: 0.85, leastMs: 500 },
  [StopStage.postgres]: { share: 1, leastMs: 1500 },
};

const DEFAULT_TIMEOUT_MS = 10_000;
/** A hook that uses all the time of its stage is not late yet. */
const SLACK_MS = 100;
/** The longest that a timer can be set to. */
const MAX_DELAY_MS = 2_147_483_647;

/** What a stop may take beside its grace, in milliseconds. */
interface StopTimes {
  /** Between "not ready" and refusing, before the grace begins. Default 0. */
  readonly drainDelayMs?: number;
  /** That the stage `workers` has in any case, beside what it has for itself. Default 0. */
  readonly runDrainMs?: number;
}

interface StopHook {
  readonly stage: StopStage;
  readonly name: string;
  readonly fn: () => unknown;
  readonly timeoutMs: number;
}

/**
 * Whether the server is ready, and how it stops. One per process.
 *
 * The stop has a grace for all of it: what waits for the process (`docker stop` for ten seconds) kills it afterwards,
 * and what is cut off then has stored nothing. So each stage has its part (see STAGE_BUDGETS), and hooks that wait
 * for other work ask how much of that is left.
 *
 * Before the grace comes the drain delay: a load balancer that asks for readiness now and then still sends requests for a
 * while, and all of them are served. Only a server that was ready has one; what makes it unfit to serve cuts it short.
 */
export class Lifecycle {
  private hooks: StopHook[] = [];
  private started = false;
  private isRefusing = false;
  private isUnfit = false;
  private ended = false;
  private stopped: Promise<void> | undefined;
  private fatalReason: string | undefined;
  private fatalHandler: ((reason: string) => void) | undefined;

  /** When the stage at hand is to be over, by the process's monotonic clock. */
  private stageEndsAt = Infinity;
  private endDelay: () => void = () => undefined;

  /** @param graceMs for the whole stop; unset: every hook has its own time, and there is no other bound */
  constructor(
    private readonly log: Log,
    private readonly graceMs = Infinity,
    private readonly times: StopTimes = {},
  ) {}

  /** One that stops as the settings say. */
  static configured(log: Log, { shutdownGraceMs, drainDelayMs, runDrainMs }: RuntimeConfig): Lifecycle {
    return new Lifecycle(log, shutdownGraceMs, { drainDelayMs, ...(runDrainMs === undefined ? {} : { runDrainMs }) });
  }

  /** True from the first moment of the stop on. What is new is still served, unless `refusing`. */
  get stopping(): boolean {
    return this.stopped !== undefined;
  }

  /** True from the stage `refuse` on: new requests and upgrades are refused. */
  get refusing(): boolean {
    return this.isRefusing;
  }

  /** True between `markReady` and the stop. */
  get ready(): boolean {
    return this.started && !this.stopping;
  }

  /** Says that everything has started. Without effect when the stop came first. */
  markReady(): void {
    this.started = true;
  }

  /**
   * Registers what one part does when the server stops. Register before the thing exists (a start that is cut short
   * must be undone too), so the function copes with a start that did not finish. A hook whose stage has begun or is
   * over is still run: as soon as possible.
   * @param timeoutMs after so long it is left behind, or when its stage is over; Infinity: only then
   */
  onStop(stage: StopStage, name: string, fn: () => unknown, timeoutMs = DEFAULT_TIMEOUT_MS): void {
    const hook = { stage, name, fn, timeoutMs };
    if (this.ended) void this.run(hook);
    else this.hooks.push(hook);
  }

  /** Milliseconds that the stage at hand has left; within a hook. */
  get stageLeftMs(): number {
    return Math.min(MAX_DELAY_MS, Math.max(0, this.stageEndsAt - performance.now()));
  }

  /** Stops everything; never rejects. A further call returns the promise of the first. */
  stop(reason: string): Promise<void> {
    if (this.stopped === undefined) {
      const { promise, resolve } = deferred();
      // Set before any hook runs: a hook may call stop() itself, and all of them see `stopping`.
      this.stopped = promise;
      void this.runStages(reason).then(resolve);
    }
    return this.stopped;
  }

  /** @param handler ends the process when a part cannot go on; called at once if one cannot already, once at most */
  onFatal(handler: (reason: string) => void): void {
    this.fatalHandler = handler;
    if (this.fatalReason !== undefined && !this.stopping) handler(this.fatalReason);
  }

  /**
   * Says that the server cannot go on; the handler of `onFatal` is asked to stop it. Only the first reason counts. A stop
   * that is in its drain delay goes on at once.
   */
  fatal(reason: string): void {
    this.log.error({ reason }, 'fatal: the server cannot go on');
    this.isUnfit = true;
    this.endDelay();
    if (this.fatalReason !== undefined || this.stopping) return;
    this.fatalReason = reason;
    this.fatalHandler?.(reason);
  }

  private async runStages(reason: string): Promise<void> {
    this.log.info({ reason }, 'stopping');
    let begunAt = performance.now();
    for (const stage of STOP_STAGES) {
      if (stage === StopStage.refuse) {
        if (this.hasDrainDelay) begunAt += await this.drainDelay();
        this.isRefusing = true;
      }
      const { share, leastMs } = STAGE_BUDGETS[stage];
      const moreMs = stage === StopStage.workers ? (this.times.runDrainMs ?? 0) : 0;
      const endsAt = begunAt + this.graceMs * share;
      this.stageEndsAt = Math.max(endsAt, performance.now() + leastMs + moreMs);
      // Again until none is left: hooks may be registered while the stage runs, also for stages that are over.
      for (let due = this.take(stage); due.length > 0; due = this.take(stage))
        await Promise.all(due.map((hook) => this.run(hook)));
      // What the runs had for themselves is not taken from those who store and close after them.
      begunAt += Math.min(moreMs, Math.max(0, performance.now() - endsAt));
    }
    this.ended = true;
    this.log.info({}, 'stopped');
  }

  private get hasDrainDelay(): boolean {
    return (this.times.drainDelayMs ?? 0) > 0 && this.started && !this.isUnfit;
  }

  /** How long it was, in milliseconds. */
  private async drainDelay(): Promise<number> {
    const { drainDelayMs } = this.times;
    const begunAt = performance.now();
    this.log.info({ drain_delay_ms: drainDelayMs }, 'not ready any more; serving until load balancers have noticed');
    const { promise, resolve } = deferred();
    this.endDelay = resolve;
    // Not unref'd, like those of the hooks.
    const timer = setTimeout(resolve, drainDelayMs);
    await promise;
    clearTimeout(timer);
    return performance.now() - begunAt;
  }

  /** Takes out the hooks of a stage and of those before it. */
  private take(stage: StopStage): StopHook[] {
    const due = this.hooks.filter((hook) => hook.stage <= stage);
    this.hooks = this.hooks.filter((hook) => hook.stage > stage);
    return due;
  }

  private async run({ stage, name, fn, timeoutMs }: StopHook): Promise<void> {
    const about = { stage: StopStage[stage], hook: name };
    let timer: NodeJS.Timeout | undefined;
    const bound = Math.min(MAX_DELAY_MS, timeoutMs, this.stageLeftMs + SLACK_MS);
    // Not unref'd: with nothing else alive the process would end here, before the later stages.
    const timeout = new Promise<'timeout'>((resolve) => (timer = setTimeout(() => resolve('timeout'), bound)));
    try {
      const outcome = await Promise.race([call(fn), timeout]);
      if (outcome === 'timeout') this.log.error({ ...about, timeout_ms: bound }, 'stop hook did not end in time');
      else this.log.debug(about, 'stop hook done');
    } catch (error) {
      this.log.error({ ...about, error: describeError(error) }, 'stop hook failed');
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Makes a synchronous throw a rejection, and forgets the result. */
async function call(fn: () => unknown): Promise<void> {
  await fn();
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
