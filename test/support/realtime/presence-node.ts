import type { Clock } from '../../../src/common/time';
import { type Bus, type Leases, MemoryBus, MemoryNodeRegistry, type NodeRegistry } from '../../../src/platform/cluster';
import { SilentLog } from '../../../src/platform/logging';
import { LastSeenStore } from '../../../src/realtime';
import { Announcer } from '../../../src/realtime/presence/announcer';
import { LastSeen } from '../../../src/realtime/presence/last-seen';
import { LeaseKeeper } from '../../../src/realtime/presence/leases';
import { LocalPresence } from '../../../src/realtime/presence/local-presence';
import { Presence } from '../../../src/realtime/presence/presence';
import { PresenceBoard } from '../../../src/realtime/presence/presence-board';
import { PresenceRoster } from '../../../src/realtime/presence/roster';
import { Snapshots } from '../../../src/realtime/presence/snapshots';
import { FrameBatches } from '../../../src/realtime/transport';
import { Permits } from '../../../src/realtime/transport/reconnect-pacer';
import { PresenceConnection } from './presence-connection';
import { type InMemoryRooms, InMemoryAudience } from './in-memory-rooms';

type Subscriptions = NonNullable<ConstructorParameters<typeof MemoryBus>[2]>;

/** What the nodes of a test share, or what one of them sees of it. */
export interface PresenceCluster {
  readonly clock: Clock;
  readonly leases: Leases;
  readonly subscriptions: Subscriptions;
  readonly world: InMemoryRooms;
  /** Default: one in memory, over `subscriptions`. */
  readonly bus?: Bus;
  /** Default: a node that knows of no other. */
  readonly nodes?: NodeRegistry;
}

function throwIt(error: unknown): never {
  throw error;
}

class RecordingStore extends LastSeenStore {
  readonly written: { tenantId: string; userId: string; agoMs: number }[][] = [];
  broken = false;

  async write(seen: readonly { tenantId: string; userId: string; agoMs: number }[]): Promise<void> {
    if (this.broken) throw new Error('the database is away');
    this.written.push([...seen]);
  }
}

let connections = 0;

/** Presence on one node, without timers: `tick` does what they would do. */
export class PresenceNode {
  readonly audience: InMemoryAudience;
  readonly store = new RecordingStore();
  /** Pieces of work of a storm that wait for their turn. */
  pieces = 0;
  readonly parts: {
    readonly keeper: LeaseKeeper;
    readonly local: LocalPresence;
    readonly board: PresenceBoard;
    readonly announcer: Announcer;
    readonly snapshots: Snapshots;
    readonly roster: PresenceRoster;
    readonly lastSeen: LastSeen;
  };
  /** Hears nothing any more; whoever calls it does not call `tick` again. */
  readonly crash: () => void;

  constructor(nodeId: string, cluster: PresenceCluster) {
    const { clock, leases, subscriptions, world } = cluster;
    const bus = cluster.bus ?? new MemoryBus(nodeId, throwIt, subscriptions);
    const nodes = cluster.nodes ?? new MemoryNodeRegistry(clock, throwIt);
    this.audience = new InMemoryAudience(world);
    const keeper = new LeaseKeeper(leases, clock);
    const local = new LocalPresence(keeper, clock, new SilentLog());
    const board = new PresenceBoard(bus, this.audience, local, new FrameBatches(), clock);
    const presence = new Presence(leases, board, local);
    const announcer = new Announcer(local, board, presence, world.shared, bus);
    const pace = {
      queue: (most: number) => new Permits(most),
      now: () => clock.monotonicMs(),
      waiting: () => this.pieces,
    };
    const snapshots = new Snapshots(world.positions, presence, local, board, announcer, pace);
    const roster = new PresenceRoster(bus, nodes, local, board, announcer, clock);
    roster.onModuleInit();
    const lastSeen = new LastSeen(this.store, clock, local);
    this.parts = { keeper, local, board, announcer, snapshots, roster, lastSeen };
    this.crash = () => {
      board.end();
      roster.end();
    };
  }

  /** Opens a connection and waits for what that causes. */
  async open(userId: string, settings: ConstructorParameters<typeof PresenceConnection>[3] = {}) {
    const connection = this.openNow(userId, settings);
    await presenceSettled();
    return connection;
  }

  openNow(userId: string, settings: ConstructorParameters<typeof PresenceConnection>[3] = {}): PresenceConnection {
    const connection = new PresenceConnection(`conn_${++connections}`, 't1', userId, settings);
    this.audience.add(connection);
    this.parts.local.opened(connection);
    this.parts.snapshots.request(connection);
    return connection;
  }

  /** Every timer once; failures are what the timers would log. */
  async tick(): Promise<void> {
    const { local, keeper, announcer, snapshots, roster } = this.parts;
    roster.tick();
    for (const run of [() => local.tick(), () => keeper.renew(), () => announcer.tick(), () => snapshots.tick()])
      await run().catch(() => undefined);
    await presenceSettled();
  }
}

/** Lets all that does not wait for a timer run to its end. */
export function presenceSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
