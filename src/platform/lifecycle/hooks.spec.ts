import { explorerOf, startProviders } from '../../../test/support/providers';
import { unavailable } from '../../common/errors';
import { SilentLog } from '../logging';
import { Every, every, Lifecycle, LifecycleHooks, OnStop, StopStage } from '.';

class RecordingLog extends SilentLog {
  readonly lines: string[] = [];

  override info(_fields?: object, message = ''): void {
    this.lines.push(`info ${message}`);
  }
  override warn(_fields?: object, message = ''): void {
    this.lines.push(`warn ${message}`);
  }
  override error(_fields?: object, message = ''): void {
    this.lines.push(`error ${message}`);
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('every', () => {
  it('runs first after one interval, then again and again', async () => {
    let runs = 0;
    const timer = every(100, 'test', () => ++runs, new SilentLog());
    await jest.advanceTimersByTimeAsync(99);
    expect(runs).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(runs).toBe(1);
    await jest.advanceTimersByTimeAsync(250);
    expect(runs).toBe(3);
    await timer.stop();
  });

  it('asks before each run how long to wait, where a function says it', async () => {
    const waits = [100, 30, 500];
    const begins: number[] = [];
    const start = Date.now();
    const timer = every(
      () => waits.shift() ?? 10_000,
      'test',
      () => begins.push(Date.now() - start),
      new SilentLog(),
    );
    await jest.advanceTimersByTimeAsync(1000);
    expect(begins).toEqual([100, 130, 630]);
    await timer.stop();
  });

  it('never overlaps itself: the next run begins one interval after the end of the last', async () => {
    const begins: number[] = [];
    const start = Date.now();
    const timer = every(
      100,
      'test',
      () => {
        begins.push(Date.now() - start);
        return wait(250);
      },
      new SilentLog(),
    );
    await jest.advanceTimersByTimeAsync(1000);
    expect(begins).toEqual([100, 450, 800]);
    const stopped = timer.stop();
    await jest.advanceTimersByTimeAsync(250);
    await stopped;
  });
});

describe('every: failures', () => {
  it('logs the first failure of a streak and the recovery, and goes on', async () => {
    const log = new RecordingLog();
    const outcomes = ['ok', 'throw', 'reject', 'throw', 'ok', 'ok', 'reject'];
    let runs = 0;
    const timer = every(
      100,
      'test',
      () => {
        const outcome = outcomes[runs++];
        if (outcome === 'throw') throw new Error('thrown');
        return outcome === 'reject' ? Promise.reject(new Error('rejected')) : undefined;
      },
      log,
    );
    await jest.advanceTimersByTimeAsync(700);
    expect(runs).toBe(7);
    expect(log.lines).toEqual(['error timer failed', 'info timer works again', 'error timer failed']);
    await timer.stop();
  });
});

describe('every: the database is away', () => {
  it('is a warning: the outage itself is told by who knows about it', async () => {
    const log = new RecordingLog();
    const timer = every(100, 'test', () => Promise.reject(unavailable('away')), log);
    await jest.advanceTimersByTimeAsync(500);
    await timer.stop();
    expect(log.lines).toEqual(['warn timer failed']);
  });
});

describe('every: its end', () => {
  it('stop ends it at once between runs, also when called twice', async () => {
    let runs = 0;
    const timer = every(100, 'test', () => ++runs, new SilentLog());
    await jest.advanceTimersByTimeAsync(150);
    await timer.stop();
    await timer.stop();
    await jest.advanceTimersByTimeAsync(1000);
    expect(runs).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('stop waits for the current run and lets none follow', async () => {
    const events: string[] = [];
    const timer = every(
      100,
      'test',
      async () => {
        events.push('begins');
        await wait(50);
        events.push('ends');
      },
      new SilentLog(),
    );
    await jest.advanceTimersByTimeAsync(100);
    const stopped = timer.stop().then(() => events.push('stopped'));
    await jest.advanceTimersByTimeAsync(49);
    expect(events).toEqual(['begins']);
    await jest.advanceTimersByTimeAsync(1000);
    await stopped;
    expect(events).toEqual(['begins', 'ends', 'stopped']);
  });

  it('keeps no process alive', async () => {
    jest.useRealTimers();
    const spy = jest.spyOn(globalThis, 'setTimeout');
    const timer = every(60_000, 'test', () => undefined, new SilentLog());
    const made = spy.mock.results.at(-1)?.value as NodeJS.Timeout;
    spy.mockRestore();
    expect(made.hasRef()).toBe(false);
    await timer.stop();
  });
});

const lines: string[] = [];

class Flushing {
  readonly everyMs = 70;

  @Every(({ everyMs }: Flushing) => everyMs, 'flush')
  flush(): void {
    lines.push('flush');
  }

  /** What runs when the stop begins is waited for. */
  @Every(50, 'slow')
  async slow(): Promise<void> {
    lines.push('slow begins');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    lines.push('slow ends');
  }

  @OnStop(StopStage.workers)
  last(): void {
    lines.push('last');
  }

  @OnStop(StopStage.log)
  after(): void {
    lines.push('after');
  }
}

class Lasting {
  @Every(100, 'lasting', StopStage.log)
  run(): void {
    lines.push('lasting');
  }

  @OnStop(StopStage.workers)
  async stop(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 250));
    lines.push('stopped');
  }
}

function boot(...providers: readonly object[]): Lifecycle {
  const lifecycle = new Lifecycle(new SilentLog());
  startProviders(lifecycle, ...providers);
  return lifecycle;
}

beforeEach(() => {
  lines.length = 0;
  jest.useFakeTimers();
});
afterEach(() => jest.useRealTimers());

describe('what providers do while the server runs', () => {
  it('is done again and again, and ended before what is done last', async () => {
    const lifecycle = boot(new Flushing());
    await jest.advanceTimersByTimeAsync(69);
    expect(lines).toEqual(['slow begins']);
    await jest.advanceTimersByTimeAsync(1);
    expect(lines).toEqual(['slow begins', 'flush']);
    const stopped = lifecycle.stop('test');
    await jest.advanceTimersByTimeAsync(2000);
    await stopped;
    expect(lines).toEqual(['slow begins', 'flush', 'slow ends', 'last', 'after']);
    await jest.advanceTimersByTimeAsync(5000);
    expect(lines).toHaveLength(5);
  });

  it('goes on until the stage that it names', async () => {
    const lifecycle = boot(new Lasting());
    const stopped = lifecycle.stop('test');
    await jest.advanceTimersByTimeAsync(500);
    await stopped;
    expect(lines).toEqual(['lasting', 'lasting', 'stopped']);
  });

  it('is undone where the start was cut short, and not begun afterwards', async () => {
    const lifecycle = new Lifecycle(new SilentLog());
    const hooks = new LifecycleHooks(explorerOf(new Flushing()), lifecycle, new SilentLog());
    hooks.onModuleInit();
    await lifecycle.stop('the start failed');
    hooks.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(5000);
    expect(lines).toEqual(['last', 'after']);
  });
});

describe('the boot', () => {
  it('refuses two timers of one name', () => {
    class Other {
      @Every(10, 'flush')
      again(): void {
        return;
      }
    }
    expect(() => boot(new Flushing(), new Other())).toThrow('Two timers are called flush (Other.again)');
  });

  it('refuses two methods of one provider for one stage', () => {
    class Twice {
      @OnStop(StopStage.sockets)
      one(): void {
        return;
      }

      @OnStop(StopStage.sockets)
      two(): void {
        return;
      }
    }
    expect(() => boot(new Twice())).toThrow('Twice has two methods for the stage sockets of the stop');
  });

  it('refuses a method that is marked twice', () => {
    const mark = (): unknown => {
      class Marked {
        @OnStop(StopStage.sockets)
        @OnStop(StopStage.log)
        stop(): void {
          return;
        }
      }
      return Marked;
    };
    expect(mark).toThrow('stop has two marks of one kind (@OnStop)');
  });
});
