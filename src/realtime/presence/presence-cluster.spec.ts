import fc from 'fast-check';
import { PresenceClusterSimulator } from '../../../test/support/realtime/presence-cluster';
import type { PresenceConnection } from '../../../test/support/realtime/presence-connection';
import { presenceSettled } from '../../../test/support/realtime/presence-node';
import { runs } from '../../../test/support/timing';
import { RENEW_MS } from './leases';

const USERS = ['alice', 'bob', 'carol'];
const NODES = 3;
const TICK_MS = 500;
/** After Redis is back nobody is said to be offline for 30 s; then everybody is looked at once. */
const CALM_MS = 30_000 + 2 * RENEW_MS + 10_000;

type Step =
  | { readonly kind: 'open'; readonly user: number; readonly node: number }
  | { readonly kind: 'close'; readonly pick: number }
  | { readonly kind: 'wait'; readonly ticks: number }
  | { readonly kind: 'lose'; readonly envelopes: number }
  | { readonly kind: 'crash'; readonly node: number }
  | { readonly kind: 'redis'; readonly to: 'away' | 'empty' | 'thawed' }
  | { readonly kind: 'database'; readonly away: boolean };

const node = fc.nat(NODES - 1);
const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('open' as const), user: fc.nat(USERS.length - 1), node }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('close' as const), pick: fc.nat(20) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ticks: fc.integer({ min: 1, max: 90 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('lose' as const), envelopes: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), node }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('redis' as const),
        to: fc.constantFrom('away' as const, 'empty' as const, 'thawed' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('database' as const), away: fc.boolean() }) },
  ),
  { maxLength: 40 },
);

/** A watcher on each node hears of all users. */
class Play {
  readonly cluster = new PresenceClusterSimulator([...USERS, 'watcher']);
  private readonly watchers: { readonly connection: PresenceConnection; readonly told: Map<string, string> }[] = [];
  private readonly open: PresenceConnection[] = [];

  async start(): Promise<void> {
    for (let n = 0; n < NODES; n++) await this.startNode();
    await this.cluster.wait(40_000);
  }

  async run(step: Step): Promise<void> {
    const { cluster } = this;
    if (step.kind === 'open') this.open.push(cluster.open(step.node, USERS[step.user] ?? 'alice'));
    else if (step.kind === 'close') this.open.splice(step.pick % Math.max(1, this.open.length), 1)[0]?.close();
    else if (step.kind === 'lose') cluster.wire.toLose = step.envelopes;
    else if (step.kind === 'database') cluster.world.broken = step.away;
    else if (step.kind === 'crash') {
      cluster.crash(step.node);
      this.watchers.splice(step.node, 1);
      await this.startNode();
    } else if (step.kind === 'redis') await this.redis(step.to);
    else for (let i = 0; i < step.ticks; i++) await this.tick();
    await presenceSettled();
    this.read();
  }

  /** When all is whole again, every watcher knows what is so. */
  async end(): Promise<void> {
    const { cluster } = this;
    cluster.world.broken = false;
    cluster.wire.toLose = 0;
    await cluster.startRedis(true);
    for (let ms = 0; ms <= CALM_MS; ms += TICK_MS) await this.tick();
    for (const { told } of this.watchers)
      for (const user of USERS)
        expect([user, told.get(user) ?? 'offline']).toEqual([user, cluster.isOpen(user) ? 'online' : 'offline']);
  }

  private async startNode(): Promise<void> {
    await this.cluster.start();
    const connection = this.cluster.open(this.cluster.size - 1, 'watcher');
    this.watchers.push({ connection, told: new Map() });
    await presenceSettled();
  }

  private async redis(to: 'away' | 'empty' | 'thawed'): Promise<void> {
    if (to === 'away') this.cluster.killRedis();
    else await this.cluster.startRedis(to === 'empty');
  }

  private async tick(): Promise<void> {
    await this.cluster.tick();
    this.read();
  }

