import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Explorer, type FoundMethod } from '../../platform/discovery';
import type { AcceptedConnection } from './connection';
import { type ConnectionOrder, ENDPOINT, ON_CONNECTION, type SocketEndpoint } from './endpoint';
import { ROOMS_ENDPOINT } from './rooms-endpoint';

type Opened = (connection: AcceptedConnection) => void | Promise<void>;

interface Found {
  readonly endpoints: ReadonlyMap<string, SocketEndpoint>;
  /** By path. */
  readonly opened: ReadonlyMap<string, readonly Opened[]>;
}

/**
 * The paths that take sockets, and the handlers of their connections: what `@ServesEndpoint` and `@OnConnection` mark. The server
 * does not start with two endpoints of one path, nor with handlers that no order satisfies.
 */
@Injectable()
export class SocketEndpoints implements OnModuleInit {
  private found: Found | undefined;

  constructor(private readonly explorer: Explorer) {}

  onModuleInit(): void {
    this.found ??= this.explore();
  }

  get paths(): readonly string[] {
    return [...this.known.endpoints.keys()];
  }

  all(): readonly SocketEndpoint[] {
    return [...this.known.endpoints.values()];
  }

  /** In whose words a refusal is told where there is no endpoint. */
  get standard(): SocketEndpoint {
    return ROOMS_ENDPOINT;
  }

  /** @param path without the query; a slash at its end is accepted */
  find(path: string): SocketEndpoint | undefined {
    return this.known.endpoints.get(path.replace(/\/+$/, ''));
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
    const endpoints = new Map<string, SocketEndpoint>([[ROOMS_ENDPOINT.path, ROOMS_ENDPOINT]]);
    for (const { provider: endpoint } of this.explorer.classes<object, SocketEndpoint>(ENDPOINT)) {
      if (endpoints.has(endpoint.path)) throw new Error(`${endpoint.path} takes sockets already`);
      endpoints.set(endpoint.path, endpoint);
    }
    const handlers = this.explorer.methods<ConnectionOrder>(ON_CONNECTION);
    const stray = handlers.find(({ options }) => !endpoints.has(options.path));
    if (stray) throw new Error(`${stray.name}: no sockets are taken at ${stray.options.path}`);
    const opened = [...endpoints.keys()].map((path): [string, Opened[]] => {
      const here = handlers.filter(({ options }) => options.path === path);
      return [path, inOrder(path, here).map(({ call }) => call as Opened)];
    });
    return { endpoints, opened: new Map(opened) };
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
