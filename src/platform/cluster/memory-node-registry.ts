import type { Clock } from '../../common/time';
import { newUuid } from '../../common/ids';
import { byAge, NodeHandlers } from './node-handlers';
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
  private readonly handlers: NodeHandlers;
  private seen = new Map<string, NodeInfo>();
  private left = false;

  constructor(
    private readonly clock: Clock,
    onError: OnHandlerError,
    private readonly heartbeats: Heartbeats = new Map(),
  ) {
    super();
    this.handlers = new NodeHandlers(onError);
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
    for (const [nodeId, node] of before) if (!this.seen.has(nodeId)) this.handlers.tellLost(node);
    if (hasReturned) this.handlers.tellReturned();
    return Promise.resolve();
  }

  leaveCluster(): Promise<void> {
    this.left = true;
    this.heartbeats.delete(this.self.nodeId);
    return Promise.resolve();
  }

  onNodeLost(handler: (node: NodeInfo) => void): Unsubscribe {
    return this.handlers.onLost(handler);
  }

  onReturned(handler: () => void): Unsubscribe {
    return this.handlers.onReturned(handler);
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
}
