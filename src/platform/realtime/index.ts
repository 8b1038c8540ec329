/**
 * What is live: the sockets, and presence, read from the leases that connections hold. docs/adr/0012-realtime.md says
 * which part does what.
 */
export {
  type AcceptedConnection,
  type Connection,
  type ConnectionHandler,
  ConnectionHandlers,
  type Frame,
  type FrameBatch,
  type Position,
  type RoomEvent,
  RoomFeed,
  RoomLog,
  type Seat,
  Seats,
  type WireFrame,
} from './contract';
export { Presence } from './presence';
export { RealtimeModule } from './realtime.module';
export { OpenBatch, SilentWsAdapter, toWire, Upgrades } from './transport';
