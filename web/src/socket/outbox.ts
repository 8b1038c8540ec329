/**
 * What a person said and the server has not accepted yet: of each room one message at a time, in order, sent again after
 * every break under the same `client_message_id`, so it is stored once.
 */
import { Changes } from './changes';
import type { Frame } from './frames';

/** `failed`: the server will refuse it again; `fault` says why. */
export interface OutgoingMessage {
  readonly clientMessageId: string;
  readonly roomId: string;
  readonly content: string;
  readonly at: number;
  readonly state: 'pending' | 'failed';
  readonly fault?: string;
}

type SendFrame = Frame<'send_message'>;

const RETRY_MS = 1000;

export class Outbox {
  readonly changes = new Changes();
  private messages: readonly OutgoingMessage[] = [];
  /** Room → what was sent and is not answered. */
  private readonly underWay = new Map<string, string>();
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();

  /** @param deliver false: there is no connection now */
  constructor(
    private readonly deliver: (frame: SendFrame) => boolean,
    private readonly newId: () => string = () => crypto.randomUUID(),
  ) {}

  of(roomId: string): readonly OutgoingMessage[] {
    return this.messages.filter((message) => message.roomId === roomId);
  }

  get size(): number {
    return this.messages.length;
  }

  add(roomId: string, content: string): OutgoingMessage {
    const message = { clientMessageId: this.newId(), roomId, content, at: Date.now(), state: 'pending' } as const;
    this.set([...this.messages, message]);
    this.next(roomId);
    return message;
  }

  /** The connection is there again: whatever is not answered goes out once more. */
  open(): void {
    this.underWay.clear();
    for (const roomId of new Set(this.messages.map((message) => message.roomId))) this.next(roomId);
  }

  lost(): void {
    this.underWay.clear();
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  /** It is stored, as `message.accepted` or the message itself says. */
  accepted(clientMessageId: string): void {
    const message = this.find(clientMessageId);
    if (message === undefined) return;
    this.set(this.messages.filter((other) => other !== message));
    this.answered(message);
  }

  /** @returns whether it was a message of this outbox that was refused */
  refused(error: Pick<Frame<'error'>, 'request_id' | 'retryable' | 'retry_after_ms' | 'message'>): boolean {
    const message = this.find(error.request_id ?? '');
    if (message === undefined) return false;
    if (error.retryable) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.answered(message);
      }, error.retry_after_ms ?? RETRY_MS);
      this.timers.add(timer);
      return true;
    }
    const failed = { ...message, state: 'failed', fault: error.message } as const;
    this.set(this.messages.map((other) => (other === message ? failed : other)));
    this.answered(message);
    return true;
  }

  /** Takes back what failed. */
  drop(clientMessageId: string): void {
    this.set(this.messages.filter((message) => message.clientMessageId !== clientMessageId));
  }

  private answered({ roomId, clientMessageId }: OutgoingMessage): void {
    if (this.underWay.get(roomId) === clientMessageId) this.underWay.delete(roomId);
    this.next(roomId);
  }

  private next(roomId: string): void {
    if (this.underWay.has(roomId)) return;
    const message = this.messages.find((other) => other.roomId === roomId && other.state === 'pending');
    if (message === undefined) return;
    const { clientMessageId: id, content } = message;
    const frame: SendFrame = { type: 'send_message', request_id: id, client_message_id: id, room_id: roomId, content };
    if (this.deliver(frame)) this.underWay.set(roomId, id);
  }

  private find(clientMessageId: string): OutgoingMessage | undefined {
    return this.messages.find((message) => message.clientMessageId === clientMessageId);
  }

  private set(messages: readonly OutgoingMessage[]): void {
    this.messages = messages;
    this.changes.tell();
  }
}
