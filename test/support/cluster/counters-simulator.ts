import fc from 'fast-check';
import { turns } from '../realtime/model-log';
import { type CounterNode, counterNodes } from './counter-nodes';
import type { Held, TimedRedis } from './held-commands';

const WINDOW = 1000;
/** After a lost answer a node goes by its share for so long, and then until the window ends. */
const REST_MS = 1000;
const KEYS = ['a', 'b'];

type Step =
  | { readonly type: 'take'; readonly node: number; readonly key: number; readonly times: number }
  | { readonly type: 'reach' | 'answer' | 'lose'; readonly node: number; readonly nth: number }
  | { readonly type: 'advance'; readonly ms: number };

export interface Scenario {
  readonly limit: number;
  readonly skewsMs: readonly number[];
  readonly steps: readonly Step[];
}

const anyNode = fc.nat(2);
const takeStep = fc.record({
  type: fc.constant('take' as const),
  node: anyNode,
  key: fc.nat(KEYS.length - 1),
  times: fc.integer({ min: 1, max: 12 }),
});
const wayStep = (...types: ('reach' | 'answer' | 'lose')[]) =>
  fc.record({ type: fc.constantFrom(...types), node: anyNode, nth: fc.nat(3) });
const advanceStep = fc.record({
  type: fc.constant('advance' as const),
  ms: fc.oneof({ arbitrary: fc.integer({ min: 1, max: 90 }), weight: 6 }, fc.constantFrom(400, 1000, 7300)),
});

/** What three nodes are asked, and what becomes of their questions. @param loses whether answers get lost */
export const scenarioOf = (loses: boolean): fc.Arbitrary<Scenario> =>
  fc.record({
    limit: fc.integer({ min: 0, max: 20 }),
    skewsMs: loses
      ? fc.constant([0, 0, 0])
      : fc.array(fc.integer({ min: -900, max: 900 }), { minLength: 3, maxLength: 3 }),
    steps: fc.array(
      fc.oneof(
        { arbitrary: takeStep, weight: 4 },
        { arbitrary: wayStep('reach'), weight: 5 },
        { arbitrary: wayStep('answer'), weight: 5 },
        { arbitrary: loses ? wayStep('lose') : wayStep('reach'), weight: 1 },
        { arbitrary: advanceStep, weight: 1 },
      ),
      { minLength: 60, maxLength: 160 },
    ),
  });

/** Calls of one key and window that were taken on one node. */
interface Tally {
  taken: number;
  /** The node has gone by its share in it. */
  isShare: boolean;
}

/**
 * Three nodes' counters on one Redis, whose questions arrive, are answered and are lost as a scenario says: also long after
 * their window, as where a node stood still, or after the node has given up on them.
 */
export class CountersSimulator {
  /** By window's end, key and node. */
  private readonly tallies = new Map<number, Map<string, Tally[]>>();
  private readonly nodes: readonly CounterNode[];
  private readonly sharesUntil = [-Infinity, -Infinity, -Infinity];

  constructor(
    private readonly redis: TimedRedis,
    private readonly scenario: Scenario,
  ) {
    this.nodes = counterNodes(redis, scenario.skewsMs);
    for (const { commands } of this.nodes) commands.isHeld = true;
  }

  /** Of each window and key what each node has taken. */
  *windows(): Generator<readonly Readonly<Tally>[]> {
    for (const keys of this.tallies.values()) yield* keys.values();
  }

  /** Resolves when everything that was asked is answered. */
  async run(): Promise<void> {
    const asked: Promise<void>[] = [];
    for (const step of this.scenario.steps) {
      if (step.type === 'take') for (let i = 0; i < step.times; i++) asked.push(this.take(step.node, step.key));
      else if (step.type === 'advance') this.redis.clock.advance(step.ms);
      else await this.onTheWay(step.type, step.node, step.nth);
      await turns();
    }
    for (let all = false; !all;) {
      all = true;
      for (let n = 0; n < 3; n++)
        for (const held of this.heldOf(n).splice(0)) {
          all = false;
          await held.reach();
          held.answer();
          await turns();
        }
    }
    await Promise.all(asked);
  }

  private heldOf(node: number): Held[] {
    return this.nodes[node]?.commands.onTheWay ?? [];
  }

  private async onTheWay(type: 'reach' | 'answer' | 'lose', node: number, nth: number): Promise<void> {
    const all = this.heldOf(node);
    const held = all[nth % Math.max(1, all.length)];
    if (held === undefined) return;
    if (type === 'reach') await held.reach();
    else if (type === 'lose') {
      // It stays on its way, and may be done yet.
      held.lose();
      const now = this.redis.clock.wallMs();
      this.sharesUntil[node] = now + REST_MS;
    } else if (held.isDone) {
      all.splice(all.indexOf(held), 1);
      held.answer();
    }
  }

  private async take(n: number, key: number): Promise<void> {
    const { limit } = this.scenario;
    const name = KEYS[key] ?? '';
    const { count } = (await this.nodes[n]?.counters.take(name, WINDOW, limit)) ?? { count: Infinity };
    const now = this.redis.clock.wallMs();
    const tally = this.tallyOf(now - (now % WINDOW) + WINDOW, name, n);
    if (count <= limit) tally.taken++;
    if (now < (this.sharesUntil[n] ?? 0)) tally.isShare = true;
  }

  private tallyOf(end: number, key: string, n: number): Tally {
    const keys = this.tallies.get(end) ?? new Map<string, Tally[]>();
    this.tallies.set(end, keys);
    const all = keys.get(key) ?? Array.from({ length: 3 }, () => ({ taken: 0, isShare: false }));
    keys.set(key, all);
    return all[n] ?? { taken: 0, isShare: false };
  }
}
