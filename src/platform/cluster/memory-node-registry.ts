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
    this.heartbeats.set(this.self.nodeId, { node: this.self, at: this.clock.monotonicMs() });
    const before = this.seen;
    this.seen = this.present();
    for (const [nodeId, node] of before) if (!this.seen.has(nodeId)) this.report(node);
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

  private report(node: NodeInfo): void {
    for (const { call } of this.handlers) {
      try {
        call(node);
      } catch (error) {
        this.onError(error, 'node-lost');
      }
    }
  }
}

/** The same order on every node, also for nodes that started in the same millisecond. */
function byAge(a: NodeInfo, b: NodeInfo): number {
  return a.startedAt.getTime() - b.startedAt.getTime() || (a.nodeId < b.nodeId ? -1 : 1);
}
