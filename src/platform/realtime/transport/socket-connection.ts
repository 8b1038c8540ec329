import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Caller } from '../../auth';
import type { AcceptedConnection, FrameBatch, StreamPiece, WireFrame } from '../contract';
import { Backlog } from './backlog';
import { CloseCode } from './close-codes';
import type { Flushable, Flusher } from './flusher';
import { HeldFrames } from './held-frames';

/** Live bytes that may wait for a client. */
export const MAX_WAITING_BYTES = 1024 * 1024;
/** While more than this waits in the socket, of ephemeral frames only the newest of each key is kept. */
const EPHEMERAL_BYTES = 64 * 1024;
/** What a close frame may say beside its code, in bytes. */
const MAX_REASON_BYTES = 123;

interface Waiter {
  readonly bytes: number;
  readonly handler: () => void;
}

/**
 * One accepted socket. Frames of a turn leave in one write on the socket itself, past ws: with compression off ws
 * writes whole frames synchronously, so its pongs, pings and closes never split ours nor ours theirs.
 */
export class SocketConnection implements AcceptedConnection, Flushable {
  readonly id: string;
  readonly caller: Caller;
  readonly syncsByItself: boolean;
  private items: (WireFrame | FrameBatch)[] = [];
  private historyBytes = 0;
  private isDirty = false;
  private isClosing = false;
  private isOver = false;
  private ownCloseCode: number | undefined;
  private isOpening = true;
  private isPaused = false;
  private readonly backlog: Backlog;
  private readonly held = new HeldFrames();
  private waiters: Waiter[] = [];
  private closeHandlers: (() => void)[] = [];

  constructor(
    { id, caller, syncsByItself }: Pick<AcceptedConnection, 'id' | 'caller' | 'syncsByItself'>,
    private readonly ws: WebSocket,
    private readonly socket: Socket,
    private readonly flusher: Flusher,
  ) {
    this.id = id;
    this.caller = caller;
    this.syncsByItself = syncsByItself;
    this.backlog = new Backlog(socket);
    this.ws.pause();
    socket.on('drain', this.onProgress);
    ws.once('close', () => this.end());
  }

  get tenantId(): string {
    return this.caller.tenantId;
  }

  get userId(): string {
    return this.caller.userId;
  }

  get isOpen(): boolean {
    return !this.isClosing && this.ws.readyState === this.ws.OPEN;
  }

  get waiting(): number {
    return this.items.reduce((n, item) => n + sizeOf(item), this.backlog.bytes);
  }

  /** Bytes read since the socket was opened: what a sign of life adds to. */
  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  /** The client broke the protocol, and ws has closed the socket for it. */
  violated(code: number): void {
    this.ownCloseCode ??= code;
  }

  /** The code with which the server closed it; undefined: it did not. */
  get closeCode(): number | undefined {
    return this.ownCloseCode;
  }

  /** Whether the socket is not read now, so that its silence says nothing. */
  get isHeld(): boolean {
    return this.isOpening || this.isPaused;
  }

  /** Whether more live bytes wait than may. */
  get isOverfull(): boolean {
    return this.backlog.bytes >= MAX_WAITING_BYTES && this.backlog.live >= MAX_WAITING_BYTES;
  }

  send(frame: WireFrame): void {
    if (!this.isOpen) return;
    this.items.push(frame);
    this.markDirty();
  }

  sendHistory(frame: WireFrame): void {
    if (!this.isOpen) return;
    this.historyBytes += frame.length;
    this.send(frame);
  }

  sendBatch(batch: FrameBatch): void {
    if (!this.isOpen) return;
    this.items.push(batch);
    this.markDirty();
  }

  sendEphemeral(key: string, frame: WireFrame): void {
    if (!this.isOpen) return;
    // Once one is held all are, until the client has caught up: an old one must not follow a newer one of its key.
    if (!this.held.isEmpty || this.backlog.bytes > EPHEMERAL_BYTES) this.held.hold(key, frame);
    else this.send(frame);
  }

