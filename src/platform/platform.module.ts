import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ClusterModule } from './cluster';
import { IdempotencyModule } from './idempotency';
import { JobsModule } from './jobs';
import { MetricsModule } from './metrics';
import { RateLimitModule } from './rate-limit';
import { type Resources, ResourcesModule } from './resources';

/** What every module stands on and need not import. */
@Global()
@Module({})
export class PlatformModule {
  static register(resources: Resources): DynamicModule {
    const modules = [ClusterModule, MetricsModule, IdempotencyModule, RateLimitModule, JobsModule];
    return {
      module: PlatformModule,
      imports: [ResourcesModule.register(resources), ...modules],
      exports: [ResourcesModule, ...modules],
    };
  }
}
