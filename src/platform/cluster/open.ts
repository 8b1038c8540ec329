import { randomUUID } from 'node:crypto';
import { SystemClock, type Clock } from '../../common/time';
import { VERSION } from '../../common/version';
import { type ClusterConfig, isClustered } from '../../config';
import { every, type Lifecycle, StopStage } from '../lifecycle';
import { describeError, type Log } from '../logging';
import { ClusterCounts } from './cluster-metrics';
import { MemoryBus } from './memory-bus';
import { MemoryCounters } from './memory-counters';
import { MemoryLeases } from './memory-leases';
import { MemoryNodeRegistry } from './memory-node-registry';
import { MemoryPlaces } from './memory-places';
import type { Bus, Counters, Leases, NodeRegistry, OnHandlerError, Places } from './ports';
import { redisMembership } from './redis/membership';
import { ClusterIdentity, type NonceStore } from './redis/identity';
import { RedisBus } from './redis/redis-bus';
import { RedisCommands } from './redis/redis-commands';
import { RedisCounters } from './redis/redis-counters';
import { RedisPlaces } from './redis/redis-places';
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
  readonly places: Places;
  /** Counts what the parts through Redis do. */
  readonly counts: ClusterCounts;
  /** Begins to hear the other nodes; to be called when all is there that is to hear them. */
  start(): void;
}

/** What the ports of several nodes are made of. */
interface ClusterSite {
  readonly config: ClusterConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly counts: ClusterCounts;
  readonly onError: OnHandlerError;
  /** Of the database: several installations may use one Redis. */
  readonly installation: string;
  /** As which Redis lists this node's connections. */
  readonly clientName: string;
  /** Connections for commands, in the order of REDIS_URL. */
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
  if (!isClustered(config)) return openAlone(log);
  const clock = new SystemClock();
  const installation = await database.instanceId();
  const counts = new ClusterCounts();
  const clientName = `chatapi-${config.nodeName ?? randomUUID()}`;
  const options = { clientName, deadlineMs: config.redisDeadlineMs, observer: counts };
  const commands = config.redisUrls.map((url) => new RedisCommands({ url, ...options }, log));
  const site: ClusterSite = { config, log, clock, counts, onError: logTo(log), installation, clientName, commands };
  const ports = openPorts(site);
  lifecycle.onStop(StopStage.pool, 'redis', () => {
    ports.places.stop();
    for (const one of commands) one.stop();
  });
  for (const one of commands) one.start();
  const identity = new ClusterIdentity(database, commands, installation, clock, log);
  await identity.agree();
  // Until the last message is stored there is something to tell.
  lifecycle.onStop(StopStage.pool, 'bus', () => ports.bus.stop());
  const start = (): void => {
    // The stop that would end them may have been here already.
    if (lifecycle.stopping) return;
    const watching = every(IDENTITY_MS, 'cluster identity', () => identity.watch(), log);
    lifecycle.onStop(StopStage.workers, 'cluster identity', () => watching.stop());
    ports.places.start();
    ports.bus.start();
  };
  return { ...ports, clock, counts, start };
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
    places: new MemoryPlaces(),
    counts: new ClusterCounts(),
    start: () => undefined,
  };
}

/** What lies on one Redis alone lies on the first. */
function openPorts(site: ClusterSite): Pick<OpenCluster, 'nodes' | 'leases' | 'counters'> & {
  readonly bus: RedisBus;
  readonly places: RedisPlaces;
} {
  const { config, installation, clock, counts, onError } = site;
  const [commands] = site.commands;
  if (commands === undefined) throw new Error('REDIS_URL names no Redis');
  const about = {
    release: VERSION,
    ...(config.nodeName === undefined ? {} : { name: config.nodeName }),
  };
  const changes = counts.counter('chatapi_presence_generation_changes_total');
  const onGenerationChange = (): void => changes.inc();
  const { nodes, leases } = redisMembership({ commands, installation, clock, about, onGenerationChange }, onError);
  const counters = new RedisCounters(commands, { installation, nodes: () => nodes.count }, clock, counts);
  const { nodeId } = nodes.self;
  const shares = counts.counter('chatapi_rate_fallback_total');
  const places = new RedisPlaces(commands, { installation, nodeId, nodes: () => nodes.count }, shares);
  return { nodes, leases, counters, places, bus: openBus(site, nodes) };
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
