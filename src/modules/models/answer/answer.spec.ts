import { timed } from './answer';

const NEVER = new AbortController().signal;
const WAITS = { firstMs: 1000, idleMs: 100, totalMs: 10_000 };

/** A stream whose steps the test takes, and which remembers its signal. */
class Line {
  signal: AbortSignal | undefined;
  private readonly waiting: ((step: IteratorResult<string>) => void)[] = [];

  sign: () => void = () => undefined;

  readonly begin = (signal: AbortSignal, sign: () => void): AsyncIterable<string> => {
    this.signal = signal;
    this.sign = sign;
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
    const stream = timed(line.begin, NEVER, WAITS);
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
    const stream = timed(line.begin, NEVER, WAITS);
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
    const next = timed(line.begin, abort.signal, WAITS).next();
    abort.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(line.signal?.aborted).toBe(true);
  });

  it('is ended when its reader leaves, and when it is over', async () => {
    const left = timed(line.begin, NEVER, WAITS);
    const next = left.next();
    line.say('a');
    await next;
    await left.return(undefined);
    expect(line.signal?.aborted).toBe(true);
    const whole = timed(line.begin, NEVER, WAITS);
    const last = whole.next();
    line.end();
    expect((await last).done).toBe(true);
    expect(line.signal?.aborted).toBe(true);
  });

  it('A4: any sign of life between two steps puts the silence off, however long the step takes', async () => {
    const stream = timed(line.begin, NEVER, WAITS);
    const next = stream.next();
    await jest.advanceTimersByTimeAsync(999);
    for (let i = 0; i < 50; i++) {
      line.sign();
      await jest.advanceTimersByTimeAsync(99);
    }
    line.say('a');
    expect((await next).value).toBe('a');
    const fault = stream.next().catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(100);
    expect(await fault).toMatchObject({ message: 'said nothing for 0.1 s', reason: 'timeout', blame: 'channel' });
  });

  it('A11: is over 2 s after its last word, though it stays open', async () => {
    const stream = timed(line.begin, NEVER, WAITS, (step) => step === 'last');
    let next = stream.next();
    line.say('last');
    expect((await next).value).toBe('last');
    next = stream.next();
    await jest.advanceTimersByTimeAsync(1500);
    line.say('account');
    expect((await next).value).toBe('account');
    next = stream.next();
    await jest.advanceTimersByTimeAsync(500);
    expect((await next).done).toBe(true);
    expect(line.signal?.aborted).toBe(true);
  });
});
