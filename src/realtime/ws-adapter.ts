import type { IncomingMessage } from 'node:http';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
} from '@nestjs/common/constants';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import type { OnGatewayConnection, OnGatewayDisconnect } from '@nestjs/websockets';
import { GATEWAY_METADATA, GATEWAY_OPTIONS, MESSAGE_MAPPING_METADATA } from '@nestjs/websockets/constants';
import { internalError } from '../common/errors';
import { HttpConfig } from '../config';
import { describeError, Log } from '../platform/logging';
import { Dispatcher, SOCKET_OPERATION } from './protocol';
import { CloseCode, type Connection, type SocketConnection, type SocketServer, Upgrades } from './transport';

/** What Nest runs around a handler, and the dispatcher does not. */
const ENHANCERS = [GUARDS_METADATA, PIPES_METADATA, INTERCEPTORS_METADATA, EXCEPTION_FILTERS_METADATA];

/**
 * The endpoint of the sockets, as Nest asks for one. The upgrades of the HTTP server go through `Upgrades`; a gateway's
 * `afterInit` gets the server of its path, `handleConnection` and `handleDisconnect` a `Connection`.
 *
 * Invariants
 * - `handleConnection` runs once per connection and gateway, after `hello` was queued and before anything is read from the
 *   client; `handleDisconnect` once, when the socket is over, whatever ended it. The server waits for neither: what the
 *   opening of a connection depends on is a handler of `@OnConnection`.
 * - A hook that throws or rejects is logged, and its connection closed with 1011; the other gateways are called all the same.
 * - All gateways of a path share one listener, and a connection has none for them, however many they are.
 * - A frame is handled once, by the dispatcher. Nest binds no pipeline of its own beside it, so what would hang on that one
 *   is refused at the start instead of being without effect: `@SubscribeMessage` alone, and guards, pipes, interceptors and
 *   filters on a gateway.
 * - `close` comes when the stages of the stop have said goodbye (`ShutdownNotice`); it cuts what is left.
 */
export class ChatWsAdapter extends WsAdapter {
  private upgrades: Upgrades | undefined;
  private dispatcher: Dispatcher | undefined;

  constructor(private readonly app: NestFastifyApplication) {
    super(app);
  }

  /** One server per path. Throws where no endpoint takes sockets there. */
  override create(
    _port: number,
    { path = '', namespace }: { readonly path?: string; readonly namespace?: string },
  ): SocketServer {
    if (namespace !== undefined) throw new Error(`${namespace}: the sockets of ${path} have no namespaces`);
    const upgrades = (this.upgrades ??= this.open());
    return upgrades.serve(path);
  }

  /**
   * Nest asks for each gateway of the path, and would call back for each of them at each connection: the first time binds
   * them all, and the callbacks are not used.
   */
  override bindClientConnect(server: SocketServer): void {
    if (server.listenerCount('connection') > 0) return;
    const here = gatewaysOf(this.app).filter(({ path }) => path === server.path);
    const entering = here.filter(({ hooks }) => hooks.handleConnection !== undefined);
    const leaving = here.filter(({ hooks }) => hooks.handleDisconnect !== undefined);
    const disconnected = (connection: SocketConnection): void => {
      for (const gateway of leaving)
        this.run(gateway, connection, () => gateway.hooks.handleDisconnect?.(connection) as unknown);
    };
    server.on('connection', (connection: SocketConnection, request: IncomingMessage) => {
      connection.reader = this.dispatcher;
      if (leaving.length > 0) connection.disconnected = disconnected;
      for (const gateway of entering)
        this.run(gateway, connection, () => gateway.hooks.handleConnection?.(connection, request) as unknown);
    });
  }

  override close(server: SocketServer): Promise<void> {
    this.upgrades?.close(server);
    return Promise.resolve();
  }

  /** Runs a hook of a gateway. */
  private run({ name }: Gateway, connection: SocketConnection, hook: () => unknown): void {
    const fail = (thrown: unknown): void => {
      const ids = { request_id: connection.caller.requestId, connection_id: connection.id };
      this.app.get(Log).error({ ...ids, gateway: name, error: describeError(thrown) }, 'a hook of a gateway failed');
      connection.dismiss(internalError(thrown), CloseCode.internal);
    };
    try {
      const result = hook();
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  private open(): Upgrades {
    refuseWhatIsNotRun(this.app);
    this.dispatcher = this.app.get(Dispatcher);
    const upgrades = this.app.get(Upgrades);
    upgrades.install(this.app.getHttpServer(), this.app.get(HttpConfig).trustProxy);
    return upgrades;
  }
}

/** A gateway, and what Nest calls on it. */
interface Gateway {
  readonly name: string;
  readonly metatype: abstract new (...args: never[]) => object;
  /** Where it listens. */
  readonly path: string | undefined;
  readonly hooks: Partial<OnGatewayConnection<Connection> & OnGatewayDisconnect<Connection>>;
}

/** In the order in which Nest connects them. */
function gatewaysOf(app: NestFastifyApplication): Gateway[] {
  return app
    .get(DiscoveryService, { strict: false })
    .getProviders()
    .flatMap(({ metatype, instance }) => {
      if (typeof metatype !== 'function' || !Reflect.hasMetadata(GATEWAY_METADATA, metatype)) return [];
      const options = Reflect.getMetadata(GATEWAY_OPTIONS, metatype) as { readonly path?: string } | undefined;
      return [
        {
          name: metatype.name,
          metatype: metatype as Gateway['metatype'],
          path: options?.path,
          hooks: instance as Gateway['hooks'],
        },
      ];
    });
}

/** Throws for what would be without effect on a frame. */
function refuseWhatIsNotRun(app: NestFastifyApplication): void {
  const scanner = app.get(MetadataScanner, { strict: false });
  for (const { name, metatype } of gatewaysOf(app)) {
    const prototype = metatype.prototype as Record<string, object>;
    const handlers = scanner
      .getAllMethodNames(prototype)
      .flatMap((method) => prototype[method] ?? [])
      .filter((handler) => Reflect.hasMetadata(MESSAGE_MAPPING_METADATA, handler));
    if (!handlers.every((handler) => Reflect.hasMetadata(SOCKET_OPERATION, handler)))
      throw new Error(`${name} has a @SubscribeMessage that is no @SocketOperation: nothing would call it`);
    if ([metatype, ...handlers].some((target) => ENHANCERS.some((key) => Reflect.hasMetadata(key, target))))
      throw new Error(`${name} has a guard, pipe, interceptor or filter: nothing runs them on frames`);
  }
}
