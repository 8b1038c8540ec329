import { encodeId } from '../../../common/ids';
import { isoTime } from '../../../common/time';
import type { Frame, RoomEvent } from '../../../realtime';
import type { ChangedState, StateChange, StateKind } from '../appender/item';

/** Which frames tell of a state; true: it is part of the message object, so whoever holds the message reads it anew. */
const STATE_TYPES: Readonly<Record<string, boolean>> = {
  'reaction.updated': true,
  'message.pinned': false,
  'message.unpinned': false,
};

export function isState(type: string): boolean {
  return Object.hasOwn(STATE_TYPES, type);
}

/** The change is one of what is held of the message. */
export function changesMessage(type: string): boolean {
  return STATE_TYPES[type] === true;
}

/** What a state is now, from its payload in the log. Whoever gets it needs nothing of before. */
export function stateFrame(roomId: string, rev: number, type: string, payload: Record<string, unknown>): Frame {
  const { message_id: id, pinned_at: at, ...rest } = payload;
  const ids = { room_id: encodeId('room', roomId), message_id: encodeId('message', String(id)) };
  return { type, ...ids, rev, ...rest, ...(typeof at === 'string' ? { pinned_at: isoTime(at) } : {}) };
}

type FrameOfState = (change: StateChange, state: ChangedState) => { readonly type: string } & Record<string, unknown>;

/** The same with what has just happened, which a live frame alone tells. */
const LIVE: Readonly<Record<StateKind, FrameOfState>> = {
  reaction: ({ userId, on }, { key, count, reactions, replaced }) => ({
    ...{ type: 'reaction.updated', reactions, key, user_id: userId, on, count },
    ...(Array.isArray(replaced) && replaced.length > 0 ? { replaced } : {}),
  }),
  pin: ({ userId, on }, { pinned_at }) =>
    on ? { type: 'message.pinned', pinned_by: userId, pinned_at } : { type: 'message.unpinned', user_id: userId },
};

/** A change of a state that is committed, as the feed delivers it. */
export function stateEvent(change: StateChange, state: ChangedState): RoomEvent {
  const { tenantId, roomId, messageId } = change;
  const { seq } = state;
  const rev = state.rev ?? 0;
  const { type, ...payload } = LIVE[change.state](change, state);
  return {
    ...{ tenantId, roomId, rev, ...(changesMessage(type) ? { changedSeq: seq } : {}) },
    frame: () => stateFrame(roomId, rev, type, { message_id: messageId, seq, ...payload }),
  };
}
