import type { JsonLineConnection } from './json-line-connection';
import type { Change, ModelRoom } from './model-log';

/** A connection of a user in one room. */
export interface WatchedMember {
  readonly connection: JsonLineConnection;
  readonly user: string;
  /** The room's revision when the connection came, and when it was in. */
  readonly from: number;
  upTo: number;
}

/** Whether the user was a member when change `rev` happened; the joining and the leaving themselves count. */
function isMemberAt(room: ModelRoom, user: string, rev: number): boolean {
  const own = room.changes.filter((c) => c.user === user && c.rev <= rev);
  const last = own.at(-1);
  if (last === undefined) return room.founders.has(user);
  return last.type === 'member.joined' || last.rev === rev;
}

/** The revisions from the user's joining to their leaving; to the end where they are still there. */
function periods(room: ModelRoom, user: string): { readonly from: number; readonly to: number }[] {
  const own = room.changes.filter((c) => c.user === user);
  return own
    .filter((c) => c.type === 'member.joined')
    .map((c) => ({ from: c.rev, to: own.find((o) => o.rev > c.rev)?.rev ?? Infinity }));
}

/**
 * What a client keeps: it drops a change other than a message that is not beyond the last one. A user who has joined and left
 * may be told so again by a channel that is made anew further back.
 */
export function withoutRepeats(frames: readonly Change[]): Change[] {
  let head = 0;
  return frames.filter(({ type, rev }) => {
    if (type.startsWith('message')) return true;
    const isNew = rev > head;
    head = Math.max(head, rev);
    return isNew;
  });
}

/** The frames that a connection was sent, as the model of the log has them. */
export function framesOf(connection: JsonLineConnection): Change[] {
  return connection.frames as unknown as Change[];
}

/**
 * What a connection was sent of a room, in its order and complete: of every change while its user was a member, from when
 * it was in the room's channel on, it has seen what came of it.
 */
export function expectView(
  room: ModelRoom,
  { connection, user, from, upTo }: WatchedMember,
  frames: readonly Change[] = framesOf(connection),
): void {
  const head = room.position.rev;
  const sits = (low: number, high: number, all: boolean): boolean => {
    const revs = Array.from({ length: high - low + 1 }, (_, i) => low + i);
    return all ? revs.every((rev) => isMemberAt(room, user, rev)) : revs.some((rev) => isMemberAt(room, user, rev));
  };
  const events = frames.filter((f) => !f.type.startsWith('message')).map((f) => f.rev);
  expect(events).toEqual([...new Set(events)].sort((a, b) => a - b));
  // A membership that was over before this node heard of it is not made up for.
  const missed = periods(room, user).filter((p) => p.to <= head && !events.some((rev) => rev >= p.from && rev <= p.to));
  const isMissed = (rev: number): boolean => missed.some((p) => rev >= p.from && rev <= p.to);
  const due = room.changes.filter(
    (c) => !c.type.startsWith('message') && isMemberAt(room, user, c.rev) && !isMissed(c.rev),
  );
  for (const { rev } of due) if (rev > upTo) expect(events).toContain(rev);
  // A channel that was behind when the connection came may let it in at a joining that lies a little further back.
  const since = frames[0]?.type === 'member.joined' && frames[0].user === user ? 0 : from;
  for (const rev of events) expect(rev > since && isMemberAt(room, user, rev)).toBe(true);

  const first = [...new Set(frames.filter((f) => f.type === 'message').map((f) => f.seq ?? 0))];
  expect(first).toEqual([...first].sort((a, b) => a - b));
  for (const message of room.messages) {
    const born = room.changes.find((c) => c.seq === message.seq)?.rev ?? 0;
    const seen = frames.filter((f) => f.seq === message.seq || f.of === message.seq);
    const isDue = !isMissed(message.rev);
    if (isDue && !isMissed(born) && born > upTo && sits(born, message.rev, true)) expect(first).toContain(message.seq);
    if (isDue && message.rev > upTo && sits(born, head, true)) expect(seen.at(-1)?.rev).toBe(message.rev);
    if (seen.length > 0) expect(sits(Math.max(born, since), message.rev, false)).toBe(true);
  }
}
