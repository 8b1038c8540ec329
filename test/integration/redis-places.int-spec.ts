import fc from 'fast-check';
import type { FullPlaces } from '../../src/platform/cluster';
import { PlaceNodes } from '../support/cluster/place-nodes';
import { describeRedis, RedisServer } from '../support/cluster/redis';
import { eventually } from '../support/embedded/processes';
import { turns } from '../support/realtime/model-log';
import { owner, placesSuite } from '../support/suites/places-suite';

const THIRTY = { tenant: 30, user: null };
let server: RedisServer;
let nodes: PlaceNodes;

function withNodes(): void {
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  beforeEach(async () => {
    nodes = await PlaceNodes.on(server);
  });
  afterEach(() => nodes.close());
  afterAll(() => server.stop());
}

/** Changes are told within moments. */
const untilTaken = (places: number, user?: string): Promise<unknown> =>
  eventually(`${places} taken`, async () => (await nodes.taken(user)).every((taken) => taken === places));

describeRedis('places in Redis', () => {
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());

  placesSuite('Redis', async () => {
    const only = await PlaceNodes.on(server);
    return { port: only.on(0), advance: (ms) => only.redis.clock.advance(ms), close: () => only.close() };
  });
});

describeRedis('places of three nodes', () => {
  withNodes();

  it('are exactly as many as the limit, whichever nodes are asked at once', async () => {
    const asked = Array.from({ length: 90 }, async (_, i) => nodes.on(i % 3).take(owner(`user ${i}`), THIRTY));
    expect((await Promise.all(asked)).filter((full) => full === undefined)).toHaveLength(30);
    expect(await nodes.taken()).toEqual([30, 30, 30]);
    for (const n of [0, 1, 2]) expect(await nodes.take(n, 3, THIRTY)).toBe(0);
  });

  it('are exactly as many as a user may have, and others have theirs', async () => {
    const limits = { tenant: 10_000, user: 5 };
    const asked = Array.from({ length: 30 }, async (_, i) => nodes.on(i % 3).take(owner('alice'), limits));
    expect((await Promise.all(asked)).filter((full) => full === undefined)).toHaveLength(5);
    expect(await nodes.take(1, 7, limits, 'bob')).toBe(5);
    expect([await nodes.taken('alice'), await nodes.taken()]).toEqual([
      [5, 5, 5],
      [10, 10, 10],
    ]);
  });

  it('are free for all when they are given back, wherever they were taken', async () => {
    const limits = { tenant: 30, user: 30 };
    expect(await nodes.take(0, 40, limits)).toBe(30);
    expect(await nodes.take(1, 1, limits)).toBe(0);
    nodes.giveBack(0, 12);
    await untilTaken(18);
    await untilTaken(18, 'alice');
    expect(await nodes.take(1, 40, limits)).toBe(12);
  });
});

describeRedis('places of nodes that come and go', () => {
  withNodes();

  it('are free again when their node is gone; where nobody says so, when it has not told of them for long', async () => {
    await nodes.take(0, 10, THIRTY);
    await nodes.take(1, 20, THIRTY);
    expect(await nodes.take(2, 1, THIRTY)).toBe(0);
    await nodes.areAlive('node 1', 'node 2');
    expect(await nodes.take(2, 30, THIRTY)).toBe(10);
    nodes.redis.clock.advance(80_000);
    nodes.on(2).rewrite();
    await eventually('told', async () => {
      nodes.redis.clock.advance(1);
      return nodes.redis.clock.wallMs() > 0 && (await nodes.on(1).taken('/ws', 't')) === 30;
    });
    nodes.redis.clock.advance(20_000);
    // What node 1 had has ended in Redis; what node 2 has was written anew.
    expect(await nodes.on(2).taken('/ws', 't')).toBe(10);
  });

  it('of a node that has just come count at once, whatever the others have heard', async () => {
    await nodes.areAlive('node 0');
    expect(await nodes.take(0, 10, THIRTY)).toBe(10);
    await nodes.areAlive('node 0', 'node 2');
    expect(await nodes.take(2, 30, THIRTY)).toBe(20);
    expect(await nodes.take(0, 1, THIRTY)).toBe(0);
  });

  it('of a large limit are given out without asking while there are many, and are few beyond it', async () => {
    const limits = { tenant: 1200, user: null };
    let taken = 0;
    for (let i = 0; i < 1800; i++) if ((await nodes.on(i % 3).take(owner('alice'), limits)) === undefined) taken++;
    expect(taken).toBeGreaterThanOrEqual(1200);
    expect(taken).toBeLessThanOrEqual(1500);
    await untilTaken(taken);
    for (const n of [0, 1, 2]) expect(await nodes.take(n, 3, limits)).toBe(0);
    expect(nodes.commands.every(({ count }) => count < 1800 / 3)).toBe(true);
  });
});

