import { Injectable } from '@nestjs/common';
import { MAX_SENT_JSON_BYTES } from '../../platform/validation';
import type { FrameBatch, WireFrame } from './connection';

/** Largest message that a client may send, in bytes (contract §1); what it holds may have 256 KB without escapes. */
export const MAX_FRAME_BYTES = MAX_SENT_JSON_BYTES;

/** FIN and opcode 1 (RFC 6455, 5.2): a whole text frame. */
const WHOLE_TEXT = 0x81;
/** What the second byte says where the length stands in the two or in the eight bytes after it. */
const IN_TWO_BYTES = 126;
const IN_EIGHT_BYTES = 127;
const TWO_BYTES = 0x1_0000;

/**
 * Frames a text for the wire: a whole, unmasked text frame, as a server sends it. In one piece of memory: ws makes head
 * and body apart, for sockets of its own.
 */
export function encodeFrame(text: string): WireFrame {
  const size = Buffer.byteLength(text);
  const head = size < IN_TWO_BYTES ? 2 : size < TWO_BYTES ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + size);
  frame[0] = WHOLE_TEXT;
  if (head === 2) frame[1] = size;
  else if (head === 4) {
    frame[1] = IN_TWO_BYTES;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = IN_EIGHT_BYTES;
    frame.writeBigUInt64BE(BigInt(size), 2);
  }
  frame.write(text, head);
  return frame;
}

/** Serialises and frames. */
export function toWire(frame: object): WireFrame {
  return encodeFrame(JSON.stringify(frame));
}

/**
 * What one turn brings to one channel. Grows until it is sealed; the first flush that takes it seals it too, so a caller
 * that adds looks at `sealed` each time and begins a new one. Its bytes are joined once, for all connections.
 */
export class OpenBatch implements FrameBatch {
  private readonly parts: WireFrame[] = [];
  private whole: Buffer | undefined;
  private size = 0;
  private isSealed = false;

  get bytes(): number {
    return this.size;
  }

  get frames(): number {
    return this.parts.length;
  }

  get sealed(): boolean {
    return this.isSealed;
  }

  add(frame: WireFrame): void {
    if (this.isSealed) throw new Error('a sealed batch does not grow');
    this.parts.push(frame);
    this.size += frame.length;
  }

  /** Nothing is added any more: which connections get the batch is settled. */
  seal(): void {
    this.isSealed = true;
  }

  joined(): Buffer {
    this.isSealed = true;
    const [only] = this.parts;
    return (this.whole ??= only !== undefined && this.parts.length === 1 ? only : Buffer.concat(this.parts, this.size));
  }
}

/** A batch while its turn lasts. Sealed where its audience changes, or by the flush that takes it. */
export type GrowingBatch = Pick<OpenBatch, 'add' | 'bytes' | 'frames' | 'joined' | 'seal' | 'sealed'>;

/** What a connection is given to write. */
export type WireItem = WireFrame | FrameBatch;

/** In bytes. */
export function wireBytes(item: WireItem): number {
  return Buffer.isBuffer(item) ? item.length : item.bytes;
}

export function framesOf(items: readonly WireItem[]): number {
  let frames = 0;
  for (const item of items) frames += Buffer.isBuffer(item) ? 1 : (item.frames ?? 1);
  return frames;
}

/** As few buffers as may be; what is shared, a single frame or a single batch is not copied. */
export function partsOf(items: readonly WireItem[]): readonly Buffer[] {
  const parts: Buffer[] = [];
  let own: Buffer[] = [];
  const join = (): void => {
    const [only] = own;
    if (only !== undefined) parts.push(own.length === 1 ? only : Buffer.concat(own));
    own = [];
  };
  for (const item of items) {
    if (Buffer.isBuffer(item) || item.shared === undefined) own.push(bytesOf(item));
    else {
      join();
      parts.push(...item.shared);
    }
  }
  join();
  return parts;
}

function bytesOf(item: WireItem): Buffer {
  return Buffer.isBuffer(item) ? item : item.joined();
}

/** How batches begin and texts are framed, for those that send to many. */
@Injectable()
export class FrameBatches {
  open(): GrowingBatch {
    return new OpenBatch();
  }

  /** Frames a text for the wire. */
  encode(text: string): WireFrame {
    return encodeFrame(text);
  }
}
