import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { isUnavailable } from '../../common/errors';
import { Explorer, type FoundMethod, markMethod } from '../discovery';
import { describeError, Log } from '../logging';
import { Lifecycle, STOP_STAGES, StopStage } from './lifecycle';

interface EveryOptions {
  readonly ms: number | ((owner: never) => number);
  readonly name: string;
  readonly until: StopStage;
}

interface StopOptions {
  readonly stage: StopStage;
  readonly timeoutMs: number | undefined;
}

const EVERY = Symbol('@Every');
const ON_STOP = Symbol('@OnStop');

type MethodMark<T> = <M extends () => unknown>(
  target: T,
  property: string,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/**
 * Calls the method again and again while the server runs, as `every` does: the first time after `ms`, never twice at once.
 * @param ms between two runs; asked of the provider before each, where it says that
 * @param name for the log; no two timers share one
 * @param until in which stage of the stop it ends
 */
export function Every<T extends object>(
  ms: number | ((owner: T) => number),
  name: string,
  until = StopStage.workers,
): MethodMark<T> {
  return (_target, _property, descriptor) => markMethod(EVERY, { ms, name, until })(descriptor);
}

/**
 * Calls the method when the server stops, in that stage, after the provider's timers of the stage have ended. It is called
 * also when the start was cut short. One method per class and stage.
 * @param timeoutMs as of `Lifecycle.onStop`
 */
export function OnStop(stage: StopStage, timeoutMs?: number): MethodMark<object> {
  return (_target, _property, descriptor) => markMethod(ON_STOP, { stage, timeoutMs })(descriptor);
}

/**
 * Runs what `@Every` and `@OnStop` mark. The timers start when all of the application is initialised; what has to be
 * undone is registered before any of it is.
 */
@Injectable()
export class LifecycleHooks implements OnModuleInit, OnApplicationBootstrap {
  private readonly running = new Map<FoundMethod<EveryOptions>, Interval>();
  private timers: readonly FoundMethod<EveryOptions>[] = [];

  constructor(
    private readonly explorer: Explorer,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.timers = this.explorer.methods<EveryOptions>(EVERY);
    const stops = this.explorer.methods<StopOptions>(ON_STOP);
    const twice = this.timers.find(({ options: { name } }, i) =>
      this.timers.slice(0, i).some((other) => other.options.name === name),
    );
    if (twice) throw new Error(`Two timers are called ${twice.options.name} (${twice.name}.${twice.method})`);
    const owners = new Set([...this.timers, ...stops].map(({ provider }) => provider));
    for (const owner of owners)
      this.register(
        this.timers.filter(({ provider }) => provider === owner),
        stops.filter(({ provider }) => provider === owner),
      );
  }

  onApplicationBootstrap(): void {
    // The stop that would end them may have been here already.
    if (this.lifecycle.stopping) return;
    for (const timer of this.timers) {
      const { ms, name } = timer.options;
      const between = typeof ms === 'number' ? ms : () => ms(timer.provider as never);
      this.running.set(timer, every(between, name, timer.call, this.log));
    }
  }

  private register(timers: readonly FoundMethod<EveryOptions>[], stops: readonly FoundMethod<StopOptions>[]): void {
    for (const stage of STOP_STAGES) {
      const ending = timers.filter(({ options }) => options.until === stage);
      const [stop, second] = stops.filter(({ options }) => options.stage === stage);
      const { name } = ending[0] ?? stop ?? {};
      if (name === undefined) continue;
      if (second) throw new Error(`${name} has two methods for the stage ${StopStage[stage]} of the stop`);
      const end = async (): Promise<void> => {
        await Promise.all(ending.map(async (timer) => this.running.get(timer)?.stop()));
        await stop?.call();
      };
      this.lifecycle.onStop(stage, name, end, stop?.options.timeoutMs);
    }
  }
}

/** A running timer; its maker stops it. */
export interface Interval {
  /** Starts no more runs and resolves when the current one has ended. Not to be awaited within a run. */
  stop(): Promise<void>;
}

/**
 * Runs `fn` again and again, `ms` after the end of the run before, the first time after `ms`: runs never overlap. A
 * failing run ends nothing; only the first of a streak is logged, and that it works again. Keeps no process alive.
 * @param ms a function is asked before each run
 */
export function every(ms: number | (() => number), name: string, fn: () => unknown, log: Log): Interval {
  const repeating = new Repeating(ms, name, fn, log);
  repeating.schedule();
  return repeating;
}

class Repeating implements Interval {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private failures = 0;

  constructor(
    private readonly ms: number | (() => number),
    private readonly name: string,
    private readonly fn: () => unknown,
    private readonly log: Log,
  ) {}

  schedule(): void {
    if (this.stopped) return;
    const ms = typeof this.ms === 'number' ? this.ms : this.ms();
    this.timer = setTimeout(() => {
      this.running = this.run().then(() => this.schedule());
    }, ms).unref();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      await this.fn();
      if (this.failures > 0) this.log.info({ timer: this.name, failures: this.failures }, 'timer works again');
      this.failures = 0;
    } catch (error) {
      this.failures++;
      if (this.failures > 1) return;
      // "Not now" (the database is away) is logged as an outage by `Availability`.
      const isPassing = isUnavailable(error);
      this.log[isPassing ? 'warn' : 'error']({ timer: this.name, error: describeError(error) }, 'timer failed');
    }
  }
}
