import { unavailable } from '../../common/errors';
import { SilentLog } from '../logging';
import { every } from '.';

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
