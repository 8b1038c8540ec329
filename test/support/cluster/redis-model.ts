import type { Clock } from '../../../src/common/time';
import { NODE_TTL_MS } from '../../../src/platform/cluster';
import { RedisAway, type RedisCommands, type Script } from '../../../src/platform/cluster/redis/redis-commands';

const SILENCE_MS = 7500;
const CONFIRM_MS = 5000;
const SETTLE_MS = 30_000;
const MISSING_MS = 120_000;

type Args = readonly string[];

interface Generation {
  readonly id: string;
  readonly at: number;
  beat: number;
}

interface Node {
  expiry: number;
  late?: number;
  since?: number;
  held?: string;
  about: string;
}

/**
 * What the scripts about nodes and leases do to a Redis, in memory and by a clock that a test moves. The shared suites run on
 * it as on the real one: membership-scripts.ts says what each does.
 */
export class RedisModel {
  private generation: Generation | undefined;
  private readonly nodes = new Map<string, Node>();
  private readonly names = new Map<string, string>();
  private readonly leases = new Map<string, Map<string, number>>();
  private readonly claims = new Map<string, { holder: string; until: number }>();

  constructor(private readonly clock: Clock) {}

  /** Restarted, empty. */
  forget(): void {
    this.generation = undefined;
    for (const memory of [this.nodes, this.names, this.leases, this.claims]) memory.clear();
  }

  run({ name }: Script, keys: Args, args: Args): unknown {
    switch (name) {
      case 'beat':
        return this.beat(args);
      case 'nodes':
        return [...this.nodes].flatMap(([id, { expiry, about }]) => (expiry > this.now ? [id, about] : []));
      case 'leave':
        return void this.nodes.delete(args[0] ?? '');
      case 'hold':
        return this.hold(keys.slice(6), args);
      case 'held':
        return this.held(keys.slice(6));
      case 'claim':
        return this.claim(keys[0] ?? '', args);
      case 'unclaim':
        if (this.claims.get(keys[0] ?? '')?.holder === args[0]) this.claims.delete(keys[0] ?? '');
        return null;
      default:
        throw new Error(`no script is called ${name}`);
    }
  }

  private get now(): number {
    return this.clock.monotonicMs();
  }

  /** 0 where it is lost, undefined where it is not late. */
  private untilLost({ late, expiry }: Node): number | undefined {
    if (late === undefined) return undefined;
    const settled = (this.generation?.at ?? this.now) + SETTLE_MS;
    return Math.max(0, expiry - this.now, late + CONFIRM_MS - this.now, settled - this.now);
  }

  private beat([id = '', about = '', name = '', candidate = '', known = '', ...seen]: Args): unknown[] {
    const { now, nodes } = this;
    const isNew = this.generation === undefined || now - this.generation.beat > SILENCE_MS;
    if (isNew) for (const node of nodes.values()) delete node.late;
    const generation = isNew || !this.generation ? { id: candidate, at: now, beat: now } : this.generation;
    this.generation = generation;
    generation.beat = now;
    if (known !== '' && known !== generation.id)
      for (const other of seen) if (!nodes.has(other)) nodes.set(other, { expiry: now, about: '' });
    if (name !== '') this.takeName(name, id);
    const before = nodes.get(id);
    const wasLost =
      !isNew && (before === undefined ? known === generation.id : before.expiry > 0 && this.untilLost(before) === 0);
    const isBack = isNew || (before?.expiry ?? 0) <= now;
    const { held, since } = before ?? {};
    const kept = { ...(held === undefined ? {} : { held }), ...(since === undefined ? {} : { since }) };
    nodes.set(id, { expiry: now + NODE_TTL_MS, about, ...(isBack ? { since: now } : kept) });
    for (const [other, { expiry }] of nodes) if (expiry <= now - MISSING_MS + NODE_TTL_MS) nodes.delete(other);
    return [generation.id, nodes.get(id)?.held === generation.id ? 0 : 1, wasLost ? 1 : 0, ...this.list()];
  }

  private takeName(name: string, id: string): void {
    const before = this.names.get(name);
    if (before !== undefined && before !== id && (this.nodes.get(before)?.expiry ?? this.now) <= this.now)
      this.nodes.delete(before);
    this.names.set(name, id);
  }

  private list(): unknown[] {
    for (const node of this.nodes.values())
      if (this.now - (node.expiry - NODE_TTL_MS) > SILENCE_MS) node.late ??= this.now;
    const left = [...this.nodes.values()].flatMap((node) => this.untilLost(node) ?? []).filter((ms) => ms > 0);
    const listed = [...this.nodes].flatMap(([id, node]) => [id, this.untilLost(node) === 0 ? 1 : 0, node.about]);
    return [left.length === 0 ? -1 : Math.min(...left), ...listed];
  }

  private hold(keys: Args, [id = '', all = '', ...holds]: Args): string {
    const current = this.generation?.id ?? '';
    const node = this.nodes.get(id);
    if (all !== '' && all === current && node !== undefined) node.held = all;
    for (const [n, key] of keys.entries()) {
      const [holder, ms] = [holds[2 * n] ?? '', Number(holds[2 * n + 1])];
      const holders = this.leases.get(key) ?? new Map<string, number>();
      if (ms === 0) holders.delete(holder);
      else holders.set(holder, this.now + ms);
      this.leases.set(key, holders);
    }
    return current;
  }

  private held(keys: Args): unknown[] {
    const { generation, now } = this;
    let isUnknown = generation === undefined || now - generation.at < SETTLE_MS;
    let isMissing = false;
    const counts = new Set<string>();
    for (const [id, node] of this.nodes) {
      if (this.untilLost(node) === 0) isMissing = true;
      else {
        counts.add(id);
        if (node.held !== generation?.id && now - (node.since ?? 0) < SETTLE_MS) isUnknown = true;
      }
    }
    const isHeld = (key: string): boolean =>
      [...(this.leases.get(key) ?? [])].some(
        ([holder, until]) => until > now && counts.has(holder.split('/')[0] ?? ''),
      );
    const numbers = [...keys.entries()].flatMap(([n, key]) => (isHeld(key) ? [n] : []));
    return [generation?.id ?? '', isUnknown ? 2 : isMissing ? 1 : 0, ...numbers];
  }

  private claim(key: string, [holder = '', ms = '0', how = '']: Args): number {
    const known = this.claims.get(key);
    const isTaken = known !== undefined && known.until > this.now;
    if ((isTaken && known.holder !== holder) || (!isTaken && how === 'renew')) return 0;
    this.claims.set(key, { holder, until: this.now + Number(ms) });
    return 1;
  }
}

/** One node's connection to it. */
export class ModelCommands implements Pick<RedisCommands, 'run' | 'onLive'> {
  private isConnected = true;
  private readonly handlers = new Set<() => void>();

  constructor(private readonly redis: RedisModel) {}

  onLive(handler: () => void): () => void {
    this.handlers.add(handler);
    return () => void this.handlers.delete(handler);
  }

  async run(script: Script, keys: Args, args: readonly (string | number)[]): Promise<unknown> {
    if (!this.isConnected) throw new RedisAway('Redis is away');
    return this.redis.run(script, keys, args.map(String));
  }

  cut(): void {
    this.isConnected = false;
  }

  connect(): void {
    if (this.isConnected) return;
    this.isConnected = true;
    for (const handler of this.handlers) handler();
  }
}
