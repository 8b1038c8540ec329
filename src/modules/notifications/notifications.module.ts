import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Batching } from '../../common/batching';
import { Clock } from '../../common/clock';
import { Bus } from '../../platform/cluster';
import { NotificationDeadLetters } from './dead-letters/dead-letters';
import { NotificationDeadLettersRepository } from './dead-letters/dead-letters.repository';
import { FanOut } from './fan-out';
import { DeliveriesRepository, type UserRef } from './live/deliveries.repository';
import type { LinkPorts } from './live/link';
import { NotificationLinks } from './live/links';
import { NotificationLive } from './live/live.service';
import { Settlements } from './live/settlements';
import { NotificationFacts } from './notification-facts';
import { NotificationsController } from './notifications.controller';
import { NotificationsGateway } from './notifications.gateway';
import { NotificationsRepository } from './notifications.repository';
import { NotificationsService } from './notifications.service';
import { OfflineJobs } from './offline-jobs';
import { SubscriptionsController } from './subscriptions.controller';
import { SubscriptionsRepository } from './subscriptions.repository';
import { SubscriptionsService } from './subscriptions.service';
import { NotificationEntity } from './entities/notification.entity';
import { NotificationDeliveryEntity } from './entities/notification-delivery.entity';
import { SubscriptionEntity } from './entities/subscription.entity';

/** Users who connect within it are looked up together: a storm of connections is no storm of look-ups. */
const FIRST_LOOK_MS = 100;

@Module({
  imports: [TypeOrmModule.forFeature([NotificationEntity, NotificationDeliveryEntity, SubscriptionEntity])],
  controllers: [NotificationsController, SubscriptionsController],
  providers: [
    NotificationsRepository,
    NotificationsService,
    NotificationsGateway,
    SubscriptionsRepository,
    SubscriptionsService,
    NotificationFacts,
    OfflineJobs,
    FanOut,
    DeliveriesRepository,
    Settlements,
    {
      provide: NotificationLinks,
      useFactory: (
        repository: NotificationsRepository,
        settlements: Settlements,
        deliveries: DeliveriesRepository,
        clock: Clock,
        bus: Bus,
      ) => {
        const looks = new Batching<UserRef, boolean>((users) => deliveries.haveWaiting(users), 1000, FIRST_LOOK_MS);
        const hasWaiting: LinkPorts['hasWaiting'] = (user) => looks.add(user);
        return new NotificationLinks({ repository, settlements, clock, hasWaiting }, deliveries, bus);
      },
      inject: [NotificationsRepository, Settlements, DeliveriesRepository, Clock, Bus],
    },
    NotificationLive,
    NotificationDeadLettersRepository,
    NotificationDeadLetters,
  ],
  exports: [
    NotificationsService,
    SubscriptionsService,
    NotificationDeadLetters,
    NotificationFacts,
    OfflineJobs,
    Settlements,
  ],
})
export class NotificationsModule {}
