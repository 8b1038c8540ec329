import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { encodeId } from '../../common/ids';
import { Caller } from '../../platform/auth';
import { SystemDatabase } from '../../platform/database';
import { MessagesService } from '../messages';
import { NotificationsService, SubscriptionsService } from '../notifications';
import { RoomsService } from '../rooms';
import { TenantsService } from '../tenants';
import { DEMO } from './demo';

/** What the very first start made, to be shown once. */
export interface FirstStart {
  readonly apiKey: string;
  /** To be called once it has been shown: until then every start makes and shows a new key. */
  shown(): Promise<void>;
}

/** Makes the demo tenant with a room, a message, a notification and a subscription on the very first start. */
@Injectable()
export class FirstStartService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly tenants: TenantsService,
    private readonly rooms: RoomsService,
    private readonly messages: MessagesService,
    private readonly notifications: NotificationsService,
    private readonly subscriptions: SubscriptionsService,
  ) {}

  /**
   * Every step may be repeated: after a crash or a failure before the key was shown (a taken port), the next start
   * finishes the work with a new key. undefined: this is not the first start.
   */
  async run(): Promise<FirstStart | undefined> {
    const [instance] = await this.system.read<{ fresh: boolean }>(
      'first start?',
      'SELECT bootstrapped_at IS NULL AS fresh FROM instance',
    );
    if (!instance?.fresh) return undefined;
    const apiKey = await this.tenants.seed(DEMO.tenantId, DEMO.tenantName);
    const policy = { tenantId: DEMO.tenantId, status: 'active', limits: {}, settings: {} } as const;
    const alice = new Caller('key', randomUUID(), policy, DEMO.userId, undefined, ['chat']);
    await this.seedRoom(alice);
    await this.seedNotification(alice);
    return { apiKey, shown: () => this.finish() };
  }

  private async finish(): Promise<void> {
    await this.system.read('first start done', 'UPDATE instance SET bootstrapped_at = clock_timestamp()');
  }

  private async seedRoom(alice: Caller): Promise<void> {
    const { total } = await this.rooms.list(alice, { limit: 1, offset: 0 }, false);
    if (total === 0)
      await this.rooms.create(
        alice,
        { type: 'channel', name: DEMO.roomName, members: [DEMO.userId, DEMO.otherUserId] },
        DEMO.roomId,
      );
    const welcome = { content: 'Welcome to ChatAPI', client_message_id: 'welcome' };
    await this.messages.send(alice, encodeId('room', DEMO.roomId), welcome, DEMO.messageId);
  }

  private async seedNotification(alice: Caller): Promise<void> {
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
