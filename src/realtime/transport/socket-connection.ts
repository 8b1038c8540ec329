import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import type { AppError } from '../../common/errors';
import { MAX_WAITING_BYTES } from '../../common/limits';
import type { Caller } from '../../platform/auth';
import { type CounterHandle, Metrics } from '../../platform/metrics';
import {
  type AcceptedConnection,
  CloseCode,
  type ConnectionOrigin,
  type FrameBatch,
  type StreamPiece,
  type WireFrame,
} from './connection';
import type { SocketEndpoint } from './endpoint';
import { HeldFrames } from './held-frames';
import { framesOf, partsOf, wireBytes, toWire, type WireItem } from './wire';

interface Segment {
  /** Where it ends in the stream of all bytes written to the socket. */
  readonly end: number;
  readonly bytes: number;
}

/**
 * How many of the bytes that the client has not taken are live. History is told from live frames, which alone count
 * towards 4009: its sender paces it.
 */
class Backlog {
  private history: Segment[] = [];

  constructor(private readonly socket: Socket) {}

  /** Bytes in the socket that are no history. */
  get live(): number {
    const waiting = this.socket.writableLength;
    if (this.history.length === 0) return waiting;
    const taken = this.socket.bytesWritten - waiting;
    this.history = this.history.filter(({ end }) => end > taken);
    return this.history.reduce((live, { end, bytes }) => live - Math.min(bytes, end - taken), waiting);
  }

  /** So many bytes of what was just written were history. */
  noteHistory(bytes: number): void {
    this.history.push({ end: this.socket.bytesWritten, bytes });
  }
}

/** While more than this waits in the socket, of ephemeral frames only the newest of each key is kept. */
const EPHEMERAL_BYTES = 64 * 1024;
/** What a close frame may say beside its code, in bytes. */
const MAX_REASON_BYTES = 123;

type CloseHandler = (connection: AcceptedConnection) => void;

interface Waiter {
  readonly bytes: number;
  readonly handler: () => void;
}

/** Takes the messages of a client, in the order of arrival. Neither throws nor waits. */
interface MessageReader {
  message(endpoint: SocketEndpoint, connection: AcceptedConnection, data: Buffer, isBinary: boolean): void;
}

/** What `HeartbeatSweep` last saw of a connection. Whole milliseconds: those need no object each. */
export interface Vitals {
  bytesRead: number;
  seenAt: number;
  pingedAt: number;
  /** Since when too much waits; undefined: it does not. */
  overfullSince: number | undefined;
}

/** What is empty in an idle connection is the same for all of them, and never changed. */
const NONE: readonly never[] = [];

/**
 * One accepted socket. Frames of a turn leave in one write on the socket itself, past ws: with compression off ws
 * writes whole frames synchronously, so its pongs, pings and closes never split ours nor ours theirs.
 *
 * Tens of thousands of them do nothing most of the time: what only a busy one needs is made when it is needed.
 */
export class SocketConnection implements AcceptedConnection, Flushable {
  readonly id: string;
  readonly caller: Caller;
  readonly syncsByItself: boolean;
  readonly origin: ConnectionOrigin;
  /** Kept here for `HeartbeatSweep`; undefined before its first visit. */
  vitals: Vitals | undefined;
  /** Set when it is bound, before anything is read. */
  reader: MessageReader | undefined;
  /** Called once when the socket is over, after those of `onClose`. */
  disconnected: ((connection: SocketConnection) => void) | undefined;
  private items: readonly WireItem[] = NONE;
  private historyBytes = 0;
  /** How soon what is queued leaves. */
  private dirt: 'none' | 'patient' | 'urgent' = 'none';
  private isClosing = false;
  private isOver = false;
  private ownCloseCode: number | undefined;
  private isOpening = true;
  private isPaused = false;
  /** History among what waits in the socket. */
  private backlog: Backlog | undefined;
  private held: HeldFrames | undefined;
  private waiters: readonly Waiter[] = NONE;
  private closeHandlers: readonly CloseHandler[] = NONE;
  /** Tells of progress; listens from the first waiter on. */
  private progress: (() => void) | undefined;

