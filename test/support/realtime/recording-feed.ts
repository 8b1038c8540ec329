import { ManualClock } from '../../../src/common/time';
import { type Frame, type RoomEvent, RoomFeed, type StreamPart, Typing } from '../../../src/realtime';
import type { AiTurns } from '../../../src/modules/messages';
import { InMemoryRooms, InMemoryAudience } from './in-memory-rooms';

/** Nobody answers in rooms of type `ai`. */
export const NO_TURNS: AiTurns = {
  begin: () => Promise.reject(new Error('nobody answers')),
  cancelled: () => undefined,
};

/** No room has agents. */
export const NO_AGENTS = { stored: (): void => undefined };

/** A feed without channels: remembers what it was handed. */
export class RecordingFeed extends RoomFeed {
  readonly events: RoomEvent[] = [];
  readonly touched: { readonly roomId: string; readonly joined: readonly string[] }[] = [];
  readonly streamed: { readonly messageId: string; readonly part: StreamPart }[] = [];
  readonly signals: { readonly roomId: string; readonly key: string; readonly frame: Frame }[] = [];

  publishEvents(events: readonly RoomEvent[]): void {
    this.events.push(...events);
  }

  touchRoom(_: string, roomId: string, joined: readonly string[] = []): void {
    this.touched.push({ roomId, joined });
  }

  streamsFrom(): void {
    // Nobody comes in here.
  }

  onCommitted(): () => void {
    throw new Error('nobody follows what is committed here');
  }

  streamPart(_: string, _roomId: string, messageId: string, part: StreamPart): void {
    this.streamed.push({ messageId, part });
  }

  signalMembers(_: string, roomId: string, key: string, frame: Frame): void {
    this.signals.push({ roomId, key, frame });
  }
}

/** Who types, told on a feed, on a node without connections of its own. */
export function typingOn(feed: RoomFeed): Typing {
  return new Typing(feed, new ManualClock(), new InMemoryAudience(new InMemoryRooms(new Map())));
}
