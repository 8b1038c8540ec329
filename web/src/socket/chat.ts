/** A client of /ws/chat: one chat with an assistant. */
import { Answers } from './answers';
import { Changes } from './changes';
import { Connection, type Recorder } from './connection';
import type { ChatClientFrame, ChatServerFrame, Frame } from './frames';
import type { Network } from './network';
import { Outbox } from './outbox';

export interface ChatOptions {
  readonly origin: string;
  readonly chatId: string;
  readonly getToken: (isRenewal: boolean) => Promise<string>;
  readonly network: Network;
  readonly record: Recorder;
  /** It is open: what was said meanwhile is there for GET. */
  readonly onOpen: () => void;
}

export class Chat {
  readonly changes = new Changes();
  readonly answers = new Answers();
  readonly connection: Connection;
  readonly outbox: Outbox;
  lastError: Frame<'chat.error'> | undefined;

  constructor(private readonly options: ChatOptions) {
    this.connection = new Connection({
      ...options,
      url: () => this.url(),
      onFrame: (frame) => this.handle(frame as unknown as ChatServerFrame),
      onLost: () => {
        this.outbox.lost();
        this.changes.tell();
      },
    });
    this.outbox = new Outbox(({ content, client_message_id, request_id }) =>
      this.frame({ content, ...(client_message_id && { client_message_id }), ...(request_id && { request_id }) }),
    );
    this.connection.changes.subscribe(this.changes.tell);
    this.outbox.changes.subscribe(this.changes.tell);
  }

  get chatId(): string {
    return this.options.chatId;
  }

  send(content: string): void {
    this.lastError = undefined;
    this.outbox.add(this.chatId, content);
  }

  /** Ends what is being written; what there is of it is kept. */
  stop(): void {
    this.frame({ type: 'stop' });
  }

  /** Has an answer again from some token on, running or ended. @param afterIndex −1: from its beginning */
  resume(messageId: string, afterIndex: number): void {
    this.frame({ type: 'resume', message_id: messageId, after_index: afterIndex });
  }

  connect(): void {
    this.connection.connect();
  }

  /** The answer goes on at the server. */
  close(): void {
    this.connection.close();
  }

  private url(): URL {
    const url = new URL('/ws/chat', this.options.origin);
    url.protocol = url.protocol.replace('http', 'ws');
    url.searchParams.set('chat_id', this.chatId);
    const { streaming } = this.answers;
    if (streaming !== undefined) url.searchParams.set('last_event_id', `${streaming.id}:${streaming.index ?? -1}`);
    return url;
  }

  private frame(frame: ChatClientFrame): boolean {
    return this.connection.send(frame);
  }

  private handle(event: ChatServerFrame): void {
    if (event.event_type === 'connection_established') {
      this.connection.accepted('live');
      this.outbox.open();
      this.options.onOpen();
    } else if (event.event_type === 'error') this.refused(event);
    else if (event.event_type === 'server_shutdown') this.connection.waitFor(event.reconnect_after_ms);
    else this.answers.take(event);
    if (event.event_type === 'message_received') this.outbox.accepted(event.client_message_id ?? '');
    this.changes.tell();
  }

  private refused(error: Frame<'chat.error'>): void {
    const { details, error_message: message, request_id } = error;
    const retryAfter = details['retry_after_ms'];
    this.connection.explain(message);
    const isMine = this.outbox.refused({
      message,
      retryable: details['retryable'] === true,
      ...(request_id === undefined ? {} : { request_id }),
      ...(typeof retryAfter === 'number' ? { retry_after_ms: retryAfter } : {}),
    });
    if (!isMine) this.lastError = error;
  }
}
