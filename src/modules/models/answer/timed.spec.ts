import { timed } from './timed';

const NEVER = new AbortController().signal;
const WAITS = { firstTokenMs: 1000, betweenMs: 100 };

/** A stream whose steps the test takes, and which remembers its signal. */
class Line {
  signal: AbortSignal | undefined;
  private readonly waiting: ((step: IteratorResult<string>) => void)[] = [];

  readonly begin = (signal: AbortSignal): AsyncIterable<string> => {
    this.signal = signal;
    const next = (): Promise<IteratorResult<string>> => new Promise((resolve) => this.waiting.push(resolve));
    return { [Symbol.asyncIterator]: () => ({ next }) };
  };

  say(value: string): void {
    this.waiting.shift()?.({ done: false, value });
  }

  end(): void {
    this.waiting.shift()?.({ done: true, value: undefined });
  }
}

/** Fake timers, and a stream that does not heed its signal. */
describe('a stream that is timed', () => {
  let line: Line;

  beforeEach(() => {
    jest.useFakeTimers();
    line = new Line();
  });
  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('has its own time for the first step, and another one for the later ones', async () => {
    const stream = timed(line.begin, NEVER, WAITS, 10_000);
    let next = stream.next();
    await jest.advanceTimersByTimeAsync(999);
    line.say('a');
    expect((await next).value).toBe('a');
    next = stream.next();
    await jest.advanceTimersByTimeAsync(99);
    line.say('b');
    expect((await next).value).toBe('b');
    const fault = stream.next().catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(100);
    expect(await fault).toMatchObject({ name: 'ChannelFault', message: 'said nothing for 0.1 s' });
    expect(line.signal?.aborted).toBe(true);
  });

  it('may be read as slowly as its reader likes, until its whole time is over', async () => {
    const stream = timed(line.begin, NEVER, WAITS, 10_000);
    let next = stream.next();
    line.say('a');
    await next;
    await jest.advanceTimersByTimeAsync(9000);
    next = stream.next();
    line.say('b');
    expect((await next).value).toBe('b');
    await jest.advanceTimersByTimeAsync(1000);
    await expect(stream.next()).rejects.toThrow('took longer than 10 s');
  });

  it('ends with the reason of its caller at once, also where it does not listen', async () => {
    const [abort, reason] = [new AbortController(), new Error('stopped')];
    const next = timed(line.begin, abort.signal, WAITS, 10_000).next();
    abort.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(line.signal?.aborted).toBe(true);
  });

  it('is ended when its reader leaves, and when it is over', async () => {
    const left = timed(line.begin, NEVER, WAITS, 10_000);
    const next = left.next();
    line.say('a');
    await next;
    await left.return(undefined);
    expect(line.signal?.aborted).toBe(true);
    const whole = timed(line.begin, NEVER, WAITS, 10_000);
    const last = whole.next();
    line.end();
    expect((await last).done).toBe(true);
    expect(line.signal?.aborted).toBe(true);
  });
});
