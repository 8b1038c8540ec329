import { WsAdapter } from '@nestjs/platform-ws';
import { WebSocketServer } from 'ws';

/**
 * What Nest finds when it meets a gateway: a server that nobody connects to. Sockets come through `Upgrades`; what
 * gateways declare is read by the dispatcher, never bound by Nest.
 */
export class SilentWsAdapter extends WsAdapter {
  override create(): WebSocketServer {
    return new WebSocketServer({ noServer: true, clientTracking: false });
  }

  override close(server: WebSocketServer): Promise<void> {
    return new Promise((resolve) => server.close(() => resolve()));
  }
}
