import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createNest, listen } from '../../../src/nest';
import { openDatabase } from '../../../src/platform/database';
import { Lifecycle } from '../../../src/platform/lifecycle';
import type { AcceptedConnection } from '../../../src/realtime';
import { SocketEndpoints } from '../../../src/realtime/transport';
import { SocketConnection } from '../../../src/realtime/transport/socket-connection';
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
    this.listen(connection);
    await this.gate;
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

  /** Between the connection and the dispatcher: it is read only when it has been opened. */
  private listen(connection: AcceptedConnection): void {
    if (!(connection instanceof SocketConnection) || connection.reader === undefined)
      throw new Error('the connection is bound before it is opened');
    const { reader } = connection;
    connection.reader = {
      message: (endpoint, from, data, isBinary) => {
        this.messages.push({ connection: from, text: data.toString() });
        reader.message(endpoint, from, data, isBinary);
      },
    };
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
      const lifecycle = Lifecycle.configured(log, config.runtime);
      const database = await openDatabase({ config: config.database, log, lifecycle, onProgress: () => undefined });
      nest = await createNest({ config, log, lifecycle, secrets: loadSecrets(config) }, database);
      const endpoints = nest.get(SocketEndpoints);
      const openedOf = endpoints.openedOf.bind(endpoints);
      // Told last.
      endpoints.openedOf = (path) => [...openedOf(path), (connection) => handler.opened(connection)];
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

/** The headers of a back end that acts as a user. */
export function keyOf(tenant: TestTenant, userId = 'alice'): Record<string, string> {
  return { 'x-api-key': tenant.apiKey, 'x-user-id': userId };
}
