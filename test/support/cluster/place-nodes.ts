import { randomUUID } from 'node:crypto';
import type { PlaceLimits } from '../../../src/platform/cluster';
import { registryKey } from '../../../src/platform/cluster/redis/membership-scripts';
import type { Script } from '../../../src/platform/cluster/redis/redis-commands';
import { RedisPlaces } from '../../../src/platform/cluster/redis/redis-places';
import { owner } from '../suites/places-suite';
import { HeldCommands, TimedRedis } from './held-commands';
import type { RedisServer } from './redis';

/** Those that are alive: until for ever. KEYS: the registry. ARGV: nodes. */
const ALIVE: Script = {
  name: 'alive',
  lua: `redis.call('DEL', KEYS[1])
for i = 1, #ARGV - 2 do redis.call('ZADD', KEYS[1], '+inf', ARGV[i]) end`,
};
const NODES = ['node 0', 'node 1', 'node 2'];

/** Three nodes of one installation, which take places of one tenant. */
export class PlaceNodes {
  readonly commands: readonly HeldCommands[];
  readonly places: readonly RedisPlaces[];
  /** Decisions by the share of a node, of all of them. */
  fallbacks = 0;

  private constructor(
    readonly redis: TimedRedis,
    private readonly installation: string,
  ) {
    this.commands = NODES.map(() => new HeldCommands(redis));
    this.places = this.commands.map((commands, n) => {
      const options = { installation, nodeId: `node ${n}`, nodes: () => NODES.length };
      return new RedisPlaces(commands, options, { inc: () => this.fallbacks++ });
    });
  }

  static async on(server: RedisServer): Promise<PlaceNodes> {
    const nodes = new PlaceNodes(await TimedRedis.on(server), randomUUID());
    await nodes.areAlive();
    return nodes;
  }

  /** These and no other ones, as Redis knows; also after it has forgotten everything. */
  async areAlive(...nodes: readonly string[]): Promise<void> {
    await this.redis.run(ALIVE, [registryKey(this.installation)], nodes.length === 0 ? NODES : nodes);
  }

  on(n: number): RedisPlaces {
    const places = this.places[n];
    if (places === undefined) throw new Error(`there is no node ${n}`);
    return places;
  }

  to(n: number): HeldCommands {
    const commands = this.commands[n];
    if (commands === undefined) throw new Error(`there is no node ${n}`);
    return commands;
  }

  /** Of so many attempts on a node, one after the other, those that got a place. */
  async take(n: number, times: number, limits: PlaceLimits, user = 'alice'): Promise<number> {
    let taken = 0;
    for (let i = 0; i < times; i++) if ((await this.on(n).take(owner(user), limits)) === undefined) taken++;
    return taken;
  }

  giveBack(n: number, times: number, user = 'alice'): void {
    for (let i = 0; i < times; i++) this.on(n).giveBack(owner(user));
  }

  /** As every node says. */
  taken(user?: string): Promise<number[]> {
    return Promise.all(this.places.map((places) => places.taken('/ws', 't', user)));
  }

  close(): void {
    for (const places of this.places) places.stop();
    this.redis.close();
  }
}