  constructor(
    {
      id,
      caller,
      syncsByItself,
      origin,
    }: Pick<AcceptedConnection, 'id' | 'caller' | 'syncsByItself'> & { readonly origin: ConnectionOrigin },
    readonly endpoint: SocketEndpoint,
    private readonly ws: WebSocket,
    private readonly socket: Socket,
    private readonly flusher: Flusher,
  ) {
    this.id = id;
    this.caller = caller;
    this.syncsByItself = syncsByItself;
    this.origin = origin;
    this.ws.pause();
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
    return this.items.reduce((n, item) => n + wireBytes(item), this.socket.writableLength);
  }

  /** Bytes read since the socket was opened: what a sign of life adds to. */
  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  /** Bytes written since the socket was opened, those that wait in it included. */
  get bytesWritten(): number {
    return this.socket.bytesWritten;
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
    const { writableLength } = this.socket;
    return writableLength >= MAX_WAITING_BYTES && (this.backlog?.live ?? writableLength) >= MAX_WAITING_BYTES;
  }

  sendFrame(frame: WireFrame): void {
    this.queue(frame);
  }

  sendHistory(frames: WireItem): void {
    if (!this.isOpen) return;
    this.historyBytes += wireBytes(frames);
    this.queue(frames);
  }

  sendBatch(batch: FrameBatch): void {
    this.queue(batch);
  }

  sendEphemeral(key: string, frame: WireFrame): void {
    if (!this.isOpen) return;
    // Once one is held all are, until the client has caught up: an old one must not follow a newer one of its key.
    if (this.hasToHold) this.holding().hold(key, frame);
    else this.queue(frame, 'patient');
  }

  sendPiece(key: string, piece: StreamPiece): void {
    if (!this.isOpen) return;
    if (piece.part.type === 'end' || piece.part.type === 'error') {
      for (const frame of this.held?.takeOf(key) ?? []) this.queue(frame);
      this.queue(piece.frame);
    } else if (this.hasToHold) this.holding().add(key, piece);
    else this.queue(piece.frame);
  }

  onceBelow(bytes: number, handler: () => void): void {
    if (!this.isOpen || this.waiting <= bytes) queueMicrotask(handler);
    else {
      this.watchProgress();
      this.waiters = [...this.waiters, { bytes, handler }];
    }
  }

  flush(): void {
    this.dirt = 'none';
    const { items, historyBytes } = this;
    this.items = NONE;
    this.historyBytes = 0;
    if (items.length === 0 || !this.isOpen) return;
    // Judged by what earlier turns left behind: a turn that brings a lot is no fault of the client.
    if (this.isOverfull) {
      this.closeTooSlow();
      return;
    }
    const bytes = this.write(items, this.waiters.length > 0 ? this.progress : undefined);
    // As a rule the system has taken it all.
    if (this.socket.writableLength === 0) this.backlog = undefined;
    else if (historyBytes > 0) (this.backlog ??= new Backlog(this.socket)).noteHistory(historyBytes);
    this.flusher.written(framesOf(items), bytes);
    // The last turn's callback may be gone while a waiter waits for less than all.
    if (this.waiters.length > 0) this.onProgress();
  }

  /** Returns how many bytes that was. What is shared is not copied: it may wait in many sockets. */
  private write(items: readonly WireItem[], written: (() => void) | undefined): number {
    const parts = partsOf(items);
    const last = parts.length - 1;
    if (last > 0) this.socket.cork();
    parts.forEach((bytes, i) => this.socket.write(bytes, i === last ? written : undefined));
    if (last > 0) this.socket.uncork();
    return parts.reduce((sum, { length }) => sum + length, 0);
  }

  closeTooSlow(): void {
    this.close(CloseCode.tooSlow, 'Too slow: more than 1 MB waited; reconnect and sync');
  }

