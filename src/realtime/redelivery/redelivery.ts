import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { SocketConfig } from '../../config';
import { Bus, type BusEnvelope, type Topic } from '../../platform/cluster';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { Audience, Deliveries } from '../feed';
import { type AcceptedConnection, ByUser, OnConnection, SOCKET_PATH } from '../transport';
import { Attempts } from './attempts';
import type { DeadLetterRange, Moved } from './ports';
import { ConnectionWatch } from './watches';

/** What one node's turn brought, for all nodes, itself too. */
interface Hints {
  /** Cursors that moved. */
  readonly moved: readonly Moved[];
  /** Messages to send once more, to the users' connections that are live in the rooms. */
  readonly again: readonly DeadLetterRange[];
}

const REDELIVERY_HINTS: Topic<Hints> = 'redelivery-hints';

/** Tells all nodes what concerns a user's connections, once per turn. A hint may be lost. */
@Injectable()
export class RedeliveryHints {
  private moved: Moved[] = [];
  private again: DeadLetterRange[] = [];
  private isScheduled = false;

  constructor(private readonly bus: Bus) {}

  /** @param onLost called when hints of other nodes may have been lost */
  listen(handler: (hints: Hints) => void, onLost: () => void): () => void {
    const ends = [
      this.bus.subscribe(REDELIVERY_HINTS, ({ payload }: BusEnvelope<Hints>) => handler(payload)),
      this.bus.onGap(onLost),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  tellMoved(moved: Moved): void {
    this.moved.push(moved);
    this.schedule();
  }

  tellAgain(range: readonly DeadLetterRange[]): void {
    this.again.push(...range);
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      const { moved, again } = this;
      this.isScheduled = false;
      this.moved = [];
      this.again = [];
      this.bus.publish(REDELIVERY_HINTS, { moved, again });
    });
  }
}

/** A round visits every acking connection once, in so many slices. */
const SLICES = 20;
/** Rounds within the first wait: what is due is noticed that much late. */
const ROUNDS_PER_WAIT = 6;
const MIN_TICK_MS = 5;

/** Redelivery on this node; see the folder's index.ts. */
@Injectable()
export class Redelivery {
  private readonly connections = new ByUser<AcceptedConnection>();
  private readonly closed = (connection: AcceptedConnection): void => {
    this.connections.delete(connection);
    this.watches.delete(connection);
  };
  /** For connections that are sent nothing by themselves (`?sync=manual`): where their rooms stood when they came in. */
  private readonly entrances = new WeakMap<AcceptedConnection, ReadonlyMap<string, number>>();
  private readonly watches = new Map<AcceptedConnection, ConnectionWatch>();
  /** Watches that this round has yet to visit. */
  private round: ConnectionWatch[] = [];
  private perSlice = 0;

  private readonly unlisten: () => void;
  /** How long a message waits for its acknowledgement before it is sent again. */
  private readonly waitMs: number;

  constructor(
    private readonly deliveries: Deliveries,
    audience: Audience,
    private readonly attempts: Attempts,
    private readonly hints: RedeliveryHints,
    private readonly clock: Clock,
    @Inject(SocketConfig) { ackTimeoutMs }: Pick<SocketConfig, 'ackTimeoutMs'>,
  ) {
    this.waitMs = ackTimeoutMs;
    this.unlisten = hints.listen(
      ({ moved, again }) => {
        for (const each of moved) this.hear(each);
        for (const range of again) this.replay(range);
      },
      // Cursors are looked up before every attempt, so only replays are missed.
      () => {
        for (const watch of this.watches.values()) watch.reconsider();
      },
    );
    audience.onDetached((connection, roomId) => this.watches.get(connection as AcceptedConnection)?.forget(roomId));
  }

  /** Milliseconds between two ticks. */
  get tickMs(): number {
    return Math.max(MIN_TICK_MS, this.waitMs / ROUNDS_PER_WAIT / SLICES);
  }

  @OnStop(StopStage.workers)
  end(): void {
    this.unlisten();
  }

  /** A connection was opened, and is in the channels of its rooms. */
  @OnConnection(SOCKET_PATH, 'redelivery', { after: ['feed', 'sync'] })
  opened(connection: AcceptedConnection): void {
    this.connections.add(connection);
    connection.onClose(this.closed);
    if (!connection.syncsByItself) this.entrances.set(connection, new Map(this.deliveries.liveRooms(connection)));
  }

  /** The connection's client acknowledges what it gets: from now on it is sent again what it does not. */
  acks(connection: AcceptedConnection): void {
    if (!connection.isOpen || this.watches.has(connection)) return;
    const watch = new ConnectionWatch(connection, this.waitMs, this.entrances.get(connection));
    this.watches.set(connection, watch);
  }

  /** Whether the connection has ever acknowledged anything. */
  isAcking(connection: AcceptedConnection): boolean {
    return this.watches.has(connection);
  }

  /**
   * How often an acking connection was sent a message that waits for its acknowledgement; undefined where it does not wait, or
   * was never looked at yet. @param roomId UUID
   */
  timesSent(connection: AcceptedConnection, roomId: string, seq: number): number | undefined {
    return this.watches.get(connection)?.timesSent(roomId, seq);
  }

  /** A user's cursor has moved, by socket or HTTP: tells all nodes. */
  cursorMoved(moved: Moved): void {
    this.hints.tellMoved(moved);
  }

  /** Sends these once more to the users' connections that are live in the rooms, on all nodes. */
  sendAgain(range: readonly DeadLetterRange[]): void {
    this.hints.tellAgain(range);
  }

  /** Visits the next slice of the acking connections. */
  @Every(({ tickMs }: Redelivery) => tickMs, 'redelivery')
  tick(): void {
    if (this.round.length === 0) {
      this.round = [...this.watches.values()];
      this.perSlice = Math.ceil(this.round.length / SLICES);
    }
    const now = this.clock.monotonicMs();
    for (const watch of this.round.splice(0, this.perSlice)) {
      if (!watch.connection.isOpen) continue;
      const due = watch.visit(this.deliveries.liveRooms(watch.connection), now);
      if (due.length > 0) void this.attempts.make(watch, due);
    }
  }

  private hear({ tenantId, roomId, userId, seq }: Moved): void {
    const now = this.clock.monotonicMs();
    for (const connection of this.connections.ofUser(tenantId, userId))
      this.watches.get(connection)?.moved(roomId, seq, now);
  }

  private replay(range: DeadLetterRange): void {
    for (const connection of this.connections.ofUser(range.tenantId, range.userId))
      void this.attempts.replay(connection, range);
  }
}
