import { MemoryPlaces } from '../memory-places';
import { type FullPlaces, type PlaceLimits, type PlaceOwner, Places, type Unsubscribe } from '../ports';
import { registryKey } from './membership-scripts';
import { redisKey, type RedisCommands, type Script } from './redis-commands';

/** Every node writes all of its numbers anew so often. */
const REWRITE_MS = 25_000;
/** A number that was not written anew for so long counts no more. */
const LASTS_MS = 90_000;
/** Changes wait for each other for so long. */
const REPORT_MS = 100;
/** Keys per script: less than a millisecond of Redis. */
const MOST_KEYS = 200;
/** Changes that are kept while Redis is away; beyond it they are found by what is written anew, and by what ends. */
const MOST_CHANGES = 100_000;
/** Below it every place is asked for. */
const EXACT_BELOW = 100;

/**
 * A hash per tenant (or user) and endpoint: node → `<places>:<when it ends>`. `others(key)` adds up what live nodes other
 * than this one have, and removes what has ended. ARGV[1] is this node, ARGV[2] the key of the registry (membership-scripts.ts):
 * who is alive is known there first, also of a node that has come this moment.
 */
const PRELUDE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live = {}
local function isLive(node)
  if live[node] == nil then live[node] = tonumber(redis.call('ZSCORE', ARGV[2], node) or 0) > now end
  return live[node]
end
local function others(key)
  local sum, fields = 0, redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local count, stop = string.match(fields[i + 1], '^(%d+):(%d+)$')
    if tonumber(stop) <= now then
      redis.call('HDEL', key, fields[i])
    elseif fields[i] ~= ARGV[1] and isLive(fields[i]) then
      sum = sum + tonumber(count)
    end
  end
  return sum
end
local function write(key, count)
  if count == 0 then
    redis.call('HDEL', key, ARGV[1])
  else
    redis.call('HSET', key, ARGV[1], string.format('%.0f:%.0f', count, now + ${LASTS_MS}))
    redis.call('PEXPIRE', key, ${LASTS_MS})
  end
end
`;

/**
 * ARGV: this node, the registry, then for each key what this node has with the place that is asked for, and the limit.
 * Answers {the number of the key whose limit is reached, or 0; what others have, by key}.
 */
const ADMIT: Script = {
  name: 'admit',
  lua: `${PRELUDE}
local answer = {0}
for i, key in ipairs(KEYS) do
  local sum = others(key)
  if answer[1] == 0 and sum + tonumber(ARGV[2 * i + 1]) > tonumber(ARGV[2 * i + 2]) then answer[1] = i end
  answer[i + 1] = sum
end
if answer[1] == 0 then
  for i, key in ipairs(KEYS) do write(key, tonumber(ARGV[2 * i + 1])) end
end
return answer`,
};

/** ARGV: this node, the registry, then what it has, by key. Answers what others have, by key. */
const REPORT: Script = {
  name: 'report',
  lua: `${PRELUDE}
local answer = {}
for i, key in ipairs(KEYS) do
  answer[i] = others(key)
  write(key, tonumber(ARGV[i + 2]))
