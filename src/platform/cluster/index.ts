/**
 * What the nodes of one installation share, behind five ports: Bus (hints), Leases (which nodes are alive and
 * own what), Counters (rate windows), Places (how many connections are open) and NodeRegistry (which nodes there are). The
 * memory implementations serve one node, those through Redis several: `openCluster` makes one or the other (REDIS_URL).
 *
 * Invariants: nothing here is durable and nothing here is the truth; all of it may be lost with the process, and the
 * database says what is right. Payloads are JSON values. Whoever relies on hearing a hint registers for the bus's gaps and
 * looks there after one. A shared suite per port (test/support/suites) says what an implementation must do; the Redis ones
 * have to pass the same.
 *
 * Concurrency: each call is atomic; nothing is atomic across two calls. Memory needs no lock, since no method awaits
 * between its reads and its writes.
 */
export {
  type Address,
  Bus,
  type BusEnvelope,
  type BusGap,
  type BusHandler,
  Counters,
  type CounterState,
  type FullPlaces,
  type HeldKeys,
  Leases,
  NODE_TTL_MS,
  type NodeInfo,
  NodeRegistry,
  type OnHandlerError,
  type PlaceLimits,
  type PlaceOwner,
  Places,
  type Topic,
  type Unsubscribe,
} from './ports';
export { ClusterModule } from './cluster.module';
export { openAlone, openCluster, type OpenCluster } from './open';
export { MemoryBus } from './memory-bus';
export { MemoryCounters } from './memory-counters';
export { MemoryLeases } from './memory-leases';
export { MemoryNodeRegistry } from './memory-node-registry';
export { type NodeAnswers, NodeAsks, type NodeQuestion } from './node-asks';
export { MemoryPlaces } from './memory-places';
