import type { AcceptedConnection, SocketDoor } from '../feed/ports';
import { ConnectionRates } from './rates';
import { ReplyQueue, type ReplySlot } from './reply-queue';
import { StartOrder } from './start-order';

/** Frames of one connection that may wait for their answer before the client is no longer read. */
export const MAX_OUTSTANDING = 64;

/** A message as it came in. */
export interface RawMessage {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/**
 * One connection's way in. Holds what belongs to it alone: its rates, the order of its answers, the order in which its
 * frames start, and what arrived while it was paused.
 */
export class Lane {
  readonly rates = new ConnectionRates();
  readonly order = new StartOrder();
  private readonly replies = new ReplyQueue();
  /** Read from the socket before the pause took effect; at most what the socket's buffer held. */
  private readonly held: RawMessage[] = [];
  private paused = false;
  private draining = false;
  private ended = false;

  constructor(
    readonly connection: AcceptedConnection,
    readonly door: SocketDoor,
    private readonly admit: (lane: Lane, message: RawMessage) => void,
  ) {
    connection.onClose(() => this.stop());
  }

  /** Admits a message, or keeps it until there is room. */
  take(message: RawMessage): void {
    if (this.ended) return;
    if (this.paused) this.held.push(message);
    else this.admitOne(message);
  }

  reserve(): ReplySlot {
    return this.replies.reserve();
  }

  /** Answers a frame; undefined where it needs no answer. */
  settle(slot: ReplySlot, write: (() => void) | undefined): void {
    this.replies.settle(slot, write);
    this.drain();
  }

  /** Takes no further frame; `write` runs after the answers that are still to come. */
  end(write: () => void): void {
    this.ended = true;
    this.held.length = 0;
    this.connection.pause();
    this.replies.settle(this.replies.reserve(), write);
  }

  private stop(): void {
    this.ended = true;
    this.held.length = 0;
    this.order.clear();
  }

  private admitOne(message: RawMessage): void {
    this.admit(this, message);
    if (this.paused || this.ended || this.replies.length < MAX_OUTSTANDING) return;
    this.paused = true;
    this.connection.pause();
  }

  private drain(): void {
    if (!this.paused || this.draining || this.ended) return;
    this.draining = true;
    while (this.replies.length < MAX_OUTSTANDING && !this.ended) {
      const message = this.held.shift();
      if (message === undefined) {
        this.paused = false;
        this.connection.resume();
        break;
      }
      this.admit(this, message);
    }
    this.draining = false;
  }
}
