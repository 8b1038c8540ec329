import { randomUUID } from 'node:crypto';
import { ManualClock } from '../../../src/common/time';
import { type NodeMembership, redisMembership } from '../../../src/platform/cluster/redis/membership';
import { RedisCommands, type Script } from '../../../src/platform/cluster/redis/redis-commands';
import { RecordingLog } from '../recording-log';
import { untilPasses } from '../suites/port-fixture';
import { MAX_WAIT_MS } from '../timing';
import type { RedisServer } from './redis';
import { TcpProxy } from './tcp-proxy';

const NOW = 'local now = t[1] * 1000 + math.floor(t[2] / 1000)';

/** Redis' clock set forward, for scripts that take the time from it: what they do, on the real server, without the waiting. */
class ShiftedCommands {
  private readonly shifted = new Map<Script, Script>();
  private shiftedBy = 0;

  constructor(
    private readonly commands: RedisCommands,
    private readonly shiftMs: () => number,
  ) {}

  onLive(handler: () => void): () => void {
    return this.commands.onLive(handler);
  }

  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.commands.run(this.shift(script), keys, args);
  }

  private shift(script: Script): Script {
    if (this.shiftedBy !== this.shiftMs()) this.shifted.clear();
    this.shiftedBy = this.shiftMs();
    const known = this.shifted.get(script);
    if (known !== undefined) return known;
    const shifted = { ...script, lua: script.lua.replace(NOW, `${NOW} + ${this.shiftedBy}`) };
    if (script.lua.includes("'TIME'") && shifted.lua === script.lua)
      throw new Error(`${script.name} has another clock`);
    this.shifted.set(script, shifted);
    return shifted;
  }
}

interface NodesOptions {
  /** How long a node waits for an answer of Redis, in ms. Default: as long as a test. */
  readonly deadlineMs?: number;
}

/** A node behind a network of its own. */
export interface RedisNode extends NodeMembership {
  readonly commands: RedisCommands;
  readonly proxy: TcpProxy;
  readonly name: string;
}

/** Nodes of one installation on one server, whose time a test moves. */
export class RedisNodes {
  readonly installation = randomUUID();
  readonly errors: unknown[] = [];
  readonly all: RedisNode[] = [];
  /** By the name of the node. */
  readonly generationChanges: string[] = [];
  readonly clock = new ManualClock();
  private shiftMs = 0;

  private constructor(
    private readonly redis: RedisServer,
    private readonly options: NodesOptions,
  ) {}

  /** Resolves when they know each other and the generation has settled. */
  static async on(redis: RedisServer, count = 3, options: NodesOptions = {}): Promise<RedisNodes> {
    const nodes = new RedisNodes(redis, options);
    for (let n = 0; n < count; n++) await nodes.start(`n${n}`);
    return nodes;
  }

  /** Connected, and nothing else: no heartbeat was sent. */
  async start(name: string): Promise<RedisNode> {
    const { redis, options, clock, installation } = this;
    const proxy = await TcpProxy.to(() => redis.port);
    const url = `redis://127.0.0.1:${proxy.port}`;
    const { deadlineMs = MAX_WAIT_MS } = options;
    const commands = new RedisCommands({ url, clientName: name, deadlineMs }, new RecordingLog());
    const membership = redisMembership(
      {
        ...{ clock, installation, about: { name, release: '1.2.3', protocol: 1 } },
        commands: new ShiftedCommands(commands, () => this.shiftMs),
        onGenerationChange: () => void this.generationChanges.push(name),
      },
      (error) => void this.errors.push(error),
    );
    commands.start();
    await untilPasses(() => expect(commands.isLive).toBe(true));
    const node = { ...membership, commands, proxy, name };
    this.all.push(node);
    return node;
  }

  get(n: number): RedisNode {
    const node = this.all[n];
    if (node === undefined) throw new Error(`there is no node ${n}`);
    return node;
  }

  /** Lets time pass everywhere. */
  advance(ms: number): void {
    this.clock.advance(ms);
    this.shiftMs += ms;
  }

  /** As `advance`, in steps of a heartbeat of these nodes. */
  async live(ms: number, nodes: readonly RedisNode[] = this.all): Promise<void> {
    for (let left = ms; left > 0; left -= 5000) {
      this.advance(Math.min(left, 5000));
      for (const node of nodes) await node.nodes.heartbeat();
    }
  }

  /** Heartbeats until what a node answers is sure. */
  async settle(nodes: readonly RedisNode[] = this.all): Promise<void> {
    for (const node of nodes) await node.nodes.heartbeat();
    await this.live(30_000, nodes);
  }

  /** Redis is there again, and every node has done what it does when it is. */
  async back(nodes: readonly RedisNode[] = this.all): Promise<void> {
    await untilPasses(() => expect(nodes.map(({ commands }) => commands.isLive)).toEqual(nodes.map(() => true)));
    for (const node of nodes) await node.nodes.heartbeat();
    for (const node of nodes) await node.nodes.heartbeat();
  }

  async close(): Promise<void> {
    for (const { nodes, commands, proxy } of this.all) {
      await nodes.leaveCluster();
      commands.stop();
      await proxy.close();
    }
  }
}
