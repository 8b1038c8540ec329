import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { WebSocket, WebSocketServer } from 'ws';
import { AppError, ERROR_CATALOGUE, type ErrorCode, invalid } from '../../common/errors';
import { encodeId, newUuid } from '../../common/ids';
import { SocketConfig } from '../../config';
import { requestIdOf } from '../../platform/http';
import { describeError, Log } from '../../platform/logging';
import { Metrics, Stat } from '../../platform/metrics';
import { CLOSE_GRACE_MS, closeLabel, violationCode } from './connection';
import { Connections } from './connections';
import type { SocketEndpoint } from './endpoint';
import { SocketEndpoints } from './endpoints';
import { answerUpgrade, destroyIt, type RawUpgrade } from './raw-upgrade';
import { Flusher, SocketConnection } from './socket-connection';
import type { Admission } from './upgrade-checks';
import { TooManyAtOnce } from './upgrade-pace';
import { MAX_FRAME_BYTES, toWire } from './wire';

const REASONS: Partial<Record<ErrorCode, string>> = {
  AUTHENTICATION_ERROR: 'unauthenticated',
  AUTHORIZATION_ERROR: 'forbidden',
  NOT_FOUND: 'unknown_path',
  RATE_LIMIT_EXCEEDED: 'limit',
  SERVICE_UNAVAILABLE: 'unavailable',
  VALIDATION_ERROR: 'malformed',
};

/** The series of the sockets. */
@Injectable()
export class SocketMetrics {
  constructor(
    private readonly metrics: Metrics,
    private readonly connections: Connections,
    private readonly endpoints: SocketEndpoints,
  ) {
    metrics.collect('chatapi_ws_connections', () => this.counted());
    metrics.collect('chatapi_ws_queue_bytes', () => [{ labels: {}, value: this.waiting() }]);
  }

  opened(tenantId: string): void {
    // Nothing is counted: it says that something has happened at the tenant.
    this.metrics.tenant(tenantId);
  }

  closed(code: number): void {
    this.metrics
      .counter('chatapi_ws_closes_total')
      .labels({ code: closeLabel(code) })
      .inc();
  }

  refused(error: AppError): void {
    const reason = error instanceof TooManyAtOnce ? 'paced' : (REASONS[error.code] ?? 'other');
    this.metrics.errors(error.code);
    this.metrics.counter('chatapi_ws_refused_total').labels({ reason }).inc();
    if (reason === 'unauthenticated' || reason === 'forbidden')
      this.metrics.counter('chatapi_auth_failures_total').labels({ reason }).inc();
  }

  private counted(): { labels: { path: string }; value: number }[] {
    const counts = new Map(this.endpoints.paths.map((path) => [path, 0]));
    for (const { endpoint } of this.connections.all()) counts.set(endpoint.path, (counts.get(endpoint.path) ?? 0) + 1);
    return [...counts].map(([path, value]) => ({ labels: { path }, value }));
  }

  /** Looks at each of them. */
  @Stat('queue_bytes')
  waiting(tenantId?: string): number {
    let bytes = 0;
    const connections = tenantId === undefined ? this.connections.all() : this.connections.ofTenant(tenantId);
    for (const connection of connections) bytes += connection.waiting;
    return bytes;
  }
}

/** The sockets of one path. Emits `connection` with each connection and the request that opened it. */
export class SocketServer extends EventEmitter {
  constructor(readonly path: string) {
    super();
  }
}

/** A socket with its connection, so that its listeners are the same functions for all. */
class Peer extends WebSocket {
  connection: SocketConnection | undefined;
}

/** Turns an upgrade into a connection, or into a socket that says why not and closes. */
@Injectable()
export class Acceptor {
  /** By path. */
  private readonly servers = new Map<string, SocketServer>();
  private readonly server = new WebSocketServer<typeof Peer>({
    WebSocket: Peer,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    // Not yet in ws's types.
    ...{ closeTimeout: CLOSE_GRACE_MS },
  });

  private readonly onMessage: (this: WebSocket, data: Buffer, isBinary: boolean) => void;
  private readonly onClose: (this: WebSocket, code: number) => void;

  constructor(
    private readonly endpoints: SocketEndpoints,
    private readonly connections: Connections,
    private readonly metrics: SocketMetrics,
    private readonly flusher: Flusher,
    private readonly config: SocketConfig,
    private readonly log: Log,
  ) {
    this.server.on('wsClientError', (error: Error, socket: Socket, request: IncomingMessage) =>
      answerUpgrade(socket, invalid('request', error.message), requestIdOf(request)),
    );
    const received = this.received.bind(this);
    const ended = this.ended.bind(this);
    this.onMessage = function (this: WebSocket, data, isBinary) {
      received(connectionOf(this), data, isBinary);
    };
    this.onClose = function (this: WebSocket, code) {
      ended(connectionOf(this), code);
    };
  }

