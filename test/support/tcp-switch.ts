import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** The address of a database that fails over: it leads to one port of this machine, and later to another. */
export class TcpSwitch {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((client) => this.accept(client));

  private constructor(private target: number) {}

  static async to(port: number): Promise<TcpSwitch> {
    const door = new TcpSwitch(port);
    await new Promise<void>((resolve) => door.server.listen(0, '127.0.0.1', resolve));
    return door;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** New connections lead there; those that are open stay where they are. */
  leadTo(port: number): void {
    this.target = port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    const upstream = connect(this.target, '127.0.0.1');
    const pair = [client, upstream];
    for (const socket of pair) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        for (const each of pair) each.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  }
}
