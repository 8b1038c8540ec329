import { newUuid } from '../../../common/ids';
import type { Clock } from '../../../common/time';
import type { NodeInfo, OnHandlerError } from '../ports';
import { Generation } from './generation';
import type { RedisCommands } from './redis-commands';
import { type MembershipSite, RedisLeases } from './redis-leases';
import { RedisNodeRegistry } from './redis-node-registry';

export interface MembershipOptions {
  readonly commands: Pick<RedisCommands, 'run' | 'onLive'>;
  /** Of this installation: several may use one Redis. */
  readonly installation: string;
  readonly clock: Clock;
  /** What others are told of this node; its id is made here. */
  readonly about: Pick<NodeInfo, 'release' | 'protocol' | 'name'>;
  /** Redis has forgotten what the nodes knew together, or none of them got through. */
  readonly onGenerationChange?: () => void;
}

/** The two ports that know who is there: they tell each other what Redis' answers say of its memory. */
export interface NodeMembership {
  readonly nodes: RedisNodeRegistry;
  readonly leases: RedisLeases;
}

/** Of one node. Whoever makes it starts `commands` afterwards, and sends the heartbeats. */
export function redisMembership(options: MembershipOptions, onError: OnHandlerError): NodeMembership {
  const { commands, installation, clock, about, onGenerationChange } = options;
  const self: NodeInfo = { nodeId: newUuid(), startedAt: new Date(clock.wallMs()), ...about };
  const generation = new Generation(onGenerationChange);
  const site: MembershipSite = { commands, installation, nodeId: self.nodeId, clock, generation };
  // The registry first: after a new connection its beat goes before the leases, which then know their generation.
  const nodes = new RedisNodeRegistry(site, self, onError);
  return { nodes, leases: new RedisLeases(site) };
}
