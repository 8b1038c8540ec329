import { Injectable } from '@nestjs/common';
import { encodeId } from '../../../common/ids';
import { limitOf } from '../../auth';
import { type ConnectionHandler, ConnectionHandlers, type SocketDoor } from '../contract';
import { CLIENT_FRAMES } from '../documented-frames';
import { errorFrame } from '../error-frame';
import { OTHER_FRAMES_PER_SECOND } from '../limits';
import { SOCKET_PATH } from '../paths';
import { ROOMS_DOCUMENT } from './rooms-document';
import { MAX_FRAME_BYTES } from './wire';

/** The Rooms API's socket (contract §4). */
const ROOMS_DOOR: SocketDoor = {
  path: SOCKET_PATH,
  tenantLimit: 'ws_connections',
  userLimit: 'ws_connections_per_user',
  access: 'user',
  clientFrames: CLIENT_FRAMES,
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
  error: errorFrame,
  reply: (type, requestId, fields) => ({
    type,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...fields,
  }),
  shutdown: (ms) => ({ type: 'server.shutdown', reconnect_after_ms: ms }),
  document: ROOMS_DOCUMENT,
};

/** The paths that take sockets, and who handles their connections. */
@Injectable()
export class SocketDoors extends ConnectionHandlers {
  private readonly doors = new Map<string, SocketDoor>([[ROOMS_DOOR.path, ROOMS_DOOR]]);
  private readonly handlers = new Map<string, ConnectionHandler[]>();

  open(door: SocketDoor): void {
    if (this.doors.has(door.path)) throw new Error(`${door.path} takes sockets already`);
    this.doors.set(door.path, door);
  }

  add(path: string, handler: ConnectionHandler): void {
    if (!this.doors.has(path)) throw new Error(`no sockets are taken at ${path}`);
    this.handlers.set(path, [...this.handlersOf(path), handler]);
  }

  get paths(): readonly string[] {
    return [...this.doors.keys()];
  }

  all(): readonly SocketDoor[] {
    return [...this.doors.values()];
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
