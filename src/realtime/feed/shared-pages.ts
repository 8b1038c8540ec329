import { Injectable } from '@nestjs/common';
import { FrameBatches } from '../transport';
import { Channels } from './channels';
import { isSame, lacks } from './order';
import { type Position, type ReadMark, type RecentMessage, RecentMessages, RoomLog, type RoomState } from './ports';
import { CachedPage, type CachedRange } from './room-cache';
import type { RoomChannel } from './room-channel';

/** After so many reads that did not help a page is read for its reader alone. */
const TRIES = 3;

/** What a sync tells of a room beside its log. */
export interface Opening {
  readonly marks: readonly ReadMark[];
  readonly namedId: string | undefined;
}

const NO_MARKS: readonly ReadMark[] = [];

interface Wanted {
  readonly marks: boolean;
  /** The id of the message with this seq. */
  readonly named: number | undefined;
}

/**
 * Pages of rooms' messages that are read once and framed once for all connections here that want them
 * (docs/adr/0028-shared-pages.md). Only for connections that have a place in the room's channel: who sees a room is not asked.
 *
 * Concurrency: one read of a room at a time; who wants something else of it waits for that, and then looks again.
 */
@Injectable()
export class SharedPages {
  private readonly filling = new Map<RoomChannel, Promise<void>>();
  private readonly openings = new Map<RoomChannel, Map<string, Promise<Opening>>>();

  constructor(
    private readonly channels: Channels,
    private readonly log: RoomLog,
    private readonly batches: FrameBatches,
  ) {}

  /**
   * Sees to it that `take` has the beginning of a range, as it is at `upTo` or later. False where it cannot be had: it is to be read for the
   * connection alone. Rejects when the log cannot be read.
   */
  async prepare(tenantId: string, roomId: string, range: CachedRange, upTo: Position): Promise<boolean> {
    for (let n = 0; n < TRIES; n++) {
      const channel = this.channels.find(tenantId, roomId);
      if (channel === undefined || !this.channels.memory.isOn) return false;
      if (!channel.cache.mayHold(range, channel.position.seq)) return false;
      // What was changed on the way there is not told again.
      await channel.reached(upTo);
      const found = channel.cache.take(range, this.channels.memory.readBytes, channel.position);
      if (found instanceof CachedPage) return true;
      if ('reaches' in found) await channel.reached(found.reaches);
      else await this.fill(channel, found.missing);
    }
    return false;
  }

  /** A page of a range, of at most `bytes` or one message; undefined where it has to be prepared. */
  take(tenantId: string, roomId: string, range: CachedRange, upTo: Position, bytes: number): CachedPage | undefined {
    const channel = this.channels.find(tenantId, roomId);
    if (channel === undefined || lacks(channel.position, upTo)) return undefined;
    const found = channel.cache.take(range, bytes, channel.position);
    this.channels.cached(channel);
    return found instanceof CachedPage ? found : undefined;
  }

  /** What several want at the same time is read once, and what is known not at all: that comes without a promise. */
  opening(tenantId: string, roomId: string, wanted: Wanted): Opening | Promise<Opening> {
    const channel = this.channels.find(tenantId, roomId);
    const known = wanted.named === undefined ? undefined : channel?.cache.idOf(wanted.named);
    const named = known === undefined ? wanted.named : undefined;
    if (channel === undefined || (!wanted.marks && named === undefined)) return { marks: NO_MARKS, namedId: known };
    const running = this.openings.get(channel) ?? new Map<string, Promise<Opening>>();
    this.openings.set(channel, running);
    const key = `${wanted.marks} ${named}`;
    const begun = running.get(key) ?? this.open(channel, running, key, { ...wanted, named });
    return known === undefined ? begun : begun.then(({ marks }) => ({ marks, namedId: known }));
  }

  private open(
    channel: RoomChannel,
    running: Map<string, Promise<Opening>>,
    key: string,
    wanted: Wanted,
  ): Promise<Opening> {
    const opening = this.log.opening(channel.tenantId, channel.roomId, wanted).then((found) => {
      if (wanted.named !== undefined && found.namedId !== undefined) channel.cache.learn(wanted.named, found.namedId);
      return found;
    });
    running.set(key, opening);
    const over = (): void => {
      running.delete(key);
      if (running.size === 0) this.openings.delete(channel);
    };
    opening.then(over, over);
    return opening;
  }

  private fill(channel: RoomChannel, range: CachedRange): Promise<void> {
    const running = this.filling.get(channel);
    if (running !== undefined) return running;
    const filling = this.read(channel, range).finally(() => this.filling.delete(channel));
    this.filling.set(channel, filling);
    return filling;
  }

  private async read(channel: RoomChannel, range: CachedRange): Promise<void> {
    const read = channel.cache.beginRead();
    let found: readonly RecentMessage[] = [];
    try {
      found = await this.log.messages(channel.tenantId, channel.roomId, range, this.channels.memory.readBytes);
    } finally {
      channel.cache.fill(read, this.framed(found));
    }
  }

  private framed(messages: readonly RecentMessage[]): { message: RecentMessage; frame: Buffer }[] {
    return messages.map((message) => ({ message, frame: this.batches.encode(message.text) }));
  }
}

/** The same memory for requests: their statement has said who sees the room, and where it stands. */
@Injectable()
export class CachedMessages extends RecentMessages {
  constructor(
    private readonly channels: Channels,
    private readonly batches: FrameBatches,
  ) {
    super();
  }

  has(tenantId: string, roomId: string, beforeSeq = Infinity): boolean {
    return (this.channels.find(tenantId, roomId)?.cache.oldest ?? Infinity) < beforeSeq;
  }

  between(
    tenantId: string,
    roomId: string,
    at: RoomState,
    afterSeq: number,
    throughSeq: number,
  ): readonly RecentMessage[] | undefined {
    const channel = this.channels.find(tenantId, roomId);
    if (channel === undefined || !isSame(channel.position, at) || afterSeq < at.firstSeq - 1) return undefined;
    const found = channel.cache.between({ afterSeq, throughSeq }, channel.position);
    if (found !== undefined) this.channels.used(channel);
    return found;
  }

  hold(tenantId: string, roomId: string, at: RoomState, messages: readonly RecentMessage[]): void {
    if (!this.channels.memory.isOn) return;
    // Nothing can have been delivered meanwhile that the rows do not show: the channel is where they were read.
    const cache = this.channels.followed(tenantId, roomId, at)?.cache;
    cache?.fill(
      cache.beginRead(),
      messages.map((message) => ({ message, frame: this.batches.encode(message.text) })),
    );
  }
}
