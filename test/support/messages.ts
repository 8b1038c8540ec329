import type { Answer, Api, Bodies } from './http/api';
import { bodyOf, type ChangeBody } from './rooms';

export type AcceptedBody = Bodies['MessageAcceptedDto'];

export type MessageBody = Bodies['MessageDto'];

export interface ChangesBody {
  readonly changes: (ChangeBody & Partial<MessageBody>)[];
  readonly last_rev: number;
  readonly has_more: boolean;
}

/** Sends as it is, whatever becomes of it. */
export function post(by: Api, roomId: string, body: object, key?: string): Promise<Answer<AcceptedBody>> {
  const headers = key === undefined ? {} : { 'Idempotency-Key': key };
  return by.post<AcceptedBody>(`/rooms/${roomId}/messages`, body, { headers });
}

/** Sends one message that has to be stored. */
export async function send(by: Api, roomId: string, body: object = { content: 'hello' }): Promise<AcceptedBody> {
  return bodyOf(await post(by, roomId, body), 201);
}

export function pathOf(roomId: string, message: { message_id: string }): string {
  return `/rooms/${roomId}/messages/${message.message_id}`;
}

export async function getMessage(by: Api, roomId: string, message: { message_id: string }): Promise<MessageBody> {
  return bodyOf(await by.get<MessageBody>(pathOf(roomId, message)));
}

export async function listSeqs(by: Api, roomId: string, query = ''): Promise<{ seqs: number[]; total: number }> {
  const answer = await by.get<MessageBody[]>(`/rooms/${roomId}/messages${query}`);
  const seqs = bodyOf(answer).map((message) => message.seq);
  return { seqs, total: Number(answer.headers.get('x-total-count')) };
}

/** All messages of a room, page by page. */
export async function listAll(by: Api, roomId: string): Promise<MessageBody[]> {
  const all: MessageBody[] = [];
  for (;;) {
    const after = all.at(-1)?.seq ?? 0;
    const page = bodyOf(await by.get<MessageBody[]>(`/rooms/${roomId}/messages?limit=100&after_seq=${after}`));
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** All changes after a revision, page by page. */
export async function allChanges(by: Api, roomId: string, afterRev = 0, limit = 100): Promise<ChangesBody['changes']> {
  const all: ChangesBody['changes'] = [];
  for (let after = afterRev; ; after = all.at(-1)?.rev ?? after) {
    const page = bodyOf(await by.get<ChangesBody>(`/rooms/${roomId}/changes?after_rev=${after}&limit=${limit}`));
    all.push(...page.changes);
    if (!page.has_more) return all;
  }
}

/** Whether the answer was that of an earlier call. */
export function isReplay(answer: Answer<unknown>): boolean {
  return answer.headers.get('idempotent-replayed') === 'true';
}
