import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { encodeId } from '../../common/ids';
import { Every } from '../../platform/lifecycle';
import { Audience, RoomFeed, type SignalRule } from '../feed';
import type { Connection, Frame } from '../transport';
import { TICK_MS } from './leases';

/** Typing that is not repeated ends after so long. */
export const TYPING_MS = 10_000;
/** A repeated start is sent to the other members at most this often. */
export const REPEAT_MS = 3000;
/** After a start nothing more is told for so long at most; then another node ends it by itself. */
export const TOLD_MS = TYPING_MS + REPEAT_MS;

interface Typist {
  readonly tenantId: string;
  readonly roomId: string;
  readonly userId: string;
  readonly connections: Set<Connection>;
  until: number;
  toldAt: number;
}

type Action = 'start' | 'stop';

/**
 * Which users of this node are typing, in which rooms.
 *
 * Invariants: a user types in a room while any of their connections does; every start that other members
 * were told of is followed by a stop: sent, a message of theirs, timed out, left or closed. No timer per typist: `tick`
 * ends those whose time is over. On several nodes a user counts once per node, and stops with the last; a node whose stop is lost,
 * or that is gone itself, is ended by those that heard its start.
 */
@Injectable()
export class Typing {
  /** In order of `until`, since the time is the same for all and a repeat moves to the end. */
  private readonly typists = new Map<string, Typist>();
  /** Connections whose end is watched, and where they type. */
  private readonly places = new Map<Connection, Set<string>>();

  constructor(
    private readonly feed: RoomFeed,
    private readonly clock: Clock,
    audience: Audience,
  ) {
    audience.onDetached((connection, roomId) => this.stopTyping(connection, roomId));
  }

  /** The connection's user types in the room, for TYPING_MS more. That the user may has been checked. */
  startTyping(connection: Connection, roomId: string): void {
    if (!connection.isOpen) return;
    const { tenantId, userId } = connection;
    const key = keyOf(connection, roomId);
    const now = this.clock.monotonicMs();
    const known = this.typists.get(key);
    const typist = known ?? { tenantId, roomId, userId, connections: new Set(), until: 0, toldAt: -Infinity };
    this.typists.delete(key);
    this.typists.set(key, typist);
    typist.connections.add(connection);
    typist.until = now + TYPING_MS;
    this.placesOf(connection).add(key);
    if (now - typist.toldAt < REPEAT_MS) return;
    typist.toldAt = now;
    this.tell(typist, 'start');
  }

  /** The connection's user stopped; nothing happens where they did not type. */
  stopTyping(connection: Connection, roomId: string): void {
    this.leave(connection, keyOf(connection, roomId));
  }

  /** The user has sent a message to the room, by whichever endpoint: that is what they typed. Called for every message. */
  endOnMessage(tenantId: string, roomId: string, userId: string): void {
    if (this.typists.size === 0) return;
    const key = keyOf({ tenantId, userId }, roomId);
    const typist = this.typists.get(key);
    if (typist !== undefined) this.end(key, typist);
  }

  /** Ends what was not repeated in time. */
  @Every(TICK_MS, 'typing')
  tick(): void {
    const now = this.clock.monotonicMs();
    for (const [key, typist] of this.typists) {
      if (typist.until > now) return;
      this.end(key, typist);
    }
  }

  private leave(connection: Connection, key: string): void {
    const typist = this.typists.get(key);
    if (!typist?.connections.delete(connection)) return;
    this.places.get(connection)?.delete(key);
    if (typist.connections.size === 0) this.end(key, typist);
  }

  private end(key: string, typist: Typist): void {
    this.typists.delete(key);
    for (const connection of typist.connections) this.places.get(connection)?.delete(key);
    this.tell(typist, 'stop');
  }

  private placesOf(connection: Connection): Set<string> {
    const known = this.places.get(connection);
    if (known) return known;
    const places = new Set<string>();
    this.places.set(connection, places);
    connection.onClose(() => {
      for (const key of [...places]) this.leave(connection, key);
      this.places.delete(connection);
    });
    return places;
  }

  private tell({ tenantId, roomId, userId }: Typist, action: Action): void {
    const frame = typingFrame(roomId, userId, action);
    const rule: SignalRule =
      action === 'stop'
        ? { kind: 'end' }
        : { kind: 'begin', lastsMs: TOLD_MS, end: typingFrame(roomId, userId, 'stop') };
    this.feed.signalMembers(tenantId, roomId, `typing:${userId}`, frame, userId, rule);
  }
}

function typingFrame(roomId: string, userId: string, action: Action): Frame {
  return { type: 'typing', room_id: encodeId('room', roomId), user_id: userId, action };
}

function keyOf({ tenantId, userId }: Pick<Connection, 'tenantId' | 'userId'>, roomId: string): string {
  return `${tenantId}:${roomId}:${userId}`;
}
