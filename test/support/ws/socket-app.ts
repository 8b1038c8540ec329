import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createNest, listen } from '../../../src/nest';
import { openDatabase } from '../../../src/platform/database';
import { Lifecycle } from '../../../src/platform/lifecycle';
import type { AcceptedConnection } from '../../../src/platform/realtime';
import { Dispatcher } from '../../../src/platform/realtime/protocol';
import { SocketDoors } from '../../../src/platform/realtime/transport';
import { loadSecrets } from '../../../src/platform/secrets';
import { startTestApp, type TestApp, type TestAppOptions, type TestTenant } from '../app';
import { until } from '../poll';
import { type ConnectOptions, WsClient } from './client';

/** Keeps what comes in on all connections, and holds new ones back when a test says so. */
export class RecordingHandler {
  readonly opening: AcceptedConnection[] = [];
  readonly messages: { readonly connection: AcceptedConnection; readonly text: string }[] = [];
  /** What `opened` waits for. */
  gate: Promise<void> = Promise.resolve();

  async opened(connection: AcceptedConnection): Promise<void> {
    this.opening.push(connection);
    await this.gate;
  }

  message(connection: AcceptedConnection, data: Buffer): void {
    this.messages.push({ connection, text: data.toString() });
  }

  /** The connection of the server that this client talks to. */
  async of(client: WsClient): Promise<AcceptedConnection> {
    const { connection_id: id } = await client.frame('hello');
    // Handlers are told one after the other, and those of the features ask the database.
    const find = (): AcceptedConnection | undefined => this.opening.find((connection) => connection.id === id);
    await until(
      () => Promise.resolve(find() !== undefined),
      (isTold) => isTold,
    );
    const found = find();
    if (!found) throw new Error('the handler was not told of this connection');
    return found;
  }

  textsOf(connection: AcceptedConnection): string[] {
    return this.messages.filter((message) => message.connection === connection).map(({ text }) => text);
  }
}

/** The real app, with a handler of the test's beside those of the features. */
export interface SocketApp extends TestApp {
  readonly nest: NestFastifyApplication;
  readonly handler: RecordingHandler;
  /** A socket of a user of this tenant. */
  open(tenant: TestTenant, userId?: string, options?: ConnectOptions): Promise<WsClient>;
}

export async function startSocketApp(options: TestAppOptions = {}): Promise<SocketApp> {
  const handler = new RecordingHandler();
  let nest: NestFastifyApplication | undefined;
  const app = await startTestApp({
    ...options,
    start: async (config, log) => {
      const lifecycle = new Lifecycle(log, config.runtime.shutdownGraceMs);
      const database = await openDatabase({ config: config.database, log, lifecycle, onProgress: () => undefined });
      nest = await createNest({ config, log, lifecycle, secrets: loadSecrets(config) }, database);
      watch(nest, handler);
      const listening = await listen(nest, config, lifecycle);
      return { ...listening, lifecycle, firstStart: undefined, newMasterKey: undefined };
    },
  });
  if (!nest) throw new Error('the app was not started');
  return {
    ...app,
    nest,
    handler,
    open: (tenant, userId = 'alice', more = {}) =>
      WsClient.connect(app.url, { ...more, headers: { ...keyOf(tenant, userId), ...more.headers } }),
  };
}

/** The handler is told last of each connection, and of what each message is after the server was. */
function watch(nest: NestFastifyApplication, handler: RecordingHandler): void {
  const [doors, dispatcher] = [nest.get(SocketDoors), nest.get(Dispatcher)];
  const openedOf = doors.openedOf.bind(doors);
  const message = dispatcher.message.bind(dispatcher);
  doors.openedOf = (path) => [...openedOf(path), (connection) => handler.opened(connection)];
  dispatcher.message = (door, connection, data, isBinary) => {
    message(door, connection, data, isBinary);
    handler.message(connection, data);
  };
}

/** The headers of a back end that acts as a user. */
export function keyOf(tenant: TestTenant, userId = 'alice'): Record<string, string> {
  return { 'x-api-key': tenant.apiKey, 'x-user-id': userId };
}
