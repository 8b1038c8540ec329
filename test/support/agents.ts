import { AGENT } from './ai-chats';
import type { Api } from './http/api';
import type { MessageBody } from './messages';
import { until } from './poll';
import { bodyOf, createRoom } from './rooms';

/** An agent as its room's routes give it. */
export interface AgentBody {
  readonly agent_id: string;
  readonly preset: string;
  readonly name: string | null;
  readonly respond: string;
  readonly paused: boolean;
  readonly paused_until: string | null;
}

export async function addAgent(by: Api, roomId: string, more: object = {}): Promise<AgentBody> {
  const body = { preset: 'default', respond: 'mention', ...more };
  return bodyOf(await by.post<AgentBody>(`/rooms/${roomId}/agents`, body), 201);
}

/** A group with bob in which the default preset's agent is. */
export async function roomWithAgent(by: Api, more: object = {}): Promise<string> {
  const { room_id: roomId } = await createRoom(by, 'group', ['bob']);
  await addAgent(by, roomId, more);
  return roomId;
}

/** Says something to agents; its seq. */
export async function askAgents(by: Api, roomId: string, content: string, mentions = [AGENT]): Promise<number> {
  const sent = await by.post<{ seq: number }>(`/rooms/${roomId}/messages`, { content, meta: { mentions } });
  return bodyOf(sent, 201).seq;
}

export async function messagesIn(by: Api, roomId: string): Promise<readonly MessageBody[]> {
  return bodyOf(await by.get<readonly MessageBody[]>(`/rooms/${roomId}/messages?limit=100`));
}

/** Waits until a room has so many messages, and gives them. */
export function messagesOnce(by: Api, roomId: string, count: number): Promise<readonly MessageBody[]> {
  return until(
    () => messagesIn(by, roomId),
    (found) => found.length >= count,
  );
}
