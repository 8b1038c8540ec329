import type { Clock } from '../../../common/time';
import type { Log } from '../../logging';
import { MemoryBus } from '../memory-bus';
import {
  type Address,
  Bus,
  type BusGap,
  type BusHandler,
  type OnHandlerError,
  type Topic,
  type Unsubscribe,
} from '../ports';
import { BusStream, type BusCounts, type BusTiming, type StreamSite } from './bus-stream';
import { type EnvelopeItem, MOST_ADDRESS_BYTES, readItems } from './frames';
import { Placement } from './placement';

const TIMING: BusTiming = { positionMs: 1000, canaryMs: 3000, settleMs: 3000, forgottenMs: 60_000 };
const MOST_QUEUED_BYTES = 8 * 1024 * 1024;

export interface RedisBusOptions {
  /** UUID, new with every start of the process. */
  readonly nodeId: string;
  /** As which Redis lists the connections. Default: `chatapi-` and the node's id. */
  readonly clientName?: string;
  /** Of this installation: several may use one Redis. */
  readonly installation: string;
  /** Each Redis and a name for it that is the same on all nodes. */
  readonly instances: readonly { readonly name: string; readonly url: string }[];
  /** The number of each topic on the wire, 1 to 255; never given to another one. */
  readonly topics: Readonly<Record<string, number>>;
  readonly timing?: BusTiming;
  /** Publications to one Redis that it has not confirmed; more are dropped. Default 8 MB. */
  readonly mostQueuedBytes?: number;
}

/**
 * The bus between processes, through Redis' publish and subscribe (docs/adr/0038-bus.md): where REDIS_URL is set.
 *
 * Every node gets every envelope, and hands out what its subscribers want. What one turn publishes goes to each Redis as one
 * envelope. Its own publications are handed out by a bus in memory, as if there was no network; their echo is dropped.
 *
 * Invariants: bus-stream.ts for what is lost, frames.ts for other releases. Publishing waits for nothing, and keeps nothing
 * for a Redis that is away.
 */
export class RedisBus extends Bus {
  readonly isShared = true;
  readonly counts: BusCounts = {
    published: 0,
    publishedBytes: 0,
    dropped: 0,
    unheard: 0,
    received: 0,
    receivedBytes: 0,
    unknown: 0,
    foreign: 0,
    malformed: 0,
    subscribed: 0,
    missing: 0,
  };
  /** Hints of other nodes for addresses that are not followed here, by topic. */
  readonly skipped = new Map<string, number>();
  /** Told how long a position of this node was on its way to Redis and back. */
  observeLag: (seconds: number) => void = () => undefined;
  private readonly local: MemoryBus;
  private readonly streams: readonly BusStream[];
  private readonly placement: Placement;
  private readonly topicOf: ReadonlyMap<number, string>;
  private readonly gapHandlers = new Set<{ readonly call: (gap: BusGap) => void }>();
  private isFlushing = false;
  /** What was said last; undefined: nothing yet. */
  private wasLive: boolean | undefined;

  constructor(
    private readonly options: RedisBusOptions,
    private readonly onError: OnHandlerError,
    clock: Clock,
    private readonly log: Log,
  ) {
    super();
    const { nodeId, installation, instances, topics, timing = TIMING } = options;
    this.local = new MemoryBus(nodeId, onError);
    this.topicOf = new Map(Object.entries(topics).map(([topic, number]) => [number, topic]));
    this.placement = new Placement(instances.map(({ name }) => name));
    const site: StreamSite = {
      ...{ nodeId, clock, timing, counts: this.counts },
      deliver: (node, bytes) => this.deliver(node, bytes),
      tellGap: (gap) => this.tellGap(gap),
      changed: (_, reason) => this.sayState(reason),
      lag: (seconds) => this.observeLag(seconds),
    };
    const { placed } = this.placement;
    this.streams = placed.map((lanes) => {
      const url = instances[lanes.instance]?.url ?? '';
      const channel = `chatapi:{${installation}}:b`;
      const { mostQueuedBytes = MOST_QUEUED_BYTES, clientName = `chatapi-${nodeId}` } = options;
      return new BusStream(site, lanes, placed.length === 1, {
        ...{ url, channel, mostQueuedBytes, clientName },
      });
    });
  }

