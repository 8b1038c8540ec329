import { newApiKey } from '../../src/modules/tenants/api-key';
import { MASTER_KEY, startTestApp, type TestApp, type TestTenant } from '../support/app';
import { JWT_SECRET, mintToken } from '../support/auth';
import { type Answer, type Api, errorOf, metricOf } from '../support/http/api';
import { RecordingLog } from '../support/recording-log';
import { withinOneWindow } from '../support/rate-headers';
import { type ConnectOptions, WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

const MOST = 20;

/** Another address each time, so that no test sees what another one has done. */
let addresses = 0;
const newAddress = (): string => `203.0.113.${++addresses}`;
const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });

describe('bad credentials', () => {
  const log = new RecordingLog();
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp({ log, env: { TRUST_PROXY: 'true', JWT_SECRET, METRICS_PUBLIC: 'false' } });
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  /** So many statuses of one minute, in the order of the calls. */
  async function inOneMinute(calls: number, call: (address: string) => Promise<number>): Promise<number[]> {
    const states = await withinOneWindow(
      async () => {
        const address = newAddress();
        const made = [];
        for (let i = 0; i < calls; i++) {
          const status = await call(address);
          made.push({ status, limit: 0, remaining: 0, reset: Math.floor(Date.now() / 60_000) });
        }
        return made;
      },
      () => true,
    );
    return states.map(({ status }) => status);
  }

  const limited = (calls: number): number[] => Array.from({ length: calls }, (_, i) => (i < MOST ? 401 : 429));
  const anonymous = (address: string): Api => app.anonymous.with(from(address));
  const statusOf = async (answer: Promise<Answer<unknown>>): Promise<number> => (await answer).status;
  const upgrade = (options: ConnectOptions): Promise<number> =>
    WsClient.refused(app.url, options).then(({ status }) => status);

  describe('S6: more than 20 a minute from one address are 429', () => {
    it.each<[string, (address: string) => Promise<number>]>([
      ['unknown API keys', (a) => statusOf(anonymous(a).with({ 'x-api-key': newApiKey() }).get('/rooms'))],
      ['malformed API keys', (a) => statusOf(anonymous(a).with({ 'x-api-key': 'nonsense' }).get('/rooms'))],
      ['API keys on the AI APIs', (a) => statusOf(anonymous(a).with({ 'x-api-key': 'x' }).get('/api/conversations'))],
      ['tokens', (a) => statusOf(anonymous(a).with({ authorization: 'Bearer a.b.c' }).get('/rooms'))],
      ['master keys', (a) => statusOf(anonymous(a).with({ 'x-master-key': 'wrong' }).get('/admin/tenants'))],
      ['master keys for the metrics', (a) => statusOf(anonymous(a).with({ 'x-master-key': 'wrong' }).get('/metrics'))],
      ['API keys at a socket', (a) => upgrade({ headers: { ...from(a), 'x-api-key': newApiKey(), 'x-user-id': 'a' } })],
      ['tokens at a socket', (a) => upgrade({ headers: from(a), query: { token: 'a.b.c' } })],
      ['tickets at a socket', (a) => upgrade({ headers: from(a), query: { token: 'wst_a.b.c' } })],
    ])('S6: %s', async (_name, call) => {
      expect(await inOneMinute(MOST + 5, call)).toEqual(limited(MOST + 5));
    });

    it('S6: the answer says when to come back, the log says it once, without a key, and it is counted', async () => {
      const address = newAddress();
      const keys = Array.from({ length: 60 }, newApiKey);
      let last: Answer<unknown> | undefined;
      for (const key of keys) last = await anonymous(address).with({ 'x-api-key': key }).get('/rooms');
      if (last === undefined) throw new Error('nothing was asked');
      expect([last.status, errorOf(last).code]).toEqual([429, 'RATE_LIMIT_EXCEEDED']);
      expect(Number(last.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(last.headers.get('retry-after'))).toBeLessThanOrEqual(60);
      const lines = log.lines.filter(({ fields }) => JSON.stringify(fields).includes(address));
      // Twice where a minute ended in between.
      expect([1, 2]).toContain(lines.length);
      expect(lines[0]).toMatchObject({ level: 'warn', fields: { address, kind: 'key', most: MOST } });
      for (const key of keys) expect(JSON.stringify(log.lines)).not.toContain(key);
      const series = 'chatapi_rate_limited_total{family="credentials"}';
      expect(await metricOf(app.master, series)).toBeGreaterThan(20);
    });

    it('S6: with close_codes=1 the socket says so', async () => {
      const address = newAddress();
      const options = { headers: from(address), query: { token: 'a.b.c', close_codes: '1' } };
      const codes: number[] = [];
      for (let i = 0; i <= 2 * MOST; i++) {
        const client = await WsClient.connect(app.url, options);
        codes.push((await client.ended()).code);
      }
      expect([codes[0], codes.at(-1)]).toEqual([4003, 4029]);
    });
  });

  it('S6: a key of which many are tried from everywhere is 429 too, by its readable beginning', async () => {
    const prefix = tenant.apiKey.slice(0, 14);
    const statuses = await inOneMinute(MOST + 5, () =>
      statusOf(
        anonymous(newAddress())
          .with({ 'x-api-key': `${prefix}${newApiKey().slice(14)}` })
          .get('/rooms'),
      ),
    );
    expect(statuses.at(-1)).toBe(429);
    // Its holder pays nothing.
    expect((await tenant.as('alice').get('/rooms')).status).toBe(200);
  });

  it('S6: good credentials of the same address are never refused, and each kind has its own window', async () => {
    const address = newAddress();
    const [wrongKey, wrongMaster] = [{ 'x-api-key': 'wrong' }, { 'x-master-key': 'wrong' }];
    for (let i = 0; i < 3 * MOST; i++) await anonymous(address).with(wrongMaster).get('/admin/tenants');
    expect((await anonymous(address).with(wrongKey).get('/rooms')).status).toBe(401);
    for (let i = 0; i < 3 * MOST; i++) await anonymous(address).with(wrongKey).get('/rooms');
    const { token } = await mintToken(tenant.key, 'alice');
    const good: [Record<string, string>, string][] = [
      [{ 'x-master-key': MASTER_KEY }, '/admin/tenants'],
      [{ 'x-api-key': tenant.apiKey, 'x-user-id': 'alice' }, '/rooms'],
      [{ authorization: `Bearer ${token}` }, '/rooms'],
    ];
    for (const [headers, path] of good) expect((await anonymous(address).with(headers).get(path)).status).toBe(200);
    const client = await WsClient.connect(app.url, { headers: { ...from(address), ...keyOf(tenant) } });
    await client.close();
    expect((await anonymous(newAddress()).with(wrongKey).get('/rooms')).status).toBe(401);
    // Nothing was shown at all.
    expect((await anonymous(address).get('/rooms')).status).toBe(401);
  });

  it('S6: a token that has expired is 401 however often it comes: its holder is to get a new one', async () => {
    const address = newAddress();
    const { token } = await mintToken(tenant.key, 'alice', 1);
    const ask = (): Promise<number> =>
      statusOf(
        anonymous(address)
          .with({ authorization: `Bearer ${token}` })
          .get('/rooms'),
      );
    while ((await ask()) === 200) await new Promise((resolve) => setTimeout(resolve, 50));
    for (let i = 0; i < 2 * MOST; i++) expect(await ask()).toBe(401);
  });

  it('S6: without TRUST_PROXY the header says nothing', async () => {
    const bare = await startTestApp();
    try {
      const statuses: number[] = [];
      for (let i = 0; i < 3 * MOST; i++)
        statuses.push(
          (await bare.anonymous.with({ ...from(newAddress()), 'x-api-key': 'wrong' }).get('/rooms')).status,
        );
      expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
    } finally {
      await bare.close();
    }
  });
});

describe('S5: a burst of upgrades with bad credentials', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    // One upgrade at a time and no queue: whoever takes a place refuses the next one.
    app = await startTestApp({ env: { WS_UPGRADES_AT_ONCE: '1', WS_UPGRADES_WAITING: '0' } });
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  it.each<[string, () => ConnectOptions]>([
    ['malformed keys', () => ({ headers: { 'x-api-key': 'chatapi_x', 'x-user-id': 'eve' } })],
    ['keys with a bad checksum', () => ({ headers: { 'x-api-key': `${newApiKey()}0`, 'x-user-id': 'eve' } })],
    ['invented keys', () => ({ headers: { 'x-api-key': newApiKey(), 'x-user-id': 'eve' } })],
    ['forged tokens', () => ({ query: { token: 'a.b.c' } })],
    ['forged tickets', () => ({ query: { token: 'wst_a.b.c' } })],
    ['nothing', () => ({})],
  ])('S5: %s take no place in the queue of upgrades', async (_name, options) => {
    const bad = Array.from({ length: 200 }, async () => (await WsClient.refused(app.url, options())).status);
    for (let i = 0; i < 5; i++) {
      const client = await WsClient.connect(app.url, { headers: keyOf(tenant) });
      await client.close();
    }
    for (const status of await Promise.all(bad)) expect([401, 429]).toContain(status);
  });
});
