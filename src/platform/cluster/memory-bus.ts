import {
  type Address,
  Bus,
  type BusEnvelope,
  type BusGap,
  type BusHandler,
  type OnHandlerError,
  type Topic,
  type Unsubscribe,
} from './ports';

/** Boxed, so that one function subscribed twice is two subscriptions. */
interface Subscription {
  readonly handler: BusHandler<unknown>;
  /** What its node follows. */
  readonly follows: FollowedAddresses;
}

/** Subscriptions by topic; buses made with the same object are nodes of one cluster. */
export type TopicSubscriptions = Map<string, Set<Subscription>>;

interface Waiting {
  readonly topic: string;
  readonly to: Address | undefined;
  readonly envelope: BusEnvelope<unknown>;
}

const DONE = Promise.resolve();

/** The addresses that a node wants to hear of. Each is counted: it is wanted until it was given up as often as asked for. */
export class FollowedAddresses {
  private readonly counts = new Map<Address, number>();

  get size(): number {
    return this.counts.size;
  }

  /** Whether a publication concerns this node. @param to undefined: every node */
  has(to: Address | undefined): boolean {
    return to === undefined || this.counts.has(to);
  }

  add(to: Address): void {
    this.counts.set(to, (this.counts.get(to) ?? 0) + 1);
  }

  /** Nothing happens where it is not followed. */
  remove(to: Address): void {
    const left = (this.counts.get(to) ?? 0) - 1;
    if (left > 0) this.counts.set(to, left);
    else this.counts.delete(to);
  }
}

/**
 * The bus within one process. Handlers run in one microtask after the publishing code: never inside `publish`, yet
 * before any I/O, so that what one turn causes leaves in the same turn. Nothing is ever lost.
 */
export class MemoryBus extends Bus {
  readonly state: 'live' | 'down' = 'live';
  readonly isShared: boolean;
  private readonly follows = new FollowedAddresses();
  private readonly subscriptions: TopicSubscriptions;
  private waiting: Waiting[] = [];

  /** @param shared what the buses of one cluster have in common; without it there is no other node */
  constructor(
    private readonly nodeId: string,
    private readonly onError: OnHandlerError,
    shared?: TopicSubscriptions,
  ) {
    super();
    this.isShared = shared !== undefined;
    this.subscriptions = shared ?? new Map<string, Set<Subscription>>();
  }

  publish<T>(topic: Topic<T>, payload: NoInfer<T>, to?: Address): void {
    if (this.waiting.push({ topic, to, envelope: { node: this.nodeId, payload } }) === 1)
      queueMicrotask(() => this.deliver());
  }

  subscribe<T>(topic: Topic<T>, handler: BusHandler<NoInfer<T>>): Unsubscribe {
    const subscription: Subscription = { handler: handler as BusHandler<unknown>, follows: this.follows };
    const all = this.subscriptions.get(topic) ?? new Set();
    this.subscriptions.set(topic, all.add(subscription));
    return () => void all.delete(subscription);
  }

  follow(to: Address): Promise<void> {
    this.follows.add(to);
    return DONE;
  }

  unfollow(to: Address): void {
    this.follows.remove(to);
  }

  onGap(_handler: (gap: BusGap) => void): Unsubscribe {
    return () => undefined;
  }

  /** Whether what is addressed there concerns this node. */
  isFollowed(to: Address | undefined): boolean {
    return this.follows.has(to);
  }

  /** Hands out at once what has come from elsewhere. */
  receive(topic: string, envelope: BusEnvelope<unknown>): void {
    for (const { handler } of this.subscriptions.get(topic) ?? []) this.call(handler, topic, envelope);
  }

  private deliver(): void {
    const batch = this.waiting;
    this.waiting = [];
    for (const { topic, to, envelope } of batch)
      for (const { handler, follows } of this.subscriptions.get(topic) ?? [])
        if (follows.has(to)) this.call(handler, topic, envelope);
  }

  private call(handler: BusHandler<unknown>, topic: string, envelope: BusEnvelope<unknown>): void {
    try {
      handler(envelope);
    } catch (error) {
      this.onError(error, topic);
    }
  }
}