  get state(): 'live' | 'down' {
    return this.streams.every((stream) => stream.isLive) ? 'live' : 'down';
  }

  /** Other nodes that are heard on every Redis. */
  get othersHeard(): number {
    return Math.min(...this.streams.map((stream) => stream.othersHeard));
  }

  /** Begins to connect; resolves at once. It is `down` until it is connected, and tells a gap then. */
  start(): void {
    for (const stream of this.streams) stream.start();
  }

  /** What was published before still goes out; resolves when it has arrived, at the latest after a moment. */
  async stop(): Promise<void> {
    await Promise.all(this.streams.map((stream) => stream.stop()));
  }

  publish<T>(topic: Topic<T>, payload: NoInfer<T>, to?: Address): void {
    this.local.publish(topic, payload, to);
    const stream = this.streams[this.placement.of(to)];
    if (stream === undefined) return;
    if (stream.isAlone) {
      stream.pass();
      return;
    }
    const item = this.item(topic, payload, to ?? '');
    if (item === undefined) return;
    stream.add(item);
    if (this.isFlushing) return;
    this.isFlushing = true;
    queueMicrotask(() => {
      this.isFlushing = false;
      for (const stream of this.streams) stream.flush();
    });
  }

  subscribe<T>(topic: Topic<T>, handler: BusHandler<NoInfer<T>>): Unsubscribe {
    return this.local.subscribe(topic, handler);
  }

  follow(to: Address): Promise<void> {
    return this.local.follow(to);
  }

  unfollow(to: Address): void {
    this.local.unfollow(to);
  }

  onGap(handler: (gap: BusGap) => void): Unsubscribe {
    const boxed = { call: handler };
    this.gapHandlers.add(boxed);
    return () => void this.gapHandlers.delete(boxed);
  }

  /** undefined, and reported: it is nothing that can be sent, which would fail all of its envelope. */
  private item(topic: string, payload: unknown, address: string): EnvelopeItem | undefined {
    const number = this.options.topics[topic];
    if (number !== undefined && payload !== undefined && Buffer.byteLength(address) <= MOST_ADDRESS_BYTES)
      return { topic: number, address, json: JSON.stringify(payload) };
    this.onError(new Error(`${topic}: a topic without a number, no payload, or too long an address`), topic);
    return undefined;
  }

  private deliver(node: string, bytes: Buffer): void {
    const unknown = readItems(bytes, ({ topic: number, address, start, end }) => {
      const topic = this.topicOf.get(number);
      const to = address === '' ? undefined : address;
      if (topic === undefined) this.counts.unknown++;
      else if (!this.local.isFollowed(to)) this.skipped.set(topic, (this.skipped.get(topic) ?? 0) + 1);
      else this.hand(node, topic, bytes.toString('utf8', start, end));
    });
    if (unknown === undefined) this.counts.malformed++;
    else this.counts.unknown += unknown;
  }

  private hand(node: string, topic: string, json: string): void {
    let payload: unknown;
    try {
      payload = JSON.parse(json);
    } catch {
      this.counts.malformed++;
      return;
    }
    this.local.receive(topic, { node, payload });
  }

  private tellGap(gap: BusGap): void {
    for (const { call } of this.gapHandlers) {
      try {
        call(gap);
      } catch (error) {
        this.onError(error, 'bus-gap');
      }
    }
  }

  private sayState(reason: string): void {
    const isLive = this.state === 'live';
    if (isLive === this.wasLive) return;
    this.wasLive = isLive;
    if (isLive) this.log.info({}, 'the bus is live');
    else this.log.warn({ reason }, 'the bus is down: nodes find by polling what the others do');
  }
}
