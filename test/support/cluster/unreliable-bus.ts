import { Bus, type BusGap, type BusHandler, type Topic, type Unsubscribe } from '../../../src/platform/cluster';
import { FollowedAddresses } from '../../../src/platform/cluster/memory-bus';
import { HeardNumbers } from '../../../src/platform/cluster/reception';

/** A publication as it is sent. */
interface Sent {
  readonly node: string;
  readonly n: number;
  readonly topic: string;
  readonly to: string | undefined;
  readonly payload: unknown;
}

interface OnTheWay {
  readonly arrive: () => void;
  /** That a node is heard of an address from here on: never lost. */
  readonly isConfirmation: boolean;
}

/**
 * Buses of several nodes whose envelopes arrive when, as often and in what order the test wants; or not at all. What is
 * lost is noticed by the numbers, as on a real one.
 */
export class UnreliableBus {
  readonly onTheWay: OnTheWay[] = [];
  private readonly nodes = new Map<string, LooseBus>();

  /** @param confirmsLate an address is heard of when the test lets its confirmation arrive; otherwise at once */
  constructor(private readonly confirmsLate = false) {}

  get size(): number {
    return this.nodes.size;
  }

  bus(node: string): Bus {
    const bus = new LooseBus(node, this);
    this.nodes.set(node, bus);
    return bus;
  }

  /** The node is gone: nothing gets to it. */
  remove(node: string): void {
    this.nodes.delete(node);
  }

  /** Delivers what is on the way, the n-th first. */
  deliver(n: number, keep = false): void {
    const at = n % Math.max(1, this.onTheWay.length);
    const [due] = keep ? this.onTheWay.slice(at, at + 1) : this.onTheWay.splice(at, 1);
    due?.arrive();
  }

  drop(n: number): void {
    const [lost] = this.onTheWay.splice(n % Math.max(1, this.onTheWay.length), 1);
    if (lost?.isConfirmation === true) lost.arrive();
  }

  deliverAll(): void {
    while (this.onTheWay.length > 0) this.deliver(0);
  }

  /** Every node says up to where it has published. */
  announce(): void {
    for (const [name, { published }] of this.nodes)
      this.each(name, (to) => this.onTheWay.push({ arrive: () => to.compare(name, published), isConfirmation: false }));
  }

  spread(sent: Sent): void {
    this.each(sent.node, (to) => this.onTheWay.push({ arrive: () => to.take(sent), isConfirmation: false }));
  }

  confirm(arrive: () => void): void {
    if (this.confirmsLate) this.onTheWay.push({ arrive, isConfirmation: true });
    else arrive();
  }

  private each(from: string, visit: (to: LooseBus) => void): void {
    for (const [node, bus] of this.nodes) if (node !== from) visit(bus);
  }
}

class LooseBus extends Bus {
  readonly state = 'live';
  published = 0;
  private readonly handlers = new Map<string, Set<BusHandler<unknown>>>();
  private readonly gapHandlers = new Set<(gap: BusGap) => void>();
  private readonly follows = new FollowedAddresses();
  private readonly heard = new HeardNumbers();

  constructor(
    private readonly node: string,
    private readonly wire: UnreliableBus,
  ) {
    super();
  }

  get isShared(): boolean {
    return this.wire.size > 1;
  }

  publish<T>(topic: Topic<T>, payload: NoInfer<T>, to?: string): void {
    // As on a wire: nothing but JSON gets through.
    const copy: unknown = JSON.parse(JSON.stringify(payload));
    this.wire.spread({ node: this.node, n: ++this.published, topic, to, payload: copy });
  }

  subscribe<T>(topic: Topic<T>, handler: BusHandler<NoInfer<T>>): Unsubscribe {
    const all = this.handlers.get(topic) ?? new Set();
    this.handlers.set(topic, all.add(handler as BusHandler<unknown>));
    return () => void all.delete(handler as BusHandler<unknown>);
  }

  follow(to: string): Promise<void> {
    return new Promise((resolve) => {
      let isConfirmed = false;
      this.wire.confirm(() => {
        if (!isConfirmed) this.follows.add(to);
        isConfirmed = true;
        resolve();
      });
    });
  }

  unfollow(to: string): void {
    // In the order of asking, as on one connection.
    let isConfirmed = false;
    this.wire.confirm(() => {
      if (!isConfirmed) this.follows.remove(to);
      isConfirmed = true;
    });
  }

  onGap(handler: (gap: BusGap) => void): Unsubscribe {
    this.gapHandlers.add(handler);
    return () => void this.gapHandlers.delete(handler);
  }

  take({ node, n, topic, to, payload }: Sent): void {
    const isGap = this.heard.hear(node, 0, n);
    if (this.follows.has(to)) for (const handler of this.handlers.get(topic) ?? []) handler({ node, payload });
    if (isGap) this.tellGap(node);
  }

  compare(node: string, published: number): void {
    if (this.heard.compare(node, 0, published)) this.tellGap(node);
  }

  private tellGap(node: string): void {
    for (const handler of this.gapHandlers) handler({ node });
  }
}
