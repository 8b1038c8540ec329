import type { Clock } from '../../common/time';
import { newUuid } from '../../common/ids';
import { NODE_TTL_MS, type NodeInfo, NodeRegistry, type OnHandlerError, type Unsubscribe } from './ports';

/** One node's last heartbeat, by the monotonic clock. */
interface Heartbeat {
  readonly node: NodeInfo;
  readonly at: number;
}

/** Heartbeats by node id; registries made with the same object are nodes of one cluster. */
export type Heartbeats = Map<string, Heartbeat>;

/** The registry within one process: this node, and in tests those that share its heartbeats. */
export class MemoryNodeRegistry extends NodeRegistry {
  readonly self: NodeInfo;
  private readonly handlers = new Set<{ readonly call: (node: NodeInfo) => void }>();
  private readonly returnedHandlers = new Set<{ readonly call: () => void }>();
  private seen = new Map<string, NodeInfo>();
  private left = false;

  constructor(
    private readonly clock: Clock,
    private readonly onError: OnHandlerError,
    private readonly heartbeats: Heartbeats = new Map(),
  ) {
    super();
    this.self = { nodeId: newUuid(), startedAt: new Date(clock.wallMs()) };
  }

  nodes(): Promise<readonly NodeInfo[]> {
    return Promise.resolve([...this.present().values()].sort(byAge));
  }

  heartbeat(): Promise<void> {
    this.left = false;
    const hasReturned = this.wasLost();
    this.heartbeats.set(this.self.nodeId, { node: this.self, at: this.clock.monotonicMs() });
    const before = this.seen;
    this.seen = this.present();
    for (const [nodeId, node] of before)
      if (!this.seen.has(nodeId)) this.call(this.handlers, (call) => call(node), 'node-lost');
    if (hasReturned) this.call(this.returnedHandlers, (call) => call(), 'node-returned');
    return Promise.resolve();
  }

  leaveCluster(): Promise<void> {
    this.left = true;
    this.heartbeats.delete(this.self.nodeId);
    return Promise.resolve();
  }

  onNodeLost(handler: (node: NodeInfo) => void): Unsubscribe {
    const boxed = { call: handler };
    this.handlers.add(boxed);
    return () => void this.handlers.delete(boxed);
  }

  onReturned(handler: () => void): Unsubscribe {
    const boxed = { call: handler };
    this.returnedHandlers.add(boxed);
    return () => void this.returnedHandlers.delete(boxed);
  }

  /** It has sent heartbeats before, too long ago; and there are others. */
  private wasLost(): boolean {
    const { seen, heartbeats, self } = this;
    const last = heartbeats.get(self.nodeId);
    const isLost = last === undefined ? seen.has(self.nodeId) : this.clock.monotonicMs() - last.at >= NODE_TTL_MS;
    return isLost && [...heartbeats.keys()].some((nodeId) => nodeId !== self.nodeId);
  }

  /** A node that asks is there, even when its heartbeats were late. */
  private present(): Map<string, NodeInfo> {
    const now = this.clock.monotonicMs();
    const present = new Map<string, NodeInfo>();
    if (!this.left) present.set(this.self.nodeId, this.self);
    for (const [nodeId, { node, at }] of this.heartbeats) {
      if (now - at < NODE_TTL_MS) {
        if (nodeId !== this.self.nodeId) present.set(nodeId, node);
      } else this.heartbeats.delete(nodeId);
    }
    return present;
  }

  private call<H>(handlers: Iterable<{ readonly call: H }>, run: (call: H) => void, source: string): void {
    for (const { call } of handlers) {
      try {
        run(call);
      } catch (error) {
        this.onError(error, source);
      }
    }
  }
}

/** The same order on every node, also for nodes that started in the same millisecond. */
function byAge(a: NodeInfo, b: NodeInfo): number {
  return a.startedAt.getTime() - b.startedAt.getTime() || (a.nodeId < b.nodeId ? -1 : 1);
}
