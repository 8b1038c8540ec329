import type { AppError } from '../../common/errors';
import { toWire } from './wire';
import type { SocketConnection } from './socket-connection';

/** Tells the client why, in an `error` frame, and closes. */
export function dismiss(connection: SocketConnection, error: AppError, code: number): void {
  connection.send(toWire(connection.door.error(error, connection.caller.requestId)));
  connection.close(code, error.message);
}
