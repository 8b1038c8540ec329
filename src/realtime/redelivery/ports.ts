import type { Frame } from '../transport';

/** The cursor of a user's acknowledgements in a room has moved. */
export interface Moved {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly userId: string;
  /** Acknowledged up to here. */
  readonly seq: number;
}

/** Messages of one room for one user. */
export interface DeadLetterRange {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly userId: string;
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** Messages of one member in one room that a connection gave up on. */
export interface Undelivered {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly userId: string;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** How often each was sent. */
  readonly attempts: number;
}

/** How far members have acknowledged, and what became of the rest. The delivery module implements it. */
export abstract class Receipts {
  /** Per room, up to where the user has acknowledged it; rooms of which they are no member are missing. */
  abstract acked(tenantId: string, userId: string, roomIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Stores what was given up on, durably, but for what has been acknowledged meanwhile. */
  abstract giveUp(undelivered: Undelivered): Promise<void>;
}

/** A message as it is now, as its frame. */
export interface MessageFrame {
  readonly seq: number;
  readonly frame: Frame;
}

/** The messages of a room. The messages module implements it. */
export abstract class MessageFrames {
  /** Messages after one seq and up to another, the oldest `limit` of them, in order; deleted ones are tombstones. */
  abstract read(
    tenantId: string,
    roomId: string,
    afterSeq: number,
    throughSeq: number,
    limit: number,
  ): Promise<readonly MessageFrame[]>;
}
