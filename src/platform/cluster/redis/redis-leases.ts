import type { Clock } from '../../../common/time';
import { type HeldKeys, Leases } from '../ports';
import type { Generation } from './generation';
import { CLAIM, HELD, HOLD, MISSING_MS, MOST_KEYS, nodeKeys, UNCLAIM } from './membership-scripts';
import { redisKey, RedisAway, type RedisCommands, type Script } from './redis-commands';

/** What the leases and the registry of one node have in common. */
export interface MembershipSite {
  readonly commands: Pick<RedisCommands, 'run' | 'onLive'>;
  /** Of this installation: several may use one Redis. */
  readonly installation: string;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly generation: Generation;
}

/** A holder's lease, as it is to be. */
interface Own {
  readonly key: string;
  readonly holder: string;
  /** By the monotonic clock; 0: to be dropped. */
  until: number;
  /** Grows with each change, so that an answer about an earlier one is told apart. */
  version: number;
}

/** Between two looks for leases that have run out. */
const SWEEP_MS = 60_000;

/**
 * Leases of one node in Redis, with those of all others.
 *
 * Invariants
 * - What this node holds is remembered here, and Redis is brought to it: at once; what it did not take, with the next thing
 *   that is sent or the next heartbeat; all of it after each new connection, for each new generation, and when a heartbeat's
 *   answer says that this node has not held. So nobody above knows of generations, or states anything twice.
 * - A node is said to have held only when every lease was taken by the very generation.
 * - One call at a time states what has changed since the last: those of one lease reach Redis in their order.
 * - What Redis does not answer is unknown, and never "nobody holds it". That a surer answer comes is said for two minutes
 *   since its last answer.
 */
export class RedisLeases extends Leases {
  private readonly own = new Map<string, Own>();
  /** What Redis may not have yet. */
  private unsent = new Set<Own>();
  /** Who waits until a change is stated, or cannot be. */
  private readonly waiting = new Map<Own, (() => void)[]>();
  private sending: Promise<boolean> | undefined;
  /** The generation that has all. */
  private heldUnder = '';
  private isHoldingAll = false;
  private answeredAt: number;
  private sweptAt: number;
  private readonly nodeKeys: readonly string[];

  constructor(private readonly site: MembershipSite) {
    super();
    this.nodeKeys = nodeKeys(site.installation);
    this.answeredAt = this.sweptAt = site.clock.monotonicMs();
    site.commands.onLive(() => {
      this.heldUnder = '';
      void this.holdAll();
    });
    site.generation.onAnswer((mustHold) => this.answered(mustHold));
  }

  /** Leases in memory, those included that are still to be dropped. */
  get size(): number {
    return this.own.size;
  }

  holdLease(key: string, holder: string, ttlMs: number): Promise<void> {
    const own = this.find(key, holder) ?? this.add(key, holder);
    own.until = this.site.clock.monotonicMs() + ttlMs;
    return this.change(own);
  }

  dropLease(key: string, holder: string): Promise<void> {
    const own = this.find(key, holder);
    if (own === undefined) return Promise.resolve();
    own.until = 0;
    return this.change(own);
  }

  async heldAmong(keys: readonly string[]): Promise<HeldKeys> {
    const parts: Promise<HeldKeys>[] = [];
    for (let from = 0; from < keys.length; from += MOST_KEYS)
      parts.push(this.heldOf(keys.slice(from, from + MOST_KEYS)));
    const held = new Set<string>();
    let [isComplete, isSettling] = [true, false];
    for (const part of await Promise.all(parts)) {
      for (const key of part.held) held.add(key);
      isComplete &&= part.isComplete;
      isSettling ||= part.isSettling;
    }
    return { held, isComplete, isSettling };
  }

  claim(key: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.claimed(CLAIM, key, holder, [ttlMs, 'claim']);
  }

  renewClaim(key: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.claimed(CLAIM, key, holder, [ttlMs, 'renew']);
  }

  async unclaim(key: string, holder: string): Promise<void> {
    await this.claimed(UNCLAIM, key, holder, []);
  }

  private find(key: string, holder: string): Own | undefined {
    return this.own.get(`${holder} ${key}`);
  }

  private add(key: string, holder: string): Own {
    const own: Own = { key, holder, until: 0, version: 0 };
    this.own.set(`${holder} ${key}`, own);
    return own;
  }

  private change(own: Own): Promise<void> {
    own.version++;
    this.unsent.add(own);
    void this.send();
    return new Promise((resolve) => {
      const waiting = this.waiting.get(own) ?? [];
      this.waiting.set(own, waiting);
      waiting.push(resolve);
    });
  }

