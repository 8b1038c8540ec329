import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ClientConfig } from 'pg';

/**
 * A door to PostgreSQL that can keep all bytes to itself for a while, drop its clients while PostgreSQL believes that they
 * are there, or lead to another one from some moment on.
 */
export class FreezableProxy {
  /** Connections so far. */
  accepted = 0;
  private readonly clients = new Set<Socket>();
  private readonly upstreams = new Set<Socket>();
  private held: (() => void)[] | undefined;

  private constructor(
    private readonly server: Server,
    private target: ClientConfig,
  ) {}

  /** Listens on a free TCP port in front of a PostgreSQL on a unix socket. */
  static async inFrontOf(target: ClientConfig): Promise<FreezableProxy> {
    const server = createServer();
    const door = new FreezableProxy(server, target);
    server.on('connection', (client) => door.accept(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return door;
  }

  /** Clients that hold on to their connection. */
  get open(): number {
    return this.clients.size;
  }

  /** How clients come in. */
  get connection(): ClientConfig {
    const { port } = this.server.address() as { port: number };
    return { ...this.target, host: '127.0.0.1', port };
  }

  /** New connections lead there, like a name that was given another address; those that are open stay where they are. */
  leadTo(target: ClientConfig): void {
    this.target = { ...this.target, host: target.host, port: target.port };
  }

  /** Connections are accepted and nobody gets an answer, as with a PostgreSQL under SIGSTOP. */
  freeze(): void {
    this.held ??= [];
  }

  /** What was held back goes on its way. */
  thaw(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const pass of held) pass();
  }

  /** Clients lose their connections; PostgreSQL does not hear of it. */
  cut(): void {
    for (const client of this.clients) client.removeAllListeners('end').destroy();
  }

  async close(): Promise<void> {
    for (const socket of [...this.clients, ...this.upstreams]) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    const upstream = connect(`${this.target.host ?? ''}/.s.PGSQL.${this.target.port ?? 5432}`);
    this.accepted++;
    this.clients.add(client);
    this.upstreams.add(upstream);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('close', () => this.clients.delete(client));
    upstream.on('close', () => this.upstreams.delete(upstream));
    client.on('data', (bytes) => this.pass(() => upstream.write(bytes)));
    client.on('end', () => this.pass(() => upstream.end()));
    upstream.on('data', (bytes) => this.pass(() => client.write(bytes)));
    upstream.on('end', () => this.pass(() => client.end()));
  }

  private pass(bytes: () => void): void {
    if (this.held) this.held.push(bytes);
    else bytes();
  }
}
