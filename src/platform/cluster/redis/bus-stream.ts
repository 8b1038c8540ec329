import type { Clock } from '../../../common/time';
import type { BusGap } from '../ports';
import { HeardNumbers } from '../reception';
import { encodeEnvelope, type EnvelopeItem, isPosition, readHead, splitItems } from './frames';
import type { PlacedParts } from './placement';
import { type InstanceOptions, RedisInstance } from './redis-instance';

/** How long things take, in milliseconds. */
export interface BusTiming {
  /** Between two positions of a node. */
  readonly positionMs: number;
  /** A node that has not got its own position for so long takes its connections for dead. */
  readonly canaryMs: number;
  /** After a subscription, how long the other nodes are waited for at most before the gap is told. */
  readonly settleMs: number;
  /** A node that is silent for so long is forgotten: another one has its place. Should it come back, a gap is told. */
  readonly forgottenMs: number;
}

/** What is longer is not sent: a hint of that size is a mistake of whoever made it. */
const MOST_ENVELOPE_BYTES = 1024 * 1024;

/** What a stream counts. */
export interface BusCounts {
  /** Envelopes that were sent, positions left out. */
  published: number;
  publishedBytes: number;
  /** Envelopes that could not be sent, or were and failed: the others notice by their numbers. */
  dropped: number;
  /** What was published while there was no other node, and therefore not sent. */
  unheard: number;
  /** Envelopes of other nodes, positions left out. */
  received: number;
  receivedBytes: number;
  /** Items with a topic or a flag that this release does not know. */
  unknown: number;
  /** Envelopes of another format or of other lanes, and what is none. */
  foreign: number;
  /** Envelopes that end too early, and items that are no JSON. */
  malformed: number;
  /** Gaps that were told because it had subscribed anew. */
  subscribed: number;
  /** Gaps that were told because a number of another node was missing. */
  missing: number;
}

/** What a stream needs of its bus. */
export interface StreamSite {
  /** UUID. */
  readonly nodeId: string;
  readonly clock: Clock;
  readonly timing: BusTiming;
  readonly counts: BusCounts;
  /** Hands out the items of another node's envelope. */
  deliver(nodeId: string, bytes: Buffer): void;
  tellGap(gap: BusGap): void;
  /** Whether it is live has changed. */
  changed(stream: BusStream, reason: string): void;
  /** How long a position was on its way to Redis and back. */
  lag(seconds: number): void;
}

/**
 * The lanes that lie on one Redis: one channel, one number per envelope of a node.
 *
 * Invariants
 * - Every envelope of a node has its own number, also one that could not be sent. Each second the node says up to where it
 *   has published (a position): so another node notices what it lacks by the next envelope, at the latest by the position.
 * - After a subscription whatever came before it may be lost, and numbers say nothing about that: one gap is told, when
 *   the other nodes that were known have been heard, or after `settleMs`. Until then numbers are taken as they are: what
 *   is lost meanwhile was committed before the gap, and whoever looks then finds it.
 * - Where no other node has been heard for `forgottenMs`, what is published gets its number and is not sent. A node that comes
 *   says so with its subscription, and its first gap is told a second later; should it not be heard by then, the next
 *   position says what it lacks.
 * - A node that does not get its own positions hears nothing, whatever its connections say: it makes new ones.
 */
export class BusStream {
  private readonly redis: RedisInstance;
  private readonly lane: number;
  private readonly heard = new HeardNumbers();
  /** When each other node was heard last. */
  private readonly heardAt = new Map<string, number>();
  /** Nodes that were known when it was subscribed and have not been heard since. */
  private awaited = new Set<string>();
  private published = 0;
  private outbox: EnvelopeItem[] = [];
  private ownHeardAt = 0;
  /** When each position was sent that has not come back yet. */
  private announcedAt: number[] = [];
  private isSettled = false;
  private mayEndSettling = false;
  private readonly timers: NodeJS.Timeout[] = [];
  private ticking: NodeJS.Timeout | undefined;

  /** @param isOnly whether these are all lanes: its gaps need not name them */
  constructor(
    private readonly site: StreamSite,
    private readonly placed: PlacedParts,
    private readonly isOnly: boolean,
    options: InstanceOptions,
  ) {
    this.lane = placed.lanes[0] ?? 0;
    this.redis = new RedisInstance(options, {
      live: () => this.begin(),
      down: (reason) => this.break(reason),
      message: (bytes) => this.hear(bytes),
    });
  }

  get isLive(): boolean {
    return this.redis.isLive;
  }

  start(): void {
    this.redis.connect();
    this.ticking = setInterval(() => this.tick(), this.site.timing.positionMs);
  }

