import { roomKey } from '../../common/ids';
import type { Clock } from '../../common/time';
import type { Topic } from '../../platform/cluster';
import type { Connection, StreamPart } from '../transport';
import type { RunningStream } from './ports';

interface RoomOfTenant {
  readonly tenantId: string;
  readonly roomId: string;
}

/** Rooms of which a node wants to know what is written there so far; to all nodes. */
export interface StreamAsks {
  readonly rooms: readonly RoomOfTenant[];
}

export const STREAM_ASKS: Topic<StreamAsks> = 'stream-asks';

/** What a node writes in a room so far; to all that have a channel of it. */
export interface StreamsSoFar extends RoomOfTenant {
  readonly streams: readonly RunningStream[];
}

export const STREAMS_SO_FAR: Topic<StreamsSoFar> = 'streams-so-far';

/** Between two questions about one room. */
const ASKED_AGAIN_MS = 1000;

/** What is written in one room, by other nodes. */
interface StreamsOfRoom {
  /** By the message's id: the connections here that were not sent its beginning. */
  readonly late: Map<string, Set<Connection>>;
  askedAtMs: number;
}

/** A room's channel, as far as streams need it. */
export interface StreamChannel extends RoomOfTenant {
  connections(): Iterable<Connection>;
  /** Those of `only` that are not in yet, and were sent nothing. */
  stream(messageId: string, part: StreamPart, among?: StreamReceivers): readonly Connection[];
}

/** Who of a channel's connections is sent a part; all of them where nothing is said. */
export interface StreamReceivers {
  readonly only?: Iterable<Connection>;
  readonly except?: ReadonlySet<Connection>;
}

/** What happens to the channels of this node. */
export interface ChannelEvents {
  onArrived(handler: (channel: StreamChannel, connection: Connection) => void): void;
  onDetached(handler: (connection: Connection, roomId: string) => void): void;
  onRoom(handler: (tenantId: string, roomId: string, isHere: boolean) => void): void;
}

/**
 * What other nodes write in rooms that have a channel here.
 *
 * Invariant: a connection is sent the parts of a stream from its `start` on, each once and in order, or none of them. Whoever
 * comes into a room in mid-stream is late for it: nothing of it goes there until the node that writes it has said what there
 * is so far. That comes in its place among the parts, since what one node publishes to one room arrives in that order: so what
 * was published before is in it, and what follows comes after it.
 *
 * Concurrency: everything happens within the turn of a call.
 */
export class HeardStreams {
  private readonly rooms = new Map<string, StreamsOfRoom>();

  /** @param ask has the node that writes there, whichever it is, say what there is so far; may be lost */
  constructor(
    private readonly clock: Clock,
    private readonly ask: (tenantId: string, roomId: string) => void,
  ) {}

  /** Learns who comes, who goes, and which rooms lose their channel. */
  watch(channels: ChannelEvents): void {
    channels.onArrived((channel, connection) => this.entered(channel, connection));
    channels.onDetached((connection, roomId) => this.left({ tenantId: connection.tenantId, roomId }, connection));
    channels.onRoom((tenantId, roomId, isHere) => {
      if (!isHere) this.rooms.delete(roomKey(tenantId, roomId));
    });
  }

  /** Another node has published a part. */
  take(channel: StreamChannel, messageId: string, part: StreamPart): void {
    const { late } = this.of(channel);
    const without = late.get(messageId);
    if (part.type === 'start') {
      late.set(messageId, new Set());
      channel.stream(messageId, part);
    } else if (part.type === 'delta') {
      const unsent = without ?? new Set(channel.connections());
      late.set(messageId, unsent);
      channel.stream(messageId, part, { except: unsent });
      if (unsent.size > 0) this.wonder(channel);
    } else {
      channel.stream(messageId, part, without === undefined ? {} : { except: without });
      this.over(channel, messageId);
    }
  }

  /** Another node says what it has published of a stream so far. */
  takeSoFar(channel: StreamChannel, { messageId, parts }: RunningStream): void {
    const streams = this.of(channel);
    const { late } = streams;
    const only = late.get(messageId) ?? channel.connections();
    // Who is not in yet stays late, and is asked for again when the second is over.
    const unsent = new Set<Connection>();
    late.set(messageId, unsent);
    for (const part of parts) for (const missed of channel.stream(messageId, part, { only })) unsent.add(missed);
    if (unsent.size === 0) streams.askedAtMs = -Infinity;
  }

  private entered(channel: StreamChannel, connection: Connection): void {
    const streams = this.rooms.get(keyOf(channel));
    if (streams === undefined) return;
    for (const unsent of streams.late.values()) unsent.add(connection);
    if (streams.late.size > 0) this.wonder(channel);
  }

  private left(channel: RoomOfTenant, connection: Connection): void {
    for (const unsent of this.rooms.get(keyOf(channel))?.late.values() ?? []) unsent.delete(connection);
  }

  /** The stream has ended; this node may have ended it, in place of one that is gone. */
  over(channel: RoomOfTenant, messageId: string): void {
    const key = keyOf(channel);
    const streams = this.rooms.get(key);
    streams?.late.delete(messageId);
    if (streams?.late.size === 0) this.rooms.delete(key);
  }

  private of(channel: StreamChannel): StreamsOfRoom {
    const key = keyOf(channel);
    const streams = this.rooms.get(key) ?? { late: new Map(), askedAtMs: -Infinity };
    this.rooms.set(key, streams);
    return streams;
  }

  /** Many come at once; and a question, or its answer, may be lost. */
  private wonder(channel: StreamChannel): void {
    const streams = this.of(channel);
    const now = this.clock.monotonicMs();
    if (now - streams.askedAtMs < ASKED_AGAIN_MS) return;
    streams.askedAtMs = now;
    this.ask(channel.tenantId, channel.roomId);
  }
}

function keyOf({ tenantId, roomId }: RoomOfTenant): string {
  return roomKey(tenantId, roomId);
}
