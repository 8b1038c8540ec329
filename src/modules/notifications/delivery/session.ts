import { type Clock, isoTime } from '../../../common/time';
import { encodeId } from '../../../common/ids';
import { exponential } from '../../../platform/jobs';
import { type AcceptedConnection, type Frame, toWire, type WireFrame } from '../../../realtime';
import type { NotificationRow, NotificationsRepository } from '../inbox/notifications.repository';
import type { Settlements } from './deliveries.repository';

/** A connection that has not acknowledged by then is taken for one that never does. */
export const SETTLE_GRACE_MS = 1000;
/** After each of the sends, how long an acknowledgement is waited for. */
export const ACK_MS = exponential(30_000, 2, 480_000, 5);
/** Notifications of one connection that were sent and not settled; more wait in the database. */
export const MAX_UNSETTLED = 1000;
/** Sent again at a time. */
const MAX_RESENT = 80;
/**
 * Sent at once of what waited, and then per PACE_MS to a client that acknowledges: it may send 100 frames a second, and each
 * notification is one. A client that has not acknowledged any in the first PACE_MS gets the rest at its own speed.
 */
const BURST = 80;
const PACE_MS = 1000;
/** The next page is read when fewer bytes wait for the client. */
const PACE_BYTES = 256 * 1024;

/** What a connection has that was sent nothing; never changed. */
const NOTHING_SENT = new Map<string, never>();

interface Sent {
  at: number;
  attempts: number;
  isFlushed: boolean;
  isSettling: boolean;
}

export interface SessionPorts {
  /** Whether anything was ever left for the user; asked once per connection, of many together. */
  readonly hasWaiting: (user: { readonly tenantId: string; readonly userId: string }) => Promise<boolean>;
  readonly repository: Pick<NotificationsRepository, 'pending' | 'stillPending'>;
  readonly settlements: Pick<Settlements, 'delivered' | 'giveUpDelivery'>;
  readonly clock: Clock;
}

/**
 * The notifications of one connection.
 *
 * Invariants
 * - What waits in the database comes first, oldest first; while it is read nothing is sent from elsewhere, a new one
 *   only asks for another pass. So a connection gets what waited in order, and nothing twice in a row.
 * - Whatever was sent is in `sent` until it is settled in the database: delivered, or given up. Passes leave it out.
 * - A connection acknowledges from its first notification.ack on. Until then what was written counts as delivered, a
 *   second after it was sent or when the connection closes.
 */
export class NotificationSession {
  /** Made with the first; most connections have none. */
  private sent: Map<string, Sent> = NOTHING_SENT;
  /** Given up on this connection: not sent again before the next one. */
  private givenUp: Set<string> | undefined;
  private unflushed: Sent[] | undefined;
  private acknowledges = false;
  private isWanted = true;
  private isReading = false;
  private isFirst = true;
  private begunAt: number | undefined;
  private pausedUntil = 0;

  constructor(
    readonly connection: AcceptedConnection,
    private readonly ports: SessionPorts,
  ) {}

  get tenantId(): string {
    return this.connection.tenantId;
  }

  get userId(): string {
    return this.connection.userId;
  }

  /** Whether time brings it something to do. */
  get isBusy(): boolean {
    return this.sent.size > 0 || (this.isWanted && this.connection.isOpen);
  }

  /** A new notification of the user. */
  offer(id: string, wire: WireFrame): void {
    if (this.sent.has(id)) return;
    if (this.isReading || this.isWanted || this.sent.size >= MAX_UNSETTLED) this.isWanted = true;
    else this.transmit(id, () => this.connection.sendFrame(wire));
  }

  /** There may be something that this connection was not sent. */
  want(): void {
    this.isWanted = true;
  }

  /** What was given up is to be tried once more. */
  retry(): void {
    this.givenUp = undefined;
    this.want();
  }

  /** What was given up on may have been replayed unheard. */
  reconsider(): void {
    if (this.givenUp !== undefined) this.retry();
  }

  /** The client sends acknowledgements: what was sent waits for them from here on. */
  becomesAcknowledging(): void {
    this.acknowledges = true;
  }

  /** It is stored that the user has it. */
  settled(id: string): void {
    this.sent.delete(id);
  }

  /** Sends what waits in the database, if it was asked for. Rejects when it cannot be read; then it is still wanted. */
  async catchUp(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    try {
      while (this.isWanted && this.connection.isOpen && this.sent.size < MAX_UNSETTLED && !this.isPaused) {
        this.isWanted = false;
        await this.pass();
      }
    } catch (error) {
      this.isWanted = true;
      throw error;
    } finally {
      this.isReading = false;
    }
  }

  /** Stores what was written to a client that does not acknowledge. */
  async settleWritten(): Promise<void> {
    if (this.acknowledges || !this.connection.isOpen) return;
    const now = this.ports.clock.monotonicMs();
    await this.settleFlushed((sent) => now - sent.at >= SETTLE_GRACE_MS);
  }

  /** Sends again what was not acknowledged, and what is wanted. */
  async sendDue(): Promise<void> {
    if (!this.connection.isOpen) return;
    if (this.acknowledges) await this.resend(this.ports.clock.monotonicMs());
    await this.catchUp();
  }

