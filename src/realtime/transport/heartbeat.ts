import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { unauthenticated } from '../../common/errors';
import { SocketConfig } from '../../config';
import { Every } from '../../platform/lifecycle';
import { CloseCode } from './connection';
import { Connections } from './connections';
import type { SocketConnection, Vitals } from './socket-connection';

/** A round visits every connection once, in so many slices. */
const SLICES = 4;
const MAX_TICK_MS = 250;
const MIN_TICK_MS = 5;
/** Rounds per heartbeat, at least: what is due is noticed that much late. */
const ROUNDS_PER_HEARTBEAT = 5;

/** A turn that brought a lot gets this long to be taken, when nothing comes after it. */
const OVERFULL_MS = 5000;

/**
 * Looks after all connections with one timer: pings them, ends those that are silent (4000), whose credential has
 * expired (4003), and those for which more than 1 MB has waited for 5 s although nothing new is sent (4009).
 *
 * Any byte from the client is a sign of life. The silence of a socket that the server does not read says nothing, nor
 * does any silence after the server itself stood still: the time starts anew then.
 */
@Injectable()
export class HeartbeatSweep {
  private round: readonly SocketConnection[] = [];
  private perSlice = 0;
  private slice = 0;
  private lastTickAt: number;
  readonly tickMs: number;

  constructor(
    private readonly connections: Connections,
    private readonly clock: Clock,
    private readonly config: SocketConfig,
  ) {
    const wanted = config.heartbeatMs / ROUNDS_PER_HEARTBEAT / SLICES;
    this.tickMs = Math.max(MIN_TICK_MS, Math.min(MAX_TICK_MS, wanted));
    this.lastTickAt = this.now();
  }

  /** Visits the next slice. */
  @Every(({ tickMs }: HeartbeatSweep) => tickMs, 'heartbeat of the sockets')
  tick(): void {
    const now = this.now();
    if (now - this.lastTickAt > this.config.silenceMs / 4) this.startAnew(now);
    this.lastTickAt = now;
    if (this.slice === 0) {
      this.round = this.connections.all();
      this.perSlice = Math.ceil(this.round.length / SLICES);
    }
    const from = this.slice * this.perSlice;
    const end = Math.min(from + this.perSlice, this.round.length);
    for (let i = from; i < end; i++) {
      const connection = this.round[i];
      if (connection?.isOpen === true) this.visit(connection, now);
    }
    this.slice = (this.slice + 1) % SLICES;
    // A connection that is over is not to be kept here.
    if (this.slice === 0) this.round = [];
  }

  private visit(connection: SocketConnection, now: number): void {
    const { endsAtMs } = connection.caller;
    if (endsAtMs !== undefined && endsAtMs <= this.clock.wallMs()) {
      connection.dismiss(unauthenticated('The credential of this connection has expired'), CloseCode.credential);
      return;
    }
    const vitals = this.vitalsOf(connection, now);
    if (connection.bytesRead !== vitals.bytesRead || connection.isHeld) vitals.seenAt = now;
    vitals.bytesRead = connection.bytesRead;
    vitals.overfullSince = connection.isOverfull ? (vitals.overfullSince ?? now) : undefined;
    if (vitals.overfullSince !== undefined && now - vitals.overfullSince >= OVERFULL_MS) connection.closeTooSlow();
    else if (now - vitals.seenAt >= this.config.silenceMs)
      connection.close(CloseCode.noHeartbeat, 'No sign of life; reconnect');
    else if (now - vitals.pingedAt >= this.config.heartbeatMs) {
      vitals.pingedAt = now;
      connection.ping();
    }
  }

  private vitalsOf(connection: SocketConnection, now: number): Vitals {
    return (connection.vitals ??= {
      bytesRead: connection.bytesRead,
      seenAt: now,
      pingedAt: now,
      overfullSince: undefined,
    });
  }

  private now(): number {
    return Math.round(this.clock.monotonicMs());
  }

  private startAnew(now: number): void {
    for (const connection of this.connections.all()) this.vitalsOf(connection, now).seenAt = now;
  }
}
