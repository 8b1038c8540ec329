import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import type { PresenceConnection } from '../../../test/support/realtime/presence-connection';
import { PresenceNode, presenceSettled } from '../../../test/support/realtime/presence-node';
import { InMemoryRooms } from '../../../test/support/realtime/in-memory-rooms';
import { ManualClock } from '../../common/time';
import { MemoryLeases } from '../../platform/cluster';
import { OFFLINE_GRACE_MS } from './local-presence';

const USERS = ['alice', 'bob', 'carol'];
const TICK_MS = 500;

type Step =
  | { readonly kind: 'open'; readonly user: number; readonly node: number }
  | { readonly kind: 'close'; readonly pick: number }
  | { readonly kind: 'wait'; readonly ticks: number }
  | { readonly kind: 'away'; readonly away: boolean }
  | { readonly kind: 'settle' };

const steps = (nodes: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('open' as const),
        user: fc.nat(USERS.length - 1),
        node: fc.nat(nodes - 1),
      }),
      fc.record({ kind: fc.constant('close' as const), pick: fc.nat(20) }),
      fc.record({ kind: fc.constant('wait' as const), ticks: fc.integer({ min: 1, max: 14 }) }),
      fc.record({ kind: fc.constant('away' as const), away: fc.boolean() }),
      fc.record({ kind: fc.constant('settle' as const) }),
    ),
    { maxLength: 60 },
  );

/** Three users in one room, on one or more nodes; a watcher on each hears of all of them. */
class Play {
  readonly clock = new ManualClock();
  readonly world = new InMemoryRooms(new Map([['room', new Set([...USERS, 'watcher'])]]));
  readonly nodes: PresenceNode[];
  readonly watchers: PresenceConnection[] = [];
  readonly open: PresenceConnection[] = [];
  /** What the watchers were told last, by user. */
  readonly told: Map<string, string>[] = [];

  constructor(nodes: number) {
    const cluster = {
      ...{ clock: this.clock, leases: new MemoryLeases(this.clock), subscriptions: new Map(), world: this.world },
    };
    this.nodes = Array.from({ length: nodes }, (_, i) => new PresenceNode(`n${i}`, cluster));
  }

  async start(): Promise<void> {
    for (const node of this.nodes) {
      this.watchers.push(await node.open('watcher'));
      this.told.push(new Map());
    }
  }

  async run(step: Step): Promise<void> {
    if (step.kind === 'open') {
      const node = this.nodes[step.node];
      if (node) this.open.push(node.openNow(USERS[step.user] ?? 'alice'));
    } else if (step.kind === 'close') this.open.splice(step.pick % Math.max(1, this.open.length), 1)[0]?.close();
    else if (step.kind === 'away') this.world.broken = step.away;
    else if (step.kind === 'settle') await presenceSettled();
    else for (let i = 0; i < step.ticks; i++) await this.tick();
  }

  async tick(): Promise<void> {
    this.clock.advance(TICK_MS);
    for (const node of this.nodes) await node.tick();
  }

  /** Reads what came; updates about a user have to alternate, and `onOffline` looks at each "offline". */
  read(onOffline: (user: string) => void): void {
    for (const [i, watcher] of this.watchers.entries())
      for (const frame of watcher.take()) {
        if (frame.type !== 'presence.update') continue;
        const [user, status] = [String(frame['user_id']), String(frame['status'])];
        expect({ user, status }).toEqual({ user, status: this.told[i]?.get(user) === 'online' ? 'offline' : 'online' });
        this.told[i]?.set(user, status);
        if (status === 'offline') onOffline(user);
      }
  }

  isOpen(user: string): boolean {
    return this.open.some((connection) => connection.userId === user);
  }

  /** When the world is whole again and the grace is over, every watcher knows what is so. */
  async end(): Promise<void> {
    this.world.broken = false;
    for (let ms = 0; ms <= 2 * OFFLINE_GRACE_MS; ms += TICK_MS) await this.tick();
    this.read(() => undefined);
    for (const told of this.told)
      for (const user of USERS)
        expect([user, told.get(user) ?? 'offline']).toEqual([user, this.isOpen(user) ? 'online' : 'offline']);
  }
}

describe('presence, whatever opens and closes when', () => {
  it('one node: updates alternate, and nobody is offline while a connection is open', async () => {
    await fc.assert(
      fc.asyncProperty(steps(1), async (all) => {
        const play = new Play(1);
        await play.start();
        for (const step of all) {
          await play.run(step);
          play.read((user) => expect([user, play.isOpen(user)]).toEqual([user, false]));
        }
        await play.end();
      }),
      { numRuns: runs(300) },
    );
  });

  it('two nodes: updates alternate, and end with what is so', async () => {
    await fc.assert(
      fc.asyncProperty(steps(2), async (all) => {
        const play = new Play(2);
        await play.start();
        for (const step of all) {
          await play.run(step);
          play.read(() => undefined);
        }
        await play.end();
      }),
      { numRuns: runs(300) },
    );
  });
});
