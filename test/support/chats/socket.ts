import type { TestTenant } from '../app';
import { type ConnectOptions, type ServerFrame, WsClient } from '../ws/client';

export const CHAT_PATH = '/ws/chat';

/** How a back end connects a user to a chat. */
export function chatOptions(tenant: TestTenant, chatId: string, userId?: string, query: object = {}): ConnectOptions {
  const headers = { 'x-api-key': tenant.apiKey, ...(userId === undefined ? {} : { 'x-user-id': userId }) };
  return { path: CHAT_PATH, headers, query: { chat_id: chatId, ...query } };
}

/** A connection of a chat that has been greeted. */
export async function openChat(
  url: string,
  tenant: TestTenant,
  chatId: string,
  more: { readonly userId?: string; readonly query?: object } = {},
): Promise<WsClient> {
  const client = await WsClient.connect(url, chatOptions(tenant, chatId, more.userId ?? 'alice', more.query));
  await client.frame('connection_established');
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
