import type { Clock } from '../../../common/time';
import { Counters, type CounterState } from '../ports';
import { redisKey, type RedisCommands, type Script } from './redis-commands';

/** A node that is asked for much leases this part of what it is asked for in a window; */
const LEASES_PER_WINDOW = 4;
/** one that is asked for little all of it, and no more than this: so much it may leave unspent when it is asked no more. */
const SMALL_LEASE = 4;
/** Redis is not asked for so long after it did not answer: a slow one costs few requests its deadline. */
const REST_MS = 1000;

/**
 * Takes up to `want` calls of the current window, at least one if there is any, and no more than half of this node's part of
 * what is left. What the node took meanwhile on its own is counted first, if it was in this very window.
 * ARGV: windowMs, limit, want, nodes, owed, owedEnd. Answers {taken, used before, ms left of the window, its end}.
 */
const TAKE: Script = {
  name: 'take',
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window, limit, want, nodes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local stop = now - now % window + window
local key = string.format('%s:%.0f', KEYS[1], stop)
local used = tonumber(redis.call('GET', key) or '0')
local function add(n)
  if redis.call('INCRBY', key, n) == n then redis.call('PEXPIRE', key, window + 1000) end
end
local owed = tonumber(ARGV[5])
if owed > 0 and tonumber(ARGV[6]) == stop then
  add(owed)
  used = used + owed
end
local left = limit - used
if left <= 0 then return {0, used, stop - now, stop} end
want = math.max(1, math.min(want, math.floor(left / (2 * nodes))))
add(want)
return {want, used, stop - now, stop}`,
};

/** ARGV: windowMs. Answers what was taken of the current window. */
const COUNT: Script = {
  name: 'count',
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[1])
return tonumber(redis.call('GET', string.format('%s:%.0f', KEYS[1], now - now % window + window)) or '0')`,
};

/** What this node knows of one key in one window. */
class Entry {
  /** Calls that it was asked for here. */
  asked = 0;
  /** Calls of all nodes that are known to have been taken, without the lease. It only grows. */
  used = 0;
  /** Calls that were taken from Redis and not spent yet. */
  lease = 0;
  /** Calls taken here, of leases or of the share. */
  own = 0;
  /** Of these what Redis does not know of. */
  owed = 0;
  refused = 0;
}

/** The current window of one length; since all keys end together, it is forgotten whole. */
class Window {
  readonly entries = new Map<string, Entry>();

  /**
   * @param end by the clock of Redis; by this node's, and then `isGuess`, until Redis was asked
   * @param endsAtMs by the monotonic clock; rather too early than too late
   */
  constructor(
    public end: number,
    public endsAtMs: number,
    public resetAtMs: number,
    public isGuess: boolean,
    public before: Window | undefined,
  ) {}

  of(key: string): Entry {
    let entry = this.entries.get(key);
    if (entry === undefined) {
      // The window may have been taken for ended a moment too early: what was taken of it counts on, its leases are gone.
      const known = this.before?.end === this.end ? this.before.entries.get(key) : undefined;
      this.entries.set(key, (entry = Object.assign(new Entry(), known, { lease: 0 })));
    }
    return entry;
  }

  /** Calls that are asked for here per window, by this one and the one before. */
  rateOf(key: string): number {
    return Math.max(this.of(key).asked, this.before?.entries.get(key)?.asked ?? 0);
  }
}

/** Those who wait for a lease of one key. */
interface Line {
  waiting: number;
  flight: Promise<void> | undefined;
}

/** What Redis answered to TAKE. */
interface Taken {
  readonly taken: number;
  readonly used: number;
  readonly leftMs: number;
  readonly end: number;
}

export interface RedisCountersOptions {
  readonly installation: string;
  /** How many nodes there are, this one included, as far as is known: also while Redis is away. */
  readonly nodes: () => number;
}

/** The series that it counts. */
interface CountedSeries {
  counter(name: 'chatapi_rate_leases_total' | 'chatapi_rate_fallback_total'): { inc(): void };
}

