import { Caller, type TenantLimits } from '../../../src/platform/auth';
import type { AcceptedConnection, Frame, FrameBatch, StreamPiece, WireFrame } from '../../../src/realtime';

/** A connection that keeps what it was sent, and what was done to it. */
export class RecordingConnection implements AcceptedConnection {
  readonly id = 'conn_019aa1c2d3e4f5061728394a5b6c7d8e';
  readonly tenantId = '01900000-0000-7000-8000-0000000000a0';
  readonly userId = 'alice';
  readonly syncsByItself = false;
  /** Frames and closes, in their order. */
  readonly events: (Frame | { readonly close: number; readonly reason: string })[] = [];
  isOpen = true;
  paused = false;
  /** Its client does not read until `read`. */
  isSlow = false;
  private waiters: (() => void)[] = [];
  caller: Caller;
  private readonly closeHandlers: ((connection: AcceptedConnection) => void)[] = [];

  constructor(limits: TenantLimits = { ws_messages_per_second: null }) {
    const tenant = { tenantId: this.tenantId, status: 'active', limits, settings: {} } as const;
    this.caller = new Caller('key', 'request-of-the-upgrade', tenant, this.userId, 'key', ['chat']);
  }

  /** The frames alone. */
  get frames(): Frame[] {
    return this.events.flatMap((event) => ('close' in event ? [] : [event]));
  }

  /** Takes and forgets what was sent so far. */
  take(): Frame[] {
    const { frames } = this;
    this.events.length = 0;
    return frames;
  }

  sendFrame(frame: WireFrame): void {
    if (!this.isOpen) throw new Error('nothing is written after the close');
    this.events.push(decode(frame));
  }

  sendEphemeral(_key: string, frame: WireFrame): void {
    this.sendFrame(frame);
  }

  sendPiece(_key: string, { frame }: StreamPiece): void {
    this.sendFrame(frame);
  }

  sendHistory(frame: WireFrame): void {
    this.sendFrame(frame);
  }

  sendBatch(batch: FrameBatch): void {
    this.sendFrame(batch.joined());
  }

  get waiting(): number {
    return this.isSlow ? Infinity : 0;
  }

  onceBelow(_bytes: number, handler: () => void): void {
    if (this.isSlow) this.waiters.push(handler);
    else handler();
  }

  /** The client has caught up. */
  read(): void {
    this.isSlow = false;
    for (const handler of this.waiters.splice(0)) handler();
  }

  close(code: number, reason: string): void {
    this.events.push({ close: code, reason });
    this.over();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  onClose(handler: (connection: AcceptedConnection) => void): void {
    this.closeHandlers.push(handler);
  }

  /** The client is gone. */
  over(): void {
    this.isOpen = false;
    for (const handler of this.closeHandlers.splice(0)) handler(this);
  }
}

/** Reads one whole, unmasked text frame; throws when it is anything else. */
export function decode(wire: Buffer): Frame {
  if (wire[0] !== 0x81) throw new Error(`no text frame: ${wire.subarray(0, 2).toString('hex')}`);
  const short = wire[1] ?? 0;
  const [start, length] =
    short < 126 ? [2, short] : short === 126 ? [4, wire.readUInt16BE(2)] : [10, Number(wire.readBigUInt64BE(2))];
  if (wire.length !== start + length) throw new Error(`the header says ${length} bytes, ${wire.length - start} follow`);
  return JSON.parse(wire.subarray(start).toString()) as Frame;
}
