import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { DeliveryModule } from '../delivery';
import { TenantsModule } from '../tenants';
import { NotificationDeadLetters } from './dead-letters/dead-letters';
import { NotificationDeadLettersRepository } from './dead-letters/dead-letters.repository';
import { FanOut } from './delivery/fan-out';
import { NotificationDeliveriesRepository, Settlements } from './delivery/deliveries.repository';
import { NotificationSessions } from './delivery/sessions';
import { NotificationsErase } from './inbox/notifications.functions';
import { NotificationFacts, NotificationsRepository } from './inbox/notifications.repository';
import { NotificationsExportRepository } from './inbox/notifications-export.repository';
import { NotificationsController } from './inbox/notifications.controller';
import { NotificationsGateway } from './inbox/notifications.gateway';
import { NotificationsService } from './inbox/notifications.service';
import { SubscriptionsController } from './subscriptions/subscriptions.controller';
import { SubscriptionsRepository } from './subscriptions/subscriptions.repository';
import { SubscriptionsService } from './subscriptions/subscriptions.service';
import { NotificationDeliveryEntity, NotificationEntity, SubscriptionEntity } from './entities/notification.entity';

@Module({
  imports: [
    TypeOrmModule.forFeature([NotificationEntity, NotificationDeliveryEntity, SubscriptionEntity]),
    RealtimeModule,
    DeliveryModule,
    TenantsModule,
  ],
  controllers: [NotificationsController, SubscriptionsController],
  providers: [
    NotificationsErase,
    NotificationsExportRepository,
    NotificationsRepository,
    NotificationsService,
    NotificationsGateway,
    SubscriptionsRepository,
    SubscriptionsService,
    NotificationFacts,
    FanOut,
    NotificationDeliveriesRepository,
    Settlements,
    NotificationSessions,
    NotificationDeadLettersRepository,
    NotificationDeadLetters,
  ],
  exports: [NotificationsService, SubscriptionsService, NotificationDeadLetters, NotificationFacts, Settlements],
})
export class NotificationsModule {}