/**
 * Counters that nodes share in Redis. A node leases calls of a window, several at once, and spends them without asking: it
 * answers at once while it has some and when it knows that there are none left.
 *
 * Invariants
 * - What Redis gave out of one window is no more than the limit, by one script that counts and decides; nothing is given
 *   back, so an answer that was lost makes the limit smaller and never larger.
 * - A lease dies with its window, which ends by this node's monotonic clock counted from before it asked, hence never later
 *   than in Redis: a process that stood still spends nothing of a window that is over. Wall clocks of nodes do not matter.
 * - Little is refused early: at most half of a node's part of what is left is leased at a time, so that near the
 *   limit it is one call, and a node that stops asking leaves little unspent.
 * - A window that is known to be used up stays so: nothing is asked until it ends.
 * - Away, a node takes no more than its share of a window, limit / nodes (at least 1), with what it has taken there before;
 *   so all nodes together stay below the limit while all are cut off, and each one that is cut off alone adds at most its
 *   share. What it took is told to Redis if it answers before the window ends.
 * - Whoever waits shares one question per key with all others; after one that was not answered the share decides at once,
 *   for a second at least.
 */
export class RedisCounters extends Counters {
  private readonly windows = new Map<number, Window>();
  private readonly lines = new Map<string, Line>();
  private restsUntilMs = -Infinity;
  private readonly leases: { inc(): void };
  private readonly fallbacks: { inc(): void };

  constructor(
    private readonly commands: Pick<RedisCommands, 'isLive' | 'run'>,
    private readonly options: RedisCountersOptions,
    private readonly clock: Clock,
    metrics: CountedSeries,
  ) {
    super();
    this.leases = metrics.counter('chatapi_rate_leases_total');
    this.fallbacks = metrics.counter('chatapi_rate_fallback_total');
  }

  override take(key: string, windowMs: number, limit: number): CounterState | Promise<CounterState> {
    const window = this.windowOf(windowMs);
    window.of(key).asked++;
    return this.takeHere(window, key, limit) ?? this.takeLater(key, windowMs, limit);
  }

  /** Where Redis is away: what is known here. */
  override count(key: string, windowMs: number): number | Promise<number> {
    return this.canAsk ? this.countThere(key, windowMs) : this.windowOf(windowMs).of(key).used;
  }

  /** Counters in memory, those of the windows before included. */
  get size(): number {
    let size = 0;
    for (const { entries, before } of this.windows.values()) size += entries.size + (before?.entries.size ?? 0);
    return size;
  }

  private get canAsk(): boolean {
    return this.commands.isLive && this.clock.monotonicMs() >= this.restsUntilMs;
  }

  /** undefined: Redis has to be asked. */
  private takeHere(window: Window, key: string, limit: number): CounterState | undefined {
    const entry = window.of(key);
    if (entry.used >= limit) return refusal(window, entry, limit);
    if (entry.lease === 0) return this.canAsk ? undefined : this.takeShare(window, entry, limit);
    entry.lease--;
    entry.own++;
    return { count: ++entry.used, resetAtMs: window.resetAtMs };
  }

  private takeShare(window: Window, entry: Entry, limit: number): CounterState {
    this.fallbacks.inc();
    const share = Math.max(1, Math.floor(limit / Math.max(1, this.options.nodes())));
    const left = Math.min(share - entry.own, limit - entry.used);
    if (left <= 0) return refusal(window, entry, limit);
    entry.own++;
    entry.used++;
    entry.owed++;
    return { count: limit - left + 1, resetAtMs: window.resetAtMs };
  }

  private async takeLater(key: string, windowMs: number, limit: number): Promise<CounterState> {
    const id = `${windowMs} ${key}`;
    let line = this.lines.get(id);
    if (line === undefined) this.lines.set(id, (line = { waiting: 0, flight: undefined }));
    line.waiting++;
    try {
      for (;;) {
        await (line.flight ??= this.lease(line, key, windowMs, limit));
        const state = this.takeHere(this.windowOf(windowMs), key, limit);
        if (state !== undefined) return state;
      }
    } finally {
      if (--line.waiting === 0) this.lines.delete(id);
    }
  }

