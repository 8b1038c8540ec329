import type { Socket } from 'node:net';

interface Segment {
  /** Where it ends in the stream of all bytes written to the socket. */
  readonly end: number;
  readonly bytes: number;
}

/**
 * How many of the bytes that the client has not taken are live. History is told from live frames, which alone count
 * towards 4009: it is paced by whoever sends it.
 */
export class Backlog {
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
