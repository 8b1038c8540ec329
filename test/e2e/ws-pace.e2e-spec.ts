import { Database, SystemDatabase } from '../../src/platform/database';
import type { TestTenant } from '../support/app';
import { metricOf } from '../support/http/api';
import { until } from '../support/poll';
import { WsClient } from '../support/ws/client';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';

describe('more upgrades than are taken at once', () => {
  let app: SocketApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startSocketApp({ env: { WS_UPGRADES_AT_ONCE: '2', WS_UPGRADES_WAITING: '1' } });
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  const refusals = (): Promise<number> => metricOf(app.anonymous, 'chatapi_ws_refused_total{reason="paced"}');

  it('wait, and the rest is told to come back, before the database is asked', async () => {
    let open: () => void = () => undefined;
    app.handler.gate = new Promise((resolve) => (open = resolve));
    const inWork = [await app.open(tenant), await app.open(tenant)];
    await until(
      async () => app.handler.opening.length,
      (n) => n === 2,
    );
    const waiting = app.open(tenant);
    const spies = [Database, SystemDatabase].flatMap(({ prototype }) => [
      jest.spyOn(prototype, 'query'),
      jest.spyOn(prototype, 'transaction'),
    ]);
    const askedFor = (user: string): unknown[] =>
      spies.flatMap(({ mock }) =>
        mock.calls.flatMap(([name, ...args]) => (JSON.stringify(args).includes(`"${user}"`) ? [name] : [])),
      );
    try {
      const refused = await until(
        () => WsClient.refused(app.url, { headers: keyOf(tenant, 'late') }),
        ({ status }) => status === 503,
      );
      expect(refused.body.error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', details: { outcome: 'none' } });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      const told = await WsClient.connect(app.url, { headers: keyOf(tenant, 'late'), query: { close_codes: '1' } });
      const error = await told.frame('error');
      expect(error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryable: true });
      expect(error['retry_after_ms']).toBeGreaterThanOrEqual(1000);
      expect((await told.ended()).code).toBe(1013);
      // Those that are being opened ask meanwhile, and so does the server by itself.
      expect(askedFor('late')).toEqual([]);
      expect(await refusals()).toBe(2);
      open();
      const clients = [...inWork, await waiting, await app.open(tenant, 'late')];
      for (const client of clients) await client.ask({ type: 'ping' });
      await Promise.all(clients.map((client) => client.close()));
      expect(askedFor('late')).toContain('positions and cursors of users');
    } finally {
      for (const spy of spies) spy.mockRestore();
      open();
    }
  });
});
