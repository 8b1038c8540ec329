import { startTestApp, type TestApp } from '../app';
import { OPENAI_WIRE, ProviderServer } from '../fake-model';
import type { Answer, Api, Bodies } from '../http/api';
import type { Wire } from '../models/provider-server';
import { bodyOf } from '../rooms';
import { SseClient, type SseOptions } from './sse';

export type ChatBody = Bodies['ChatDto'];

export type ChatMessageBody = Bodies['ChatMessageDto'];

export type TurnBody = Bodies['TurnDto'];

/** The text that the fake model says unless it is told otherwise. */
export const FAKE_ANSWER = 'Hello from the fake model.';
/** What the fake model reports for it. */
export const FAKE_USAGE = { prompt_tokens: 11, completion_tokens: 6, total_tokens: 17 };

/** Where a chat is, on the AI chats API. */
export function chatPath(chatId: string): string {
  return `/api/v1/chats/${chatId}`;
}

/** The same chat as a conversation and as a room. */
export function conversationIdOf(chatId: string): string {
  return `conv_${chatId.replaceAll('-', '')}`;
}

export function roomIdOf(chatId: string): string {
  return `room_${chatId.replaceAll('-', '')}`;
}

export async function createChat(by: Api, userId = 'alice', more: object = {}): Promise<ChatBody> {
  return bodyOf(await by.post<ChatBody>('/api/v1/chats/', { user_id: userId, ...more }), 201);
}

/** Says something and waits for the answer, whatever it is. */
export function say(by: Api, chatId: string, body: object | string, key?: string): Promise<Answer<TurnBody>> {
  return by.post<TurnBody>(
    `${chatPath(chatId)}/messages`,
    typeof body === 'string' ? { content: body } : body,
    key === undefined ? {} : { headers: { 'Idempotency-Key': key } },
  );
}

/** Says something and returns what the model answered, which must have gone well. */
export async function ask(by: Api, chatId: string, body: object | string = 'Hello'): Promise<TurnBody> {
  return bodyOf(await say(by, chatId, body));
}

/** Says something and reads the answer as a stream. */
export function sayStreaming(
  by: Api,
  chatId: string,
  body: object | string,
  options: SseOptions = {},
): Promise<SseClient> {
  const said = typeof body === 'string' ? { content: body } : body;
  return SseClient.open(by, 'POST', `${chatPath(chatId)}/messages`, { ...options, body: { stream: true, ...said } });
}

/** Joins what is being answered in a chat. */
export function rejoin(by: Api, chatId: string, lastEventId?: string): Promise<SseClient> {
  return SseClient.open(by, 'GET', `${chatPath(chatId)}/stream`, { lastEventId });
}

export async function messagesOf(by: Api, chatId: string, query = '?limit=100'): Promise<readonly ChatMessageBody[]> {
  const answer = await by.get<Bodies['ChatMessagePageDto']>(`${chatPath(chatId)}/messages${query}`);
  return bodyOf(answer).messages;
}

/** What is served, with a fake model that ends with it. */
export type WithModel<T> = T & { readonly model: ProviderServer };

/**
 * @param start gets the environment variables that lead to the model
 * @param wire of a model that is more particular than the usual fake
 */
export async function withModel<T extends { close(): Promise<void> }>(
  start: (env: Readonly<Record<string, string>>) => Promise<T>,
  wire: Wire = OPENAI_WIRE,
): Promise<WithModel<T>> {
  const model = await ProviderServer.start(wire);
  const app = await start({ OPENAI_BASE_URL: model.url });
  const close = async (): Promise<void> => {
    await app.close();
    await model.stop();
  };
  return { ...app, model, close };
}

/** @param more environment variables */
export function startChatApp(more: Readonly<Record<string, string>> = {}): Promise<WithModel<TestApp>> {
  return withModel((env) => startTestApp({ env: { ...env, ...more } }));
}
