import { createHash } from 'node:crypto';
import { ErrorReply } from '@redis/client';
import type { Log } from '../../logging';
import type { Unsubscribe } from '../ports';
import { Backoff, type Client, type ClientOptions, REDIS_CONNECT_MS, OwnClient, redisReason } from './redis-client';

/** A command that was not answered for so long will not be: a new connection is made. */
const HUNG_MS = 3000;
const DEADLINE_MS = 100;

/** A Lua script, as a constant of whoever runs it. It takes time from `redis.call('TIME')` and writes only to its KEYS. */
export interface Script {
  /** The label `op` of the metrics. */
  readonly name: string;
  readonly lua: string;
}

/**
 * Redis did not answer, not in time, or not with an answer. Whether the script has run is not known, and it may run yet.
 * Says nothing of where Redis is.
 */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';
}

/** Counts commands; none of these may throw. */
export interface CommandObserver {
  /** @param seconds from asking to the answer */
  answered(op: string, seconds: number): void;
  /** Asked and not answered well: late, broken off, or with an error. What was refused at once is not among them. */
  failed(op: string): void;
}

export interface CommandsOptions extends ClientOptions {
  /** For each command, in milliseconds. Default 100. */
  readonly deadlineMs?: number;
  readonly observer?: CommandObserver;
}

/** The key of something in Redis: all keys of an installation begin alike, and lie in one slot. */
export function redisKey(installation: string, ...parts: readonly string[]): string {
  return `chatapi:{${installation}}:${parts.join(':')}`;
}

/** A command that was sent. */
interface Sent {
  readonly script: Script;
  readonly sentAt: number;
  resolve(answer: unknown): void;
  reject(error: RedisAway): void;
  /** Whoever asked has been told that there was no answer in time. */
  isLate: boolean;
}

/**
 * One connection to one Redis, for commands that are answered: counters, leases, the registry of nodes.
 *
 * Invariants
 * - Each attempt makes a new connection, with pauses of its own: nothing rests on what the library does about connections
 *   that broke and commands that waited meanwhile. `live` means that this very connection has answered a PING.
 * - Nobody waits for longer than the deadline. While a command is late nobody waits at all, so that a Redis that hangs or is
 *   slow costs a request here and there its deadline and not each of them; its late answer ends that, and a connection that
 *   answers nothing for three seconds is replaced.
 * - Nothing throws but `run`'s promise, with RedisAway alone. An error that Redis answers (out of memory, read-only, loading,
 *   no permission) is no answer either. Neither errors nor the log hold addresses, passwords or keys.
 * - The deadline is judged after the sockets were read: a process that stood still itself finds the answers that came
 *   meanwhile.
 */
export class RedisCommands {
  private own: OwnClient | undefined;
  /** Once it is live. */
  private client: Client | undefined;
  /** Which attempt counts: what an earlier one reports is of no interest. */
  private attempt = 0;
  private readonly backoff = new Backoff();
  private timer: NodeJS.Timeout | undefined;
  /** The oldest first. They are answered in this order, and all have the same deadline. */
  private readonly sent = new Set<Sent>();
  private sweep: NodeJS.Timeout | undefined;
  private isStopped = true;
  /** What was said last; undefined: nothing yet. */
  private saidLive: boolean | undefined;
  /** Scripts whose error was logged, until they are answered well. */
  private readonly saidErrors = new Set<string>();
  private readonly handlers = new Set<{ readonly call: () => void }>();
  private readonly hashes = new Map<Script, string>();
  private readonly deadlineMs: number;

  constructor(
    private readonly options: CommandsOptions,
    private readonly log: Log,
  ) {
    this.deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  }

  /** A command would be sent now: it is connected, and none is late. */
  get isLive(): boolean {
    return this.client !== undefined && !this.isStalled;
  }

  /** Begins to connect; returns at once. */
  start(): void {
    if (!this.isStopped) return;
    this.isStopped = false;
    void this.connect(++this.attempt);
  }

  /** What waits is rejected. It may be started again. */
  stop(): void {
    this.isStopped = true;
    this.attempt++;
    this.discard();
  }

  /** Called after each connection, the first one included: what was in Redis may be gone. It must not throw. */
  onLive(handler: () => void): Unsubscribe {
    const boxed = { call: handler };
    this.handlers.add(boxed);
    return () => void this.handlers.delete(boxed);
  }

