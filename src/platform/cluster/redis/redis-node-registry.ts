import { newUuid } from '../../../common/ids';
import { byAge, NodeHandlers } from '../node-handlers';
import { type NodeInfo, NodeRegistry, type OnHandlerError, type Unsubscribe } from '../ports';
import { BEAT, LEAVE, LIST, nodeKeys } from './membership-scripts';
import { redisKey, RedisAway, type Script } from './redis-commands';
import type { MembershipSite } from './redis-leases';

/** What a node says of itself, as it is stored. */
interface About {
  readonly startedAt: string;
  readonly release?: string;
  readonly protocol?: number;
  readonly name?: string;
}

/**
 * The nodes of an installation as Redis knows them; who counts as lost is decided there (membership-scripts.ts), so that all
 * nodes agree.
 *
 * Invariants
 * - A node is reported once: when its beats have stopped while others' got through, or at once when it has left. Redis' own
 *   restart or absence is no node's death: after it those that were known are given time to come back.
 * - Where Redis does not answer, nothing is reported, and the nodes are those that were seen last.
 */
export class RedisNodeRegistry extends NodeRegistry {
  private readonly handlers: NodeHandlers;
  /** Nodes that were there at the last beat, this one not among them. */
  private seen = new Map<string, NodeInfo>();
  private state: 'outside' | 'joined' | 'left' = 'outside';
  /** The generation of the last beat. */
  private beatUnder = '';
  private timer: NodeJS.Timeout | undefined;
  private readonly keys: readonly string[];

  constructor(
    private readonly site: MembershipSite,
    readonly self: NodeInfo,
    onError: OnHandlerError,
  ) {
    super();
    this.handlers = new NodeHandlers(onError);
    this.keys = nodeKeys(site.installation);
    // What was missed while Redis was away is made up for at once, and not with the next beat.
    site.commands.onLive(() => {
      if (this.state === 'joined') void this.heartbeat();
    });
  }

  /** Those that the last beat has seen, this one included where it has not left. Asks nobody. */
  get count(): number {
    return this.seen.size + (this.state === 'left' ? 0 : 1);
  }

  async nodes(): Promise<readonly NodeInfo[]> {
    const answer = await this.ask(LIST, this.keys, []);
    const others = Array.isArray(answer) ? this.read(pairs(answer, 2)) : [...this.seen.values()];
    const isHere = this.state !== 'left';
    return [...others, ...(isHere ? [this.self] : [])].sort(byAge);
  }

  async heartbeat(): Promise<void> {
    if (this.state === 'left') return;
    this.state = 'joined';
    const { nodeId, startedAt, release, protocol, name } = this.self;
    const about: About = {
      startedAt: startedAt.toISOString(),
      ...(release === undefined ? {} : { release }),
      ...(protocol === undefined ? {} : { protocol }),
      ...(name === undefined ? {} : { name }),
    };
    const answer = await this.ask(
      BEAT,
      [...this.keys, redisKey(this.site.installation, 'nodes:names')],
      [nodeId, JSON.stringify(about), name ?? '', newUuid(), this.beatUnder, ...this.seen.keys()],
    );
    if (Array.isArray(answer) && !this.hasLeft()) this.take(answer);
  }

  async leaveCluster(): Promise<void> {
    this.state = 'left';
    clearTimeout(this.timer);
    await this.ask(LEAVE, this.keys, [this.self.nodeId]);
  }

  onNodeLost(handler: (node: NodeInfo) => void): Unsubscribe {
    return this.handlers.onLost(handler);
  }

  onReturned(handler: () => void): Unsubscribe {
    return this.handlers.onReturned(handler);
  }

  /** It may leave while a beat is under way. */
  private hasLeft(): boolean {
    return this.state === 'left';
  }

  private take(answer: readonly unknown[]): void {
    const [generation, mustHold, wasLost, untilLost, ...rest] = answer;
    const entries = pairs(rest, 3);
    const known = new Set(entries.map(([id]) => String(id)));
    const lost = new Set(entries.filter(([, isLost]) => isLost === 1).map(([id]) => String(id)));
    const gone = [...this.seen.values()].filter(({ nodeId }) => lost.has(nodeId) || !known.has(nodeId));
    const there = this.read(entries.filter(([id]) => !lost.has(String(id))).map(([id, , about]) => [id, about]));
    // Of those that an earlier generation knew, Redis knows no more than the name.
    const silent = [...this.seen.values()].filter(({ nodeId }) => known.has(nodeId) && !lost.has(nodeId));
    this.seen = new Map([...silent, ...there].map((node) => [node.nodeId, node]));
    this.beatAgainIn(Number(untilLost));
    this.beatUnder = String(generation);
    this.site.generation.answered(this.beatUnder, mustHold === 1);
    for (const node of gone) this.handlers.tellLost(node);
    if (wasLost === 1) this.handlers.tellReturned();
  }

  /** Others hear of a death when it is certain, and not up to a beat later. @param ms negative: nobody is late */
  private beatAgainIn(ms: number): void {
    clearTimeout(this.timer);
    this.timer = ms < 0 ? undefined : setTimeout(() => void this.heartbeat(), ms + 1).unref();
  }

  private read(entries: readonly (readonly unknown[])[]): NodeInfo[] {
    return entries.flatMap(([id, about]) => {
      const nodeId = String(id);
      if (nodeId === this.self.nodeId) return [];
      const node = nodeOf(nodeId, String(about));
      return node === undefined ? [] : [node];
    });
  }

  private async ask(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.site.commands.run(script, keys, args);
    } catch (error) {
      if (error instanceof RedisAway) return undefined;
      throw error;
    }
  }
}

/** undefined where a node of another release says something else of itself. */
function nodeOf(nodeId: string, about: string): NodeInfo | undefined {
  try {
    const { startedAt, ...more } = JSON.parse(about) as About;
    const date = new Date(startedAt);
    return Number.isNaN(date.getTime()) ? undefined : { nodeId, startedAt: date, ...more };
  } catch {
    return undefined;
  }
}

function pairs(flat: readonly unknown[], size: number): unknown[][] {
  return Array.from({ length: Math.floor(flat.length / size) }, (_, n) => flat.slice(n * size, (n + 1) * size));
}
