import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Injectable, UseGuards } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import { AppModule } from '../../src/app.module';
import { ChatWsAdapter, type Connection, SOCKET_PATH, toWire } from '../../src/realtime';
import type { TestTenant } from '../support/app';
import { until } from '../support/poll';
import { RecordingLog } from '../support/recording-log';
import { type WsClient } from '../support/ws/client';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

/** What Nest told the gateways of a path, in order. */
@Injectable()
class Told {
  readonly events: string[] = [];
  server: unknown;

  of(client: WsClient): string[] {
    const id = String(client.got('hello')[0]?.['connection_id']);
    return this.events.filter((event) => event.includes(id)).map((event) => event.replace(id, 'it'));
  }
}

@WebSocketGateway({ path: SOCKET_PATH })
class HookedGateway implements OnGatewayInit, OnGatewayConnection<Connection>, OnGatewayDisconnect<Connection> {
  @WebSocketServer()
  server: unknown;

  constructor(private readonly told: Told) {}

  afterInit(server: { readonly path: string }): void {
    this.told.events.push(`init ${server.path}`);
    this.told.server = server;
  }

  handleConnection(connection: Connection, request: IncomingMessage): void {
    const { id, userId, isOpen } = connection;
    this.told.events.push(`connected ${id} ${userId} ${isOpen} ${request.url?.split('?')[0]}`);
    // Behind the greeting: `hello` is what a client may rely on to come first.
    connection.sendFrame(toWire({ type: 'server.shutdown', reconnect_after_ms: 7 }));
  }

  handleDisconnect({ id, isOpen }: Connection): void {
    this.told.events.push(`disconnected ${id} ${isOpen}`);
  }
}

/** A second one of the same path: each is told, once. */
@WebSocketGateway({ path: SOCKET_PATH })
class OtherGateway implements OnGatewayConnection<Connection> {
  constructor(private readonly told: Told) {}

  handleConnection({ id }: Connection): void {
    this.told.events.push(`other ${id}`);
  }
}

/** A third one, which fails at users called after how it does. */
@WebSocketGateway({ path: SOCKET_PATH })
class FailingGateway implements OnGatewayConnection<Connection>, OnGatewayDisconnect<Connection> {
  handleConnection({ userId }: Connection): void | Promise<void> {
    if (userId === 'thrower') throw new Error('at the door');
    return userId === 'rejecter' ? Promise.reject(new Error('behind the door')) : undefined;
  }

  handleDisconnect({ userId }: Connection): void {
    if (userId === 'mourner') throw new Error('at the end');
  }
}

