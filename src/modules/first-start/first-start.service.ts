import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AppError } from '../../common/errors';
import { encodeId } from '../../common/ids';
import { Caller } from '../../platform/auth';
import { InstanceRepository, SessionLocks } from '../../platform/database';
import { ChatsService } from '../chats';
import { MessagesService } from '../messages';
import { NotificationsService, SubscriptionsService } from '../notifications';
import { RoomsService } from '../rooms';
import { TenantsService } from '../tenants';

/**
 * The demo data of a first start. The ids are fixed, so that the examples in Swagger UI and the README work as they
 * stand on every fresh installation.
 */
export const DEMO = {
  tenantId: '01900000-0000-7000-8000-0000000000d2',
  roomId: '01900000-0000-7000-8000-0000000000d0',
  messageId: '01900000-0000-7000-8000-0000000000d1',
  chatId: '01900000-0000-7000-8000-0000000000c0',
  chatTitle: 'Assistant',
  notificationId: '01900000-0000-7000-8000-0000000000f0',
  subscriptionId: '01900000-0000-7000-8000-0000000000e0',
  topic: 'welcome',
  tenantName: 'demo',
  roomName: 'general',
  userId: 'alice',
  otherUserId: 'bob',
} as const;

/** How long a server waits that starts together with another one, until that has shown the key. */
const OTHER_START_MS = 60_000;

/** A channel of two members, with a message. */
@Injectable()
export class DemoRoom {
  constructor(
    private readonly rooms: RoomsService,
    private readonly messages: MessagesService,
  ) {}

  /** May be repeated. */
  async seed(alice: Caller): Promise<void> {
    const { rooms } = await this.rooms.listRooms(alice, { limit: 10, offset: 0 }, false);
    if (!rooms.some(({ room_id }) => room_id === encodeId('room', DEMO.roomId)))
      await this.rooms.createRoom(
        alice,
        { type: 'channel', name: DEMO.roomName, members: [DEMO.userId, DEMO.otherUserId] },
        DEMO.roomId,
      );
    const welcome = { content: 'Welcome to ChatAPI', client_message_id: 'welcome' };
    await this.messages.sendMessage(alice, encodeId('room', DEMO.roomId), welcome, DEMO.messageId);
  }
}

/** An empty chat with the assistant: it has no message, so no model is asked by a mere start. */
@Injectable()
export class DemoChat {
  constructor(private readonly chats: ChatsService) {}

  /** May be repeated. */
  async seed(alice: Caller): Promise<void> {
    try {
      await this.chats.getChat(alice, DEMO.chatId);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
      await this.chats.createChat(alice, { userId: DEMO.userId, title: DEMO.chatTitle }, DEMO.chatId);
    }
  }
}

/** A subscription, and a notification in the inbox. */
@Injectable()
export class DemoNotification {
  constructor(
    private readonly notifications: NotificationsService,
    private readonly subscriptions: SubscriptionsService,
  ) {}

  /** May be repeated. */
  async seed(alice: Caller): Promise<void> {
    await this.subscriptions.subscribeUser(alice, DEMO.topic, DEMO.subscriptionId);
    const { total } = await this.notifications.listInbox(alice, { limit: 1, offset: 0 });
    if (total > 0) return;
    const welcome = {
      topic: DEMO.topic,
      payload: { text: 'Welcome to ChatAPI' },
      targets: { user_ids: [DEMO.userId] },
    };
    await this.notifications.notify(alice, welcome, DEMO.notificationId);
  }
}

/** What the very first start made, to be shown once. */
export interface FirstStart {
  readonly apiKey: string;
  /** To be called once it has been shown: until then every start makes and shows a new key. */
  shown(): Promise<void>;
}

/**
 * Makes the demo tenant with a room, a message, a notification, a subscription and a chat on the very first start. Of
 * servers that start together one does it, under a lock that it keeps until its key was shown: where it dies before, or
 * fails, the next one does it again, with a key of its own.
 */
@Injectable()
export class FirstStartService {
  constructor(
    private readonly instance: InstanceRepository,
    private readonly locks: SessionLocks,
    private readonly tenants: TenantsService,
    private readonly room: DemoRoom,
    private readonly notification: DemoNotification,
    private readonly chat: DemoChat,
  ) {}

  /**
   * Every step may be repeated: after a crash or a failure before the key was shown (a taken port), the next start
   * finishes the work with a new key. undefined: this is not the first start, or another server makes it.
   */
  async prepare(): Promise<FirstStart | undefined> {
    if (!(await this.instance.isFresh())) return undefined;
    const lock = await this.locks.take('first start', OTHER_START_MS);
    if (lock === undefined) return undefined;
    let made: FirstStart | undefined;
    try {
      // Another server may have made it meanwhile.
      if (!(await this.instance.isFresh())) return undefined;
      const apiKey = await this.make();
      const shown = (): Promise<void> => this.instance.markBootstrapped().finally(() => lock.release());
      return (made = { apiKey, shown });
    } finally {
      if (made === undefined) await lock.release();
    }
  }

  private async make(): Promise<string> {
    const apiKey = await this.tenants.seedTenant(DEMO.tenantId, DEMO.tenantName);
    const policy = { tenantId: DEMO.tenantId, status: 'active', limits: {}, settings: {} } as const;
    const alice = new Caller('key', randomUUID(), policy, DEMO.userId, undefined, ['chat']);
    await this.room.seed(alice);
    await this.notification.seed(alice);
    await this.chat.seed(alice);
    return apiKey;
  }
}
