import { createClient } from '@redis/client';
import { type Clock, ManualClock } from '../../../src/common/time';
import { RedisAway, type RedisCommands, type Script } from '../../../src/platform/cluster/redis/redis-commands';
import type { RedisServer } from './redis';

const clientOf = (port: number) => createClient({ url: `redis://127.0.0.1:${port}` });

/**
 * Redis whose clock is a test's: scripts that ask for the time get the test's, and what they store lasts while the test
 * does. Everything else about it is real.
 */
export class TimedRedis {
  readonly clock = new ManualClock();
  private constructor(private readonly client: ReturnType<typeof clientOf>) {}

  /** With nothing in it. */
  static async on(server: RedisServer): Promise<TimedRedis> {
    const client = clientOf(server.port);
    await client.connect();
    await client.flushAll();
    return new TimedRedis(client);
  }

  run({ lua }: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const now = this.clock.wallMs();
    const time = [Math.floor(now / 1000), Math.round((now % 1000) * 1000)];
    const timed = lua
      .replaceAll("redis.call('TIME')", '{ARGV[#ARGV - 1], ARGV[#ARGV]}')
      .replaceAll(/redis.call\('PEXPIRE', (\w+), [^)]*\)/g, "redis.call('PERSIST', $1)");
    return this.client.eval(timed, { keys: [...keys], arguments: [...args, ...time].map(String) });
  }

  /** It comes back with nothing in it. */
  async lose(): Promise<void> {
    await this.client.flushAll();
  }

  close(): void {
    this.client.destroy();
  }
}

/** A command on its way. */
export interface Held {
  readonly op: string;
  /** It arrives and is done; its answer is on its way back. A second time it does nothing. */
  reach(): Promise<void>;
  /** Its answer arrives; it has to be done. */
  answer(): void;
  /** The node gives up on it. It may arrive yet. */
  lose(): void;
  readonly isDone: boolean;
}

/** A node's commands to Redis, which arrive, are answered or lost when the test says so; or at once. */
export class HeldCommands implements Pick<RedisCommands, 'isLive' | 'onLive' | 'run'> {
  isLive = true;
  isHeld = false;
  /** These alone are held, where they are. */
  heldOp: string | undefined;
  /** Asked so far. */
  count = 0;
  readonly onTheWay: Held[] = [];
  private readonly handlers = new Set<() => void>();

  constructor(private readonly redis: TimedRedis) {}

  onLive(handler: () => void): () => void {
    this.handlers.add(handler);
    return () => void this.handlers.delete(handler);
  }

  /** Redis is there again. */
  comeBack(): void {
    this.isLive = true;
    for (const handler of this.handlers) handler();
  }

  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    if (!this.isLive) return Promise.reject(new RedisAway('away'));
    this.count++;
    if (!this.isHeld || (this.heldOp !== undefined && this.heldOp !== script.name))
      return this.redis.run(script, keys, args);
    return new Promise((resolve, reject) => {
      let done: Promise<unknown> | undefined;
      let [answer, isDone]: [unknown, boolean] = [undefined, false];
      const held: Held = {
        op: script.name,
        reach: async () => {
          answer = await (done ??= this.redis.run(script, keys, args));
          isDone = true;
        },
        answer: () => {
          if (!isDone) throw new Error('it was not done');
          resolve(answer);
        },
        lose: () => reject(new RedisAway('lost')),
        get isDone() {
          return isDone;
        },
      };
      this.onTheWay.push(held);
    });
  }
}

/** A node's clock: its wall clock is wrong by so much. */
export class SkewedClock implements Clock {
  constructor(
    private readonly clock: Clock,
    private readonly skewMs: number,
  ) {}

  monotonicMs(): number {
    return this.clock.monotonicMs() + 12_345;
  }

  wallMs(): number {
    return this.clock.wallMs() + this.skewMs;
  }
}
