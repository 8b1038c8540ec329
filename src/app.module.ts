import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AdminModule } from './modules/admin';
import { ChangesModule } from './modules/changes';
import { ChatsModule } from './modules/chats';
import { DeliveryModule } from './modules/delivery';
import { FirstStartModule } from './modules/first-start';
import { MessagesModule } from './modules/messages';
import { ModelsModule } from './modules/models';
import { NotificationsModule } from './modules/notifications';
import { RemovalModule } from './modules/removal';
import { RetentionModule } from './modules/retention';
import { RoomsModule } from './modules/rooms';
import { StatsModule } from './modules/stats';
import { TenantsModule } from './modules/tenants';
import { TransferModule } from './modules/transfer';
import { UsageModule } from './modules/usage';
import { WebhooksModule } from './modules/webhooks';
import { ApiKeyGuard } from './platform/auth';
import type { OpenCluster } from './platform/cluster';
import { DatabaseModule, type OpenDatabase } from './platform/database';
import { HealthModule } from './platform/health';
import { RealtimeModule } from './realtime';
import { PlatformModule } from './platform/platform.module';
import type { Resources } from './platform/resources';
import { PortsModule } from './ports.module';

/** The list of modules, and the guard of all their routes. */
@Module({})
export class AppModule {
  static register(resources: Resources, database: OpenDatabase, cluster: OpenCluster): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.register(resources, cluster),
        DatabaseModule.register(database),
        PortsModule,
        RealtimeModule,
        HealthModule,
        TenantsModule,
        RoomsModule,
        DeliveryModule,
        ModelsModule,
        MessagesModule,
        NotificationsModule,
        ChatsModule,
        ChangesModule,
        WebhooksModule,
        StatsModule,
        UsageModule,
        AdminModule,
        RemovalModule,
        RetentionModule,
        TransferModule,
        FirstStartModule,
      ],
      providers: [ApiKeyGuard, { provide: APP_GUARD, useExisting: ApiKeyGuard }],
    };
  }
}
