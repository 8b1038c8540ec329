import { encodeId } from '../../common/ids';
import type { Frame, RoomEvent, StreamPart, WireFrame } from './ports';
import type { FrameBatches } from './batches';

/** What the order of a room and its membership need of a change. */
export type ChangeHead = Pick<RoomEvent, 'rev' | 'seq' | 'messageId' | 'joins' | 'leaves' | 'ends'>;

/** A change on its way through this node: its text and its bytes are made once, when they are first needed. */
export class RoomChange {
  private json: string | undefined;
  private bytes: WireFrame | undefined;
  private bytesAgain: WireFrame | undefined;

  constructor(
    readonly head: ChangeHead,
    private readonly serialise: () => string,
    private readonly again?: () => Frame,
  ) {}

  static of(event: RoomEvent): RoomChange {
    return new RoomChange(event, event.text ?? (() => JSON.stringify(event.frame())), event.again);
  }

  get rev(): number {
    return this.head.rev;
  }

  /** The JSON text if it has been made. */
  get madeText(): string | undefined {
    return this.json;
  }

  wire(batches: FrameBatches): WireFrame {
    return (this.bytes ??= batches.encode((this.json ??= this.serialise())));
  }

  /** The same for a connection that has all messages up to `seq`: one that it has was edited since. */
  wireAfter(seq: number, batches: FrameBatches): WireFrame {
    const isHad = this.head.seq !== undefined && this.head.seq <= seq;
    if (!isHad || this.again === undefined) return this.wire(batches);
    return (this.bytesAgain ??= batches.encode(JSON.stringify(this.again())));
  }
}

/** A part of a stream as clients get it. */
export function streamFrame(roomId: string, messageId: string, part: StreamPart): Frame {
  const ids = { room_id: encodeId('room', roomId), message_id: encodeId('message', messageId) };
  switch (part.type) {
    case 'start':
      return { type: 'message.stream.start', ...ids, sender_id: part.senderId };
    case 'delta':
      return { type: 'message.stream.delta', ...ids, text: part.text, index: part.index };
    case 'end':
      return {
        type: 'message.stream.end',
        ...ids,
        seq: part.seq,
        status: part.status,
        finish_reason: part.finishReason,
      };
    case 'error':
      return { type: 'message.stream.error', ...ids, code: part.code, message: part.message };
  }
}