  /** The sockets of a path, from now on. */
  serve(path: string): SocketServer {
    const server = this.servers.get(path) ?? new SocketServer(path);
    this.servers.set(path, server);
    return server;
  }

  /** Cuts what is open at a path. */
  close(server: SocketServer): void {
    for (const connection of this.connections.all())
      if (connection.endpoint.path === server.path) connection.terminate();
    server.removeAllListeners();
    this.servers.delete(server.path);
  }

  /**
   * The caller is connected when this returns, unless its handshake was no good, and all handlers are ready for it when it
   * resolves.
   */
  async accept(
    upgrade: RawUpgrade,
    endpoint: SocketEndpoint,
    { caller, epoch, syncsByItself, origin, place }: Admission,
  ): Promise<void> {
    let opened: Promise<void> | undefined;
    // The answer and the first frames leave in one write, after those frames were queued.
    upgrade.socket.cork();
    this.upgrade(upgrade, caller.requestId, (ws) => {
      const id = encodeId('connection', newUuid());
      const connection = new SocketConnection(
        { id, caller, syncsByItself, origin },
        endpoint,
        ws,
        upgrade.socket,
        this.flusher,
      );
      this.connections.add(connection, place);
      this.metrics.opened(connection.tenantId);
      ws.connection = connection;
      ws.on('message', this.onMessage);
      ws.on('error', onViolation);
      ws.on('close', this.onClose);
      const { heartbeatMs } = this.config;
      connection.sendFrame(toWire(endpoint.hello({ connectionId: id, caller, epoch: epoch(), heartbeatMs })));
      this.servers.get(endpoint.path)?.emit('connection', connection, upgrade.request);
      // A gateway may have closed it, or have failed at it.
      if (connection.isOpen) opened = this.open(connection);
    });
    setImmediate(() => upgrade.socket.uncork());
    await opened;
  }

  /** Tells on the socket why it is refused. */
  refuse(upgrade: RawUpgrade, endpoint: SocketEndpoint, error: AppError, requestId: string): void {
    this.upgrade(upgrade, requestId, (ws) => {
      ws.on('error', () => undefined);
      ws.send(JSON.stringify(endpoint.error(error, requestId)));
      ws.close(ERROR_CATALOGUE[error.code].closeCode, error.message.slice(0, 100));
    });
  }

  private upgrade({ request, socket, head }: RawUpgrade, requestId: string, then: (ws: Peer) => void): void {
    const server = this.server;
    const addId = (headers: string[], about: IncomingMessage): void => {
      if (about === request) headers.push(`X-Request-Id: ${requestId}`);
    };
    // ws writes the answer before `handleUpgrade` returns.
    server.on('headers', addId);
    server.handleUpgrade(request, socket, head, then);
    server.off('headers', addId);
    // ws has its own now.
    socket.off('error', destroyIt);
  }

  private received(connection: SocketConnection, data: Buffer, isBinary: boolean): void {
    if (!connection.isOpen) return;
    connection.reader?.message(connection.endpoint, connection, data, isBinary);
  }

  private ended(connection: SocketConnection, code: number): void {
    this.connections.remove(connection);
    this.metrics.closed(connection.closeCode ?? code);
    connection.ended();
  }

  /** Nothing is read from the client before all handlers are ready for it. */
  private async open(connection: SocketConnection): Promise<void> {
    try {
      for (const opened of this.endpoints.openedOf(connection.endpoint.path)) await opened(connection);
      connection.opened();
    } catch (error) {
      this.fail(connection, error);
    }
  }

  private fail(connection: SocketConnection, thrown: unknown): void {
    const { requestId } = connection.caller;
    const isExpected = thrown instanceof AppError;
    if (!isExpected) this.log.error({ request_id: requestId, error: describeError(thrown) }, 'opening a socket failed');
    const error = isExpected ? thrown : new AppError('INTERNAL_ERROR', 'Internal server error', { cause: thrown });
    connection.dismiss(error, ERROR_CATALOGUE[error.code].closeCode);
  }
}

function connectionOf(ws: WebSocket): SocketConnection {
  const connection = ws instanceof Peer ? ws.connection : undefined;
  if (connection === undefined) throw new Error('a socket without its connection');
  return connection;
}

/** When ws says so it has answered already. */
function onViolation(this: WebSocket, error: Error): void {
  connectionOf(this).violated(violationCode(error));
}
