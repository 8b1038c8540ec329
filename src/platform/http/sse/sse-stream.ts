import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { MAX_WAITING_BYTES } from '../../../common/limits';

/** Between two comments, which keep proxies from hanging up and show a reader that has stopped reading. */
export const BEAT_MS = 15_000;
/** After its end a stream's reader has so many beats to take the rest. */
export const MAX_BEATS_AFTER_END = 4;
const BEAT = Buffer.from(':\n\n');

/** Why a stream is over. `done`: all was said; `client`: the reader left; `expired`: its credential did. */
export type SseEnd = 'done' | 'client' | 'slow' | 'stopping' | 'expired';

/** What is written before the end of a stream, by why it ends; undefined: nothing. */
export type LastWords = (why: SseEnd) => Buffer | undefined;

/** One event with one `data:` line. @param name in an `event:` line */
export function eventBytes(data: object, id?: string, name?: string): Buffer {
  const head = `${id === undefined ? '' : `id: ${id}\n`}${name === undefined ? '' : `event: ${name}\n`}`;
  return Buffer.from(`${head}data: ${JSON.stringify(data)}\n\n`);
}

/**
 * One answer of server-sent events. It is written into whether or not its reader keeps up, up to a bound; it owns its
 * timers, which end with it. After its end whatever is sent goes nowhere.
 */
export class SseStream {
  /** What Fastify sends. */
  readonly body = new Readable({ read: () => undefined });
  private readonly beat: NodeJS.Timeout;
  private readonly closing: ((why: SseEnd) => void)[] = [];
  private why: SseEnd | undefined;
  private isClosed = false;
  private written = 0;
  /** −1: there was no beat; what waits at the first one may be new. */
  private takenAtLastBeat = -1;
  private beatsAfterEnd = 0;

  /** @param lastWords for readers that would take an end without them for the end of what is told */
  constructor(
    private readonly response: ServerResponse,
    private readonly lastWords?: LastWords,
  ) {
    this.beat = setInterval(() => this.onBeat(), BEAT_MS).unref();
    response.once('close', () => this.closed());
    // A reader that left before the answer began: its close is over.
    if (response.destroyed) this.closed();
  }

  /** Bytes that wait for the reader. */
  get waiting(): number {
    return this.body.readableLength + this.response.writableLength;
  }

  /** One event with one `data:` line. */
  sendEvent(data: object, id?: string, name?: string): void {
    this.sendBytes(eventBytes(data, id, name));
  }

  /** One or more events that were serialised before, for many readers. */
  sendBytes(events: Buffer): void {
    if (this.why !== undefined || this.isClosed) return;
    this.write(events);
  }

  /** Ends it after what was sent. A reader that does not take the rest, or takes too long, is cut off by the beat. */
  endStream(why: SseEnd = 'done'): void {
    if (this.why !== undefined || this.isClosed) return;
    this.why = why;
    const words = this.lastWords?.(why);
    if (words !== undefined) this.body.push(words);
    this.body.push(null);
  }

  /** Called once when it is over and nothing waits any more; at once when it is over already. */
  onClose(fn: (why: SseEnd) => void): void {
    if (this.isClosed) fn(this.why ?? 'client');
    else this.closing.push(fn);
  }

  /** One event may be larger than the bound, as a frame of a socket may: only what it finds waiting counts. */
  private write(bytes: Buffer): void {
    this.written += bytes.length;
    const found = this.body.readableLength;
    this.body.push(bytes);
    if (found > 0 && this.body.readableLength > MAX_WAITING_BYTES) this.cut();
  }

  private onBeat(): void {
    const taken = this.written - this.waiting;
    const isStuck = this.waiting > 0 && taken <= this.takenAtLastBeat;
    this.takenAtLastBeat = taken;
    if (this.why !== undefined) this.beatsAfterEnd++;
    if (isStuck || this.beatsAfterEnd >= MAX_BEATS_AFTER_END) this.cut();
    else if (this.why === undefined) this.write(BEAT);
  }

  private cut(): void {
    this.why ??= 'slow';
    this.response.destroy();
  }

  private closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.beat);
    this.body.destroy();
    for (const fn of this.closing.splice(0)) fn(this.why ?? 'client');
  }
}
