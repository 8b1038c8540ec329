import { type BusGap, MemoryBus, type Topic, type Unsubscribe } from '../../../src/platform/cluster';
import { HeardNumbers } from '../../../src/platform/cluster/reception';

/** Between the buses of several nodes: it carries at once, or loses, and a loss is told as a real bus tells it. */
export class LossyWire {
  /** So many of the next envelopes are lost, each for every other node alike. */
  toLose = 0;
  /** Nothing is carried at all. */
  isDown = false;
  /** Nodes that stand still: what comes for them is lost. */
  readonly frozen = new Set<string>();
  private readonly nodes = new Map<string, WiredBus>();

  bus(node: string): MemoryBus {
    const bus = new WiredBus(node, this);
    this.nodes.set(node, bus);
    return bus;
  }

  remove(node: string): void {
    this.nodes.delete(node);
  }

  /** It carries again; every node is told that it may have missed something. */
  restore(): void {
    this.isDown = false;
    for (const bus of this.nodes.values()) bus.tellGap({});
  }

  /** Every node says up to where it has published. */
  announce(): void {
    if (this.isDown) return;
    for (const [node, { published }] of this.nodes)
      for (const [other, bus] of this.nodes)
        if (other !== node && !this.frozen.has(other)) bus.compare(node, published);
  }

  spread(node: string, n: number, topic: string, payload: unknown): void {
    if (this.isDown || this.toLose-- > 0) return;
    this.toLose = 0;
    // As on a wire: nothing but JSON gets through.
    const text = JSON.stringify(payload);
    for (const [other, bus] of this.nodes)
      if (other !== node && !this.frozen.has(other)) bus.take(node, n, topic, JSON.parse(text) as unknown);
  }
}

class WiredBus extends MemoryBus {
  override readonly isShared = true;
  published = 0;
  private readonly gapHandlers = new Set<(gap: BusGap) => void>();
  private readonly heard = new HeardNumbers();

  constructor(
    private readonly node: string,
    private readonly wire: LossyWire,
  ) {
    super(node, (error) => {
      throw error;
    });
  }

  override publish<T>(topic: Topic<T>, payload: NoInfer<T>): void {
    super.publish(topic, payload);
    const n = ++this.published;
    queueMicrotask(() => this.wire.spread(this.node, n, topic, payload));
  }

  override onGap(handler: (gap: BusGap) => void): Unsubscribe {
    this.gapHandlers.add(handler);
    return () => void this.gapHandlers.delete(handler);
  }

  take(node: string, n: number, topic: string, payload: unknown): void {
    const isGap = this.heard.hear(node, 0, n);
    this.receive(topic, { node, payload });
    if (isGap) this.tellGap({ node });
  }

  compare(node: string, published: number): void {
    if (this.heard.compare(node, 0, published)) this.tellGap({ node });
  }

  tellGap(gap: BusGap): void {
    for (const handler of this.gapHandlers) handler(gap);
  }
}
