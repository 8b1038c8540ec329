import { ManualClock } from '../../../src/common/time';
import { type NodeMembership, redisMembership } from '../../../src/platform/cluster/redis/membership';
import { ModelCommands, RedisModel } from '../cluster/redis-model';
import { InMemoryRooms } from './in-memory-rooms';
import { LossyWire } from './lossy-wire';
import type { PresenceConnection } from './presence-connection';
import { PresenceNode, presenceSettled } from './presence-node';

const TICK_MS = 500;
const TICKS_PER_BEAT = 10;

interface Site {
  readonly name: string;
  readonly node: PresenceNode;
  readonly membership: NodeMembership;
  readonly commands: ModelCommands;
  readonly open: Set<PresenceConnection>;
}

/**
 * Presence on nodes with a model of Redis and a bus that loses: nodes die, Redis restarts or is away, and time is a clock that
 * the test moves. Nothing is random in it.
 */
export class PresenceClusterSimulator {
  readonly clock = new ManualClock();
  readonly world: InMemoryRooms;
  readonly wire = new LossyWire();
  private readonly redis = new RedisModel(this.clock);
  private readonly sites: Site[] = [];
  private isRedisThere = true;
  private started = 0;
  private ticks = 0;

  /** @param users all of them in one room */
  constructor(users: readonly string[]) {
    this.world = new InMemoryRooms(new Map([['room', new Set(users)]]));
  }

  get size(): number {
    return this.sites.length;
  }

  /** Resolves when it is a node of the cluster. */
  async start(): Promise<void> {
    const name = `n${++this.started}`;
    const { clock, world } = this;
    const commands = new ModelCommands(this.redis);
    if (!this.isRedisThere) commands.cut();
    const membership = redisMembership({ commands, installation: 'i', clock, about: {} }, (error) => {
      throw error;
    });
    const { leases, nodes } = membership;
    const bus = this.wire.bus(nodes.self.nodeId);
    const node = new PresenceNode(name, { clock, leases, subscriptions: new Map(), world, bus, nodes });
    this.sites.push({ name, node, membership, commands, open: new Set() });
    await nodes.heartbeat();
    await presenceSettled();
  }

  open(n: number, userId: string): PresenceConnection {
    const { node, open } = this.at(n);
    const connection = node.openNow(userId);
    open.add(connection);
    connection.onClose(() => void open.delete(connection));
    return connection;
  }

  /** Its connections are gone, and nobody is told. */
  crash(n: number): void {
    const { node, membership, commands, open } = this.at(n);
    commands.cut();
    node.crash();
    this.wire.remove(membership.nodes.self.nodeId);
    this.sites.splice(n, 1);
    for (const connection of [...open]) connection.close();
  }

  /** It stands still, with its connections, until it is thawed. */
  freeze(n: number, isFrozen = true): void {
    const { frozen } = this.wire;
    const { nodeId } = this.at(n).membership.nodes.self;
    if (isFrozen) frozen.add(nodeId);
    else frozen.delete(nodeId);
  }

  killRedis(): void {
    this.isRedisThere = false;
    this.wire.isDown = true;
    for (const { commands } of this.sites) commands.cut();
  }

  /** It answers again. @param isEmpty it was restarted; otherwise it only stood still */
  async startRedis(isEmpty: boolean): Promise<void> {
    if (this.isRedisThere) return;
    this.isRedisThere = true;
    if (isEmpty) this.redis.forget();
    for (const { commands } of this.sites) commands.connect();
    await presenceSettled();
    this.wire.restore();
  }

  /** Lets half a second pass everywhere. */
  async tick(): Promise<void> {
    this.clock.advance(TICK_MS);
    const isBeat = ++this.ticks % TICKS_PER_BEAT === 0;
    for (const { node, membership } of this.sites) {
      if (this.wire.frozen.has(membership.nodes.self.nodeId)) continue;
      if (isBeat) await membership.nodes.heartbeat();
      await node.tick();
    }
    this.wire.announce();
  }

  async wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= TICK_MS) await this.tick();
    await presenceSettled();
  }

  isOpen(userId: string): boolean {
    return this.sites.some(({ open }) => [...open].some((connection) => connection.userId === userId));
  }

  private at(n: number): Site {
    const site = this.sites[n];
    if (site === undefined) throw new Error(`there is no node ${n}`);
    return site;
  }
}
