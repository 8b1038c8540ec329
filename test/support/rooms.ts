import type { Api } from './http/api';

export interface RoomBody {
  readonly room_id: string;
  readonly type: string;
  readonly last_seq: number;
  readonly last_rev: number;
  readonly member_count: number;
}

/** Creates a room as `by` and returns it. */
export async function createRoom(
  by: Api,
  type: string,
  members: readonly string[] = [],
  more: object = {},
): Promise<RoomBody> {
  const answer = await by.post<RoomBody>('/rooms', { type, members, ...more });
  if (answer.status !== 201)
    throw new Error(`creating a room answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Sends messages one after the other and returns their answers. */
export async function sendAll(
  by: Api,
  roomId: string,
  contents: readonly string[],
): Promise<{ message_id: string; seq: number; created_at: string }[]> {
  const sent = [];
  for (const content of contents) {
    const answer = await by.post<{ message_id: string; seq: number; created_at: string }>(`/rooms/${roomId}/messages`, {
      content,
    });
    if (answer.status !== 201) throw new Error(`sending answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    sent.push(answer.body);
  }
  return sent;
}
