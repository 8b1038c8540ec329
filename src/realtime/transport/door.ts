import { markClass, markMethod } from '../../platform/discovery';
import type { AcceptedConnection, SocketDoor } from '../feed/ports';

export const DOOR = Symbol('@Door');
export const ON_CONNECTION = Symbol('@OnConnection');

export interface ConnectionOrder {
  readonly path: string;
  readonly name: string;
  readonly after: readonly string[];
}

/** Makes a provider a path that takes sockets. No two have one path. */
export function Door(): (target: abstract new (...args: never[]) => SocketDoor) => void {
  return markClass(DOOR, {});
}

/**
 * Calls the method for each connection of a path that opens, after `hello` was queued. They are called one after the
 * other has settled, and the socket is not read before all have. When one throws or rejects, the client gets the error and
 * is closed.
 * @param name by which others of the path say that they come after it
 * @param after what has to have settled before; what names nothing comes in the order of the names
 */
export function OnConnection(
  path: string,
  name: string,
  { after = [] }: { readonly after?: readonly string[] } = {},
): <M extends (connection: AcceptedConnection) => void | Promise<void>>(
  target: object,
  property: string,
  descriptor: TypedPropertyDescriptor<M>,
) => void {
  return (_target, _property, descriptor) =>
    markMethod(ON_CONNECTION, { path, name, after } satisfies ConnectionOrder)(descriptor);
}
