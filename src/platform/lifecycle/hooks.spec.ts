import { Injectable, type Type } from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import { exploring } from '../../../test/support/exploring';
import { Log, SilentLog } from '../logging';
import { Every, Lifecycle, LifecycleHooks, OnStop, StopStage } from '.';

const lines: string[] = [];

@Injectable()
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

@Injectable()
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

function compiled(lifecycle: Lifecycle, ...providers: Type[]): Promise<TestingModule> {
  const ports = [
    { provide: Log, useValue: new SilentLog() },
    { provide: Lifecycle, useValue: lifecycle },
  ];
  return exploring(...ports, LifecycleHooks, ...providers);
}

async function boot(...providers: Type[]): Promise<Lifecycle> {
  const lifecycle = new Lifecycle(new SilentLog());
  await (await compiled(lifecycle, ...providers)).init();
  return lifecycle;
}

beforeEach(() => {
  lines.length = 0;
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
});
afterEach(() => jest.useRealTimers());

describe('what providers do while the server runs', () => {
  it('is done again and again, and ended before what is done last', async () => {
    const lifecycle = await boot(Flushing);
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
    const lifecycle = await boot(Lasting);
    const stopped = lifecycle.stop('test');
    await jest.advanceTimersByTimeAsync(500);
    await stopped;
    expect(lines).toEqual(['lasting', 'lasting', 'stopped']);
  });

  it('is undone where the start was cut short, and not begun afterwards', async () => {
    @Injectable()
    class Failing {
      onModuleInit(): void {
        throw new Error('no');
      }
    }
    const lifecycle = new Lifecycle(new SilentLog());
    const app = await compiled(lifecycle, Flushing, Failing);
    await expect(app.init()).rejects.toThrow('no');
    await lifecycle.stop('the start failed');
    app.get(LifecycleHooks).onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(5000);
    expect(lines).toEqual(['last', 'after']);
  });
});

describe('the boot', () => {
  it('refuses two timers of one name', async () => {
    @Injectable()
    class Other {
      @Every(10, 'flush')
      again(): void {
        return;
      }
    }
    await expect(boot(Flushing, Other)).rejects.toThrow('Two timers are called flush (Other.again)');
  });

  it('refuses two methods of one provider for one stage', async () => {
    @Injectable()
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
    await expect(boot(Twice)).rejects.toThrow('Twice has two methods for the stage sockets of the stop');
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
