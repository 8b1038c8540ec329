import { loadConfig } from '../../config';
import { Log } from '../logging';
import { Lifecycle, StopStage } from '.';
import { STOP_STAGES } from './lifecycle';

/** Remembers `level message hook`. */
class RecordingLog extends Log {
  readonly lines: string[] = [];

  debug(fields: object, message: string): void {
    this.add('debug', fields, message);
  }
  info(fields: object, message: string): void {
    this.add('info', fields, message);
  }
  warn(fields: object, message: string): void {
    this.add('warn', fields, message);
  }
  error(fields: object, message: string): void {
    this.add('error', fields, message);
  }

  private add(level: string, fields: object, message: string): void {
    this.lines.push([level, message, ...('hook' in fields ? [fields.hook] : [])].join(' '));
  }
}

function setUp(graceMs?: number, times?: { drainDelayMs?: number; runDrainMs?: number }) {
  const log = new RecordingLog();
  const lifecycle = new Lifecycle(log, graceMs, times);
  const events: string[] = [];
  /** Registers a hook that takes `ms`. */
  const hook = (stage: StopStage, name: string, ms = 0, timeoutMs?: number): void =>
    lifecycle.onStop(
      stage,
      name,
      async () => {
        events.push(`${name} begins`);
        if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
        events.push(`${name} ends`);
      },
      timeoutMs,
    );
  return { log, lifecycle, events, hook };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('Lifecycle: the order of a stop', () => {
  it('runs the stages one after the other, whatever the order of registration', async () => {
    const { lifecycle, events, hook } = setUp();
    const { readiness, refuse, sockets, requests, workers, pool, postgres } = StopStage;
    const stages = [postgres, sockets, readiness, pool, refuse, workers, requests];
    for (const stage of stages) hook(stage, StopStage[stage], 10);
    const stopped = lifecycle.stop('test');
    await jest.advanceTimersByTimeAsync(1000);
    await stopped;
    const order = ['readiness', 'refuse', 'sockets', 'requests', 'workers', 'pool', 'postgres'];
    expect(events).toEqual(order.flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  it('runs the hooks of a stage at the same time and waits for the slowest', async () => {
    const { lifecycle, events, hook } = setUp();
    hook(StopStage.workers, 'slow', 50);
    hook(StopStage.workers, 'fast', 10);
    hook(StopStage.pool, 'pool');
    const stopped = lifecycle.stop('test');
    await jest.advanceTimersByTimeAsync(49);
    expect(events).toEqual(['slow begins', 'fast begins', 'fast ends']);
    await jest.advanceTimersByTimeAsync(1);
    await stopped;
    expect(events.slice(3)).toEqual(['slow ends', 'pool begins', 'pool ends']);
  });

  it('runs each hook once; a further stop, also from within a hook, gives the same promise', async () => {
    const { lifecycle, events, hook } = setUp();
    let inner: Promise<void> | undefined;
    lifecycle.onStop(StopStage.readiness, 'nested', () => {
      inner = lifecycle.stop('nested');
    });
    hook(StopStage.pool, 'pool');
    const stopped = lifecycle.stop('test');
    expect(lifecycle.stop('again')).toBe(stopped);
    await stopped;
    expect(inner).toBe(stopped);
    expect(lifecycle.stop('after')).toBe(stopped);
    expect(events).toEqual(['pool begins', 'pool ends']);
  });

  it('stops with nothing registered', async () => {
    const { lifecycle, log } = setUp();
    await lifecycle.stop('test');
    expect(log.lines).toEqual(['info stopping', 'info stopped']);
  });
});

describe('Lifecycle: hooks that misbehave', () => {
  it('logs a hook that throws or rejects and goes on with the rest', async () => {
    const { lifecycle, events, hook, log } = setUp();
    lifecycle.onStop(StopStage.workers, 'throws', () => {
      throw new Error('sync');
    });
    lifecycle.onStop(StopStage.workers, 'rejects', () => Promise.reject(new Error('async')));
    hook(StopStage.workers, 'beside');
    hook(StopStage.pool, 'after');
    await lifecycle.stop('test');
    expect(events).toEqual(['beside begins', 'beside ends', 'after begins', 'after ends']);
    expect(log.lines.filter((l) => l.startsWith('error')).sort()).toEqual([
      'error stop hook failed rejects',
      'error stop hook failed throws',
    ]);
  });

  it('waits 10 s for a hook that hangs, or as long as the hook asked for', async () => {
    const { lifecycle, events, hook, log } = setUp();
    hook(StopStage.requests, 'default', 60_000);
    hook(StopStage.workers, 'own', 60_000, 30_000);
    hook(StopStage.pool, 'pool');
    const stopped = lifecycle.stop('test');
    await jest.advanceTimersByTimeAsync(9_999);
    expect(events).toEqual(['default begins']);
    await jest.advanceTimersByTimeAsync(1);
    expect(events).toEqual(['default begins', 'own begins']);
    await jest.advanceTimersByTimeAsync(29_999);
    expect(events).not.toContain('pool begins');
    await jest.advanceTimersByTimeAsync(1);
    await stopped;
    expect(events).toContain('pool ends');
    expect(log.lines.filter((l) => l.startsWith('error'))).toEqual([
      'error stop hook did not end in time default',
      'error stop hook did not end in time own',
    ]);
    await jest.runAllTimersAsync();
  });

  it('a hook that rejects after its timeout is no unhandled rejection', async () => {
    const { lifecycle, log } = setUp();
    const late = new Promise<void>((_, reject) => setTimeout(() => reject(new Error('late')), 20_000));
    lifecycle.onStop(StopStage.pool, 'late', () => late);
    const stopped = lifecycle.stop('test');
    await jest.advanceTimersByTimeAsync(30_000);
    await stopped;
    expect(log.lines.filter((l) => l.startsWith('error'))).toEqual(['error stop hook did not end in time late']);
  });
});

describe('S31 Lifecycle: a grace for the whole stop', () => {
  const stages = [...STOP_STAGES];

  /** How long the stop takes, in fake time. */
  async function stopped(lifecycle: Lifecycle): Promise<number> {
    const begun = Date.now();
    let ms: number | undefined;
    void lifecycle.stop('test').then(() => (ms = Date.now() - begun));
    await jest.advanceTimersByTimeAsync(120_000);
    return ms ?? Infinity;
  }

  it.each([
    [loadConfig({}).runtime.shutdownGraceMs, 10_000],
    [30_000, 33_000],
    [0, 7000],
  ])('S31: with %i ms every hook may hang, and the server has stopped after %i', async (graceMs, most) => {
    const { lifecycle, hook } = setUp(graceMs);
    for (const stage of stages) hook(stage, StopStage[stage], 600_000, Infinity);
    expect(await stopped(lifecycle)).toBeLessThan(most);
    await jest.runAllTimersAsync();
  });

  it("S31: hooks that use what their stage has left are not late, and what they leave is the next one's", async () => {
    const { lifecycle, log } = setUp(10_000);
    const left: number[] = [];
    for (const stage of stages)
      lifecycle.onStop(
        stage,
        StopStage[stage],
        async () => {
          left.push(Math.round(lifecycle.stageLeftMs));
          if (stage === StopStage.requests || stage === StopStage.log)
            await new Promise((resolve) => setTimeout(resolve, lifecycle.stageLeftMs));
        },
        Infinity,
      );
    expect(await stopped(lifecycle)).toBe(8000);
    expect(left).toEqual([500, 1000, 4000, 6000, 1500, 2000, 500, 2000]);
    expect(log.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});

describe('Lifecycle: the drain delay, between "not ready" and refusing', () => {
  /** A server that serves, and is told to stop. */
  function draining(times = { drainDelayMs: 5000 }) {
    const site = setUp(8000, times);
    site.lifecycle.markReady();
    site.hook(StopStage.readiness, 'readiness');
    site.hook(StopStage.refuse, 'refuse');
    return { ...site, stopped: site.lifecycle.stop('test') };
  }

  it('is not there unless it is asked for: what stops refuses in the same turn', async () => {
    const { lifecycle } = setUp(8000);
    lifecycle.markReady();
    const stopped = lifecycle.stop('test');
    expect([lifecycle.stopping, lifecycle.refusing]).toEqual([true, true]);
    await stopped;
  });

  it('lasts as long as it is to: not ready from its beginning, refusing from its end', async () => {
    const { lifecycle, events, stopped } = draining();
    expect([lifecycle.ready, lifecycle.stopping, lifecycle.refusing]).toEqual([false, true, false]);
    await jest.advanceTimersByTimeAsync(4999);
    expect([lifecycle.refusing, events]).toEqual([false, ['readiness begins', 'readiness ends']]);
    await jest.advanceTimersByTimeAsync(1);
    expect([lifecycle.refusing, events.includes('refuse begins')]).toEqual([true, true]);
    await stopped;
  });

  it('takes nothing from the grace', async () => {
    const { lifecycle, stopped } = draining();
    let left = 0;
    lifecycle.onStop(StopStage.requests, 'look', () => (left = lifecycle.stageLeftMs));
    await jest.advanceTimersByTimeAsync(5000);
    await stopped;
    expect(left).toBe(8000 * 0.6);
  });

  it('is over when the server cannot go on', async () => {
    const { lifecycle, events, stopped } = draining({ drainDelayMs: 600_000 });
    await jest.advanceTimersByTimeAsync(1000);
    expect(lifecycle.refusing).toBe(false);
    lifecycle.fatal('lock lost');
    await stopped;
    expect(events).toContain('refuse ends');
  });

  it('is not for a server that was not ready yet, nor for one that cannot go on', async () => {
    const starting = setUp(8000, { drainDelayMs: 5000 });
    const early = starting.lifecycle.stop('test');
    expect(starting.lifecycle.refusing).toBe(true);
    const broken = setUp(8000, { drainDelayMs: 5000 });
    broken.lifecycle.markReady();
    broken.lifecycle.fatal('lock lost');
    const late = broken.lifecycle.stop('lock lost');
    expect(broken.lifecycle.refusing).toBe(true);
    await Promise.all([early, late]);
  });
});

describe('Lifecycle: what answers of models get for themselves', () => {
  /** What the stages `workers` and `pool` have, where the former takes all of it. */
  async function lefts(graceMs: number, runDrainMs?: number): Promise<{ workers: number; pool: number }> {
    const { lifecycle } = setUp(graceMs, runDrainMs === undefined ? {} : { runDrainMs });
    const left = { workers: 0, pool: 0 };
    const takeAll = async (): Promise<void> => {
      left.workers = lifecycle.stageLeftMs;
      await new Promise((resolve) => setTimeout(resolve, lifecycle.stageLeftMs));
    };
    lifecycle.onStop(StopStage.workers, 'workers', takeAll, Infinity);
    lifecycle.onStop(StopStage.pool, 'pool', () => (left.pool = lifecycle.stageLeftMs));
    void lifecycle.stop('test');
    await jest.advanceTimersByTimeAsync(120_000);
    return left;
  }

  it('is what the grace leaves, unless it is said', async () => {
    expect(await lefts(8000)).toEqual({ workers: 6000, pool: 800 });
  });

  it('is there beyond the grace, and those who store and close after them have their own all the same', async () => {
    expect(await lefts(8000, 60_000)).toEqual({ workers: 61_500, pool: 800 });
  });

  it('takes nothing from the grace where that has more', async () => {
    expect(await lefts(40_000, 1000)).toEqual({ workers: 30_000, pool: 4000 });
  });
});

describe('Lifecycle: hooks that are registered late', () => {
  it('runs one that is registered during the stop, for the stage at hand, one that is over and one to come', async () => {
    const { lifecycle, events, hook } = setUp();
    lifecycle.onStop(StopStage.workers, 'registers', () => {
      hook(StopStage.pool, 'to come');
      hook(StopStage.readiness, 'over');
      hook(StopStage.workers, 'at hand');
    });
    await lifecycle.stop('test');
    expect(events.slice(-2)).toEqual(['to come begins', 'to come ends']);
    expect([...events].sort()).toEqual([
      'at hand begins',
      'at hand ends',
      'over begins',
      'over ends',
      'to come begins',
      'to come ends',
    ]);
  });

  it('runs one that is registered after the stop', async () => {
    const { lifecycle, events, hook } = setUp();
    await lifecycle.stop('test');
    hook(StopStage.postgres, 'postgres');
    await jest.advanceTimersByTimeAsync(0);
    expect(events).toEqual(['postgres begins', 'postgres ends']);
  });
});

describe('Lifecycle: readiness', () => {
  it('is ready between markReady and the stop', async () => {
    const { lifecycle } = setUp();
    expect([lifecycle.ready, lifecycle.stopping]).toEqual([false, false]);
    lifecycle.markReady();
    expect([lifecycle.ready, lifecycle.stopping]).toEqual([true, false]);
    const stopped = lifecycle.stop('test');
    expect([lifecycle.ready, lifecycle.stopping]).toEqual([false, true]);
    await stopped;
    expect([lifecycle.ready, lifecycle.stopping]).toEqual([false, true]);
  });

  it('is stopping when the first hook is called', async () => {
    const { lifecycle } = setUp();
    let seen: boolean | undefined;
    lifecycle.onStop(StopStage.readiness, 'look', () => {
      seen = lifecycle.stopping;
    });
    await lifecycle.stop('test');
    expect(seen).toBe(true);
  });

  it('does not become ready when the stop came first', async () => {
    const { lifecycle } = setUp();
    await lifecycle.stop('test');
    lifecycle.markReady();
    expect(lifecycle.ready).toBe(false);
  });
});

describe('Lifecycle: fatal', () => {
  it('asks the owner once, with the first reason, and stops nothing by itself', () => {
    const { lifecycle, log } = setUp();
    const reasons: string[] = [];
    lifecycle.onFatal((reason) => void reasons.push(reason));
    lifecycle.fatal('lock lost');
    lifecycle.fatal('something else');
    expect(reasons).toEqual(['lock lost']);
    expect(lifecycle.stopping).toBe(false);
    expect(log.lines).toHaveLength(2);
  });

  it('keeps the reason for an owner that comes later', () => {
    const { lifecycle } = setUp();
    lifecycle.fatal('too early');
    const reasons: string[] = [];
    lifecycle.onFatal((reason) => void reasons.push(reason));
    expect(reasons).toEqual(['too early']);
  });

  it('only logs while stopping', async () => {
    const { lifecycle, log } = setUp();
    const reasons: string[] = [];
    lifecycle.onFatal((reason) => void reasons.push(reason));
    await lifecycle.stop('test');
    lifecycle.fatal('lock lost');
    expect(reasons).toEqual([]);
    expect(log.lines.at(-1)).toBe('error fatal: the server cannot go on');
  });
});
