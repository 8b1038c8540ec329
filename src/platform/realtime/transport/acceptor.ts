import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { type WebSocket, WebSocketServer } from 'ws';
import { AppError, ERROR_CATALOGUE, invalid } from '../../../common/errors';
import { encodeId, newUuid } from '../../../common/ids';
import { SocketConfig } from '../../../config';
import { requestIdOf } from '../../http';
import { describeError, Log } from '../../logging';
import type { SocketDoor } from '../contract';
import { CLOSE_GRACE_MS, violationCode } from './close-codes';
import { Connections } from './connections';
import { dismiss } from './dismiss';
import { SocketDoors } from './doors';
import { Flusher } from './flusher';
import { answerUpgrade } from './http-answer';
import { SocketConnection } from './socket-connection';
import { SocketMetrics } from './socket-metrics';
import type { Admission } from './upgrade-checks';
import { MAX_FRAME_BYTES, toWire } from './wire';

/** An upgrade as Node hands it over. */
export interface RawUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What came with the request, beyond its end. */
  readonly head: Buffer;
}

/** Turns an upgrade into a connection, or into a socket that says why not and closes. */
@Injectable()
export class Acceptor {
  private readonly flusher: Flusher;
  private readonly server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    // Not yet in ws's types.
    ...{ closeTimeout: CLOSE_GRACE_MS },
  });

  constructor(
    private readonly doors: SocketDoors,
    private readonly connections: Connections,
    private readonly metrics: SocketMetrics,
    private readonly config: SocketConfig,
    private readonly log: Log,
  ) {
    this.server.on('wsClientError', (error: Error, socket: Socket, request: IncomingMessage) =>
      answerUpgrade(socket, invalid('request', error.message), requestIdOf(request)),
    );
    this.flusher = new Flusher((frames, bytes) => this.metrics.sent(frames, bytes));
  }

  /**
   * Throws 429 where others took the last place meanwhile; else the caller is connected when this returns, and all
   * handlers are ready for them when it resolves.
   */
  async accept(upgrade: RawUpgrade, door: SocketDoor, { caller, epoch, syncsByItself }: Admission): Promise<void> {
    this.connections.admit(caller, door);
    let opened: Promise<void> | undefined;
    this.upgrade(upgrade, caller.requestId, (ws) => {
      const id = encodeId('connection', newUuid());
      const connection = new SocketConnection({ id, caller, syncsByItself }, ws, upgrade.socket, this.flusher);
      this.connections.add(connection, door);
      this.listen(connection, ws, door);
      const { heartbeatMs } = this.config;
      connection.send(toWire(door.hello({ connectionId: id, caller, epoch, heartbeatMs })));
      opened = this.open(connection, door);
    });
    await opened;
  }

  /** Tells on the socket why it is refused. */
  refuse(upgrade: RawUpgrade, door: SocketDoor, error: AppError, requestId: string): void {
    this.upgrade(upgrade, requestId, (ws) => {
      ws.on('error', () => undefined);
      ws.send(JSON.stringify(door.error(error, requestId)));
      ws.close(ERROR_CATALOGUE[error.code].closeCode, error.message.slice(0, 100));
    });
  }

  private upgrade({ request, socket, head }: RawUpgrade, requestId: string, then: (ws: WebSocket) => void): void {
    const server = this.server;
    const addId = (headers: string[], about: IncomingMessage): void => {
      if (about === request) headers.push(`X-Request-Id: ${requestId}`);
    };
    // ws writes the answer before `handleUpgrade` returns.
    server.on('headers', addId);
    server.handleUpgrade(request, socket, head, then);
    server.off('headers', addId);
  }

  private listen(connection: SocketConnection, ws: WebSocket, door: SocketDoor): void {
    const handlers = this.doors.handlersOf(door.path).filter((handler) => handler.message !== undefined);
    ws.on('message', (data: Buffer, isBinary) => {
      if (!connection.isOpen) return;
      for (const handler of handlers) handler.message?.(connection, data, isBinary);
    });
    // When ws says so it has answered already.
    ws.on('error', (error) => connection.violated(violationCode(error)));
    ws.once('close', (code) => this.metrics.closed(connection.closeCode ?? code));
  }

  /** Nothing is read from the client before all handlers are ready for it. */
  private async open(connection: SocketConnection, door: SocketDoor): Promise<void> {
    try {
      for (const handler of this.doors.handlersOf(door.path)) await handler.opened?.(connection);
      connection.opened();
    } catch (error) {
      this.fail(connection, door, error);
    }
  }

  private fail(connection: SocketConnection, door: SocketDoor, thrown: unknown): void {
    const { requestId } = connection.caller;
    const isExpected = thrown instanceof AppError;
    if (!isExpected) this.log.error({ request_id: requestId, error: describeError(thrown) }, 'opening a socket failed');
    const error = isExpected ? thrown : new AppError('INTERNAL_ERROR', 'Internal server error', { cause: thrown });
    dismiss(connection, door, error, ERROR_CATALOGUE[error.code].closeCode);
  }
}