  /** Sends what was added and up to where it has published, and ends; resolves when that has arrived, or soon. */
  stop(): Promise<void> {
    clearInterval(this.ticking);
    this.endTimers();
    this.flush();
    this.announce();
    return this.redis.close();
  }

  /** Other nodes that have been heard and not forgotten. */
  get othersHeard(): number {
    return this.heardAt.size;
  }

  /** Nobody would hear what is published now. */
  get isAlone(): boolean {
    return this.isSettled && this.othersHeard === 0;
  }

  add(item: EnvelopeItem): void {
    this.outbox.push(item);
  }

  /** Numbers what is not sent, for nobody would hear it. */
  pass(): void {
    this.published++;
    this.site.counts.unheard++;
  }

  /** Sends what was added. */
  flush(): void {
    const { outbox } = this;
    if (outbox.length === 0) return;
    this.outbox = [];
    for (const items of splitItems(outbox)) this.send(items);
  }

  private send(items: readonly EnvelopeItem[]): void {
    const { counts, nodeId } = this.site;
    const bytes = encodeEnvelope({ nodeId, lane: this.lane, n: ++this.published }, items);
    const drop = (): void => {
      counts.dropped++;
    };
    if (bytes.length <= MOST_ENVELOPE_BYTES && this.redis.publish(bytes, drop)) {
      counts.published++;
      counts.publishedBytes += bytes.length;
    } else drop();
  }

  /** It is subscribed: what comes from now on is heard, what came before may be lost. */
  private begin(): void {
    const { clock, timing } = this.site;
    this.ownHeardAt = clock.monotonicMs();
    this.isSettled = this.mayEndSettling = false;
    this.announcedAt = [];
    this.awaited = new Set(this.heardAt.keys());
    this.endTimers();
    // A second or two: all nodes are heard within one, and after a restart of Redis not all look at the same moment.
    const soon = timing.positionMs * (1 + Math.random());
    const early = (): void => {
      this.mayEndSettling = true;
      if (this.awaited.size === 0) this.settle();
    };
    this.timers.push(
      setTimeout(early, soon),
      setTimeout(() => this.settle(), Math.max(soon, timing.settleMs)),
    );
    this.announce();
    this.site.changed(this, 'subscribed');
  }

  private break(reason: string): void {
    this.endTimers();
    // What comes next may come before `begin`.
    this.isSettled = this.mayEndSettling = false;
    this.site.changed(this, reason);
  }

  private settle(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.endTimers();
    this.tellGap();
  }

  private hear(bytes: Buffer): void {
    const { site } = this;
    const head = readHead(bytes);
    if (head === undefined || head.lane !== this.lane) {
      site.counts.foreign++;
      return;
    }
    const { nodeId, n } = head;
    const now = site.clock.monotonicMs();
    if (nodeId === site.nodeId) {
      this.ownHeardAt = now;
      const sentAt = isPosition(bytes) ? this.announcedAt.shift() : undefined;
      if (sentAt !== undefined) site.lag((now - sentAt) / 1000);
      return;
    }
    const hasItems = !isPosition(bytes);
    const isMissing = hasItems ? this.heard.hear(nodeId, this.lane, n) : this.heard.compare(nodeId, this.lane, n);
    this.heardAt.set(nodeId, now);
    this.awaited.delete(nodeId);
    if (hasItems) {
      site.counts.received++;
      site.counts.receivedBytes += bytes.length;
      site.deliver(nodeId, bytes);
    }
    if (this.isSettled && isMissing) this.tellGap(nodeId);
    else if (this.mayEndSettling && this.awaited.size === 0) this.settle();
  }

  private tellGap(node?: string): void {
    this.site.counts[node === undefined ? 'subscribed' : 'missing']++;
    const lanes = this.isOnly ? {} : { lanes: this.placed.lanes };
    this.site.tellGap(node === undefined ? lanes : { node, ...lanes });
  }

  private tick(): void {
    if (!this.isLive) return;
    // What has arrived while this process stood still is taken in first.
    setImmediate(() => this.look());
    this.announce();
  }

  private look(): void {
    const { clock, timing } = this.site;
    const now = clock.monotonicMs();
    for (const [node, at] of this.heardAt) {
      if (now - at <= timing.forgottenMs) continue;
      this.heardAt.delete(node);
      this.awaited.delete(node);
      this.heard.forget(node);
    }
    if (this.isLive && now - this.ownHeardAt > timing.canaryMs) this.redis.restart('own position not heard');
  }

  private announce(): void {
    const position = encodeEnvelope({ nodeId: this.site.nodeId, lane: this.lane, n: this.published }, []);
    // The next one says the same.
    if (this.redis.publish(position, () => undefined)) this.announcedAt.push(this.site.clock.monotonicMs());
  }

  private endTimers(): void {
    for (const timer of this.timers.splice(0)) clearTimeout(timer);
  }
}
