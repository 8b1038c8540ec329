import fc from 'fast-check';
import { isStorableText } from '../../../common/text';
import { CleanText, estimateTokens, sumOf, timed, usageOf } from './answer';

describe('the count of tokens', () => {
  it.each([
    [0, 0],
    [1, 1],
    [4, 1],
    [5, 2],
  ])('%i bytes are about %i', (bytes, tokens) => {
    expect(estimateTokens(bytes)).toBe(tokens);
  });

  const messages = [
    { role: 'system', content: 'four' },
    { role: 'user', content: 'ü€' },
  ] as const;

  it('is that of the provider where it has one', () => {
    expect(usageOf(messages, 100, { promptTokens: 7, completionTokens: 5 })).toEqual({
      promptTokens: 7,
      completionTokens: 5,
      totalTokens: 12,
      estimated: false,
    });
    expect(usageOf([], 0, { promptTokens: 0, completionTokens: 0 })).toMatchObject({
      totalTokens: 0,
      estimated: false,
    });
  });

  it.each([
    [0, 0, 3, 25],
    [0, 5, 3, 5],
    [7, 0, 7, 25],
  ])('A5: zeros for texts are none: %i and %i', (prompt, completion, promptTokens, completionTokens) => {
    expect(usageOf(messages, 100, { promptTokens: prompt, completionTokens: completion })).toEqual({
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
      estimated: true,
    });
  });

  it('is made where a part of it is missing, from the UTF-8 of the texts', () => {
    const half = { promptTokens: undefined, completionTokens: 5 };
    expect(usageOf(messages, 100, half)).toEqual({
      promptTokens: 3,
      completionTokens: 5,
      totalTokens: 8,
      estimated: true,
    });
    expect(usageOf(messages, 8, { promptTokens: undefined, completionTokens: undefined }).totalTokens).toBe(5);
  });

  it('knows what of a prompt came out of a cache, as far as the provider says both', () => {
    const cachedOf = (promptTokens: number | undefined, cachedPromptTokens: number | undefined): number | undefined =>
      usageOf(messages, 100, { promptTokens, cachedPromptTokens, completionTokens: 5 }).cachedPromptTokens;
    expect([cachedOf(7, 4), cachedOf(7, 0), cachedOf(7, undefined)]).toEqual([4, 0, undefined]);
    expect([cachedOf(7, 9), cachedOf(undefined, 4), cachedOf(0, 4)]).toEqual([7, undefined, undefined]);
  });

  it('is a sum over several answers', () => {
    const one = usageOf(messages, 100, { promptTokens: 7, cachedPromptTokens: 4, completionTokens: 5 });
    const other = usageOf(messages, 100, { promptTokens: 3, completionTokens: undefined });
    expect(sumOf([one, other, one])).toEqual({
      ...{ promptTokens: 17, cachedPromptTokens: 8, completionTokens: 35, totalTokens: 52, estimated: true },
    });
    expect(sumOf([{ ...one, cost: 0.5 }, other, { ...other, cost: 2 }])?.cost).toBe(2.5);
    expect(sumOf([other])?.cachedPromptTokens).toBeUndefined();
    expect(sumOf([])).toBeUndefined();
  });
});

function cleaned(pieces: readonly string[]): string[] {
  const text = new CleanText();
  return [...pieces.map((piece) => text.push(piece)), text.flush()];
}

describe('the text of an answer', () => {
  it('holds half a pair back until the other half comes', () => {
    expect(cleaned(['a\ud83d', '\ude80b'])).toEqual(['a', '🚀b', '']);
    expect(cleaned(['\ud83d', '', '\ude80'])).toEqual(['', '', '🚀', '']);
  });

  it('replaces what cannot be stored, one character by one', () => {
    expect(cleaned(['a\0', '\ude80', '\ud83d\ud83d', 'b\ud83d'])).toEqual([
      'a\ufffd',
      '\ufffd',
      '\ufffd',
      '\ufffdb',
      '\ufffd',
    ]);
  });

  it('can always be stored, and is the same however it is cut', () => {
    const unit = fc.constantFrom('a', '\0', '\ud83d', '\ude80', 'é', '🚀', '\ufffd');
    fc.assert(
      fc.property(fc.array(fc.array(unit).map((units) => units.join(''))), (pieces) => {
        const parts = cleaned(pieces);
        expect(parts.every(isStorableText)).toBe(true);
        expect(parts.join('')).toBe(pieces.join('').replaceAll('\0', '\ufffd').toWellFormed());
      }),
    );
  });
});

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
    const stream = timed(line.begin, NEVER, WAITS, (step) => step === 'last' || step === 'account');
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

  it('A11: goes on where more follows its last word, each time anew', async () => {
    const waits = { ...WAITS, idleMs: 5000, totalMs: 60_000 };
    const stream = timed(line.begin, NEVER, waits, (step) => step === 'last');
    for (let i = 0; i < 5; i++)
      for (const [step, ms] of [
        ['more', 1900],
        ['last', 4900],
      ] as const) {
        const next = stream.next();
        if (i > 0 || step === 'last') await jest.advanceTimersByTimeAsync(ms);
        line.say(step);
        expect((await next).value).toBe(step);
      }
    const next = stream.next();
    await jest.advanceTimersByTimeAsync(2000);
    expect((await next).done).toBe(true);
  });
});
