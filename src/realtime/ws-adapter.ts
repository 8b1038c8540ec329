import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
} from '@nestjs/common/constants';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { GATEWAY_METADATA, MESSAGE_MAPPING_METADATA } from '@nestjs/websockets/constants';
import { HttpConfig } from '../config';
import { Dispatcher, SOCKET_OPERATION } from './protocol';
import { type SocketConnection, type SocketServer, Upgrades } from './transport';

/** What Nest runs around a handler, and the dispatcher does not. */
const ENHANCERS = [GUARDS_METADATA, PIPES_METADATA, INTERCEPTORS_METADATA, EXCEPTION_FILTERS_METADATA];

/**
 * The door of the sockets, as Nest asks for one. The upgrades of the HTTP server go through `Upgrades`; a gateway's
 * `afterInit` gets the server of its path, `handleConnection` and `handleDisconnect` a `Connection`.
 *
 * Invariants
 * - `handleConnection` runs once per connection and gateway, after `hello` was queued and before anything is read from the
 *   client; `handleDisconnect` once, when the socket is over, whatever ended it. Nobody waits for either, and one that throws
 *   ends the process, as in any application of Nest: what the opening of a connection depends on is a `ConnectionHandler`.
 * - A frame is handled once, by the dispatcher. Nest binds no pipeline of its own beside it, so what would hang on that one
 *   is refused at the start instead of being without effect: `@SubscribeMessage` alone, and guards, pipes, interceptors and
 *   filters on a gateway.
 * - `close` comes when the stages of the stop have said goodbye (`Farewell`); it cuts what is left.
 */
export class ChatWsAdapter extends WsAdapter {
  private upgrades: Upgrades | undefined;
  private dispatcher: Dispatcher | undefined;

  constructor(private readonly app: NestFastifyApplication) {
    super(app);
  }

  /** One server per path. Throws where no door takes sockets there. */
  override create(_port: number, { path = '' }: { readonly path?: string }): SocketServer {
    const upgrades = (this.upgrades ??= this.open());
    return upgrades.serve(path);
  }

  /** Nest asks for each gateway of the path; the answer is the same for all of them. */
  override bindMessageHandlers(connection: SocketConnection): void {
    connection.reader = this.dispatcher;
  }

  /** The same: every gateway's callback tells all of them. */
  override bindClientDisconnect(connection: SocketConnection, callback: () => void): void {
    connection.disconnected ??= callback;
  }

  override close(server: SocketServer): Promise<void> {
    this.upgrades?.close(server);
    return Promise.resolve();
  }

  private open(): Upgrades {
    refuseWhatIsNotRun(this.app);
    this.dispatcher = this.app.get(Dispatcher);
    const upgrades = this.app.get(Upgrades);
    upgrades.install(this.app.getHttpServer(), this.app.get(HttpConfig).trustProxy);
    return upgrades;
  }
}

function refuseWhatIsNotRun(app: NestFastifyApplication): void {
  const scanner = app.get(MetadataScanner, { strict: false });
  for (const { metatype, name } of app.get(DiscoveryService, { strict: false }).getProviders()) {
    if (typeof metatype !== 'function' || !Reflect.hasMetadata(GATEWAY_METADATA, metatype)) continue;
    const prototype = metatype.prototype as Record<string, object>;
    const handlers = scanner
      .getAllMethodNames(prototype)
      .flatMap((method) => prototype[method] ?? [])
      .filter((handler) => Reflect.hasMetadata(MESSAGE_MAPPING_METADATA, handler));
    if (!handlers.every((handler) => Reflect.hasMetadata(SOCKET_OPERATION, handler)))
      throw new Error(`${String(name)} has a @SubscribeMessage that is no @SocketOperation: nothing would call it`);
    if ([metatype, ...handlers].some((target) => ENHANCERS.some((key) => Reflect.hasMetadata(key, target))))
      throw new Error(`${String(name)} has a guard, pipe, interceptor or filter: nothing runs them on frames`);
  }
}
