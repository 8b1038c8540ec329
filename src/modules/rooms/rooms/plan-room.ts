import { forbidden, invalid } from '../../../common/errors';
import type { Caller } from '../../../platform/auth';
import type { CreateRoomDto } from '../dto/room.dto';

/** Who is in a new room, in the order of joining. */
export interface RoomPlan {
  readonly users: string[];
  readonly roles: string[];
  readonly uniqueKey: string | null;
}

/** Works out the members of a new room. Throws 400 or 403. */
export function planRoom(caller: Caller, input: CreateRoomDto): RoomPlan {
  const named = [...new Set(input.members ?? [])];
  if (input.type === 'dm') return planDm(caller, named, input);
  const users = [caller.userId, ...named.filter((user) => user !== caller.userId)];
  return { users, roles: users.map((_, i) => (i === 0 ? 'admin' : 'member')), uniqueKey: null };
}

function planDm(caller: Caller, named: string[], input: CreateRoomDto): RoomPlan {
  if (input.posting !== undefined) throw invalid('posting', 'posting cannot be set for a dm');
  const users = named.length === 1 ? [...new Set([caller.userId, ...named])] : named;
  const [a, b] = users;
  if (users.length !== 2 || a === undefined || b === undefined)
    throw invalid('members', 'A dm has exactly two different members');
  if (caller.kind === 'token' && !users.includes(caller.userId))
    throw forbidden('A user token may only create a dm of its own user');
  return { users, roles: ['member', 'member'], uniqueKey: dmKey(a, b) };
}

/** `dm:` and both ids, sorted by bytes, `%` as `%25` and `:` as `%3A`: one key per pair of users. */
export function dmKey(a: string, b: string): string {
  return `dm:${[a, b]
    .sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
    .map((id) => id.replaceAll('%', '%25').replaceAll(':', '%3A'))
    .join(':')}`;
}
