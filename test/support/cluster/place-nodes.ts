import { randomUUID } from 'node:crypto';
import type { PlaceLimits } from '../../../src/platform/cluster';
import { RedisPlaces } from '../../../src/platform/cluster/redis/redis-places';
import { owner } from '../suites/places-suite';
import { HeldCommands, type TimedRedis } from './held-commands';

/** Three nodes of one installation, which take places of one tenant. */
export class PlaceNodes {
  /** The nodes that are alive, as all nodes know. */
  alive = ['node 0', 'node 1', 'node 2'];
  readonly commands: readonly HeldCommands[];
  readonly places: readonly RedisPlaces[];

  constructor(readonly redis: TimedRedis) {
    const installation = randomUUID();
    this.commands = this.alive.map(() => new HeldCommands(redis));
    this.places = this.commands.map((commands, n) => {
      const options = { installation, nodeId: `node ${n}`, nodes: () => this.alive };
      return new RedisPlaces(commands, options);
    });
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
