/**
 * The feed: what was committed, to the connections of this node and as hints to the other nodes.
 *
 * Invariants
 * - The log is the truth. A hint may be lost, doubled or late; a room's channel hands out its changes in order of `rev`,
 *   and reads from the log what it was not told (room-channel.ts).
 * - Nothing lies between: a connection comes in at the position at which the database said that its user is a member,
 *   and gets everything after it, from the channel or from the log.
 * - Membership takes effect at its place in the room's order, wherever the user's connections are.
 * - What no connection here listens to is not serialised; an event is serialised and framed once.
 * - A connection is live, ahead of its channel, following it or syncing (room-channel.ts: the states and their moves).
 *   One that syncs has a place in the channel and nothing else, until its sync has brought it there (../sync).
 * - There is one order of a room's changes (order.ts), whichever way a connection is told of them.
 *
 * Concurrency: handing in neither blocks nor fails. Reads of the log are few at a time, repeated until they succeed,
 * and one per channel. Every node polls the revisions of its channels, so that a hint that left no trace costs seconds.
 *
 * A user that was added and removed again while no other node could tell this one of it does not learn of that.
 */
export { PACE_BYTES, ready } from './connection-states';
export { FeedModule } from './feed.module';
export { LogReads } from './log-reads';
export { NodeAudience, SyncPlaces } from './node-audience';
export { inRoomOrder, isSame } from './order';
export {
  Audience,
  changing,
  type Claim,
  type ClaimedPosition,
  type CursorPosition,
  Deliveries,
  type Entrance,
  isUnknown,
  type MissedPage,
  type MissedPart,
  type Neighbours,
  type PageLimits,
  type Position,
  type ReadMark,
  type RecentMessage,
  RecentMessages,
  type RoomEvent,
  RoomFeed,
  type RunningStream,
  RoomLog,
  type RoomPosition,
  RoomPositions,
  type SignalRule,
  type RoomState,
  Subscriptions,
} from './ports';
export { UserFrames } from './user-frames';
export type { CachedPage } from './room-cache';
export type { Target } from './room-channel';
export type { Opening } from './shared-pages';
