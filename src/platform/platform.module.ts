import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AuditModule } from './audit';
import { ClusterModule, type OpenCluster } from './cluster';
import { RouteTable } from './http';
import { IdempotencyModule } from './idempotency';
import { JobsModule } from './jobs';
import { LifecycleHooks } from './lifecycle';
import { MetricsModule } from './metrics';
import { RateLimitModule } from './rate-limit';
import { type Resources, ResourcesModule } from './resources';

/** What every module stands on and need not import. */
@Global()
@Module({})
export class PlatformModule {
  static register(resources: Resources, cluster: OpenCluster): DynamicModule {
    const shared = ClusterModule.register(cluster);
    const modules = [shared, MetricsModule, AuditModule, IdempotencyModule, RateLimitModule, JobsModule];
    return {
      module: PlatformModule,
      imports: [ResourcesModule.register(resources), ...modules],
      // Of a global module, whose hooks Nest calls before all others': what has to be undone is registered first.
      providers: [LifecycleHooks, RouteTable],
      exports: [ResourcesModule, RouteTable, ...modules],
    };
  }
}
