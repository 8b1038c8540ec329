import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { WebhookConfig } from '../../config';
import { OutboundSender } from '../../platform/outbound';
import { RealtimeModule } from '../../realtime';
import { DeliveryModule } from '../delivery';
import { MessagesModule } from '../messages';
import { NotificationsModule } from '../notifications';
import { RoomsModule } from '../rooms';
import { TenantsModule } from '../tenants';
import { WebhookDeadLetters } from './dead-letters';
import { Deliverer, DeliveryPurge } from './deliverer';
import { WebhookDeliveriesRepository, WebhooksErase } from './deliveries.repository';
import { WebhookDirectory, WebhookHooks } from './hooks';
import { WebhookEndpoints } from './endpoints';
import { EventFacts, OfflineMembers, Planner } from './planner';
import { Poster } from './poster';
import { WebhooksController } from './webhooks.controller';
import { WebhooksRepository } from './webhooks.repository';
import { WebhooksService } from './webhooks.service';
import { WebhookDeliveryEntity, WebhookEntity } from './entities/webhook.entity';

/** Of an answer no more is read (contract §8). */
const MAX_ANSWER_BYTES = 64 * 1024;

@Module({
  imports: [
    TypeOrmModule.forFeature([WebhookEntity, WebhookDeliveryEntity]),
    RealtimeModule,
    TenantsModule,
    RoomsModule,
    DeliveryModule,
    MessagesModule,
    NotificationsModule,
  ],
  controllers: [WebhooksController],
  providers: [
    WebhooksRepository,
    WebhookDirectory,
    WebhookEndpoints,
    WebhookDeliveriesRepository,
    WebhooksService,
    {
      provide: OutboundSender,
      useFactory: ({ allowPrivate, timeoutMs }: WebhookConfig) =>
        new OutboundSender({ allowPrivate, timeoutMs, maxBytes: MAX_ANSWER_BYTES }),
      inject: [WebhookConfig],
    },
    Poster,
    Deliverer,
    OfflineMembers,
    EventFacts,
    Planner,
    WebhookHooks,
    WebhookDeadLetters,
    DeliveryPurge,
    WebhooksErase,
  ],
  exports: [WebhooksRepository, WebhookEndpoints, WebhookHooks, WebhooksService],
})
export class WebhooksModule {}
