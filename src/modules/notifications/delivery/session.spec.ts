import { ManualClock } from '../../../common/time';
import { toWire } from '../../../realtime';
import { RecordingConnection } from '../../../../test/support/realtime/recording-connection';
import type { NotificationRow } from '../inbox/notifications.repository';
import type { DeliveryRef, GivenUp } from './deliveries.repository';
import { ACK_MS, notificationFrame, NotificationSession, SETTLE_GRACE_MS } from './session';

const idOf = (n: number): string => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const rowOf = (n: number): NotificationRow => ({
  notification_id: idOf(n),
  topic: `t${n}`,
  payload: { n },
  created_at: new Date(n),
});

/** What the database knows of one user's notifications. */
class Table {
  readonly delivered = new Set<string>();
  readonly dead = new Map<string, GivenUp>();
  /** What the next read waits for. */
  gate: Promise<void> = Promise.resolve();
  isAway = false;
  /** Called when a read has begun, with what it will bring. */
  onRead: () => void = () => undefined;
  private readonly rows = new Map<string, NotificationRow>();

  add(...numbers: number[]): void {
    for (const n of numbers) this.rows.set(idOf(n), rowOf(n));
  }

  readonly repository = {
    pending: async (_tenant: string, _user: string, after: string | null, withDead: boolean, limit: number) => {
      const rows = this.waiting((id) => id > (after ?? '') && (withDead || !this.dead.has(id))).slice(0, limit);
      this.onRead();
      await this.gate;
      if (this.isAway) throw new Error('away');
      return rows;
    },
    stillPending: (_tenant: string, _user: string, ids: readonly string[]) =>
      Promise.resolve(this.waiting((id) => ids.includes(id) && !this.dead.has(id))),
  };

  readonly settlements = {
    delivered: ({ notificationId }: DeliveryRef) => {
      if (this.isAway) return Promise.reject(new Error('away'));
      this.delivered.add(notificationId);
      return Promise.resolve(true);
    },
    giveUpDelivery: (given: GivenUp) => {
      this.dead.set(given.notificationId, given);
      return Promise.resolve();
    },
  };

  private waiting(fits: (id: string) => boolean): NotificationRow[] {
    return [...this.rows.values()]
      .filter(({ notification_id: id }) => !this.delivered.has(id) && fits(id))
      .sort((a, b) => (a.notification_id < b.notification_id ? -1 : 1));
  }
}

