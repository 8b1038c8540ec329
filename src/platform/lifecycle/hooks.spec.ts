import { explorerOf, started } from '../../../test/support/exploring';
import { SilentLog } from '../logging';
import { Every, Lifecycle, LifecycleHooks, OnStop, StopStage } from '.';

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
  started(lifecycle, ...providers);
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
