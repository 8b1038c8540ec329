import { SystemClock, type Clock } from '../../common/time';
import { type ClusterConfig, isClustered } from '../../config';
import { every, type Lifecycle, StopStage } from '../lifecycle';
import { describeError, type Log } from '../logging';
import { MemoryBus } from './memory-bus';
import { MemoryCounters } from './memory-counters';
import { MemoryLeases } from './memory-leases';
import { MemoryNodeRegistry } from './memory-node-registry';
import type { Bus, Counters, Leases, NodeRegistry, OnHandlerError } from './ports';
import { ClusterIdentity, type NonceStore } from './redis/identity';
import { RedisBus } from './redis/redis-bus';
import { RedisCommands } from './redis/redis-commands';
import { BUS_TOPICS } from './redis/topics';

/** A look costs each Redis one command, and the database two statements. */
const IDENTITY_MS = 2000;

/** What the nodes of one installation share, as this one has it. */
export interface OpenCluster {
  readonly clock: Clock;
  readonly nodes: NodeRegistry;
  readonly bus: Bus;
  readonly leases: Leases;
  readonly counters: Counters;
  /** Begins to hear the other nodes; to be called when all is there that is to hear them. */
  start(): void;
}

/** What the ports of several nodes are made of. */
interface ClusterSite {
  readonly config: ClusterConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly onError: OnHandlerError;
  /** Of the database: several installations may use one Redis. */
  readonly installation: string;
  /** As which Redis lists this node's connections. */
  readonly clientName: string;
  /** Connections for commands, in the order of REDIS_URL. What lies on one Redis alone lies on the first. */
  readonly commands: readonly RedisCommands[];
}

export interface OpenClusterOptions {
  readonly config: ClusterConfig;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
}

/**
 * Makes the ports: in memory where the server is alone, else through Redis, once that is known to be the one of the other
 * servers on the database. Each part registers its own end with the lifecycle. Throws with one clear line.
 */
export async function openCluster(
  { config, log, lifecycle }: OpenClusterOptions,
  database: NonceStore & { instanceId(): Promise<string> },
): Promise<OpenCluster> {
  const alone = openAlone(log);
  if (!isClustered(config)) return alone;
  const { clock, nodes, leases, counters } = alone;
  const installation = await database.instanceId();
  const clientName = `chatapi-${config.nodeName ?? nodes.self.nodeId}`;
  const commands = config.redisUrls.map((url) => new RedisCommands({ url, clientName }, log));
  const site: ClusterSite = { config, log, clock, onError: logTo(log), installation, clientName, commands };
  lifecycle.onStop(StopStage.pool, 'redis', () => {
    for (const one of commands) one.stop();
  });
  for (const one of commands) one.start();
  const identity = new ClusterIdentity(database, commands, installation, log);
  await identity.agree();
  const bus = openBus(site, nodes);
  // Until the last message is stored there is something to tell.
  lifecycle.onStop(StopStage.pool, 'bus', () => bus.stop());
  const start = (): void => {
    // The stop that would end them may have been here already.
    if (lifecycle.stopping) return;
    const watching = every(IDENTITY_MS, 'cluster identity', () => identity.watch(), log);
    lifecycle.onStop(StopStage.workers, 'cluster identity', () => watching.stop());
    bus.start();
  };
  return { clock, nodes, bus, leases, counters, start };
}

/** Of a server that is alone, and of documents that are made of the code. */
export function openAlone(log: Log): OpenCluster {
  const clock = new SystemClock();
  const nodes = new MemoryNodeRegistry(clock, logTo(log));
  return {
    clock,
    nodes,
    bus: new MemoryBus(nodes.self.nodeId, logTo(log)),
    leases: new MemoryLeases(clock),
    counters: new MemoryCounters(clock),
    start: () => undefined,
  };
}

function openBus(
  { config, installation, clientName, onError, clock, log }: ClusterSite,
  { self }: NodeRegistry,
): RedisBus {
  // By its place, which all nodes agree about (ClusterIdentity): each may reach it at another address.
  const instances = config.redisUrls.map((url, place) => ({ name: String(place), url }));
  const options = { nodeId: self.nodeId, clientName, installation, instances, topics: BUS_TOPICS };
  return new RedisBus(options, onError, clock, log);
}

function logTo(log: Log): OnHandlerError {
  return (error, source) => log.error({ error: describeError(error), source }, 'a subscriber of the cluster failed');
}