end
return answer`,
};

/** ARGV: this node, the registry. Answers what others have. */
const OTHERS: Script = { name: 'others', lua: `${PRELUDE}\nreturn others(KEYS[1])` };

/** What is counted together: a tenant's places at an endpoint, or those of one user of it. */
interface Group {
  readonly where: string;
  readonly tenantId: string;
  readonly userId: string | undefined;
}

/** What is known of a tenant at an endpoint. */
class Known {
  /** Places of all nodes when Redis was asked last; undefined: it never was. */
  total: number | undefined;
  /** Given out without asking since then. */
  unasked = 0;
  limitsUsers = false;
}

export interface RedisPlacesOptions {
  readonly installation: string;
  readonly nodeId: string;
  /** How many nodes there are, this one included, as far as is known: also while Redis is away. */
  readonly nodes: () => number;
}

/**
 * Places that nodes share in Redis. A place is taken here first, so that no other one comes between, then asked for where
 * that is needed, and given back where it is refused.
 *
 * Invariants
 * - Each node is the truth about its own places and writes absolute numbers, never differences: an answer that was lost, a
 *   Redis that comes back empty and a node that stood still are mended by the next number. What a node is just asking for is
 *   in its number, so two questions at once never get one place.
 * - A place of a limit below 100 is always asked for. Of a larger limit a node gives out (limit − total) / (4 · nodes) without
 *   asking, and tells within 100 ms.
 * - Numbers of nodes that are not alive count for nobody; all are written anew every 25 s, and end after 90 s.
 * - Away, a node admits up to limit / nodes (at least 1) with what it has; it closes nothing.
 */
export class RedisPlaces extends Places {
  private readonly own = new MemoryPlaces();
  private readonly known = new Map<string, Known>();
  /** What has to be written, by key. */
  private readonly changed = new Map<string, Group>();
  /** Everything that has yet to be written anew. */
  private rewritten: Iterator<Group> | undefined;
  private isStopped = false;
  private reporting: NodeJS.Timeout | undefined;
  private isReporting = false;
  private rewriting: NodeJS.Timeout | undefined;
  private readonly unsubscribe: Unsubscribe;
  private readonly registry: string;

  /** @param fallbacks counts what this node's share has decided */
  constructor(
    private readonly commands: Pick<RedisCommands, 'isLive' | 'onLive' | 'run'>,
    private readonly options: RedisPlacesOptions,
    private readonly fallbacks: { inc(): void },
  ) {
    super();
    this.registry = registryKey(options.installation);
    this.unsubscribe = commands.onLive(() => this.rewrite());
  }

  /** Begins to write everything anew now and then. */
  start(): void {
    this.rewriting ??= setInterval(() => this.rewrite(), REWRITE_MS);
  }

  stop(): void {
    this.isStopped = true;
    this.unsubscribe();
    clearInterval(this.rewriting);
    clearTimeout(this.reporting);
    this.changed.clear();
  }

  /** Everything is written anew, beginning within moments. */
  rewrite(): void {
    this.rewritten = this.groups();
    this.schedule();
  }

  override take(owner: PlaceOwner, limits: PlaceLimits): FullPlaces | undefined | Promise<FullPlaces | undefined> {
    const full = this.own.take(owner, limits);
    if (full !== undefined) return full;
    const known = this.knownOf(owner.where, owner.tenantId);
    known.limitsUsers = limits.user !== null;
    if (!this.commands.isLive) return this.takeShare(owner, limits);
    if (!this.mustAsk(known, limits)) {
      known.unasked++;
      this.changeOf(owner);
      return undefined;
    }
    return this.ask(owner, limits, known);
  }

  override giveBack(owner: PlaceOwner): void {
    this.own.giveBack(owner);
    this.changeOf(owner);
  }

  override fullHere(owner: PlaceOwner, limits: PlaceLimits): FullPlaces | undefined {
    return this.own.fullHere(owner, limits);
  }

  /** Where Redis is away: those of this node. */
  override async taken(where: string, tenantId: string, userId?: string): Promise<number> {
    try {
      const group = { where, tenantId, userId };
      const others = await this.commands.run(OTHERS, [this.redisKey(group)], [this.options.nodeId, this.registry]);
      return this.own.taken(where, tenantId, userId) + numberOf(others);
    } catch {
      return this.own.taken(where, tenantId, userId);
    }
  }

  private get nodeCount(): number {
    return Math.max(1, this.options.nodes());
  }

  private knownOf(where: string, tenantId: string): Known {
    const key = `${where} ${tenantId}`;
    let known = this.known.get(key);
    if (known === undefined) this.known.set(key, (known = new Known()));
    return known;
  }

  private mustAsk({ total, unasked }: Known, limits: PlaceLimits): boolean {
    if (limits.user !== null) return true;
    if (limits.tenant === null) return false;
    if (total === undefined || limits.tenant < EXACT_BELOW) return true;
    return unasked >= Math.floor((limits.tenant - total) / (4 * this.nodeCount));
  }

  /** Its place was taken already. */
  private takeShare(owner: PlaceOwner, limits: PlaceLimits): FullPlaces | undefined {
    this.fallbacks.inc();
    const { where, tenantId, userId } = owner;
    const isBeyond = (taken: number, limit: number | null): boolean =>
      limit !== null && taken > Math.max(1, Math.floor(limit / this.nodeCount));
    const full = isBeyond(this.own.taken(where, tenantId), limits.tenant)
      ? 'tenant'
      : isBeyond(this.own.taken(where, tenantId, userId), limits.user)
        ? 'user'
        : undefined;
    if (full === undefined) this.changeOf(owner);
    else this.giveBack(owner);
    return full;
  }

  /** Its place was taken already. */
  private async ask(owner: PlaceOwner, limits: PlaceLimits, known: Known): Promise<FullPlaces | undefined> {
    const { where, tenantId, userId } = owner;
    const asked: { readonly whose: FullPlaces; readonly group: Group; readonly has: number; readonly limit: number }[] =
      [];
    if (limits.tenant !== null) {
      const group = { where, tenantId, userId: undefined };
      asked.push({ whose: 'tenant', group, has: this.own.taken(where, tenantId), limit: limits.tenant });
    }
    if (limits.user !== null)
      asked.push({ whose: 'user', group: owner, has: this.own.taken(where, tenantId, userId), limit: limits.user });
    const { unasked } = known;
    const { nodeId } = this.options;
    let answer: number[];
    try {
      const keys = asked.map(({ group }) => this.redisKey(group));
      const counts = asked.flatMap(({ has, limit }) => [has, limit]);
      answer = numbersOf(await this.commands.run(ADMIT, keys, [nodeId, this.registry, ...counts]), keys.length + 1);
    } catch {
      return this.takeShare(owner, limits);
    }
    const [first] = asked;
    if (first?.whose === 'tenant') learn(known, first.has + (answer[1] ?? 0), unasked);
    const full = asked[(answer[0] ?? 0) - 1]?.whose;
    if (full !== undefined) this.giveBack(owner);
    else if (limits.tenant === null) this.change({ where, tenantId, userId: undefined });
    return full;
  }

  private changeOf({ where, tenantId, userId }: PlaceOwner): void {
    this.change({ where, tenantId, userId: undefined });
    if (this.known.get(`${where} ${tenantId}`)?.limitsUsers === true) this.change({ where, tenantId, userId });
  }

  private change(group: Group): void {
    if (this.changed.size < MOST_CHANGES) this.changed.set(this.redisKey(group), group);
    this.schedule();
  }

  private schedule(): void {
    if (!this.isStopped && !this.isReporting) this.reporting ??= setTimeout(() => void this.report(), REPORT_MS);
  }

  /** Writes what has changed; what could not be written is, with everything else, when Redis is there again. */
  private async report(): Promise<void> {
    this.reporting = undefined;
    this.isReporting = true;
    try {
      for (let some = this.nextSome(); some.size > 0; some = this.nextSome()) await this.reportSome(some);
    } catch {
      // Those are not forgotten.
    }
    this.isReporting = false;
    if (this.commands.isLive && (this.changed.size > 0 || this.rewritten !== undefined)) this.schedule();
  }

  /** What has changed first. */
  private nextSome(): Map<string, Group> {
    const some = new Map<string, Group>();
    for (const [key, group] of this.changed) {
      if (some.size === MOST_KEYS) return some;
      some.set(key, group);
    }
    while (this.rewritten !== undefined && some.size < MOST_KEYS) {
      const next = this.rewritten.next();
      if (next.done === true) this.rewritten = undefined;
      else some.set(this.redisKey(next.value), next.value);
    }
    return some;
  }

  /** All that this node has places of; those that come meanwhile may be among them. */
  private *groups(): Generator<Group, void> {
    for (const { where, tenantId, users } of this.own.all()) {
      yield { where, tenantId, userId: undefined };
      if (this.known.get(`${where} ${tenantId}`)?.limitsUsers === true)
        for (const userId of users.keys()) yield { where, tenantId, userId };
    }
  }

  private async reportSome(some: ReadonlyMap<string, Group>): Promise<void> {
    const { nodeId } = this.options;
    const groups = [...some.values()];
    const counts = groups.map(({ where, tenantId, userId }) => this.own.taken(where, tenantId, userId));
    const unasked = groups.map(({ where, tenantId }) => this.known.get(`${where} ${tenantId}`)?.unasked ?? 0);
    for (const key of some.keys()) this.changed.delete(key);
    try {
      const keys = [...some.keys()];
      const answer = numbersOf(await this.commands.run(REPORT, keys, [nodeId, this.registry, ...counts]), keys.length);
      groups.forEach((group, i) => this.reported(group, (counts[i] ?? 0) + (answer[i] ?? 0), unasked[i] ?? 0));
    } catch (error) {
      for (const [key, group] of some) this.changed.set(key, group);
      throw error;
    }
  }

  private reported({ where, tenantId, userId }: Group, total: number, unasked: number): void {
    if (userId !== undefined) return;
    if (this.own.taken(where, tenantId) === 0) this.known.delete(`${where} ${tenantId}`);
    else learn(this.knownOf(where, tenantId), total, unasked);
  }

  private redisKey({ where, tenantId, userId }: Group): string {
    const user = userId === undefined ? [] : ['u', userId];
    return redisKey(this.options.installation, 'c', where, tenantId, ...user);
  }
}

/** @param unasked how many had been given out without asking when it was asked */
function learn(known: Known, total: number, unasked: number): void {
  known.total = total;
  known.unasked = Math.max(0, known.unasked - unasked);
}

function numberOf(answer: unknown): number {
  if (typeof answer !== 'number') throw new TypeError('not a number');
  return answer;
}

function numbersOf(answer: unknown, length: number): number[] {
  if (!Array.isArray(answer) || answer.length !== length) throw new TypeError('not an answer');
  return (answer as unknown[]).map(numberOf);
}