  /**
   * Runs a script, at most once, with its answer as Redis has it (integers are numbers, bulk strings strings).
   * Rejects with RedisAway: at once where there is no connection or a command is late, else after the deadline.
   */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const { client } = this;
    if (client === undefined || this.isStalled) return Promise.reject(new RedisAway('Redis is away'));
    return new Promise((resolve, reject) => {
      const sent: Sent = { script, sentAt: performance.now(), resolve, reject, isLate: false };
      this.sent.add(sent);
      this.sweep ??= setTimeout(() => this.lookForLate(), this.deadlineMs);
      const tail = [String(keys.length), ...keys, ...args.map(String)];
      this.ask(client, script, tail).then(
        (answer) => this.answered(sent, answer),
        (error: unknown) => this.failed(sent, error),
      );
    });
  }

  private get isStalled(): boolean {
    const [oldest] = this.sent;
    return oldest?.isLate === true;
  }

  private async ask(client: Client, script: Script, tail: readonly string[]): Promise<unknown> {
    try {
      return await client.sendCommand(['EVALSHA', this.hashOf(script), ...tail]);
    } catch (error) {
      if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw error;
    }
    return client.sendCommand(['EVAL', script.lua, ...tail]);
  }

  private hashOf(script: Script): string {
    let hash = this.hashes.get(script);
    if (hash === undefined)
      this.hashes.set(script, (hash = createHash('sha1').update(script.lua, 'utf8').digest('hex')));
    return hash;
  }

  private answered(sent: Sent, answer: unknown): void {
    if (!this.sent.delete(sent) || sent.isLate) return;
    this.saidErrors.delete(sent.script.name);
    this.options.observer?.answered(sent.script.name, (performance.now() - sent.sentAt) / 1000);
    sent.resolve(answer);
  }

  private failed(sent: Sent, error: unknown): void {
    if (!this.sent.delete(sent) || sent.isLate) return;
    const { name } = sent.script;
    if (error instanceof ErrorReply && !this.saidErrors.has(name)) {
      this.saidErrors.add(name);
      this.log.warn({ op: name, reason: redisReason(error) }, 'Redis answers a command with an error');
    }
    this.options.observer?.failed(name);
    sent.reject(new RedisAway('Redis did not answer'));
  }

  /** What came meanwhile is read first. */
  private lookForLate(): void {
    setImmediate(() => {
      this.sweep = undefined;
      const now = performance.now();
      const [oldest] = this.sent;
      if (oldest !== undefined && now - oldest.sentAt >= HUNG_MS) {
        this.fail(this.attempt, 'no answer');
        return;
      }
      for (const sent of this.sent) {
        if (now - sent.sentAt < this.deadlineMs) break;
        this.giveUp(sent);
      }
      if (oldest === undefined) return;
      // No later than a deadline from now, also where all are late: none may be sent unwatched when they were answered.
      const nextAt = this.firstInTime(now) + this.deadlineMs;
      this.sweep = setTimeout(() => this.lookForLate(), Math.max(1, nextAt - now));
    });
  }

  /** When the oldest command that is not late was sent; now where there is none. */
  private firstInTime(now: number): number {
    for (const { isLate, sentAt } of this.sent) if (!isLate) return sentAt;
    return now;
  }

  private giveUp(sent: Sent): void {
    if (sent.isLate) return;
    sent.isLate = true;
    this.options.observer?.failed(sent.script.name);
    sent.reject(new RedisAway('Redis did not answer in time'));
  }

  private async connect(attempt: number): Promise<void> {
    const own = this.ownClient(attempt);
    this.own = own;
    this.timer = setTimeout(() => this.fail(attempt, 'no answer'), REDIS_CONNECT_MS);
    try {
      await own.client.connect();
      await own.client.ping();
    } catch (error) {
      this.fail(attempt, redisReason(error));
      return;
    }
    if (attempt !== this.attempt) return;
    clearTimeout(this.timer);
    this.client = own.client;
    this.backoff.connected();
    this.say(true, '');
    for (const { call } of this.handlers) call();
  }

  private ownClient(attempt: number): OwnClient {
    const isWanted = (): boolean => attempt === this.attempt;
    return new OwnClient(this.options, isWanted, (reason) => this.fail(attempt, reason));
  }

  private fail(attempt: number, reason: string): void {
    if (attempt !== this.attempt) return;
    const next = ++this.attempt;
    this.discard();
    this.timer = setTimeout(() => void this.connect(next), this.backoff.failed());
    this.say(false, reason);
  }

  private discard(): void {
    clearTimeout(this.timer);
    clearTimeout(this.sweep);
    this.sweep = undefined;
    this.client = undefined;
    const broken = [...this.sent];
    this.sent.clear();
    for (const sent of broken) this.giveUp(sent);
    this.own?.destroy();
    this.own = undefined;
  }

  private say(isLive: boolean, reason: string): void {
    if (isLive === this.saidLive) return;
    this.saidLive = isLive;
    if (isLive) this.log.info({}, 'Redis answers commands');
    else this.log.warn({ reason }, 'Redis is away: what nodes count and know together is each one’s own for now');
  }
}
