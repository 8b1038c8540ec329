import type { ServerFrame } from '../ws/client';

/** Stands in a stream where the client asked for a sync. */
export const ASKED = '> sync';

/** What a connection may be at in a room; what came does not always say which, so all that fit are kept. */
interface Place {
  /** The live message that comes next; undefined: whichever. */
  readonly next?: number;
  /** A sync was asked for, after this seq, and has sent nothing yet. */
  readonly asked?: number;
  /** The last message of the sync that is under way, or its `after_seq`. */
  readonly synced?: number | 'unknown';
  /** That sync was asked for, after this seq. */
  readonly from?: number;
  /** The last change that is no message. */
  readonly rev: number;
  readonly isOut?: boolean;
}

/**
 * What is wrong with the frames of one connection about one room, in the order in which they came: messages run on by
 * seq, live ones and those of a sync each; while a sync sends nothing is live; it ends where its last message stands,
 * and live goes on right after it; other changes never go back; nothing is live between leaving and joining again.
 * A sync that a removal cuts short is refused, or begins anew after the next joining; who is refused one is out.
 *
 * @param isSynced the connection was to be sent what its user has not acked
 * @param floor the room keeps nothing before this message by now: what lies before may be missing anywhere
 */
export function streamFaults(frames: readonly ServerFrame[], userId: string, isSynced: boolean, floor = 1): string[] {
  const start: readonly Place[] = isSynced ? [{ rev: 0 }, { rev: 0, synced: 'unknown' }] : [{ rev: 0 }];
  let places = start;
  for (const [i, frame] of frames.entries()) {
    const now = places.flatMap((place) => after(place, frame, userId, floor));
    if (now.length === 0) {
      const before = frames.slice(Math.max(0, i - 12), i).map(shortly);
      return [`at ${JSON.stringify(places)}, after ${before.join(' ')}, this may not come: ${shortly(frame)}`];
    }
    places = [...new Map(now.map((place) => [JSON.stringify(place), place])).values()];
  }
  return [];
}

function after(place: Place, frame: ServerFrame, userId: string, floor: number): Place[] {
  const { asked, synced, from, rev, isOut } = place;
  const number = (field: string): number => Number(frame[field]);
  switch (frame.type) {
    case ASKED:
      return [{ ...place, asked: number('after_seq') }];
    case 'error':
      return frame['retryable'] === true ? [unasked(place)] : [{ rev: 0, isOut: true }];
    case 'sync.reset':
      return reset(asked ?? from, number('first_seq'));
    case 'sync.truncated':
      if (asked === undefined && synced === undefined) return [];
      return [{ rev: 0, synced: number('before_seq') - 1, ...(asked === undefined ? {} : { from: asked }) }];
    case 'sync.complete':
      return complete(place, number('last_seq'), number('last_rev'), frame['request_id'] !== undefined, floor);
    case 'message':
      return message(place, number('seq'), floor);
    case 'read.update':
      return isOut === true && asked === undefined && synced === undefined ? [] : [place];
    default:
      // The joining of who was there from the beginning has rev 0.
      return change(place, frame, frame['user_id'] === userId, number('rev') || rev);
  }
}

/** Of a sync that was asked for, also in the middle of it: what it was to tell of is kept no more. */
function reset(from: number | undefined, firstSeq: number): Place[] {
  return from === undefined ? [] : [{ rev: 0, synced: firstSeq - 1, from }];
}

function unasked({ asked: _, ...place }: Place): Place {
  return place;
}

/** Whether the message may come where another one is expected: what lies between may have gone. */
function isNext(seq: number, expected: number, floor: number): boolean {
  return seq === expected || (seq > expected && seq <= floor);
}

function message(place: Place, seq: number, floor: number): Place[] {
  const { next, asked, synced, rev, isOut } = place;
  if (synced !== undefined)
    return synced === 'unknown' || isNext(seq, synced + 1, floor) ? [{ ...place, synced: seq }] : [];
  const places: Place[] = [];
  const still = asked === undefined ? {} : { asked };
  if (isOut !== true && (next === undefined || isNext(seq, next, floor))) places.push({ next: seq + 1, rev, ...still });
  if (asked !== undefined && isNext(seq, asked + 1, floor)) places.push({ rev: 0, synced: seq, from: asked });
  return places;
}

function complete({ asked, synced }: Place, seq: number, rev: number, isAnswer: boolean, floor: number): Place[] {
  const end = synced ?? asked;
  // What was asked for during the sync that nobody asked for comes after it.
  const still = isAnswer || asked === undefined ? {} : { asked };
  const isEnd = end === 'unknown' || (end !== undefined && isNext(seq + 1, end + 1, floor));
  return isEnd ? [{ next: seq + 1, rev, ...still }] : [];
}

function change(place: Place, { type }: ServerFrame, isOwn: boolean, rev: number): Place[] {
  const { asked, synced, from, isOut } = place;
  const places: Place[] = [];
  const still = { ...(asked === undefined ? {} : { asked }), ...(from === undefined ? {} : { asked: from }) };
  // A message that was edited before it came may bring its edit once more.
  const isOn = rev > place.rev || (rev === place.rev && (isOwn || type.startsWith('message.')));
  if (isOn && synced !== undefined) places.push({ ...place, rev });
  // What was found twice comes twice, and a joining brings what follows it twice.
  if (isOwn && type === 'member.left') places.push({ rev, isOut: true, ...still });
  else if (isOwn && type === 'member.joined') places.push({ rev, ...still });
  else if (synced === undefined && isOn && isOut !== true) places.push({ ...place, rev });
  if (asked !== undefined && synced === undefined) places.push({ rev, synced: asked, from: asked });
  return places;
}

function shortly({ type, seq, rev, user_id, after_seq, last_seq, last_rev }: ServerFrame): string {
  return JSON.stringify({ type, seq, rev, user_id, after_seq, last_seq, last_rev });
}
