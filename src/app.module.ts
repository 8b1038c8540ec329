import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AdminModule } from './modules/admin';
import { ChatsModule } from './modules/chats';
import { DeliveryModule } from './modules/delivery';
import { FirstStartModule } from './modules/first-start';
import { MessagesModule } from './modules/messages';
import { ModelsModule } from './modules/models';
import { NotificationsModule } from './modules/notifications';
import { RoomsModule } from './modules/rooms';
import { TenantsModule } from './modules/tenants';
import { WebhooksModule } from './modules/webhooks';
import { ApiKeyGuard } from './platform/auth';
import { ClusterModule } from './platform/cluster';
import { DatabaseModule, type OpenDatabase } from './platform/database';
import { HealthModule } from './platform/health';
import { IdempotencyModule } from './platform/idempotency';
import { JobsModule } from './platform/jobs';
import { MetricsModule } from './platform/metrics';
import { RateLimitModule } from './platform/rate-limit';
import { RealtimeModule } from './platform/realtime';
import { type Resources, ResourcesModule } from './platform/resources';

/** The list of modules, and the guard of all their routes. */
@Module({})
export class AppModule {
  static register(resources: Resources, database: OpenDatabase): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ResourcesModule.register(resources),
        DatabaseModule.register(database),
        ClusterModule,
        MetricsModule,
        IdempotencyModule,
        RateLimitModule,
        RealtimeModule,
        JobsModule,
        HealthModule,
        TenantsModule,
        RoomsModule,
        DeliveryModule,
        ModelsModule,
        MessagesModule,
        NotificationsModule,
        ChatsModule,
        WebhooksModule,
        AdminModule,
        FirstStartModule,
      ],
      providers: [ApiKeyGuard, { provide: APP_GUARD, useExisting: ApiKeyGuard }],
    };
  }
}