  /** Tells the client why, in an `error` frame, and closes. */
  dismiss(error: AppError, code: number): void {
    this.sendFrame(toWire(this.endpoint.error(error, this.caller.requestId)));
    this.close(code, error.message);
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

  onClose(handler: CloseHandler): void {
    if (this.isOver) queueMicrotask(() => handler(this));
    // Neither pushed nor spread: an array that grows that way keeps room for sixteen more.
    else this.closeHandlers = this.closeHandlers.concat(handler);
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

  /** The socket is over. */
  ended(): void {
    this.isClosing = true;
    this.isOver = true;
    this.items = NONE;
    this.held = undefined;
    this.onProgress();
    const handlers = this.closeHandlers;
    this.closeHandlers = NONE;
    for (const handler of handlers) handler(this);
    this.disconnected?.(this);
  }

  private queue(item: WireItem, dirt: 'patient' | 'urgent' = 'urgent'): void {
    if (!this.isOpen) return;
    if (this.items.length === 0) this.items = [item];
    else (this.items as WireItem[]).push(item);
    if (this.dirt === 'urgent' || this.dirt === dirt) return;
    this.dirt = dirt;
    this.flusher.add(this, dirt === 'patient');
  }

  private get hasToHold(): boolean {
    return this.held !== undefined || this.socket.writableLength > EPHEMERAL_BYTES;
  }

  private holding(): HeldFrames {
    this.watchProgress();
    return (this.held ??= new HeldFrames());
  }

  private watchProgress(): void {
    if (this.progress !== undefined) return;
    this.progress = () => this.onProgress();
    this.socket.on('drain', this.progress);
  }

  private onProgress(): void {
    if (this.held !== undefined && this.isOpen && this.socket.writableLength <= EPHEMERAL_BYTES) {
      const frames = this.held.take();
      this.held = undefined;
      for (const frame of frames) this.queue(frame);
    }
    if (this.waiters.length === 0) return;
    const waiting = this.isOpen ? this.waiting : 0;
    const due = this.waiters.filter(({ bytes }) => waiting <= bytes);
    this.waiters = this.waiters.filter(({ bytes }) => waiting > bytes);
    for (const { handler } of due) queueMicrotask(handler);
  }
}

/** Something with bytes to write at the end of the turn. */
interface Flushable {
  flush(): void;
}

/**
 * Connections with nothing but ephemeral frames that are flushed in one turn: each write takes some 30 µs, and hundreds of
 * people who come at once are told to thousands.
 */
const PATIENT_PER_TURN = 64;

/**
 * Writes what this turn queued: one callback for all connections, at the end of the turn; counts what was written. Where many
 * have only ephemeral frames waiting (who is online, who types), they are written over several turns, in the order of coming,
 * so that no message waits for all of that.
 */
@Injectable()
export class Flusher {
  private urgent: Flushable[] = [];
  private patient: Flushable[] = [];
  private isDue = false;
  private total = { frames: 0, bytes: 0 };
  private readonly frames: CounterHandle<'chatapi_ws_sent_frames_total'>;
  private readonly bytes: CounterHandle<'chatapi_ws_sent_bytes_total'>;

  constructor(metrics: Metrics) {
    this.frames = metrics.counter('chatapi_ws_sent_frames_total');
    this.bytes = metrics.counter('chatapi_ws_sent_bytes_total');
  }

  /** Flushes it at the end of this turn, or a patient one soon after; the caller adds itself once until then. */
  add(flushable: Flushable, isPatient: boolean): void {
    (isPatient ? this.patient : this.urgent).push(flushable);
    this.schedule();
  }

  /** Called by those that are flushed. */
  written(frames: number, bytes: number): void {
    this.total.frames += frames;
    this.total.bytes += bytes;
  }

  private schedule(): void {
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(this.run);
  }

  private readonly run = (): void => {
    this.isDue = false;
    const { urgent } = this;
    const patient = this.patient.splice(0, PATIENT_PER_TURN);
    this.urgent = [];
    if (this.patient.length > 0) this.schedule();
    try {
      // What a flush queues (a close, a drained handler) belongs to the next turn.
      for (const flushable of urgent) flushable.flush();
      for (const flushable of patient) flushable.flush();
    } finally {
      const { frames, bytes } = this.total;
      this.total = { frames: 0, bytes: 0 };
      if (frames > 0) {
        this.frames.inc(frames);
        this.bytes.inc(bytes);
      }
    }
  };
}

function cut(reason: string): string {
  let text = reason;
  while (Buffer.byteLength(text) > MAX_REASON_BYTES) text = text.slice(0, -1);
  return text;
}
