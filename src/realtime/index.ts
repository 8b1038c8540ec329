/**
 * What is live: the sockets, what comes in and goes out on them, and presence. docs/adr/0012-realtime.md says which part
 * does what.
 */
export {
  Audience,
  changing,
  type Claim,
  type ClaimedPosition,
  type CursorPosition,
  Deliveries,
  type Entrance,
  inRoomOrder,
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
  type RoomState,
  Subscriptions,
  UserFrames,
} from './feed';
export { LastSeenStore, type OfflineAnswer, Presence, SharedRooms, Typing } from './presence';
export {
  buildSocketDocument,
  type FrameContext,
  installSocketDocs,
  ServerFrame,
  SocketOperation,
  SubscribedFrameDto,
  SubscriptionFrameDto,
  TypingFrameDto,
  UnsubscribedFrameDto,
} from './protocol';
export {
  type DeadLetterRange,
  type MessageFrame,
  MessageFrames,
  Receipts,
  Redelivery,
  type Undelivered,
} from './redelivery';
export { RealtimeModule } from './realtime.module';
export {
  type AcceptedConnection,
  ByUser,
  CloseCode,
  type Connection,
  Connections,
  ServesEndpoint,
  type EndpointDocument,
  type Frame,
  type FrameBatch,
  type Greeting,
  OnConnection,
  SOCKET_PATH,
  type SocketConnection,
  SocketEndpoints,
  type SocketEndpoint,
  type SocketRequest,
  type StreamPart,
  type StreamPiece,
  toWire,
  Upgrades,
  type WireFrame,
} from './transport';
export { ChatWsAdapter } from './ws-adapter';
