import type { Frame } from '../../../src/realtime';
import type { JsonLineConnection } from './json-line-connection';
import type { ModelRoom } from './model-log';

/** What is done to a connection. `rev`: it has everything up to here, by now or by what its sync has sent. */
export interface StreamMark {
  readonly type:
    | ('> enters' | '> is to join' | '> is kept' | '> is held' | '> is released' | '> arrives')
    | ('> leaves' | '> is doubted' | '> left' | '> piece');
  readonly rev?: number;
  readonly index?: number;
}

/** The whole model of a connection: where it is, by what was done to it and what it was sent. */
interface Place {
  /** `arriving`: its sync is through, and it is on its way to where the channel is. */
  readonly state: 'out' | 'in' | 'syncing' | 'arriving';
  /** It has all changes up to here. */
  readonly rev: number;
  /** Pieces of streams are for it. */
  readonly isIn: boolean;
  /** It may go without being told of a removal. */
  readonly mayGo: boolean;
  /** It is out of a room of which its user is a member, by its own doing. */
  readonly isStranger: boolean;
  /** The last piece that it got. */
  readonly piece: number;
}

/** A mark, or a frame. */
type Item = Omit<StreamMark, 'type'> & { readonly type: string; readonly user?: string };

const START: Place = { state: 'out', rev: 0, isIn: false, mayGo: false, isStranger: true, piece: 0 };

/**
 * What is wrong with what a connection was sent: while it is in it gets each change once and in order, up to its removal;
 * while it syncs nothing but that, and at once; out, nothing before its user's next joining.
 */
export function streamFaultsOf(
  connection: JsonLineConnection,
  room: ModelRoom,
  end: { readonly isHere: boolean; readonly isDue: boolean },
): string[] {
  const { userId, frames } = connection;
  const items = frames as readonly Frame[] as readonly Item[];
  let place: Place = START;
  for (const [n, item] of items.entries()) {
    const next = after(place, item, userId);
    if (next === undefined) {
      const before = items.slice(Math.max(0, n - 8), n).map(shortly);
      return [`at ${JSON.stringify(place)}, after ${before.join(' ')}, this may not come: ${shortly(item)}`];
    }
    place = next;
  }
  const faults: string[] = [];
  if (place.state === 'arriving') faults.push('it never arrived');
  if (place.state === 'in' && place.rev !== room.position.rev) faults.push(`it has changes up to ${place.rev} only`);
  if (end.isHere !== (place.state !== 'out')) faults.push(`it is ${place.state}, but the channel does not think so`);
  if (place.state === 'out' && end.isDue && room.members.has(userId) && !place.isStranger)
    faults.push('it is out, but its user is a member');
  return faults;
}

/** undefined: this may not come. */
function after(place: Place, item: Item, userId: string): Place | undefined {
  const { state, rev, piece } = place;
  const at = item.rev ?? 0;
  switch (item.type) {
    case '> enters':
    case '> is to join':
      return { ...START, state: 'in', rev: at, isIn: item.type === '> enters', isStranger: false, piece };
    case '> is kept':
      return { ...START, state: 'syncing', rev: at, isIn: true, isStranger: false, piece };
    case '> is held':
      return state !== 'out' && at === rev ? { ...place, state: 'syncing', isIn: true } : undefined;
    case '> is released':
      return state === 'syncing' ? { ...place, state: 'arriving', rev: at } : undefined;
    case '> arrives':
      return state === 'arriving' && at === rev ? { ...place, state: 'in' } : undefined;
    case '> leaves':
    case '> is doubted':
      return { ...place, mayGo: true };
    case '> left':
      return state === 'out' || place.mayGo ? { ...START, rev, isStranger: place.mayGo, piece } : undefined;
    case '> piece':
      return (piece === item.index) === place.isIn ? place : undefined;
    default:
      return item.index === undefined ? changed(place, item, userId) : { ...place, piece: item.index };
  }
}

function changed(place: Place, { type, rev: at = 0, user }: Item, userId: string): Place | undefined {
  const { state, rev, piece } = place;
  const isRemoval = type === 'member.left' && user === userId;
  const isJoining = type === 'member.joined' && user === userId;
  const isNext = at === rev + 1;
  if (state === 'in' && !isNext) return undefined;
  if (state === 'arriving' && !isNext && !(isRemoval && at > rev)) return undefined;
  if (state === 'syncing' && !(isRemoval && at > rev)) return undefined;
  // One that met its removal in the log before the channel did is let in by the channel at the joining before that, again.
  if (state === 'out' && !isJoining) return undefined;
  if (isRemoval) return { ...START, rev: at, isStranger: false, piece };
  return {
    ...place,
    state: state === 'arriving' ? state : 'in',
    rev: at,
    isIn: place.isIn || isJoining,
    isStranger: false,
  };
}

function shortly({ type, rev, user, index }: Item): string {
  return JSON.stringify({ type, rev, user, index });
}