  private get isPaused(): boolean {
    return this.ports.clock.monotonicMs() < this.pausedUntil;
  }

  private async pass(): Promise<void> {
    const { tenantId, userId } = this.connection;
    if (this.isFirst && !(await this.ports.hasWaiting({ tenantId, userId }))) {
      this.isFirst = false;
      return;
    }
    let burst = 0;
    for (let after: string | null = null; ;) {
      await new Promise<void>((resolve) => this.connection.onceBelow(PACE_BYTES, resolve));
      if (!this.connection.isOpen) return;
      const page: NotificationRow[] = await this.ports.repository.pending(tenantId, userId, after, this.isFirst, BURST);
      for (const row of page) {
        after = row.notification_id;
        if (this.sent.has(row.notification_id) || this.givenUp?.has(row.notification_id) === true) continue;
        if (this.sent.size >= MAX_UNSETTLED || (burst >= BURST && this.hasToPace())) {
          this.isWanted = true;
          return;
        }
        burst++;
        const wire = toWire(notificationFrame(row));
        this.transmit(row.notification_id, () => this.connection.sendHistory(wire));
      }
      if (page.length < BURST) break;
    }
    this.isFirst = false;
  }

  private hasToPace(): boolean {
    const now = this.ports.clock.monotonicMs();
    if (!this.acknowledges && now - (this.begunAt ?? now) >= PACE_MS) return false;
    this.pausedUntil = now + PACE_MS;
    return true;
  }

  private transmit(id: string, send: () => void): void {
    if (!this.connection.isOpen) return;
    send();
    const known = this.sent.get(id);
    const sent = known ?? { at: 0, attempts: 0, isFlushed: false, isSettling: false };
    sent.at = this.ports.clock.monotonicMs();
    this.begunAt ??= sent.at;
    sent.attempts++;
    if (!known) this.note(id, sent);
    // Once per turn: all that it brings is flushed together.
    if (this.unflushed !== undefined) this.unflushed.push(sent);
    else {
      this.unflushed = [sent];
      queueMicrotask(() => this.watchFlush());
    }
  }

  private note(id: string, sent: Sent): void {
    if (this.sent === NOTHING_SENT) this.sent = new Map();
    this.sent.set(id, sent);
  }

  private watchFlush(): void {
    const turn = this.unflushed ?? [];
    this.unflushed = undefined;
    this.connection.onceBelow(0, () => {
      if (this.connection.isOpen) for (const sent of turn) sent.isFlushed = true;
    });
  }

  /** The connection is over. */
  async closed(): Promise<void> {
    // What cannot be stored now waits, and is sent again on the next connection.
    if (!this.acknowledges) await this.settleFlushed(() => true).catch(() => undefined);
    this.sent.clear();
  }

  private async settleFlushed(isDue: (sent: Sent) => boolean): Promise<void> {
    const due = [...this.sent].filter(([, sent]) => sent.isFlushed && !sent.isSettling && isDue(sent));
    await Promise.all(due.map(([id, sent]) => this.settle(id, sent)));
  }

  private async settle(id: string, sent: Sent): Promise<void> {
    const { tenantId, userId } = this.connection;
    sent.isSettling = true;
    try {
      await this.ports.settlements.delivered({ tenantId, userId, notificationId: id });
      this.sent.delete(id);
    } finally {
      sent.isSettling = false;
    }
  }

  /** Looks first whether they still wait: another device may have acknowledged, or the user read them. */
  private async resend(now: number): Promise<void> {
    const due = [...this.sent].filter(([, sent]) => now - sent.at >= ackMs(sent.attempts)).slice(0, MAX_RESENT);
    if (due.length === 0) return;
    const { tenantId, userId } = this.connection;
    const rows = await this.ports.repository.stillPending(
      tenantId,
      userId,
      due.map(([id]) => id),
    );
    const pending = new Map(rows.map((row) => [row.notification_id, row]));
    for (const [id, sent] of due) {
      const row = pending.get(id);
      if (row === undefined) this.sent.delete(id);
      else if (sent.attempts >= ACK_MS.length) await this.giveUp(id, sent);
      else {
        const wire = toWire(notificationFrame(row));
        this.transmit(id, () => this.connection.sendHistory(wire));
      }
    }
  }

  private async giveUp(id: string, { attempts }: Sent): Promise<void> {
    const { tenantId, userId } = this.connection;
    await this.ports.settlements.giveUpDelivery({
      tenantId,
      userId,
      notificationId: id,
      attempts,
      error: 'ack timeout',
    });
    this.givenUp = (this.givenUp ?? new Set()).add(id);
    this.sent.delete(id);
  }
}

function ackMs(attempts: number): number {
  return ACK_MS[Math.min(attempts, ACK_MS.length) - 1] ?? 0;
}

/** The `notification` frame. @param notification with its UUID */
export function notificationFrame(notification: {
  readonly notification_id: string;
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly created_at: Date | string;
}): Frame {
  const { notification_id, topic, payload, created_at } = notification;
  return {
    type: 'notification',
    notification_id: encodeId('notification', notification_id),
    topic,
    payload,
    created_at: isoTime(created_at),
  };
}
