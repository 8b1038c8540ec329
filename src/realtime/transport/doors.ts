import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Explorer, type FoundMethod } from '../../platform/discovery';
import type { AcceptedConnection } from './connection';
import { type ConnectionOrder, DOOR, ON_CONNECTION, type SocketDoor } from './door';
import { ROOMS_DOOR } from './rooms-door';

type Opened = (connection: AcceptedConnection) => void | Promise<void>;

interface Found {
  readonly doors: ReadonlyMap<string, SocketDoor>;
  /** By path. */
  readonly opened: ReadonlyMap<string, readonly Opened[]>;
}

/**
 * The paths that take sockets, and who is told of their connections: what `@Door` and `@OnConnection` mark. The server
 * does not start with two doors of one path, nor with handlers that no order satisfies.
 */
@Injectable()
export class SocketDoors implements OnModuleInit {
  private found: Found | undefined;

  constructor(private readonly explorer: Explorer) {}

  onModuleInit(): void {
    this.found ??= this.explore();
  }

  get paths(): readonly string[] {
    return [...this.known.doors.keys()];
  }

  all(): readonly SocketDoor[] {
    return [...this.known.doors.values()];
  }

  /** In whose words a refusal is told where there is no door. */
  get standard(): SocketDoor {
    return ROOMS_DOOR;
  }

  /** @param path without the query; a slash at its end is accepted */
  find(path: string): SocketDoor | undefined {
    return this.known.doors.get(path.replace(/\/+$/, ''));
  }

  /** In the order in which they are to be called. */
  openedOf(path: string): readonly Opened[] {
    return this.known.opened.get(path) ?? [];
  }

  /** The server asks for the paths before its modules are initialised. */
  private get known(): Found {
    return (this.found ??= this.explore());
  }

  private explore(): Found {
    const doors = new Map<string, SocketDoor>([[ROOMS_DOOR.path, ROOMS_DOOR]]);
    for (const { provider: door } of this.explorer.classes<object, SocketDoor>(DOOR)) {
      if (doors.has(door.path)) throw new Error(`${door.path} takes sockets already`);
      doors.set(door.path, door);
    }
    const handlers = this.explorer.methods<ConnectionOrder>(ON_CONNECTION);
    const stray = handlers.find(({ options }) => !doors.has(options.path));
    if (stray) throw new Error(`${stray.name}: no sockets are taken at ${stray.options.path}`);
    const opened = [...doors.keys()].map((path): [string, Opened[]] => {
      const here = handlers.filter(({ options }) => options.path === path);
      return [path, inOrder(path, here).map(({ call }) => call as Opened)];
    });
    return { doors, opened: new Map(opened) };
  }
}

type Handler = FoundMethod<ConnectionOrder>;

/** Each after those that it names; handlers that need not wait in the order of the names, so that no module's place decides. */
function inOrder(path: string, handlers: readonly Handler[]): Handler[] {
  const names = handlers.map(({ options }) => options.name);
  for (const { options } of handlers) {
    if (names.indexOf(options.name) !== names.lastIndexOf(options.name))
      throw new Error(`Two handlers of connections of ${path} are called ${options.name}`);
    const unknown = options.after.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`At ${path} ${options.name} comes after ${unknown}, which is not there`);
  }
  const ordered: Handler[] = [];
  const waiting = new Set([...handlers].sort((a, b) => (a.options.name < b.options.name ? -1 : 1)));
  while (waiting.size > 0) {
    const next = [...waiting].find(({ options }) =>
      options.after.every((name) => ordered.some((other) => other.options.name === name)),
    );
    if (next === undefined)
      throw new Error(
        `At ${path} each comes after another: ${[...waiting].map(({ options }) => options.name).join(', ')}`,
      );
    waiting.delete(next);
    ordered.push(next);
  }
  return ordered;
}
