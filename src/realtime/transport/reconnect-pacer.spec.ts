import fc from 'fast-check';
import { ManualEventLoop } from '../../../test/support/realtime/manual-event-loop';
import { runs } from '../../../test/support/timing';
import { loadConfig } from '../../config';
import { SilentLog } from '../../platform/logging';
import { Metrics } from '../../platform/metrics';
import { ReconnectPacer, type TurnTaker } from './reconnect-pacer';

let loop: ManualEventLoop;
let pacer: ReconnectPacer;
let metrics: Metrics;

function start(percent = 40): void {
  loop = new ManualEventLoop();
  metrics = new Metrics(new SilentLog());
  pacer = new ReconnectPacer(loop.clock, loop, loadConfig({ WS_COMEBACK_SHARE: `${percent}` }).socket, metrics);
  pacer.noteLive();
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
  start();
});
afterEach(() => {
  pacer.stop();
  jest.useRealTimers();
});

describe('the gate of those who come back', () => {
  const begun: string[] = [];
  beforeEach(() => {
    begun.length = 0;
  });

  const wait = (queue: TurnTaker, name: string, isWanted?: () => boolean): void =>
    void queue.take(isWanted).then((isTurn) => begun.push(isTurn ? name : `not ${name}`));
  const waitAll = (queue: TurnTaker, name: string, count: number): void => {
    for (let i = 1; i <= count; i++) wait(queue, `${name}${i}`);
  };

  it('lets in at once who comes to an idle server', async () => {
    const queue = pacer.queue(4, 'upgrade');
    wait(queue, 'a');
    await Promise.resolve();
    expect(begun).toEqual(['a']);
    // Long ago, and whatever the loop has done since.
    await loop.work(600);
    await loop.idle(100);
    wait(queue, 'b');
    await Promise.resolve();
    expect(begun).toEqual(['a', 'b']);
  });

  /** Its first pieces are over: what they cost is known. */
  const end = (queue: TurnTaker): void => {
    for (let i = 0; i < 8; i++) queue.giveBack();
  };

  it('begins eight pieces of unknown cost in one turn, one after the other or together, and no more', async () => {
    const queue = pacer.queue(99, 'upgrade');
    waitAll(queue, 'a', 6);
    waitAll(queue, 'b', 6);
    await loop.idle(0);
    expect(begun).toHaveLength(8);
    expect(pacer.waiting()).toBe(4);
  });

  it('begins the next ones when the loop has rested one and a half times as long as it worked', async () => {
    const queue = pacer.queue(99, 'upgrade');
    waitAll(queue, 'a', 20);
    await loop.work(2);
    end(queue);
    await loop.idle(2);
    expect(begun).toHaveLength(8);
    // Work outside of the pacer counts, too.
    await loop.work(2);
    await loop.idle(3);
    expect(begun).toHaveLength(8);
    await loop.idle(1);
    // Pieces of 0.4 ms, as far as is known.
    expect(begun).toHaveLength(13);
  });

  it('rests for what the pieces are expected to cost before any of it has shown', async () => {
    const queue = pacer.queue(99, 'upgrade');
    waitAll(queue, 'a', 20);
    await loop.idle(0);
    queue.giveBack();
    await loop.idle(2);
    expect(begun).toHaveLength(8);
    await loop.idle(1);
    expect(begun.length).toBeGreaterThan(8);
  });

  it('waits for the end of a piece before it begins a second batch, and 10 ms for one piece more', async () => {
    const queue = pacer.queue(99, 'upgrade');
    waitAll(queue, 'a', 40);
    await loop.idle(11);
    expect(begun).toHaveLength(8);
    await loop.idle(1);
    expect(begun).toHaveLength(9);
    await loop.idle(9);
    expect(begun).toHaveLength(9);
    queue.giveBack();
    await loop.idle(0);
    expect(begun.length).toBeGreaterThan(10);
  });

  it('rests for a quarter of that time where nobody was told anything live for a second', async () => {
    const queue = pacer.queue(99, 'upgrade');
    await loop.idle(1000);
    waitAll(queue, 'a', 30);
    await loop.work(8);
    end(queue);
    await loop.idle(1);
    expect(begun).toHaveLength(8);
    await loop.idle(1);
    expect(begun).toHaveLength(16);
    pacer.noteLive();
    await loop.work(8);
    end(queue);
    await loop.idle(9);
    expect(begun).toHaveLength(16);
    // One piece, for its patience: a rest of 12 ms is too long.
    await loop.idle(1);
    expect(begun).toHaveLength(17);
  });

  it.each([true, false])('has the share of the setting (live: %s), where it is more than 80 %%', async (isLive) => {
    start(90);
    const queue = pacer.queue(99, 'upgrade');
    if (!isLive) await loop.idle(1000);
    waitAll(queue, 'a', 20);
    await loop.work(9);
    end(queue);
    expect(begun).toHaveLength(8);
    await loop.idle(1);
    expect(begun.length).toBeGreaterThan(8);
  });

  it('begins one piece of unknown cost, 10 ms after the last batch was to end where the loop never rests', async () => {
    const queue = pacer.queue(99, 'upgrade');
    waitAll(queue, 'a', 30);
    await loop.work(11);
    expect(begun).toHaveLength(8);
    await loop.work(1);
    expect(begun).toHaveLength(9);
    for (let i = 10; i < 15; i++) {
      await loop.work(9);
      expect(begun).toHaveLength(i - 1);
      await loop.work(1);
      expect(begun).toHaveLength(i);
    }
  });

  it('begins what takes half a slice then, where it is known what a piece costs', async () => {
    const queue = pacer.queue(99, 'upgrade');
    waitAll(queue, 'a', 60);
    await loop.idle(0);
    const [first, each] = [begun.length, 0.5];
    await loop.work(first * each);
    for (let i = 0; i < first; i++) queue.giveBack();
    await loop.idle(20);
    const known = begun.length;
    expect(known).toBeGreaterThan(first);
    const grown: number[] = [];
    for (let last = known; grown.length < 3; last = begun.length) {
      await loop.work(each);
      if (begun.length > last) grown.push(begun.length - last);
    }
    expect(Math.min(...grown)).toBeGreaterThan(1);
  });

  it('lets kinds of work take turns in a batch, and each has at most so many in work', async () => {
    const [others, pages, upgrades] = [pacer.queue(8, 'presence'), pacer.queue(2, 'sync'), pacer.queue(5, 'upgrade')];
    waitAll(others, 'o', 8);
    waitAll(upgrades, 'u', 7);
    waitAll(pages, 'p', 4);
    await loop.idle(0);
    expect(begun.splice(0)).toHaveLength(8);
    expect(pacer.waiting()).toBe(11);
    end(others);
    await loop.idle(50);
    expect(begun.splice(0)).toEqual(['p1', 'u1', 'p2', 'u2', 'u3', 'u4', 'u5']);
    for (const queue of [upgrades, pages, upgrades, pages]) queue.giveBack();
    await loop.idle(0);
    expect(begun).toEqual(['u6', 'p3', 'u7', 'p4']);
    expect(pacer.waiting()).toBe(0);
  });

  it('passes over who has gone, for nothing', async () => {
    const queue = pacer.queue(99, 'upgrade');
    let isThere = true;
    waitAll(queue, 'a', 8);
    for (let i = 0; i < 50; i++) wait(queue, 'b', () => isThere);
    waitAll(queue, 'c', 9);
    await loop.work(2);
    end(queue);
    isThere = false;
    await loop.idle(3);
    expect(begun.slice(8, 58)).toEqual(Array.from({ length: 50 }, () => 'not b'));
    expect(begun.slice(58)).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8']);
  });

  it('tells who waits when the server stops, and leaves no timer', async () => {
    const queue = pacer.queue(1, 'upgrade');
    waitAll(queue, 'a', 2);
    pacer.stop();
    wait(queue, 'b');
    await loop.idle(0);
    expect(begun).toEqual(['a1', 'not a2', 'not b']);
    expect(jest.getTimerCount()).toBe(0);
    start();
    waitAll(pacer.queue(99, 'upgrade'), 'c', 20);
    await loop.work(2);
    expect(jest.getTimerCount()).toBe(1);
    pacer.stop();
    await loop.idle(50);
    expect(begun.filter((name) => name.startsWith('not c'))).toHaveLength(12);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('says how many wait, and how long those waited whose turn came, by kind', async () => {
    const [upgrades, pages] = [pacer.queue(99, 'upgrade'), pacer.queue(1, 'sync')];
    waitAll(upgrades, 'u', 10);
    wait(pages, 'p');
    wait(upgrades, 'gone', () => false);
    await loop.idle(0);
    end(upgrades);
    await loop.idle(3);
    const lines = (await metrics.text())
      .split('\n')
      .filter((line) => /^chatapi_comeback_wait_seconds_(s|c)/.test(line));
    expect(lines.sort()).toEqual([
      'chatapi_comeback_wait_seconds_count{kind="sync"} 1',
      'chatapi_comeback_wait_seconds_count{kind="upgrade"} 10',
      'chatapi_comeback_wait_seconds_sum{kind="sync"} 0.003',
      'chatapi_comeback_wait_seconds_sum{kind="upgrade"} 0.006',
    ]);
  });
});

interface Cost {
  /** ms of work when a piece begins, and when its answer has come. */
  readonly first: number;
  readonly then: number;
  /** ms until its answer. */
  readonly answer: number;
}

/** Pieces that wait without an end, each of which costs so much. */
class Storm {
  /** How many began in each turn in which any did. */
  readonly sizes: number[] = [];
  private readonly answers: { readonly at: number; readonly ms: number; readonly end: () => void }[] = [];
  /** Of each kind, the last one that began; they are numbered as they come. */
  private readonly latest = new Map<TurnTaker, number>();
  isInOrder = true;
  private asked = 0;
  private numbers = 0;
  private fresh = 0;
  private isOver = false;

  constructor(
    private readonly queues: readonly TurnTaker[],
    private readonly cost: () => Cost,
  ) {}

  /** Drives the loop alone. */
  async last(ms: number, isLive = true): Promise<void> {
    await loop.run(ms, () => {
      if (isLive) pacer.noteLive();
      this.answer();
      for (; this.asked < 200; this.asked++) this.ask(this.queues[this.asked % this.queues.length]);
      if (this.fresh > 0) this.sizes.push(this.fresh);
      this.fresh = 0;
    });
  }

  /** Nobody is there any more. */
  end(): void {
    this.isOver = true;
  }

  private ask(queue: TurnTaker | undefined): void {
    if (queue === undefined) return;
    const number = this.numbers++;
    const isWanted = (): boolean => !this.isOver;
    void queue.take(isWanted).then((isTurn) => {
      if (!isTurn) return;
      this.asked--;
      this.isInOrder &&= number > (this.latest.get(queue) ?? -1);
      this.latest.set(queue, number);
      this.fresh++;
      const { first, then, answer } = this.cost();
      loop.spend(first);
      this.answers.push({ at: loop.clock.monotonicMs() + answer, ms: then, end: () => queue.giveBack() });
    });
  }

  private answer(): void {
    const now = loop.clock.monotonicMs();
    const due = this.answers.filter(({ at }) => at <= now);
    this.answers.splice(0, this.answers.length, ...this.answers.filter(({ at }) => at > now));
    for (const { ms, end } of due) {
      loop.spend(ms);
      end();
    }
  }
}

describe('a storm', () => {
  const settled = (storm: Storm): number => {
    const sizes = storm.sizes.slice(-8);
    return sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  };
  /** The part of the time since then that the loop worked. */
  const useSince = (then: { readonly active: number; readonly idle: number }): number => {
    const { active, idle } = loop.read();
    return (active - then.active) / (active - then.active + idle - then.idle);
  };

  it.each([
    [0.02, true, 50, 64],
    [0.1, true, 15, 25],
    [0.5, true, 3, 5],
    [5, true, 1, 1],
    [0.1, false, 50, 64],
    [0.5, false, 13, 19],
    [5, false, 1, 2.5],
  ])('of pieces of %d ms each (live: %s) has %d to %d of them in a batch', async (ms, isLive, least, most) => {
    const queue = pacer.queue(10_000, 'upgrade');
    if (!isLive) await loop.idle(1000);
    const storm = new Storm([queue], () => ({ first: ms / 4, then: (ms * 3) / 4, answer: 5 }));
    await storm.last(500, isLive);
    expect(storm.sizes[0]).toBe(8);
    expect(settled(storm)).toBeGreaterThanOrEqual(least);
    expect(settled(storm)).toBeLessThanOrEqual(most);
  });

  it('has few in work before the first answers tell what pieces cost', async () => {
    const queue = pacer.queue(500, 'upgrade');
    const storm = new Storm([queue], () => ({ first: 0.01, then: 2, answer: 20 }));
    await storm.last(19);
    const begun = storm.sizes.reduce((sum, size) => sum + size, 0);
    expect(begun).toBeLessThanOrEqual(10);
    await storm.last(500);
    expect(settled(storm)).toBe(1);
  });

  it('has its batches back soon after the garbage collector held everything up for a second and a half', async () => {
    const queue = pacer.queue(500, 'upgrade');
    let pause = 0;
    const storm = new Storm([queue], () => {
      const then = 0.2 + pause;
      pause = 0;
      return { first: 0.05, then, answer: 3 };
    });
    pause = 900;
    await storm.last(950);
    const before = storm.sizes.length;
    await storm.last(150);
    expect(storm.sizes.length - before).toBeGreaterThan(10);
    expect(settled(storm)).toBeGreaterThanOrEqual(6);
    pause = 1500;
    await storm.last(1700);
    expect(settled(storm)).toBeGreaterThanOrEqual(6);
  });

  it('begins small again after a calm second, whatever the last one has cost', async () => {
    const queue = pacer.queue(500, 'upgrade');
    for (const ms of [0.02, 6, 0.02]) {
      const storm = new Storm([queue], () => ({ first: ms, then: 0, answer: 1 }));
      await storm.last(300);
      expect(storm.sizes[0]).toBe(8);
      if (ms > 1) expect(settled(storm)).toBe(1);
      else expect(settled(storm)).toBeGreaterThan(40);
      storm.end();
      await loop.idle(1100);
      expect(pacer.waiting()).toBe(0);
    }
  });

  it('loses nothing to timers where the rests are shorter than a millisecond', async () => {
    const queue = pacer.queue(10_000, 'upgrade');
    await loop.idle(1000);
    const storm = new Storm([queue], () => ({ first: 0.005, then: 0.015, answer: 2 }));
    await storm.last(50, false);
    const then = loop.read();
    await storm.last(100, false);
    expect(useSince(then)).toBeGreaterThan(0.74);
  });

  it('charges no cost twice, before it shows and when it does', async () => {
    const queue = pacer.queue(10_000, 'sync');
    const storm = new Storm([queue], () => ({ first: 0.03, then: 0.27, answer: 30 }));
    await storm.last(150);
    const then = loop.read();
    await storm.last(300);
    expect(useSince(then)).toBeGreaterThan(0.36);
    expect(useSince(then)).toBeLessThan(0.44);
  });

  it('takes its share of the loop, no more and no less, whatever pieces cost and when', async () => {
    const property = fc.asyncProperty(
      fc.record({
        percent: fc.integer({ min: 5, max: 90 }),
        isLive: fc.boolean(),
        ms: fc.double({ min: 0.05, max: 4, noNaN: true }),
        first: fc.double({ min: 0, max: 1, noNaN: true }),
        answer: fc.integer({ min: 1, max: 20 }),
        kinds: fc.integer({ min: 1, max: 3 }),
        spread: fc.double({ min: 0, max: 0.9, noNaN: true }),
      }),
      async ({ percent, isLive, ms: asked, first, answer, kinds, spread }) => {
        start(percent);
        if (!isLive) await loop.idle(1000);
        const share = isLive ? percent / 100 : Math.max(0.8, percent / 100);
        // A piece whose rest would be longer than the longest one takes more than the share.
        const ms = Math.min(asked, (5 * share) / (1 - share));
        const queues = (['upgrade', 'sync', 'presence'] as const)
          .slice(0, kinds)
          .map((kind) => pacer.queue(10_000, kind));
        let n = 0;
        const storm = new Storm(queues, () => {
          const each = ms * (1 + spread * Math.sin(n++));
          return { first: each * first, then: each * (1 - first), answer };
        });
        // Until it knows what they cost.
        await storm.last(100, isLive);
        const then = loop.read();
        await storm.last(600, isLive);
        const use = useSince(then);
        pacer.stop();
        expect(storm.isInOrder).toBe(true);
        expect(use).toBeLessThanOrEqual(share + 0.05);
        expect(use).toBeGreaterThanOrEqual(share * 0.75);
      },
    );
    // Dear pieces whose answers come in lumps: what the loop owes then is more than one rest.
    const lumps = { percent: 55, isLive: true, ms: 4, first: 0, answer: 17, kinds: 1, spread: 0 };
    await fc.assert(property, { numRuns: runs(30), endOnFailure: true, examples: [[lumps]] });
  });
});
