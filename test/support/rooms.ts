import type { TestTenant } from './app';
import { type Answer, type Api, type Bodies, errorOf } from './http/api';

export type RoomBody = Bodies['RoomDto'];

export type ListedRoomBody = Required<Bodies['ListedRoomDto']>;

export type RoomPageBody = Omit<Bodies['RoomPageDto'], 'rooms'> & { readonly rooms: readonly ListedRoomBody[] };

export type MemberBody = Bodies['MemberDto'];

export interface ChangeBody {
  readonly rev: number;
  readonly type: string;
  readonly room_id: string;
  readonly user_id?: string;
  readonly role?: string;
  readonly by?: string;
  readonly [field: string]: unknown;
}

/** Longest waves in which many calls are sent at once: more would only open more sockets. */
const WAVE = 50;

/** Status, code and field of a refusal, to compare in one go. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly field?: string;
}

export const FORBIDDEN: Refusal = { status: 403, code: 'AUTHORIZATION_ERROR' };
export const NOT_FOUND: Refusal = { status: 404, code: 'NOT_FOUND' };
export const CONFLICT: Refusal = { status: 409, code: 'CONFLICT' };

/** 400 that names a field first. */
export function badField(field: string): Refusal {
  return { status: 400, code: 'VALIDATION_ERROR', field };
}

/** What a call was refused with; throws when it was not refused. */
export function refusal(answer: Answer<unknown>): Refusal {
  const { code, field } = errorOf(answer);
  return { status: answer.status, code, ...(field === undefined ? {} : { field }) };
}

/** The body of an answer that has to have this status; throws otherwise. */
export function bodyOf<T>(answer: Answer<T>, status = 200): T {
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Creates a room as `by` and returns it. */
export async function createRoom(
  by: Api,
  type: string,
  members: readonly string[] = [],
  more: object = {},
): Promise<RoomBody> {
  return bodyOf(await by.post<RoomBody>('/rooms', { type, members, ...more }), 201);
}

/** Sends messages one after the other and returns their answers. */
export async function sendAll(
  by: Api,
  roomId: string,
  contents: readonly string[],
): Promise<Bodies['MessageAcceptedDto'][]> {
  const sent = [];
  for (const content of contents) {
    const answer = await by.post<Bodies['MessageAcceptedDto']>(`/rooms/${roomId}/messages`, { content });
    sent.push(bodyOf(answer, 201));
  }
  return sent;
}

/** Sends `count` messages, many at once, in no particular order. */
export async function sendMany(by: Api, roomId: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += WAVE) {
    const wave = Array.from({ length: Math.min(WAVE, count - sent) }, () =>
      by.post(`/rooms/${roomId}/messages`, { content: 'one of many' }),
    );
    for (const answer of await Promise.all(wave)) bodyOf(answer, 201);
  }
}

export async function getRoom(by: Api, roomId: string): Promise<RoomBody> {
  return bodyOf(await by.get<RoomBody>(`/rooms/${roomId}`));
}

/** Members in the order of the list, as `user:role`. */
export async function rolesIn(by: Api, roomId: string): Promise<string[]> {
  const { body } = await by.get<MemberBody[]>(`/rooms/${roomId}/members?limit=100`);
  return body.map((member) => `${member.user_id}:${member.role}`);
}

/** The first page of a user's rooms. */
export async function listRooms(by: Api, query = ''): Promise<RoomPageBody> {
  return bodyOf(await by.get<RoomPageBody>(`/rooms${query}`));
}

/** How a room appears in the list of a user's rooms. */
export async function listedRoom(by: Api, roomId: string): Promise<ListedRoomBody> {
  const found = (await listRooms(by, '?limit=100')).rooms.find((room) => room.room_id === roomId);
  if (!found) throw new Error(`${roomId} is not in the list`);
  return found;
}

/** What changed in a room, up to 100 changes. */
export async function changesOf(by: Api, roomId: string): Promise<ChangeBody[]> {
  return bodyOf(await by.get<{ changes: ChangeBody[] }>(`/rooms/${roomId}/changes?limit=100`)).changes;
}

/** A browser that is signed in as a user: a token and no API key. */
export async function signedIn(tenant: TestTenant, userId: string, anonymous: Api): Promise<Api> {
  const { token } = bodyOf(await tenant.key.post<Bodies['TokenCreatedDto']>('/tokens', { user_id: userId }), 201);
  return anonymous.with({ authorization: `Bearer ${token}` });
}

/** `prefix1`, `prefix2`, … */
export function userIds(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
}

/** An object whose JSON has exactly this many bytes. */
export function objectOfBytes(bytes: number, filler = 'x'): Record<string, string> {
  const room = bytes - Buffer.byteLength('{"a":""}');
  const size = Buffer.byteLength(filler);
  return { a: filler.repeat(Math.floor(room / size)) + 'x'.repeat(room % size) };
}
