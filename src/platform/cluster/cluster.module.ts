import { type DynamicModule, Module } from '@nestjs/common';
import { Clock } from '../../common/time';
import { ClusterCounts, ClusterMetrics } from './cluster-metrics';
import { NodeAsks } from './node-asks';
import type { OpenCluster } from './open';
import { Bus, Counters, Leases, NodeRegistry, Places } from './ports';
import { RedisBus } from './redis/redis-bus';

/** Hands the ports to the providers that inject them. */
@Module({})
export class ClusterModule {
  static register({ clock, nodes, bus, leases, counters, places, counts }: OpenCluster): DynamicModule {
    return {
      module: ClusterModule,
      providers: [
        { provide: Clock, useValue: clock },
        { provide: NodeRegistry, useValue: nodes },
        { provide: Bus, useValue: bus },
        { provide: Leases, useValue: leases },
        { provide: Counters, useValue: counters },
        { provide: Places, useValue: places },
        NodeAsks,
        ...(bus instanceof RedisBus
          ? [{ provide: RedisBus, useValue: bus }, { provide: ClusterCounts, useValue: counts }, ClusterMetrics]
          : []),
      ],
      exports: [Clock, NodeRegistry, Bus, Leases, Counters, Places, NodeAsks],
    };
  }
}
