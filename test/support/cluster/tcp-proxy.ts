import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** The network between one node and a server: it lets everything through, keeps it, delays it, or is cut. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  /** What waits to go on; undefined: nothing is kept. */
  private kept: (() => void)[] | undefined;
  private delayMs = 0;
  private isCut = false;

  private constructor(
    private readonly server: Server,
    private readonly target: () => number,
  ) {}

  /** Listens on a free port. @param target the port on this machine to which it leads, asked for at every connection */
  static async to(target: () => number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, target);
    server.on('connection', (client) => proxy.accept(client));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Everything goes through, first what was kept. */
  pass(): void {
    this.isCut = false;
    this.delayMs = 0;
    const kept = this.kept ?? [];
    this.kept = undefined;
    for (const go of kept) go();
  }

  /** Connections stay and new ones are accepted, and nothing goes through. */
  blackhole(): void {
    this.kept ??= [];
  }

  /** Everything takes so much longer, each way. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** Connections break, and new ones are refused. */
  cut(): void {
    this.isCut = true;
    this.kept = undefined;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    if (this.isCut) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(this.target(), '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes) => this.carry(() => to.write(bytes)));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        this.carry(() => to.destroy());
      });
    }
  }

  private carry(go: () => void): void {
    if (this.kept !== undefined) this.kept.push(go);
    else if (this.delayMs > 0) setTimeout(go, this.delayMs);
    else go();
  }
}
