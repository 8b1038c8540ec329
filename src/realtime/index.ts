/**
 * What is live: the sockets, what comes in and goes out on them, and presence. docs/adr/0012-realtime.md says which part
 * does what.
 */
export { ByUser } from './transport/by-user';
export * from './feed/ports';
export { inRoomOrder } from './feed';
export { changing, isUnknown } from './feed/in-doubt';
export { Door, OnConnection } from './transport/door';
export { Presence, Typing } from './presence';
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
export { type Letters, type Moved, Redelivery } from './redelivery';
export { RealtimeModule } from './realtime.module';
export { OpenBatch, toWire, Upgrades } from './transport';
export { ChatWsAdapter } from './ws-adapter';
export { SOCKET_PATH } from './transport/paths';