describeRedis('places whose Redis', () => {
  withNodes();

  it('is away are each node’s share, close nothing, and are told when it is back', async () => {
    await nodes.take(0, 20, THIRTY);
    for (const commands of nodes.commands) commands.isLive = false;
    expect([await nodes.take(0, 5, THIRTY), await nodes.take(1, 20, THIRTY)]).toEqual([0, 10]);
    expect(nodes.fallbacks).toBe(25);
    expect(await nodes.on(0).taken('/ws', 't')).toBe(20);
    await nodes.redis.lose();
    await nodes.areAlive();
    for (const commands of nodes.commands) commands.comeBack();
    await untilTaken(30);
    expect(await nodes.take(2, 5, THIRTY)).toBe(0);
    nodes.giveBack(0, 1);
    await untilTaken(29);
    expect(await nodes.take(2, 5, THIRTY)).toBe(1);
  });

  it('has given a place whose answer was lost: the share decides, and the next number is right', async () => {
    await nodes.take(0, 15, THIRTY);
    const commands = nodes.to(0);
    [commands.isHeld, commands.heldOp] = [true, 'admit'];
    const asked = nodes.on(0).take(owner('alice'), THIRTY);
    await commands.onTheWay[0]?.reach();
    expect(await nodes.on(1).taken('/ws', 't')).toBe(16);
    commands.onTheWay[0]?.lose();
    expect(await asked).toBe('tenant');
    expect(nodes.fallbacks).toBe(1);
    await untilTaken(15);
    expect(await nodes.take(1, 30, THIRTY)).toBe(15);
  });

  it('has forgotten them gets them anew with the next rewriting', async () => {
    await nodes.take(0, 3, { tenant: 30, user: 5 });
    await nodes.redis.lose();
    await nodes.areAlive();
    expect(await nodes.on(1).taken('/ws', 't')).toBe(0);
    nodes.on(0).rewrite();
    await untilTaken(3);
    await untilTaken(3, 'alice');
  });
});

interface Step {
  readonly type: 'take' | 'reach' | 'answer' | 'giveBack';
  readonly n: number;
}

/** After each step the places that are had. */
async function* simulated(tenant: number, steps: readonly Step[]): AsyncGenerator<number> {
  const all = await PlaceNodes.on(server);
  const held = [0, 0, 0];
  const results: Promise<void>[] = [];
  for (const commands of all.commands) [commands.isHeld, commands.heldOp] = [true, 'admit'];
  for (const { type, n } of steps) {
    const { onTheWay } = all.to(n);
    const note = (full: FullPlaces | undefined): void => {
      if (full === undefined) held[n] = (held[n] ?? 0) + 1;
    };
    if (type === 'take') {
      const asked = all.on(n).take(owner('alice'), { tenant, user: null });
      results.push(Promise.resolve(asked).then(note));
    } else if (type === 'reach') await onTheWay.find(({ isDone }) => !isDone)?.reach();
    else if (type === 'answer' && onTheWay[0]?.isDone === true) onTheWay.shift()?.answer();
    else if (type === 'giveBack' && (held[n] ?? 0) > 0) {
      held[n] = (held[n] ?? 0) - 1;
      all.giveBack(n, 1);
    }
    await turns();
    yield held.reduce((sum, each) => sum + each, 0);
  }
  for (const { onTheWay } of all.commands)
    for (const left of onTheWay) {
      await left.reach();
      left.answer();
    }
  await Promise.all(results);
  all.close();
}

describeRedis('places of three nodes, in whatever order their questions arrive and are answered', () => {
  withNodes();

  it('are never more than the limit', async () => {
    let full = 0;
    const types = ['take', 'take', 'reach', 'reach', 'answer', 'answer', 'giveBack'] as const;
    const step = fc.record({ type: fc.constantFrom(...types), n: fc.nat(2) });
    const steps = fc.array(step, { minLength: 40, maxLength: 120 });
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 12 }), steps, async (tenant, all) => {
      for await (const taken of simulated(tenant, all)) {
        expect(taken).toBeLessThanOrEqual(tenant);
        if (taken === tenant) full++;
      }
    });
    await fc.assert(property, { numRuns: 100 });
    expect(full).toBeGreaterThan(50);
  });
});