describe('the notifications of a connection', () => {
  let table: Table;
  let clock: ManualClock;
  let connection: RecordingConnection;
  let session: NotificationSession;

  beforeEach(() => {
    table = new Table();
    clock = new ManualClock();
    connect();
  });

  function connect(): void {
    connection = new RecordingConnection();
    session = new NotificationSession(connection, {
      repository: table.repository,
      settlements: table.settlements,
      clock,
      hasWaiting: () => Promise.resolve(true),
    });
    connection.onClose(() => void session.closed());
  }

  const topics = (): unknown[] => connection.take().map((frame) => frame['topic']);
  const offer = (n: number): void => {
    table.add(n);
    session.offer(idOf(n), toWire(notificationFrame(rowOf(n))));
  };
  const after = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await session.settleWritten();
    await session.sendDue();
  };

  it('brings what waited in order, however much, and then what is new', async () => {
    const numbers = Array.from({ length: 300 }, (_, i) => i + 1);
    table.add(...numbers);
    await session.catchUp();
    await after(1000);
    expect(topics()).toEqual(numbers.map((n) => `t${n}`));
    offer(500);
    offer(301);
    expect(topics()).toEqual(['t500', 't301']);
  });

  it('sends no more at a time than a client may acknowledge, as long as it may be one that does', async () => {
    table.add(...Array.from({ length: 300 }, (_, i) => i + 1));
    await session.catchUp();
    offer(1000);
    await after(999);
    expect(topics()).toHaveLength(80);
    session.becomesAcknowledging();
    for (const sent of [80, 80, 61]) {
      await after(1000);
      expect(topics()).toHaveLength(sent);
    }
    offer(1001);
    expect(topics()).toEqual(['t1001']);
  });

  it('while it reads, what is new waits for its place, and comes once', async () => {
    table.add(2);
    let go: () => void = () => undefined;
    table.gate = new Promise((resolve) => (go = resolve));
    const begun = new Promise<void>((resolve) => (table.onRead = resolve));
    const reading = session.catchUp();
    await begun;
    offer(1);
    offer(3);
    go();
    await reading;
    expect(topics()).toEqual(['t2', 't1', 't3']);
  });

  it('is sent once when it is offered twice', async () => {
    await session.catchUp();
    offer(1);
    offer(1);
    expect(topics()).toEqual(['t1']);
  });

  it('counts as delivered what was written to a client that acknowledges nothing, a moment later', async () => {
    await session.catchUp();
    offer(1);
    await after(SETTLE_GRACE_MS - 1);
    expect(table.delivered.size).toBe(0);
    await after(1);
    expect([...table.delivered]).toEqual([idOf(1)]);
    expect(session.isBusy).toBe(false);
    await after(ACK_MS[0] ?? 0);
    expect(topics()).toEqual(['t1']);
  });

  it('or when that client goes', async () => {
    await session.catchUp();
    offer(1);
    await Promise.resolve();
    connection.close(1000, '');
    expect([...table.delivered]).toEqual([idOf(1)]);
  });

  it('counts nothing as delivered that was not written', async () => {
    await session.catchUp();
    connection.onceBelow = () => undefined;
    offer(1);
    await after(SETTLE_GRACE_MS);
    expect(table.delivered.size).toBe(0);
  });

  it('sends again what an acknowledging client did not acknowledge, less and less often, and gives up', async () => {
    await session.catchUp();
    session.becomesAcknowledging();
    offer(1);
    offer(2);
    table.delivered.add(idOf(2));
    session.settled(idOf(2));
    expect(topics()).toEqual(['t1', 't2']);
    for (const ms of ACK_MS.slice(0, -1)) {
      await after(ms - 1);
      expect(topics()).toEqual([]);
      await after(1);
      expect(topics()).toEqual(['t1']);
    }
    await after(ACK_MS.at(-1) ?? 0);
    expect([...table.dead.values()]).toEqual([
      expect.objectContaining({ notificationId: idOf(1), attempts: 5, error: 'ack timeout' }),
    ]);
    session.want();
    await after(1);
    expect(topics()).toEqual([]);
    expect(table.delivered.has(idOf(1))).toBe(false);
    table.dead.clear();
    session.retry();
    await session.catchUp();
    expect(topics()).toEqual(['t1']);
  });

  it('what was given up is sent again on the next connection', async () => {
    table.add(1, 2);
    table.dead.set(idOf(1), {} as GivenUp);
    await session.catchUp();
    expect(topics()).toEqual(['t1', 't2']);
  });

  it('does not send again what another device has acknowledged', async () => {
    await session.catchUp();
    session.becomesAcknowledging();
    offer(1);
    table.delivered.add(idOf(1));
    await after(ACK_MS[0] ?? 0);
    expect(topics()).toEqual(['t1']);
    expect(session.isBusy).toBe(false);
  });

  it('sends no more than a thousand ahead of what is settled, and goes on when there is room', async () => {
    table.add(...Array.from({ length: 1500 }, (_, i) => i + 1));
    await session.catchUp();
    await after(SETTLE_GRACE_MS);
    expect(topics()).toHaveLength(80 + 1000);
    offer(2000);
    expect(topics()).toEqual([]);
    await after(SETTLE_GRACE_MS);
    expect(topics()).toEqual([...Array.from({ length: 420 }, (_, i) => `t${i + 1081}`), 't2000']);
  });

  it('goes on where the database was away', async () => {
    table.add(1);
    table.isAway = true;
    await expect(session.catchUp()).rejects.toThrow('away');
    expect(session.isBusy).toBe(true);
    table.isAway = false;
    await after(0);
    expect(topics()).toEqual(['t1']);
    table.isAway = true;
    await expect(after(SETTLE_GRACE_MS)).rejects.toThrow('away');
    table.isAway = false;
    await after(1);
    expect([...table.delivered]).toEqual([idOf(1)]);
  });

  it('sends nothing after the end', async () => {
    table.add(1);
    connection.close(1000, '');
    await session.catchUp();
    session.offer(idOf(2), toWire({ type: 'notification' }));
    await after(0);
    expect(connection.frames).toEqual([]);
  });

  it('tries again what it gave up on where a replay may have been lost, and asks for nothing else', async () => {
    session.reconsider();
    await session.catchUp();
    let reads = 0;
    table.onRead = () => reads++;
    session.reconsider();
    await after(1000);
    expect(reads).toBe(0);
    session.becomesAcknowledging();
    offer(1);
    for (const ms of ACK_MS) await after(ms);
    expect([...table.dead.keys()]).toEqual([idOf(1)]);
    connection.take();
    table.dead.clear();
    await after(1000);
    expect(topics()).toEqual([]);
    session.reconsider();
    await after(1000);
    expect(topics()).toEqual(['t1']);
  });
});
