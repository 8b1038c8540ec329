import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server at a private address, for what is sent to addresses that somebody else has chosen. */
export class ForeignServer {
  /** Method, host and path of each request. */
  readonly asked: string[] = [];
  answer: RequestListener = (_request, response) => void response.end('ok');
  private readonly server: Server = createServer((request, response) => {
    this.asked.push(`${request.method ?? ''} ${request.headers.host ?? ''}${request.url ?? ''}`);
    this.answer(request, response);
  });

  static async start(): Promise<ForeignServer> {
    const foreign = new ForeignServer();
    await new Promise<void>((resolve) => foreign.server.listen(0, '127.0.0.1', resolve));
    return foreign;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
