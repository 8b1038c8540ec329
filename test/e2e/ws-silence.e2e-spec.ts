import type { TestTenant } from '../support/app';
import { clientFrame, RawSocket } from '../support/ws/raw';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: SocketApp;
let tenant: TestTenant;

beforeAll(async () => {
  app = await startSocketApp({ env: { WS_HEARTBEAT_MS: '200', WS_SILENCE_MS: '700' } });
  tenant = await app.tenant({ requests_per_second: null, ws_messages_per_second: null });
});
afterAll(() => app.close());

describe('4000', () => {
  it('closes a client that answers no ping, and none that does', async () => {
    const healthy = await app.open(tenant, 'healthy');
    const raw = await RawSocket.upgraded(app.url, keyOf(tenant, 'silent'));
    expect(await raw.closeCode()).toBe(4000);
    raw.destroy();
    // It was there before: it has outlived the silence.
    await healthy.settled();
    expect(healthy.isOpen).toBe(true);
    await healthy.close();
  });

  it('any frame is a sign of life', async () => {
    const raw = await RawSocket.upgraded(app.url, keyOf(tenant, 'talker'));
    for (let pings = 0; pings < 8;) {
      const { opcode } = await raw.frame();
      if (opcode === 8) throw new Error('closed although it talked');
      if (opcode !== 9) continue;
      pings++;
      raw.write(clientFrame(1, '{"type":"ping"}'));
    }
    raw.destroy();
  });

  it('a socket that the server does not read is not silent', async () => {
    const client = await app.open(tenant, 'paused');
    const connection = await app.handler.of(client);
    connection.pause();
    const pings = new Promise<void>((resolve) => {
      let n = 0;
      client.ws.on('ping', () => ++n === 6 && resolve());
    });
    await pings;
    expect(client.isOpen).toBe(true);
    connection.resume();
    await client.close();
  });
});
