/**
 * Transport: the only code that touches sockets. From the upgrade (credential, limits, refusals) to the last byte
 * (close codes, heartbeat, shutdown).
 *
 * Invariants: nothing a client sent is handled before its checks have passed and every handler's `opened` has settled;
 * a connection writes once per turn, whole frames only, nothing after its close; it lives no longer than its credential;
 * it holds one place of its tenant's and user's limits from acceptance to the end of the socket, whatever ends it.
 *
 * Concurrency: so many upgrades are in work at once, until their connection is in its rooms; others wait, and beyond
 * that are refused before any work (`UpgradePace`). Checks are asynchronous and hold nothing; limits are taken in the
 * turn in which the socket is accepted. No connection has a timer of its own but ws's two seconds after a close.
 */
export { type SocketServer } from './acceptor';
export { ReconnectPacer, Permits, type TurnTaker } from './reconnect-pacer';
export {
  type AcceptedConnection,
  CloseCode,
  type Connection,
  type Frame,
  type FrameBatch,
  type StreamPart,
  type StreamPiece,
  type WireFrame,
} from './connection';
export { ByUser, Connections } from './connections';
export {
  ServesEndpoint,
  type EndpointDocument,
  type Greeting,
  OnConnection,
  type SocketEndpoint,
  type SocketRequest,
} from './endpoint';
export { SocketEndpoints } from './endpoints';
export { errorFrame, OTHER_FRAMES_PER_SECOND, SOCKET_PATH } from './rooms-endpoint';
export { type SocketConnection } from './socket-connection';
export { TransportModule } from './transport.module';
export { UPGRADE_QUERY } from './upgrade-checks';
export { Upgrades } from './upgrades';
export { FrameBatches, type GrowingBatch, toWire } from './wire';
