import { Injectable } from '@nestjs/common';
import type { Caller } from '../../platform/auth';
import { NotificationsService, SubscriptionsService } from '../notifications';
import { DEMO } from './demo';

/** A subscription, and a notification in the inbox. */
@Injectable()
export class DemoNotification {
  constructor(
    private readonly notifications: NotificationsService,
    private readonly subscriptions: SubscriptionsService,
  ) {}

  /** May be repeated. */
  async seed(alice: Caller): Promise<void> {
    await this.subscriptions.subscribe(alice, DEMO.topic, DEMO.subscriptionId);
    const { total } = await this.notifications.inbox(alice, { limit: 1, offset: 0 });
    if (total > 0) return;
    const welcome = {
      topic: DEMO.topic,
      payload: { text: 'Welcome to ChatAPI' },
      targets: { user_ids: [DEMO.userId] },
    };
    await this.notifications.notify(alice, welcome, DEMO.notificationId);
  }
}
