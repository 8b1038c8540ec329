import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { DeliveryModule } from '../delivery';
import { NotificationDeadLetters } from './dead-letters/dead-letters';
import { NotificationDeadLettersRepository } from './dead-letters/dead-letters.repository';
import { FanOut } from './fan-out';
import { NotificationDeliveriesRepository } from './live/deliveries.repository';
import { NotificationLinks } from './live/links';
import { Settlements } from './live/settlements';
import { NotificationFacts } from './notification-facts';
import { NotificationsController } from './notifications.controller';
import { NotificationsGateway } from './notifications.gateway';
import { NotificationsRepository } from './notifications.repository';
import { NotificationsService } from './notifications.service';
import { SubscriptionsController } from './subscriptions.controller';
import { SubscriptionsRepository } from './subscriptions.repository';
import { SubscriptionsService } from './subscriptions.service';
import { NotificationEntity } from './entities/notification.entity';
import { NotificationDeliveryEntity } from './entities/notification-delivery.entity';
import { SubscriptionEntity } from './entities/subscription.entity';

@Module({
  imports: [
    TypeOrmModule.forFeature([NotificationEntity, NotificationDeliveryEntity, SubscriptionEntity]),
    RealtimeModule,
    DeliveryModule,
  ],
  controllers: [NotificationsController, SubscriptionsController],
  providers: [
    NotificationsRepository,
    NotificationsService,
    NotificationsGateway,
    SubscriptionsRepository,
    SubscriptionsService,
    NotificationFacts,
    FanOut,
    NotificationDeliveriesRepository,
    Settlements,
    NotificationLinks,
    NotificationDeadLettersRepository,
    NotificationDeadLetters,
  ],
  exports: [NotificationsService, SubscriptionsService, NotificationDeadLetters, NotificationFacts, Settlements],
})
export class NotificationsModule {}
