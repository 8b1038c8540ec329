import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ClientConfig } from 'pg';

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

/** A door to PostgreSQL that can stop passing bytes, or drop its clients while PostgreSQL believes that they are there. */
export class FrozenServer {
  private readonly pairs = new Set<Pair>();
  private frozen = false;
  /** Connections so far. */
  accepted = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: ClientConfig,
  ) {}

  /** Listens on a free TCP port in front of a PostgreSQL on a unix socket. */
  static async inFrontOf(target: ClientConfig): Promise<FrozenServer> {
    const server = createServer();
    const door = new FrozenServer(server, target);
    server.on('connection', (client) => door.accept(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return door;
  }

  /** Clients that hold on to their connection. */
  get open(): number {
    return [...this.pairs].filter(({ client }) => !client.destroyed).length;
  }

  /** How clients come in. */
  get connection(): ClientConfig {
    const { port } = this.server.address() as { port: number };
    return { ...this.target, host: '127.0.0.1', port };
  }

  /** No byte passes any more, in no direction; new connections are accepted and get no answer. */
  freeze(): void {
    this.frozen = true;
    for (const { client, upstream } of this.pairs) {
      client.pause();
      upstream.pause();
    }
  }

  thaw(): void {
    this.frozen = false;
    for (const { client, upstream } of this.pairs) {
      client.resume();
      upstream.resume();
    }
  }

  /** Clients lose their connections; PostgreSQL does not hear of it. */
  cut(): void {
    for (const pair of this.pairs) {
      pair.client.destroy();
    }
  }

  async close(): Promise<void> {
    for (const { client, upstream } of this.pairs) {
      client.destroy();
      upstream.destroy();
    }
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    const upstream = connect(`${this.target.host ?? ''}/.s.PGSQL.${this.target.port ?? 5432}`);
    const pair = { client, upstream };
    this.accepted++;
    this.pairs.add(pair);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('data', (bytes) => upstream.write(bytes));
    client.on('end', () => upstream.end());
    upstream.on('data', (bytes) => client.write(bytes));
    upstream.on('end', () => client.end());
    if (!this.frozen) return;
    client.pause();
    upstream.pause();
  }
}
