import { Module } from '@nestjs/common';
import { Clock, SystemClock } from '../../common/time';
import { describeError, Log } from '../logging';
import { Bus, Counters, Leases, NodeRegistry, type OnHandlerError } from './ports';
import { MemoryBus } from './memory-bus';
import { MemoryCounters } from './memory-counters';
import { MemoryLeases } from './memory-leases';
import { MemoryNodeRegistry } from './memory-node-registry';
import { NodeAsks } from './node-asks';

/** Binds the ports to memory: one node. */
@Module({
  providers: [
    { provide: Clock, useClass: SystemClock },
    {
      provide: NodeRegistry,
      useFactory: (clock: Clock, log: Log) => new MemoryNodeRegistry(clock, logTo(log)),
      inject: [Clock, Log],
    },
    {
      provide: Bus,
      useFactory: (nodes: NodeRegistry, log: Log) => new MemoryBus(nodes.self.nodeId, logTo(log)),
      inject: [NodeRegistry, Log],
    },
    { provide: Leases, useClass: MemoryLeases },
    { provide: Counters, useClass: MemoryCounters },
    NodeAsks,
  ],
  exports: [Clock, NodeRegistry, Bus, Leases, Counters, NodeAsks],
})
export class ClusterModule {}

function logTo(log: Log): OnHandlerError {
  return (error, source) => log.error({ error: describeError(error), source }, 'a subscriber of the cluster failed');
}
