import { encodeId } from '../../../common/ids';
import type { Frame, StreamPart } from '../contract';

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
