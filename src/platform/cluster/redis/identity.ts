import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../../common/time';
import type { Log } from '../../logging';
import { redisKey, RedisAway, type RedisCommands, type Script } from './redis-commands';

/** Nobody has found the nonce for so long: nobody is there that would miss it. In milliseconds. */
const SEEN_MS = 10_000;
/**
 * Longer than that: who finds another nonce for less knows nothing, since what was seen before Redis was emptied still
 * counts.
 */
const PATIENCE_MS = 13_000;
/** Of which so long for a Redis that does not answer: without it the server starts all the same. */
const AWAY_MS = 3000;
const AGAIN_MS = 250;
/** Between two errors of a server that runs. */
const REPEAT_MS = 60_000;

const READ: Script = { name: 'nonce', lua: `return redis.call('GET', KEYS[1])` };
const WRITE: Script = { name: 'nonce', lua: `return redis.call('SET', KEYS[1], ARGV[1])` };

/** What the database keeps of it. */
export interface NonceStore {
  /** @param seenMs whether a node has found it in its Redis within so many milliseconds */
  clusterNonce(seenMs: number): Promise<{ readonly nonce: string | null; readonly isSeen: boolean }>;
  /** This node has found it in its Redis. false: another one is in force by now. */
  noteClusterNonce(nonce: string): Promise<boolean>;
  /**
   * Puts another one into force, unless somebody else did meanwhile or a node has found it within `seenMs`; whoever comes
   * next finds it seen for a fifth of that, so that it gets into Redis undisturbed.
   */
  replaceClusterNonce(former: string | null, nonce: string, seenMs: number): Promise<boolean>;
}

/**
 * `same`: this node's Redis is that of all. `changing`: a new nonce is on its way, look again. `other`: a node is alive whose
 * Redis is another one. `away`: a Redis does not answer, so nothing is known.
 */
export type IdentityVerdict = 'same' | 'changing' | 'other' | 'away';

/** What it says, whatever else the list of Redises is called. */
const OTHER =
  'REDIS_URL leads to another Redis than that of the servers which run on this database, or names several in another order: give all servers the same REDIS_URL';

/**
 * Whether the nodes on one database have the same Redis. Two that had not would each work, and hear each other by polling
 * alone; what they count together would be counted twice.
 *
 * The database has a nonce, and each Redis the same one with its place in the list. Every two seconds a node looks:
 * - It finds the database's nonce in all its Redises: it says so in the database.
 * - It finds another one, or none, and no node has said so for ten seconds: nobody is there to disagree. It is the first one,
 *   or Redis came back empty, or they have all been moved to a new one. It makes a new nonce, in the database first: a node
 *   that had the former one, and was away for so long, does not take it for the one in force.
 * - It finds another one, or none, and some node still says so: that node has another Redis. A start waits until the ten
 *   seconds are over, and is refused. A node that runs, since Redis was away when it started, then says so in its log each
 *   minute and goes on: it serves its clients, and its Redis may be the right one.
 *
 * So a Redis that was restarted empty keeps no node from starting for longer than ten seconds, and stops none: what it had
 * been told is found by nobody any more.
 */
export class ClusterIdentity {
  private readonly key: string;
  private saidAt = -Infinity;
  /** Since when it has found another one; undefined: it does not. */
  private otherSince: number | undefined;

  /** @param redises of all instances, in the order of REDIS_URL */
  constructor(
    private readonly store: NonceStore,
    private readonly redises: readonly RedisCommands[],
    installation: string,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.key = redisKey(installation, 'nonce');
  }

  /** For a start: resolves when it is the same, or not to be known since Redis is away; rejects with one clear line. */
  async agree(): Promise<void> {
    const begun = this.clock.monotonicMs();
    for (;;) {
      const verdict = await this.look();
      const ms = this.clock.monotonicMs() - begun;
      if (verdict === 'same') return;
      if (verdict === 'away' && ms > AWAY_MS) {
        this.log.warn(
          {},
          'Redis is away: the server starts without it, and sees later whether it is that of the others',
        );
        return;
      }
      if (verdict === 'other' && ms > PATIENCE_MS) throw new Error(OTHER);
      await pause(AGAIN_MS);
    }
  }

  /** For a node that runs, every two seconds. */
  async watch(): Promise<void> {
    const verdict = await this.look();
    const now = this.clock.monotonicMs();
    if (verdict === 'same') this.saidAt = -Infinity;
    this.otherSince = verdict === 'other' ? (this.otherSince ?? now) : undefined;
    if (this.otherSince === undefined || now - this.otherSince < PATIENCE_MS || now - this.saidAt < REPEAT_MS) return;
    this.saidAt = now;
    this.log.error({}, OTHER);
  }

  /** Looks once, and does what is to be done. Rejects where the database does not answer. */
  async look(): Promise<IdentityVerdict> {
    const { nonce, isSeen } = await this.store.clusterNonce(SEEN_MS);
    try {
      const found = await Promise.all(this.redises.map((redis) => redis.run(READ, [this.key], [])));
      if (nonce !== null && found.every((value, place) => value === this.valueAt(place, nonce)))
        return (await this.store.noteClusterNonce(nonce)) ? 'same' : 'changing';
      if (isSeen) return 'other';
      const made = randomUUID();
      if (!(await this.store.replaceClusterNonce(nonce, made, SEEN_MS))) return 'changing';
      await Promise.all(this.redises.map((redis, place) => redis.run(WRITE, [this.key], [this.valueAt(place, made)])));
      return 'changing';
    } catch (error) {
      if (error instanceof RedisAway) return 'away';
      throw error;
    }
  }

  private valueAt(place: number, nonce: string): string {
    return `${nonce} ${place + 1}/${this.redises.length}`;
  }
}
