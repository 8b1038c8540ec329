import { Caller, type TenantSettings } from '../../../src/platform/auth';
import type { Connection, Frame, FrameBatch, StreamPiece, WireFrame } from '../../../src/realtime';

/** A connection that keeps what it was sent. */
export class PresenceConnection implements Connection {
  isOpen = true;
  readonly frames: Frame[] = [];
  readonly caller: Caller;
  private readonly closeHandlers: ((connection: Connection) => void)[] = [];

  constructor(
    readonly id: string,
    readonly tenantId: string,
    readonly userId: string,
    settings: TenantSettings = {},
  ) {
    this.caller = new Caller('key', 'test', { tenantId, status: 'active', limits: {}, settings }, userId, 'key', []);
  }

  sendFrame(frame: WireFrame): void {
    if (this.isOpen) this.frames.push(frameOf(frame));
  }

  sendEphemeral(_key: string, frame: WireFrame): void {
    this.sendFrame(frame);
  }

  sendPiece(_key: string, { frame }: StreamPiece): void {
    this.sendFrame(frame);
  }

  sendBatch(batch: FrameBatch): void {
    this.sendFrame(batch.joined());
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const handler of this.closeHandlers) handler(this);
  }

  pause(): void {
    throw new Error('presence leaves the reading alone');
  }

  resume(): void {
    throw new Error('presence leaves the reading alone');
  }

  onClose(handler: (connection: Connection) => void): void {
    this.closeHandlers.push(handler);
  }

  /** Takes what has come so far. */
  take(): Frame[] {
    return this.frames.splice(0);
  }
}

/** The frame of a short or long unmasked text message. */
function frameOf(wire: WireFrame): Frame {
  const length = (wire[1] ?? 0) & 0x7f;
  const header = length < 126 ? 2 : length === 126 ? 4 : 10;
  return JSON.parse(wire.toString('utf8', header)) as Frame;
}