  /**
   * Whether Redis has taken all that was not sent before. One call at a time, and what changes meanwhile goes with the next: where
   * all nodes hold again at once, none of them is late because of what it has sent itself.
   */
  private send(): Promise<boolean> {
    return (this.sending ??= this.sendParts());
  }

  private async sendParts(): Promise<boolean> {
    // With what else this turn changes.
    await Promise.resolve();
    let isTaken = true;
    while (isTaken && this.unsent.size > 0) {
      this.sweep();
      isTaken = await this.sendPart([...firstOf(this.unsent, MOST_KEYS)]);
    }
    // In the turn of the last look: a change after it begins anew.
    this.sending = undefined;
    if (!isTaken) for (const own of [...this.waiting.keys()]) this.settle(own);
    return isTaken;
  }

  private settle(own: Own): void {
    const waiting = this.waiting.get(own) ?? [];
    this.waiting.delete(own);
    for (const resolve of waiting) resolve();
  }

  private async sendPart(part: readonly Own[]): Promise<boolean> {
    const now = this.site.clock.monotonicMs();
    const sent = part.map((own) => ({ own, version: own.version }));
    const args = part.flatMap(({ holder, until }) => [this.holderOf(holder), Math.max(0, Math.ceil(until - now))]);
    const generation = await this.ask(
      HOLD,
      [...this.nodeKeys, ...part.map(({ key }) => this.redisKey(key))],
      [...[this.site.nodeId, ''], ...args],
    );
    if (typeof generation !== 'string') return false;
    for (const { own, version } of sent) {
      if (own.version !== version) continue;
      this.unsent.delete(own);
      this.settle(own);
      if (own.until === 0) this.own.delete(`${own.holder} ${own.key}`);
    }
    this.site.generation.answered(generation);
    return true;
  }

  private answered(mustHold: boolean): void {
    this.answeredAt = this.site.clock.monotonicMs();
    if (mustHold || this.heldUnder !== this.site.generation.current) void this.holdAll();
    else if (this.unsent.size > 0) void this.send();
  }

  /** Goes on until one generation has taken all, or Redis does not answer: the next answer begins it anew. */
  private async holdAll(): Promise<void> {
    if (this.isHoldingAll) return;
    this.isHoldingAll = true;
    try {
      for (let isNews = true; isNews;) {
        const { current } = this.site.generation;
        this.heldUnder = '';
        for (const own of this.own.values()) this.unsent.add(own);
        if (!(await this.send())) return;
        if (current !== '') {
          const seen = await this.ask(HOLD, this.nodeKeys, [this.site.nodeId, current]);
          if (seen === undefined) return;
          if (seen === current) this.heldUnder = current;
        }
        isNews = this.site.generation.current !== current;
      }
    } finally {
      this.isHoldingAll = false;
    }
  }

  private async heldOf(keys: readonly string[]): Promise<HeldKeys> {
    const answer = await this.ask(HELD, [...this.nodeKeys, ...keys.map((key) => this.redisKey(key))], []);
    if (!Array.isArray(answer)) {
      const isSettling = this.site.clock.monotonicMs() - this.answeredAt < MISSING_MS;
      return { held: new Set(), isComplete: false, isSettling };
    }
    const [generation, doubt, ...numbers] = answer as [string, number, ...number[]];
    this.site.generation.answered(generation);
    return { held: new Set(numbers.map((n) => keys[n] ?? '')), isComplete: doubt < 2, isSettling: doubt > 0 };
  }

  private async claimed(
    script: Script,
    key: string,
    holder: string,
    args: readonly (string | number)[],
  ): Promise<boolean> {
    const claim = redisKey(this.site.installation, 'claim', key);
    return (await this.ask(script, [claim], [this.holderOf(holder), ...args])) === 1;
  }

  /** undefined: no answer. */
  private async ask(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.site.commands.run(script, keys, args);
    } catch (error) {
      if (error instanceof RedisAway) return undefined;
      throw error;
    }
  }

  private holderOf(holder: string): string {
    return `${this.site.nodeId}/${holder}`;
  }

  private redisKey(key: string): string {
    return redisKey(this.site.installation, 'lease', key);
  }

  /** What ran out needs neither be held again nor kept. */
  private sweep(): void {
    const now = this.site.clock.monotonicMs();
    if (now - this.sweptAt < SWEEP_MS) return;
    this.sweptAt = now;
    for (const [id, own] of this.own) {
      if (own.until === 0 || own.until > now) continue;
      this.own.delete(id);
      this.unsent.delete(own);
      this.settle(own);
    }
  }
}

function* firstOf<T>(all: Iterable<T>, most: number): Generator<T, void> {
  let left = most;
  for (const each of all) {
    if (left-- === 0) return;
    yield each;
  }
}