describe('a gateway on a real socket', () => {
  let app: SocketApp;
  let tenant: TestTenant;
  let told: Told;
  const log = new RecordingLog();

  beforeAll(async () => {
    const register = AppModule.register.bind(AppModule);
    jest.spyOn(AppModule, 'register').mockImplementation((...args) => {
      const real = register(...args);
      return { ...real, providers: [...(real.providers ?? []), Told, FailingGateway, HookedGateway, OtherGateway] };
    });
    app = await startSocketApp({ log, env: { WS_HEARTBEAT_MS: '200', WS_SILENCE_MS: '700' } });
    tenant = await app.tenant();
    told = app.nest.get(Told);
  });
  afterAll(async () => {
    await app.close();
    jest.restoreAllMocks();
  });

  const isOver = (client: WsClient): Promise<unknown> =>
    until(
      () => Promise.resolve(told.of(client)),
      (events) => events.some((event) => event.startsWith('disconnected')),
    );

  it('afterInit gets the server of its path, as @WebSocketServer does', () => {
    expect(told.events[0]).toBe('init /ws');
    expect(app.nest.get(HookedGateway).server).toBe(told.server);
  });

  it('handleConnection and handleDisconnect come once per connection and gateway', async () => {
    const client = await app.open(tenant, 'alice');
    await client.ask({ type: 'ping' });
    expect(told.of(client)).toEqual(['connected it alice true /ws', 'other it']);
    expect(client.frames.map(({ type }) => type).slice(0, 2)).toEqual(['hello', 'server.shutdown']);
    await client.close();
    await isOver(client);
    expect(told.of(client)).toEqual(['connected it alice true /ws', 'other it', 'disconnected it false']);
  });

  it.each<[string, (client: WsClient) => void]>([
    ['the client is cut off', (client) => client.ws.terminate()],
    ['the client breaks the protocol', (client) => client.ws.send(Buffer.from('binary'))],
    ['the client falls silent', (client) => client.ws.pause()],
  ])('handleDisconnect comes when %s', async (_, end) => {
    const client = await app.open(tenant, 'bob');
    await client.frame('hello');
    end(client);
    await isOver(client);
    expect(told.of(client).filter((event) => event.startsWith('disconnected'))).toEqual(['disconnected it false']);
  });

  it('a connection has the same few listeners, however many gateways there are at the path', async () => {
    const client = await app.open(tenant, 'eve');
    expect((told.server as EventEmitter).listenerCount('connection')).toBe(1);
    const ws = Reflect.get(await app.handler.of(client), 'ws') as EventEmitter;
    expect(ws.eventNames().map((event) => [event, ws.listenerCount(event)])).toEqual([
      ['message', 1],
      ['error', 1],
      ['close', 1],
    ]);
    await client.close();
  });

  it.each([
    ['thrower', 'at the door', false],
    ['rejecter', 'behind the door', true],
  ])(
    'a handleConnection that fails (%s) ends its connection alone, and is logged once',
    async (user, cause, isOpen) => {
      const other = await app.open(tenant, 'frank');
      const client = await app.open(tenant, user);
      await expect(client.ended()).resolves.toMatchObject({ code: 1011 });
      const [error] = client.got('error');
      expect(error).toMatchObject({ code: 'INTERNAL_ERROR', message: 'Internal server error' });
      const lines = log.lines.filter(({ fields }) => JSON.stringify(fields).includes(cause));
      expect(lines).toEqual([
        {
          level: 'error',
          message: 'a hook of a gateway failed',
          fields: expect.objectContaining({ gateway: 'FailingGateway', request_id: error?.['request_id'] }),
        },
      ]);
      await isOver(client);
      expect(told.of(client)).toEqual([`connected it ${user} ${isOpen} /ws`, 'other it', 'disconnected it false']);
      await other.ask({ type: 'ping' });
      await other.close();
    },
  );

  it('a handleDisconnect that fails is logged, and the other gateways are told', async () => {
    const client = await app.open(tenant, 'mourner');
    await client.frame('hello');
    await client.close();
    await isOver(client);
    expect(log.lines.filter(({ fields }) => JSON.stringify(fields).includes('at the end'))).toHaveLength(1);
  });

  it('an upgrade that is refused is none of a gateway’s', async () => {
    const before = told.events.length;
    await expect(app.open({ ...tenant, apiKey: 'chatapi_no' })).rejects.toThrow('401');
    expect(told.events).toHaveLength(before);
  });

  it('a frame is handled once, however many gateways there are at the path', async () => {
    const client = await app.open(tenant, 'carol');
    await client.ask({ type: 'ping' });
    await client.ask({ type: 'ping' });
    expect(client.got('pong')).toHaveLength(2);
    const connection = await app.handler.of(client);
    expect(app.handler.textsOf(connection)).toHaveLength(2);
    await client.close();
  });

  it('the stop says goodbye first, then each gateway is told', async () => {
    const client = await app.open(tenant, 'dora');
    await client.frame('hello');
    const id = String(client.got('hello')[0]?.['connection_id']);
    await app.app.lifecycle.stop('test');
    await expect(client.ended()).resolves.toMatchObject({ code: 1012 });
    expect(told.events.filter((event) => event.includes(id)).at(-1)).toBe(`disconnected ${id} false`);
  });
});

describe('what the dispatcher would not run is refused at the start', () => {
  @WebSocketGateway({ path: SOCKET_PATH })
  class LoneHandlerGateway {
    @SubscribeMessage('ping')
    ping(): void {
      return;
    }
  }

  @UseGuards({ canActivate: () => true })
  @WebSocketGateway({ path: SOCKET_PATH })
  class GuardedGateway {}

  async function start(gateway: new () => object): Promise<void> {
    const module = await Test.createTestingModule({
      imports: [DiscoveryModule],
      providers: [gateway],
    }).compile();
    const nest = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    nest.useWebSocketAdapter(new ChatWsAdapter(nest));
    await nest.init();
  }

  it.each([
    [LoneHandlerGateway, 'LoneHandlerGateway has a @SubscribeMessage that is no @SocketOperation'],
    [GuardedGateway, 'GuardedGateway has a guard, pipe, interceptor or filter'],
  ])('%p', async (gateway, line) => {
    await expect(start(gateway)).rejects.toThrow(line);
  });
});
