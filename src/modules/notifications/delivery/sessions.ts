import { Inject, Injectable } from '@nestjs/common';
import { Batching } from '../../../common/batching';
import { Clock } from '../../../common/time';
import { Bus, type Topic, type Unsubscribe } from '../../../platform/cluster';
import { Every, OnStop, StopStage } from '../../../platform/lifecycle';
import { type AcceptedConnection, ByUser, type Frame, OnConnection, SOCKET_PATH, toWire } from '../../../realtime';
import { NotificationsRepository } from '../inbox/notifications.repository';
import { NotificationDeliveriesRepository, type Recipient, Settlements } from './deliveries.repository';
import { type SessionPorts, NotificationSession } from './session';

/** A notification for users, wherever they are connected. Lost ones are found by the poll. */
export interface NotificationHint {
  readonly tenantId: string;
  readonly userIds: readonly string[];
  /** UUID. */
  readonly notificationId: string;
  readonly frame: Frame;
}

export const NOTIFICATION_HINTS: Topic<NotificationHint> = 'notification-hints';

/** Dead letters of these users were replayed. */
interface ReplayHint {
  readonly tenantId: string;
  readonly userIds: readonly string[];
}

const REPLAY_HINTS: Topic<ReplayHint> = 'notification-replays';

const TICK_MS = 500;
const POLL_MS = 10_000;
/** Users that connect within it are looked up together: a storm of connections is no storm of look-ups. */
const FIRST_LOOK_MS = 100;
/** Users per look of the poll. */
const SLICE = 1000;
/** Sessions that use the database at the same time. */
const TOGETHER = 8;
/** What was made more recently may still be on its way. */
const OVERDUE_MS = 5000;

/** The connections of this node, by user, and the way to those of other nodes. */
@Injectable()
export class NotificationSessions {
  private readonly byUser = new ByUser<NotificationSession>();
  private readonly closed = (connection: AcceptedConnection): void => {
    const session = this.of(connection);
    if (session === undefined) return;
    this.byUser.delete(session);
    void session.closed();
  };

  private readonly ports: SessionPorts;
  private readonly unsubscribe: readonly Unsubscribe[];

  constructor(
    repository: NotificationsRepository,
    @Inject(Settlements) settlements: SessionPorts['settlements'],
    private readonly deliveries: NotificationDeliveriesRepository,
    clock: Clock,
    private readonly bus: Bus,
  ) {
    const looks = new Batching<Recipient, boolean>((users) => deliveries.haveWaiting(users), 1000, FIRST_LOOK_MS);
    this.ports = { repository, settlements, clock, hasWaiting: (user) => looks.submit(user) };
    // What all nodes publish, this one among them.
    this.unsubscribe = [
      bus.subscribe(NOTIFICATION_HINTS, ({ payload }) => this.hear(payload)),
      bus.subscribe(REPLAY_HINTS, ({ payload }) => this.retry(payload)),
      bus.onGap(() => this.lookForLost()),
    ];
  }

  @OnStop(StopStage.workers)
  end(): void {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
  }

  /** Neither blocks nor fails. */
  publish(hint: NotificationHint): void {
    if (hint.userIds.length > 0) this.bus.publish(NOTIFICATION_HINTS, hint);
  }

  /** What waits for these users is sent to them, what was given up on their connections too. */
  publishReplay(tenantId: string, userIds: readonly string[]): void {
    this.bus.publish(REPLAY_HINTS, { tenantId, userIds });
  }

  /** What waits for the user is sent to the connection, and from then on what is new. */
  @OnConnection(SOCKET_PATH, 'notifications', { after: ['presence', 'redelivery'] })
  opened(connection: AcceptedConnection): void {
    const session = new NotificationSession(connection, this.ports);
    this.byUser.add(session);
    connection.onClose(this.closed);
    this.start(session);
  }

  /** undefined when the connection is over. */
  of(connection: AcceptedConnection): NotificationSession | undefined {
    const { tenantId, userId } = connection;
    return this.byUser.ofUser(tenantId, userId).find((session) => session.connection === connection);
  }

  /** Every session does what is due; those that read do it a few at a time. */
  @Every(TICK_MS, 'notifications')
  async tick(): Promise<void> {
    const busy: NotificationSession[] = [];
    this.byUser.forEach((session) => {
      if (session.isBusy) busy.push(session);
    });
    await Promise.all(busy.map((session) => session.settleWritten()));
    for (let i = 0; i < busy.length; i += TOGETHER)
      await Promise.all(busy.slice(i, i + TOGETHER).map((session) => session.sendDue()));
  }

  /** Looks for users whose notifications no hint told this node of. */
  @Every(POLL_MS, 'notification poll')
  poll(): Promise<void> {
    return this.look(OVERDUE_MS);
  }

  /** @param overdueMs what waits for less is left to its hint */
  private async look(overdueMs: number): Promise<void> {
    const users = [...this.byUser.firsts()];
    for (let i = 0; i < users.length; i += SLICE) {
      const waited = await this.deliveries.waitedFor(users.slice(i, i + SLICE), overdueMs);
      for (const user of waited)
        for (const session of this.byUser.ofUser(user.tenantId, user.userId)) {
          session.want();
          this.start(session);
        }
    }
  }

  /** Hints of other nodes may have been lost, of replays too. */
  private lookForLost(): void {
    this.byUser.forEach((session) => session.reconsider());
    // What cannot be read now is found by the next poll, which says so if it fails.
    this.look(0).catch(() => undefined);
  }

  private hear({ tenantId, userIds, notificationId, frame }: NotificationHint): void {
    let wire: ReturnType<typeof toWire> | undefined;
    for (const userId of userIds)
      for (const session of this.byUser.ofUser(tenantId, userId))
        session.offer(notificationId, (wire ??= toWire(frame)));
  }

  private retry({ tenantId, userIds }: ReplayHint): void {
    for (const userId of userIds)
      for (const session of this.byUser.ofUser(tenantId, userId)) {
        session.retry();
        this.start(session);
      }
  }

  private start(session: NotificationSession): void {
    // What cannot be read now is read by the next tick, which says so if it fails.
    session.catchUp().catch(() => undefined);
  }
}
