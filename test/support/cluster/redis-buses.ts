import { randomUUID } from 'node:crypto';
import { SystemClock } from '../../../src/common/time';
import type { BusGap, Topic } from '../../../src/platform/cluster';
import type { BusTiming } from '../../../src/platform/cluster/redis/bus-stream';
import { RedisBus } from '../../../src/platform/cluster/redis/redis-bus';
import { RecordingLog } from '../recording-log';
import { SUITE_TOPICS } from '../suites/bus-suite';
import { untilPasses } from '../suites/port-fixture';
import type { RedisServer } from './redis';
import { TcpProxy } from './tcp-proxy';

/** A node notices within moments what it would within seconds; that it takes itself or others for dead is up to the test. */
const TIMING: BusTiming = { positionMs: 25, canaryMs: 120_000, settleMs: 120_000, forgottenMs: 600_000 };

interface BusesOptions {
  readonly timing?: Partial<BusTiming>;
  readonly mostQueuedBytes?: number;
}

/** A node's bus, behind a network of its own. */
export interface NodeOnRedis {
  readonly nodeId: string;
  readonly bus: RedisBus;
  /** By server, in their order. */
  readonly proxies: readonly TcpProxy[];
  /** Told since all nodes had begun. */
  readonly gaps: BusGap[];
}

/** Three nodes of one installation on the same servers. */
export class RedisBuses {
  readonly installation = randomUUID();
  readonly errors: unknown[] = [];
  readonly log = new RecordingLog();
  readonly nodes: NodeOnRedis[] = [];

  /** Resolves when all nodes hear each other, and have told their first gap. */
  static async on(servers: readonly RedisServer[], options: BusesOptions = {}, count = 3): Promise<RedisBuses> {
    const buses = new RedisBuses();
    for (let n = 0; n < count; n++) buses.nodes.push(await buses.node(servers, options));
    for (const { bus } of buses.nodes) bus.start();
    await untilPasses(() => {
      for (const { bus, gaps } of buses.nodes)
        expect([bus.state, bus.othersHeard, gaps.length]).toEqual(['live', count - 1, servers.length]);
    });
    for (const { gaps } of buses.nodes) gaps.length = 0;
    return buses;
  }

  get(n: number): NodeOnRedis {
    const node = this.nodes[n];
    if (node === undefined) throw new Error(`there is no node ${n}`);
    return node;
  }

  async close(): Promise<void> {
    for (const { bus, proxies } of this.nodes) {
      await bus.stop();
      await Promise.all(proxies.map((proxy) => proxy.close()));
    }
  }

  /** One more node, which has not been started. */
  async add(servers: readonly RedisServer[], options: BusesOptions = {}): Promise<NodeOnRedis> {
    const node = await this.node(servers, options);
    this.nodes.push(node);
    return node;
  }

  private async node(servers: readonly RedisServer[], options: BusesOptions): Promise<NodeOnRedis> {
    const nodeId = randomUUID();
    const proxies = await Promise.all(servers.map((server) => TcpProxy.to(() => server.port)));
    const instances = proxies.map(({ port }, n) => ({ name: `redis-${n}`, url: `redis://127.0.0.1:${port}` }));
    const topics = Object.fromEntries(SUITE_TOPICS.map((topic, n) => [topic, n + 1]));
    const { timing, ...more } = options;
    const settings = { nodeId, instances, topics, installation: this.installation, timing: { ...TIMING, ...timing } };
    const onError = (error: unknown): void => void this.errors.push(error);
    const bus = new RedisBus({ ...settings, ...more }, onError, new SystemClock(), this.log);
    const gaps: BusGap[] = [];
    bus.onGap((gap) => void gaps.push(gap));
    return { nodeId, bus, proxies, gaps };
  }
}

/** What a node hears of a topic. */
export function textsOf({ bus }: NodeOnRedis, topic: Topic<{ readonly text: string }> = 'words'): string[] {
  const texts: string[] = [];
  bus.subscribe(topic, ({ payload }) => void texts.push(payload.text));
  return texts;
}