  /** Asks once for all who wait; never rejects. */
  private async lease(line: Line, key: string, windowMs: number, limit: number): Promise<void> {
    const window = this.windowOf(windowMs);
    const { end } = window;
    const entry = window.of(key);
    const { owed } = entry;
    const rate = window.rateOf(key);
    const small = Math.min(SMALL_LEASE, rate);
    const want = Math.max(line.waiting, small, Math.floor(rate / LEASES_PER_WINDOW));
    const [fromMs, fromWallMs] = [this.clock.monotonicMs(), this.clock.wallMs()];
    this.leases.inc();
    try {
      const args = [windowMs, limit, want, Math.max(1, this.options.nodes()), owed, end];
      const answer = takenOf(await this.commands.run(TAKE, [this.redisKey(key, windowMs)], args));
      if (answer.end === end) entry.owed -= owed;
      this.learn(key, windowMs, answer, fromMs, fromWallMs);
    } catch {
      this.rest();
    } finally {
      line.flight = undefined;
    }
  }

  private learn(key: string, windowMs: number, answer: Taken, fromMs: number, fromWallMs: number): void {
    const endsAtMs = fromMs + answer.leftMs;
    // Its window is over: whoever waits asks for the next one.
    if (this.clock.monotonicMs() >= endsAtMs) return;
    const window = this.windowFor(windowMs, answer.end);
    if (window.isGuess || endsAtMs > window.endsAtMs) {
      window.endsAtMs = endsAtMs;
      window.resetAtMs = fromWallMs + answer.leftMs;
    }
    window.end = answer.end;
    window.isGuess = false;
    const entry = window.of(key);
    entry.used = Math.max(entry.used, answer.used);
    entry.lease = answer.taken;
  }

  /** The window that Redis says is the current one. */
  private windowFor(windowMs: number, end: number): Window {
    const window = this.windowOf(windowMs);
    if (window.end === end) return window;
    if (!window.isGuess) return this.open(windowMs);
    const { before } = window;
    if (before?.end !== end || before.isGuess) return window;
    // It was taken for ended too early by a wall clock that is wrong; all that was known of it holds.
    this.windows.set(windowMs, before);
    return before;
  }

  private async countThere(key: string, windowMs: number): Promise<number> {
    try {
      const used = await this.commands.run(COUNT, [this.redisKey(key, windowMs)], [windowMs]);
      if (typeof used === 'number') return Math.max(0, used - this.windowOf(windowMs).of(key).lease);
    } catch {
      this.rest();
    }
    return this.windowOf(windowMs).of(key).used;
  }

  private rest(): void {
    this.restsUntilMs = this.clock.monotonicMs() + REST_MS;
  }

  private redisKey(key: string, windowMs: number): string {
    return redisKey(this.options.installation, 'w', `${windowMs}`, key);
  }

  private windowOf(windowMs: number): Window {
    const window = this.windows.get(windowMs);
    return window !== undefined && this.clock.monotonicMs() < window.endsAtMs ? window : this.open(windowMs);
  }

  /** Also drops the ended windows of other lengths: one that is not used any more keeps no memory. */
  private open(windowMs: number): Window {
    if (!Number.isInteger(windowMs) || windowMs <= 0) throw new RangeError(`not a window length: ${windowMs}`);
    const [now, wall] = [this.clock.monotonicMs(), this.clock.wallMs()];
    for (const [length, window] of this.windows) if (now >= window.endsAtMs + length) this.windows.delete(length);
    const end = wall - (wall % windowMs) + windowMs;
    const before = this.windows.get(windowMs);
    if (before !== undefined) before.before = undefined;
    const window = new Window(end, now + end - wall, end, true, before);
    this.windows.set(windowMs, window);
    return window;
  }
}

function refusal({ resetAtMs }: Window, entry: Entry, limit: number): CounterState {
  return { count: limit + ++entry.refused, resetAtMs };
}

/** Throws where it is none. */
function takenOf(answer: unknown): Taken {
  const [taken, used, leftMs, end] = Array.isArray(answer) ? (answer as unknown[]) : [];
  if (typeof taken !== 'number' || typeof used !== 'number' || typeof leftMs !== 'number' || typeof end !== 'number')
    throw new TypeError('not an answer to TAKE');
  return { taken, used, leftMs, end };
}