  sendPiece(key: string, piece: StreamPiece): void {
    if (!this.isOpen) return;
    if (piece.part.type === 'end' || piece.part.type === 'error') {
      for (const frame of this.held.takeOf(key)) this.send(frame);
      this.send(piece.frame);
    } else if (!this.held.isEmpty || this.backlog.bytes > EPHEMERAL_BYTES) this.held.add(key, piece);
    else this.send(piece.frame);
  }

  onceBelow(bytes: number, handler: () => void): void {
    if (!this.isOpen || this.waiting <= bytes) queueMicrotask(handler);
    else this.waiters.push({ bytes, handler });
  }

  flush(): void {
    this.isDirty = false;
    const { items, historyBytes } = this;
    this.items = [];
    this.historyBytes = 0;
    if (items.length === 0 || !this.isOpen) return;
    // Judged by what earlier turns left behind: a turn that brings a lot is no fault of the client.
    if (this.isOverfull) {
      this.closeTooSlow();
      return;
    }
    const bytes = joined(items);
    if (this.waiters.length > 0) this.socket.write(bytes, this.onProgress);
    else this.socket.write(bytes);
    if (historyBytes > 0) this.backlog.noteHistory(historyBytes);
    this.flusher.written(framesOf(items), bytes.length);
    // The last turn's callback may be gone while somebody waits for less than all.
    if (this.waiters.length > 0) this.onProgress();
  }

  closeTooSlow(): void {
    this.close(CloseCode.tooSlow, 'Too slow: more than 1 MB waited; reconnect and sync');
  }

  /** Sends what is queued, then the close; the peer has 2 s to answer it, then ws cuts the socket. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    if (code !== CloseCode.tooSlow) this.flush();
    if (!this.isOpen) return;
    this.isClosing = true;
    this.ownCloseCode = code;
    this.ws.close(code, cut(reason));
    // The peer's answer has to be read.
    this.ws.resume();
    this.onProgress();
  }

  /** Ends it at once. */
  terminate(): void {
    this.isClosing = true;
    this.ws.terminate();
  }

  ping(): void {
    if (this.isOpen) this.ws.ping();
  }

  onClose(handler: () => void): void {
    if (this.isOver) queueMicrotask(handler);
    else this.closeHandlers.push(handler);
  }

  pause(): void {
    this.isPaused = true;
    if (this.isOpen) this.ws.pause();
  }

  resume(): void {
    this.isPaused = false;
    if (!this.isOpening && this.isOpen) this.ws.resume();
  }

  /** All handlers are ready: the socket is read from now on. */
  opened(): void {
    this.isOpening = false;
    if (!this.isPaused) this.resume();
  }

  private markDirty(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.flusher.add(this);
  }

  private readonly onProgress = (): void => {
    if (this.isOpen && !this.held.isEmpty && this.backlog.bytes <= EPHEMERAL_BYTES)
      for (const frame of this.held.take()) this.send(frame);
    if (this.waiters.length === 0) return;
    const waiting = this.isOpen ? this.waiting : 0;
    const due = this.waiters.filter(({ bytes }) => waiting <= bytes);
    this.waiters = this.waiters.filter(({ bytes }) => waiting > bytes);
    for (const { handler } of due) queueMicrotask(handler);
  };

  private end(): void {
    this.isClosing = true;
    this.isOver = true;
    this.items = [];
    this.held.take();
    this.onProgress();
    const handlers = this.closeHandlers;
    this.closeHandlers = [];
    for (const handler of handlers) handler();
  }
}

function sizeOf(item: WireFrame | FrameBatch): number {
  return Buffer.isBuffer(item) ? item.length : item.bytes;
}

function framesOf(items: readonly (WireFrame | FrameBatch)[]): number {
  return items.reduce((n, item) => n + (Buffer.isBuffer(item) ? 1 : (item.frames ?? 1)), 0);
}

/** One buffer; a single frame or shared batch is not copied. */
function joined(items: readonly (WireFrame | FrameBatch)[]): Buffer {
  const parts = items.map((item) => (Buffer.isBuffer(item) ? item : item.joined()));
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
}

function cut(reason: string): string {
  let text = reason;
  while (Buffer.byteLength(text) > MAX_REASON_BYTES) text = text.slice(0, -1);
  return text;
}
