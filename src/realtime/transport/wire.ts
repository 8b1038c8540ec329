import { Injectable } from '@nestjs/common';
import * as ws from 'ws';
import { MAX_SENT_JSON_BYTES } from '../../platform/validation';
import type { FrameBatch, WireFrame } from './connection';

/** Largest message that a client may send, in bytes (contract §1); what it holds may have 256 KB without escapes. */
export const MAX_FRAME_BYTES = MAX_SENT_JSON_BYTES;

interface FrameOptions {
  readonly fin: boolean;
  readonly opcode: number;
  readonly mask: boolean;
  readonly readOnly: boolean;
  readonly rsv1: boolean;
}

/** The part of ws that its types leave out. */
const { Sender } = ws as unknown as {
  readonly Sender: { frame(data: Buffer, options: FrameOptions): Buffer[] };
};

/** A whole, unmasked text frame, as a server sends it. */
const TEXT: FrameOptions = { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false };

/** Frames a text for the wire. */
export function encodeFrame(text: string): WireFrame {
  return Buffer.concat(Sender.frame(Buffer.from(text), TEXT));
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
