/** What is live: the protocol of `/ws`, and presence, read from the leases that connections hold. */
export {
  buildSocketDocument,
  type FrameContext,
  installSocketDocs,
  ServerFrame,
  SOCKET_PATH,
  SocketOperation,
} from './protocol';
export { Presence } from './presence';
export { RealtimeModule } from './realtime.module';
