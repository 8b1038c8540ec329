import { Bus, type BusEnvelope, type BusHandler, type OnHandlerError, type Topic, type Unsubscribe } from './ports';

/** Boxed, so that one function subscribed twice is two subscriptions. */
interface Subscription {
  readonly handler: BusHandler<unknown>;
}

/** Subscriptions by topic; buses made with the same object are nodes of one cluster. */
export type TopicSubscriptions = Map<string, Set<Subscription>>;

interface Waiting {
  readonly topic: string;
  readonly envelope: BusEnvelope<unknown>;
}

/**
 * The bus within one process. Handlers run in one microtask after the publishing code: never inside `publish`, yet
 * before any I/O, so that what one turn causes leaves in the same turn.
 */
export class MemoryBus extends Bus {
  private readonly published = new Map<string, number>();
  private waiting: Waiting[] = [];

  constructor(
    private readonly nodeId: string,
    private readonly onError: OnHandlerError,
    private readonly subscriptions: TopicSubscriptions = new Map(),
  ) {
    super();
  }

  publish<T>(topic: Topic<T>, payload: NoInfer<T>): void {
    const n = (this.published.get(topic) ?? 0) + 1;
    this.published.set(topic, n);
    if (this.waiting.push({ topic, envelope: { node: this.nodeId, n, payload } }) === 1)
      queueMicrotask(() => this.deliver());
  }

  subscribe<T>(topic: Topic<T>, handler: BusHandler<NoInfer<T>>): Unsubscribe {
    const subscription: Subscription = { handler: handler as BusHandler<unknown> };
    const all = this.subscriptions.get(topic) ?? new Set();
    this.subscriptions.set(topic, all.add(subscription));
    return () => void all.delete(subscription);
  }

  private deliver(): void {
    const batch = this.waiting;
    this.waiting = [];
    for (const { topic, envelope } of batch) {
      for (const { handler } of this.subscriptions.get(topic) ?? []) {
        try {
          handler(envelope);
        } catch (error) {
          this.onError(error, topic);
        }
      }
    }
  }
}