  /** Updates about a user alternate, and nobody is offline who is connected. */
  private read(): void {
    for (const { connection, told } of this.watchers)
      for (const frame of connection.take()) {
        if (frame.type === 'presence.snapshot')
          for (const user of frame['user_ids'] as string[]) told.set(user, 'online');
        if (frame.type !== 'presence.update') continue;
        const [user, status] = [String(frame['user_id']), String(frame['status'])];
        expect({ user, status }).toEqual({ user, status: told.get(user) === 'online' ? 'offline' : 'online' });
        told.set(user, status);
        if (status === 'offline') expect([user, this.cluster.isOpen(user)]).toEqual([user, false]);
      }
  }
}

describe('presence of three nodes, whatever is lost, dies and restarts', () => {
  it('updates alternate, nobody is offline while connected, and at the end all know what is so', async () => {
    await fc.assert(
      fc.asyncProperty(STEPS, async (steps) => {
        const play = new Play();
        await play.start();
        for (const step of steps) await play.run(step);
        await play.end();
      }),
      { numRuns: runs(60) },
    );
  });
});

/** Alice on the first of three nodes, and what watchers on the two others hear of her from here on. */
async function setUp() {
  const cluster = new PresenceClusterSimulator(['alice', 'bob', 'watcher']);
  for (let n = 0; n < NODES; n++) await cluster.start();
  await cluster.wait(40_000);
  const alice = cluster.open(0, 'alice');
  const watchers = [1, 2].map((n) => cluster.open(n, 'watcher'));
  await cluster.wait(1000);
  for (const watcher of watchers) watcher.take();
  const heard = (): string[][] =>
    watchers.map((watcher) => watcher.take().map((frame) => `${String(frame['user_id'])} ${String(frame['status'])}`));
  return { cluster, alice, heard };
}

const NOTHING = [[], []];
const OFFLINE = [['alice offline'], ['alice offline']];
const ONLINE = [['alice online'], ['alice online']];

describe('presence of three nodes', () => {
  it('a dead node: its users are offline when it is lost, and not before', async () => {
    const { cluster, heard } = await setUp();
    cluster.crash(0);
    await cluster.wait(9500);
    expect(heard()).toEqual(NOTHING);
    await cluster.wait(15_500);
    expect(heard()).toEqual(OFFLINE);
  });

  it('Redis is away for ten minutes: nobody hears of it, and who went meanwhile is told of after it', async () => {
    const { cluster, alice, heard } = await setUp();
    const bob = cluster.open(1, 'bob');
    await cluster.wait(1000);
    heard();
    cluster.killRedis();
    await cluster.wait(300_000);
    bob.close();
    await cluster.wait(300_000);
    expect(heard()).toEqual(NOTHING);
    await cluster.startRedis(true);
    await cluster.wait(29_000);
    expect(heard()).toEqual(NOTHING);
    await cluster.wait(RENEW_MS + 10_000);
    expect(heard()).toEqual([['bob offline'], ['bob offline']]);
    expect(alice.isOpen).toBe(true);
  });

  it('Redis hangs for a minute and goes on with what it had: nobody hears of it', async () => {
    const { cluster, heard } = await setUp();
    cluster.killRedis();
    await cluster.wait(60_000);
    await cluster.startRedis(false);
    await cluster.wait(120_000);
    expect(heard()).toEqual(NOTHING);
  });

  it('a node stands still for a minute: its users go, and are back when it is', async () => {
    const { cluster, alice, heard } = await setUp();
    cluster.freeze(0);
    await cluster.wait(60_000);
    expect(heard()).toEqual(OFFLINE);
    cluster.freeze(0, false);
    await cluster.wait(15_000);
    expect(heard()).toEqual(ONLINE);
    const own = alice.take().map((frame) => String(frame['user_id']));
    expect(own).not.toContain('alice');
    await cluster.wait(120_000);
    expect(heard()).toEqual(NOTHING);
  });
});
