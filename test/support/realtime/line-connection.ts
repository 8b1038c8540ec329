import { Caller } from '../../../src/platform/auth';
import type { Connection, Frame, FrameBatch, WireFrame } from '../../../src/platform/realtime';
import { FrameBatches, type GrowingBatch } from '../../../src/platform/realtime/feed/batches';

/** Frames as lines of JSON; a batch that is added to after its end is an error. */
export class LineBatches extends FrameBatches {
  /** Frames that were encoded so far. */
  encoded = 0;

  open(): GrowingBatch {
    return new LineBatch();
  }

  encode(text: string): WireFrame {
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
export class LineConnection implements Connection {
  readonly id = `conn_${++made}`;
  readonly caller: Caller;
  isOpen = true;
  /** Batches that were queued. */
  batches = 0;
  readonly ephemeral: { readonly key: string; readonly frame: Frame }[] = [];
  private waiting: (() => Buffer)[] = [];
  private written = '';
  private readonly handlers: (() => void)[] = [];

  constructor(
    readonly tenantId: string,
    readonly userId: string,
  ) {
    this.caller = new Caller('token', 'request', undefined, userId, undefined, []);
  }

  /** Everything that was sent so far. */
  get frames(): Frame[] {
    this.flush();
    return lines(this.written);
  }

  send(frame: WireFrame): void {
    if (this.isOpen) this.waiting.push(() => frame);
  }

  sendBatch(batch: FrameBatch): void {
    if (!this.isOpen) return;
    this.batches++;
    this.waiting.push(() => batch.joined());
  }

  sendEphemeral(key: string, frame: WireFrame): void {
    for (const parsed of lines(frame.toString())) this.ephemeral.push({ key, frame: parsed });
  }

  /** The end of a turn. */
  flush(): void {
    const due = this.waiting;
    this.waiting = [];
    for (const bytes of due) this.written += bytes().toString();
  }

  close(): void {
    if (!this.isOpen) return;
    this.flush();
    this.isOpen = false;
    for (const handler of this.handlers) handler();
  }

  pause(): void {
    return;
  }

  resume(): void {
    return;
  }

  onClose(handler: () => void): void {
    this.handlers.push(handler);
  }
}

function lines(text: string): Frame[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Frame);
}
