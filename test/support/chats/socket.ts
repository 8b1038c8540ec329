import type { TestTenant } from '../app';
import { type ConnectOptions, type ServerFrame, WsClient } from '../ws/client';

export const CHAT_PATH = '/ws/chat';

/** How a back end connects a user to a chat. */
export function chatOptions(tenant: TestTenant, chatId: string, userId?: string, query: object = {}): ConnectOptions {
  const headers = { 'x-api-key': tenant.apiKey, ...(userId === undefined ? {} : { 'x-user-id': userId }) };
  return { path: CHAT_PATH, headers, query: { chat_id: chatId, ...query } };
}

/** A connection of a chat that has been greeted, and is told everything from here on. */
export async function openChat(
  url: string,
  tenant: TestTenant,
  chatId: string,
  more: { readonly userId?: string; readonly query?: object } = {},
): Promise<WsClient> {
  const client = await WsClient.connect(url, chatOptions(tenant, chatId, more.userId ?? 'alice', more.query));
  await client.frame('connection_established');
  // Nothing is read from a client, pings included, before it watches its chat.
  await client.settled();
  return client;
}

/** What a client makes of the events of one answer, as docs/protocol.md tells it to. */
export function textOn(frames: readonly ServerFrame[], messageId?: unknown): string {
  let text = '';
  for (const frame of frames) {
    if (messageId !== undefined && frame['message_id'] !== messageId) continue;
    if (frame.type === 'message_stream_started' && frame['after_index'] === -1) text = '';
    if (frame.type === 'message_stream_token') text += String(frame['token']);
  }
  return text;
}

/** Types of events, tokens left out: how many there are is the network's business. */
export function typesOf(frames: readonly ServerFrame[]): string[] {
  return frames.map(({ type }) => type).filter((type) => type !== 'message_stream_token');
}

/** What a client has of one answer that does strictly as docs/protocol.md says; throws where the events do not fit. */
export class AnswerReader {
  messageId: string | undefined;
  end: ServerFrame | undefined;
  private pieces: { readonly token: string; readonly index: number }[] = [];

  /** The next event of a connection; those of other answers are left out. */
  take(frame: ServerFrame): void {
    const { type, message_id: messageId } = frame;
    // An answer without a token may have an end only.
    if (/_(started|ended)$/.test(type) && typeof messageId === 'string') this.messageId ??= messageId;
    if (messageId !== this.messageId) return;
    if (type === 'message_stream_started') this.begin(Number(frame['after_index']));
    else if (type === 'message_stream_token') this.append(String(frame['token']), Number(frame['index']));
    else if (type === 'message_stream_ended') {
      if (this.end !== undefined) throw new Error('the answer ended twice');
      this.end = frame;
    }
  }

  /** Index of the last token; −1: there is none. */
  get index(): number {
    return this.pieces.at(-1)?.index ?? -1;
  }

  get text(): string {
    return this.pieces.map(({ token }) => token).join('');
  }

  /** `?last_event_id=`; empty without an answer. */
  get place(): object {
    return this.messageId === undefined ? {} : { last_event_id: `${this.messageId}:${this.index}` };
  }

  private begin(afterIndex: number): void {
    this.pieces = this.pieces.filter(({ index }) => index <= afterIndex);
    if (this.index !== afterIndex) throw new Error(`it goes on after ${afterIndex}, the client has ${this.index}`);
  }

  private append(token: string, index: number): void {
    if (index <= this.index) throw new Error(`token ${index} came after ${this.index}`);
    this.pieces.push({ token, index });
  }
}
