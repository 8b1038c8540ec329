import type { Unsubscribe } from './subscription';

/** One server process. */
export interface NodeInfo {
  /** New with every start of the process, so that counters and leases of a former life are never mistaken. */
  readonly nodeId: string;
  readonly startedAt: Date;
}

/** A node that sent no heartbeat for so long is gone. */
export const NODE_TTL_MS = 15_000;

/** Which nodes there are. */
export abstract class NodeRegistry {
  /** This process; known at once, before the first heartbeat. */
  abstract readonly self: NodeInfo;

  /** The nodes that are there now, oldest first; this one among them until it leaves. */
  abstract nodes(): Promise<readonly NodeInfo[]>;

  /**
   * Says that this node is there, and notices those that are gone. Its owner calls it at least three times per
   * NODE_TTL_MS; the first call joins.
   */
  abstract heartbeat(): Promise<void>;

  /** Says that this node stops; its owner sends no more heartbeats. */
  abstract leave(): Promise<void>;

  /**
   * Calls back once, during a heartbeat, for every node that an earlier heartbeat has seen and that is gone: it left
   * or fell silent. Hints of it may be lost.
   */
  abstract onNodeLost(handler: (node: NodeInfo) => void): Unsubscribe;
}
