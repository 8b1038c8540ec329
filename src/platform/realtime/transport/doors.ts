import { Injectable } from '@nestjs/common';
import { type AppError, ERROR_CATALOGUE } from '../../../common/errors';
import { encodeId } from '../../../common/ids';
import { type Caller, type LimitName, limitOf } from '../../auth';
import { type ConnectionHandler, ConnectionHandlers, type Frame } from '../contract';
import { OTHER_FRAMES_PER_SECOND } from '../limits';
import { MAX_FRAME_BYTES } from './wire';

/** What a new connection is told first. */
export interface Greeting {
  readonly connectionId: string;
  readonly caller: Caller;
  readonly epoch: number;
  readonly heartbeatMs: number;
}

/** A path that takes sockets, and the words in which it speaks of connections. */
export interface SocketDoor {
  readonly path: string;
  /** How many connections a tenant may have here, and one user of it. */
  readonly tenantLimit: LimitName;
  readonly userLimit: LimitName | undefined;
  hello(greeting: Greeting): Frame;
  error(error: AppError, requestId: string): Frame;
  shutdown(reconnectAfterMs: number): Frame;
}

/** The Rooms API's socket (contract §4). */
const ROOMS_DOOR: SocketDoor = {
  path: '/ws',
  tenantLimit: 'ws_connections',
  userLimit: 'ws_connections_per_user',
  hello: ({ connectionId, caller, epoch, heartbeatMs }) => ({
    type: 'hello',
    connection_id: connectionId,
    user_id: caller.userId,
    tenant_id: encodeId('tenant', caller.tenantId),
    epoch,
    heartbeat_ms: heartbeatMs,
    limits: {
      ws_messages_per_second: caller.tenant === undefined ? null : limitOf(caller.tenant, 'ws_messages_per_second'),
      other_frames_per_second: OTHER_FRAMES_PER_SECOND,
      frame_bytes: MAX_FRAME_BYTES,
    },
  }),
  error: (error, requestId) => ({
    type: 'error',
    code: error.code,
    message: error.message,
    request_id: requestId,
    retryable: ERROR_CATALOGUE[error.code].retryable,
    ...(error.retryAfterSeconds === undefined ? {} : { retry_after_ms: error.retryAfterSeconds * 1000 }),
    ...(error.field === undefined ? {} : { field: error.field }),
  }),
  shutdown: (ms) => ({ type: 'server.shutdown', reconnect_after_ms: ms }),
};

/** The paths that take sockets, and who handles their connections. */
@Injectable()
export class SocketDoors extends ConnectionHandlers {
  private readonly doors = new Map<string, SocketDoor>([[ROOMS_DOOR.path, ROOMS_DOOR]]);
  private readonly handlers = new Map<string, ConnectionHandler[]>();

  add(path: string, handler: ConnectionHandler): void {
    if (!this.doors.has(path)) throw new Error(`no sockets are taken at ${path}`);
    this.handlers.set(path, [...this.handlersOf(path), handler]);
  }

  get paths(): readonly string[] {
    return [...this.doors.keys()];
  }

  /** In whose words a refusal is told where there is no door. */
  get standard(): SocketDoor {
    return ROOMS_DOOR;
  }

  /** @param path without the query; a slash at its end is accepted */
  find(path: string): SocketDoor | undefined {
    return this.doors.get(path.replace(/\/+$/, ''));
  }

  handlersOf(path: string): readonly ConnectionHandler[] {
    return this.handlers.get(path) ?? [];
  }
}
