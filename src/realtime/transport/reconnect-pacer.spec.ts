import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import { ManualEventLoop } from '../../../test/support/realtime/manual-event-loop';
import { ReconnectPacer, type TurnTaker } from './reconnect-pacer';

describe('the gate of those who come back', () => {
  let loop: ManualEventLoop;
  let pacer: ReconnectPacer;
  const begun: string[] = [];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
    loop = new ManualEventLoop();
    pacer = new ReconnectPacer(loop.clock, loop);
    pacer.noteLive();
    begun.length = 0;
  });
  afterEach(() => {
    pacer.stop();
    jest.useRealTimers();
  });

  const wait = (queue: TurnTaker, name: string, isWanted?: () => boolean): void =>
    void queue.take(isWanted).then((isTurn) => begun.push(isTurn ? name : `not ${name}`));

  it('lets in at once who comes to an idle server', async () => {
    const queue = pacer.queue(4);
    wait(queue, 'a');
    await loop.idle(0);
    expect(begun).toEqual(['a']);
    // Long ago, and whatever the loop has done since.
    await loop.work(600);
    await loop.idle(100);
    wait(queue, 'b');
    await loop.idle(0);
    expect(begun).toEqual(['a', 'b']);
  });

  it('begins the next piece when the loop has rested for one and a half times as long as it worked', async () => {
    const queue = pacer.queue(4);
    for (const name of ['a', 'b', 'c']) wait(queue, name);
    await loop.work(2);
    await loop.idle(2);
    expect(begun).toEqual(['a']);
    // Work outside of the pacer counts, too.
    await loop.work(2);
    await loop.idle(3);
    expect(begun).toEqual(['a']);
    await loop.idle(1);
    expect(begun).toEqual(['a', 'b']);
  });

  it('rests for a quarter of that time where nobody was told anything live for a second', async () => {
    const queue = pacer.queue(9);
    await loop.idle(1000);
    for (const name of ['a', 'b', 'c']) wait(queue, name);
    await loop.work(8);
    await loop.idle(1);
    expect(begun).toEqual(['a']);
    await loop.idle(1);
    expect(begun).toEqual(['a', 'b']);
    pacer.noteLive();
    await loop.work(4);
    await loop.idle(5);
    expect(begun).toEqual(['a', 'b']);
    await loop.idle(1);
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('begins it in 10 ms all the same where the loop never rests', async () => {
    const queue = pacer.queue(9);
    for (const name of ['a', 'b', 'c']) wait(queue, name);
    await loop.work(9);
    expect(begun).toEqual(['a']);
    await loop.work(1);
    expect(begun).toEqual(['a', 'b']);
    await loop.work(10);
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('lets kinds of work take turns, and each has at most so many in work', async () => {
    const [pages, upgrades] = [pacer.queue(1), pacer.queue(2)];
    for (const name of ['u1', 'u2', 'u3']) wait(upgrades, name);
    for (const name of ['p1', 'p2']) wait(pages, name);
    expect(pages.isCrowded).toBe(true);
    await loop.idle(50);
    expect(begun).toEqual(['u1', 'p1', 'u2']);
    pages.giveBack();
    upgrades.giveBack();
    await loop.idle(50);
    expect(begun).toEqual(['u1', 'p1', 'u2', 'p2', 'u3']);
    expect([pacer.waiting(), pages.isCrowded]).toEqual([0, false]);
  });

  it('passes over who has gone, for nothing', async () => {
    const queue = pacer.queue(4);
    let isThere = true;
    wait(queue, 'a');
    for (const name of ['b', 'c']) wait(queue, name, () => isThere);
    wait(queue, 'd');
    await loop.work(2);
    isThere = false;
    await loop.idle(3);
    expect(begun).toEqual(['a', 'not b', 'not c', 'd']);
  });

  it('tells who waits when the server stops', async () => {
    const queue = pacer.queue(1);
    for (const name of ['a', 'b']) wait(queue, name);
    pacer.stop();
    wait(queue, 'c');
    await loop.idle(0);
    expect(begun).toEqual(['a', 'not b', 'not c']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keeps a storm to two fifths of the loop, and everybody gets their turn in their order', async () => {
    const storm = fc.asyncProperty(
      fc.array(fc.record({ queue: fc.nat(1), ms: fc.integer({ min: 1, max: 4 }) }), { minLength: 5, maxLength: 40 }),
      async (pieces) => {
        loop = new ManualEventLoop();
        pacer = new ReconnectPacer(loop.clock, loop);
        pacer.noteLive();
        const queues = [pacer.queue(2), pacer.queue(3)];
        const order: number[][] = [[], []];
        const used: { readonly active: number; readonly idle: number }[] = [];
        pieces.forEach(({ queue, ms }, i) => {
          void queues[queue]?.take().then(() => {
            order[queue]?.push(i);
            used.push(loop.read());
            loop.spend(ms);
            // Its answer comes, by the timers that the test moves.
            setTimeout(() => queues[queue]?.giveBack(), 2);
          });
        });
        await loop.idle(1000);
        for (const { active, idle } of used) expect(active).toBeLessThanOrEqual((idle * 2) / 3 + 1);
        for (const queue of [0, 1])
          expect(order[queue]).toEqual(pieces.flatMap((piece, i) => (piece.queue === queue ? [i] : [])));
        pacer.stop();
      },
    );
    await fc.assert(storm, { numRuns: runs(50) });
  });
});
