import { Caller } from '../../../src/platform/auth';
import type { AcceptedConnection, Frame, FrameBatch, StreamPiece, WireFrame } from '../../../src/realtime';
import { FrameBatches, type GrowingBatch } from '../../../src/realtime/transport';

/** Frames as lines of JSON; a batch that is added to after its end is an error. */
export class JsonLineBatches extends FrameBatches {
  /** Frames that were encoded so far. */
  encoded = 0;

  override open(): GrowingBatch {
    return new LineBatch();
  }

  override encode(text: string): WireFrame {
    this.encoded++;
    return Buffer.from(`${text}\n`);
  }
}

class LineBatch implements GrowingBatch {
  private readonly parts: WireFrame[] = [];
  sealed = false;

  get bytes(): number {
    return this.parts.reduce((sum, part) => sum + part.length, 0);
  }

  get frames(): number {
    return this.parts.length;
  }

  add(frame: WireFrame): void {
    if (this.sealed) throw new Error('a sealed batch does not grow');
    this.parts.push(frame);
  }

  seal(): void {
    this.sealed = true;
  }

  joined(): Buffer {
    this.sealed = true;
    return Buffer.concat(this.parts);
  }
}

let made = 0;

/** A connection that records what it would write; `frames` flushes it first. */
export class JsonLineConnection implements AcceptedConnection {
  readonly id = `conn_${++made}`;
  readonly caller: Caller;
  isOpen = true;
  /** Batches that were queued. */
  batches = 0;
  readonly ephemeral: { readonly key: string; readonly frame: Frame }[] = [];
  /** Its client does not read: whoever waits for it waits until it does. */
  isSlow = false;
  /** Called with every frame of history, in the turn in which it is sent. */
  onHistory: (frame: Frame) => void = () => undefined;
  private queued: (() => Buffer)[] = [];
  private waiters: (() => void)[] = [];
  private written = '';
  private readonly handlers: ((connection: AcceptedConnection) => void)[] = [];

  constructor(
    readonly tenantId: string,
    readonly userId: string,
    readonly syncsByItself = false,
  ) {
    this.caller = new Caller('token', 'request', undefined, userId, undefined, []);
  }

  /** Everything that was sent so far. */
  get frames(): Frame[] {
    this.flush();
    return lines(this.written);
  }

  sendFrame(frame: WireFrame): void {
    if (this.isOpen) this.queued.push(() => frame);
  }

  sendHistory(frames: WireFrame | FrameBatch): void {
    const bytes = Buffer.isBuffer(frames) ? frames : frames.joined();
    this.sendFrame(bytes);
    for (const parsed of lines(bytes.toString())) this.onHistory(parsed);
  }

  get waiting(): number {
    return this.isSlow ? Infinity : 0;
  }

  onceBelow(_bytes: number, handler: () => void): void {
    if (this.isSlow && this.isOpen) this.waiters.push(handler);
    else queueMicrotask(handler);
  }

  /** The client reads again. */
  read(): void {
    this.isSlow = false;
    for (const handler of this.waiters.splice(0)) queueMicrotask(handler);
  }

  sendBatch(batch: FrameBatch): void {
    if (!this.isOpen) return;
    this.batches++;
    this.queued.push(() => batch.joined());
  }

  sendEphemeral(key: string, frame: WireFrame): void {
    for (const parsed of lines(frame.toString())) this.ephemeral.push({ key, frame: parsed });
  }

  sendPiece(_key: string, { frame }: StreamPiece): void {
    this.sendFrame(frame);
  }

  /** The end of a turn. */
  flush(): void {
    const due = this.queued;
    this.queued = [];
    for (const bytes of due) this.written += bytes().toString();
  }

  close(): void {
    if (!this.isOpen) return;
    this.flush();
    this.isOpen = false;
    this.read();
    for (const handler of this.handlers) handler(this);
  }

  pause(): void {
    return;
  }

  resume(): void {
    return;
  }

  onClose(handler: (connection: AcceptedConnection) => void): void {
    this.handlers.push(handler);
  }
}

function lines(text: string): Frame[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Frame);
}
