import fc from 'fast-check';
import type { MemberState, RoomEvent, RoomFunctions } from './room-functions';

export type MembershipOp =
  | { readonly kind: 'add'; readonly actor: string; readonly users: readonly string[]; readonly role: string }
  | { readonly kind: 'join'; readonly actor: string }
  | { readonly kind: 'role'; readonly actor: string; readonly user: string; readonly role: string }
  | { readonly kind: 'remove'; readonly actor: string; readonly user: string }
  | { readonly kind: 'leave'; readonly actor: string };

const USERS = ['ann', 'Ben', 'cat', 'dan', 'eve'];
const user = fc.constantFrom(...USERS);
const role = fc.constantFrom('admin', 'member');

/** Random operations of few users on one room, so that they meet often. */
export const membershipOp: fc.Arbitrary<MembershipOp> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), actor: user, users: fc.uniqueArray(user, { minLength: 1 }), role }),
  fc.record({ kind: fc.constant('join' as const), actor: user }),
  fc.record({ kind: fc.constant('role' as const), actor: user, user, role }),
  fc.record({ kind: fc.constant('remove' as const), actor: user, user }),
  fc.record({ kind: fc.constant('leave' as const), actor: user }),
);

/** Carries an operation out on the database; answers with its status. */
export async function perform(rooms: RoomFunctions, room: string, op: MembershipOp): Promise<string> {
  switch (op.kind) {
    case 'add':
      return (await rooms.add(room, op.actor, op.users, op.role)).status;
    case 'join':
      return (await rooms.join(room, op.actor)).status;
    case 'role':
      return (await rooms.setRole(room, op.actor, op.user, op.role)).status;
    case 'remove':
      return (await rooms.remove(room, op.actor, op.user)).status;
    case 'leave':
      return (await rooms.remove(room, op.actor, op.actor)).status;
  }
}

/** What contract §3 says of the members of a group or channel, in a few lines. */
export class MembershipModel {
  /** In the order of joining. */
  members: MemberState[];
  /** Changes so far: one per joining, leaving and change of a role. */
  changes = 0;

  constructor(
    private readonly type: 'group' | 'channel',
    founders: readonly MemberState[],
  ) {
    this.members = [...founders];
  }

  /** Does the operation and answers with the status that the database should give. */
  apply(op: MembershipOp): string {
    switch (op.kind) {
      case 'add':
        return this.isAdmin(op.actor) ? this.enter(op.users, op.role) : 'forbidden';
      case 'join':
        if (this.type === 'group') return 'forbidden';
        return this.enter([op.actor], this.members.length === 0 ? 'admin' : 'member');
      case 'role':
        return this.isAdmin(op.actor) ? this.give(op.user, op.role) : 'forbidden';
      case 'remove':
      case 'leave':
        return this.remove(op.actor, op.kind === 'leave' ? op.actor : op.user);
    }
  }

  private enter(users: readonly string[], role: string): string {
    for (const user_id of users.filter((id) => !this.roleOf(id))) {
      this.members.push({ user_id, role });
      this.changes++;
    }
    return 'ok';
  }

  private give(user_id: string, role: string): string {
    const before = this.roleOf(user_id);
    if (before === undefined) return 'not_member';
    if (before === role) return 'ok';
    if (this.admins().length === 1 && before === 'admin') return 'last_admin';
    this.members = this.members.map((member) => (member.user_id === user_id ? { user_id, role } : member));
    this.changes++;
    return 'ok';
  }

  private remove(actor: string, user_id: string): string {
    if (!this.roleOf(actor)) return this.type === 'channel' && actor === user_id ? 'not_member' : 'forbidden';
    if (actor !== user_id && !this.isAdmin(actor)) return 'forbidden';
    if (!this.roleOf(user_id)) return 'not_member';
    this.members = this.members.filter((member) => member.user_id !== user_id);
    this.changes++;
    const [oldest, ...others] = this.members;
    if (oldest && this.admins().length === 0) {
      this.members = [{ ...oldest, role: 'admin' }, ...others];
      this.changes++;
    }
    return 'ok';
  }

  private admins(): MemberState[] {
    return this.members.filter((member) => member.role === 'admin');
  }

  private isAdmin(user_id: string): boolean {
    return this.roleOf(user_id) === 'admin';
  }

  private roleOf(user_id: string): string | undefined {
    return this.members.find((member) => member.user_id === user_id)?.role;
  }
}

/** The members that a client arrives at who knows the founders and has every change since. */
export function replay(founders: readonly MemberState[], events: readonly RoomEvent[]): MemberState[] {
  let members = [...founders];
  for (const { type, payload } of events) {
    const change = { user_id: payload.user_id ?? '', role: payload.role ?? '' };
    if (type === 'member.joined') members.push(change);
    if (type === 'member.left') members = members.filter((member) => member.user_id !== change.user_id);
    if (type === 'member.updated')
      members = members.map((member) => (member.user_id === change.user_id ? change : member));
  }
  return members;
}
