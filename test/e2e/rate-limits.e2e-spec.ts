import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Answer, type Api, errorOf } from '../support/http/api';
import { byWindow, rateOf, type RateState, withinOneWindow } from '../support/rate-headers';
import { createRoom } from '../support/rooms';

const HIGH = 100_000;
/** Valid JSON: what it holds is too large, not the escapes that it came with. */
const TOO_LARGE = Buffer.from(JSON.stringify('x'.repeat(300 * 1024)));

function stateOf(answer: Answer<unknown>): RateState {
  const state = rateOf(answer);
  if (!state) throw new Error(`no rate headers on ${answer.status} ${JSON.stringify(answer.body)}`);
  return state;
}

describe('rate limits', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  const limited = (requests_per_second: number | null): Promise<TestTenant> =>
    app.tenant({ requests_per_second, ai_requests_per_minute: null });
  const setLimit = (tenant: TestTenant, requests_per_second: unknown): Promise<Answer> =>
    app.master.patch(`/admin/tenants/${tenant.tenantId}`, { limits: { requests_per_second } });

  /** Calls until one is refused. */
  async function burst(client: Api, path: string, most = 2000): Promise<Answer<unknown>[]> {
    const answers: Answer<unknown>[] = [];
    while (answers.length < most && answers.at(-1)?.status !== 429) answers.push(await client.get(path));
    return answers;
  }

  it('lets a tenant make that many requests per window and refuses the others with 429', async () => {
    const tenant = await limited(5);
    const alice = tenant.as('alice');
    const answers = await burst(alice, '/rooms');
    for (let i = 0; i < 20; i++) answers.push(await alice.get('/rooms'));
    for (const window of byWindow(answers.map(stateOf))) {
      expect(window.map((state) => state.remaining)).toEqual(window.map((_, i) => Math.max(0, 4 - i)));
      expect(window.map((state) => state.status)).toEqual(window.map((_, i) => (i < 5 ? 200 : 429)));
      expect(new Set(window.map((state) => state.limit))).toEqual(new Set([5]));
    }
    expect(answers.map((answer) => answer.status)).toContain(429);
    expect(answers.map((answer) => answer.status)).toContain(200);
  });

  it('S26: says in the 429 when to come back, in words that fit the number', async () => {
    const alice = (await limited(0)).as('alice');
    const answer = await alice.get('/rooms');
    expect(errorOf(answer)).toMatchObject({
      code: 'RATE_LIMIT_EXCEEDED',
      message: 'Rate limit exceeded. Try again in 1 second',
    });
    expect(answer.headers.get('retry-after')).toBe('1');
    const { limit, remaining, reset } = stateOf(answer);
    expect([limit, remaining]).toEqual([0, 0]);
    expect(Math.abs(reset - Date.now() / 1000)).toBeLessThan(10);
  });

  it('works again in a later window', async () => {
    const alice = (await limited(1)).as('alice');
    const answers = await burst(alice, '/rooms');
    const full = stateOf(answers.at(-1) as Answer<unknown>).reset;
    let next = await alice.get('/rooms');
    while (stateOf(next).reset <= full) next = await alice.get('/rooms');
    expect([next.status, stateOf(next).remaining]).toEqual([200, 0]);
  });

  it('puts the headers on every authenticated answer, errors included', async () => {
    const tenant = await limited(HIGH);
    const other = await limited(HIGH);
    const alice = tenant.as('alice');
    const token = bearer(app.anonymous, (await mintToken(tenant.key, 'dora')).token);
    const { room_id } = await createRoom(alice, 'group');
    const answers: [number, Answer<unknown>][] = [
      [200, await tenant.as('dora').get('/rooms')],
      [201, await alice.post('/rooms', { type: 'group' })],
      [204, await alice.delete(`/rooms/${(await createRoom(alice, 'group')).room_id}`)],
      [400, await alice.post('/rooms', { type: 'nonsense' })],
      [400, await alice.post('/rooms', undefined, { raw: '{' })],
      [400, await alice.get('/rooms?limit=0')],
      [400, await tenant.as('a b').get('/rooms')],
      [401, await tenant.key.get('/rooms')],
      [403, await tenant.as('bob').get(`/rooms/${room_id}`)],
      [403, await token.post('/tokens', { user_id: 'alice' })],
      [403, await tenant.key.get('/admin/tenants')],
      [404, await alice.get(`/rooms/room_${'0'.repeat(32)}`)],
      [404, await alice.get('/rooms/nonsense')],
      [404, await tenant.key.get(`/admin/tenants/${other.tenantId}`)],
      [413, await alice.post('/rooms', undefined, { raw: TOO_LARGE })],
      [415, await alice.post('/rooms', undefined, { raw: 'x', headers: { 'content-type': 'text/plain' } })],
      [201, await tenant.key.post('/tokens', { user_id: 'alice' })],
      [200, await alice.post('/ws/token')],
      [200, await token.get('/rooms?limit=1')],
      [200, await tenant.key.get(`/admin/tenants/${tenant.tenantId}`)],
    ];
    expect(answers.map(([, answer]) => answer.status)).toEqual(answers.map(([status]) => status));
    for (const [, answer] of answers) expect(stateOf(answer).limit).toBe(HIGH);
    expect(stateOf(await app.master.get('/admin/tenants')).limit).toBe(100);
  });

  it('has no headers where nobody is known: public routes and bad credentials', async () => {
    const answers = [
      await app.anonymous.get('/health'),
      await app.anonymous.get('/rooms'),
      await app.anonymous.with({ 'x-api-key': 'bad' }).get('/rooms'),
      await (await limited(HIGH)).as('alice').get('/health'),
    ];
    expect(answers.map((answer) => rateOf(answer))).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('null is unlimited and leaves the headers out', async () => {
    const alice = (await limited(null)).as('alice');
    const answers = await Promise.all(Array.from({ length: 150 }, () => alice.get('/rooms')));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    expect(answers.filter((answer) => rateOf(answer) !== undefined)).toEqual([]);
  });

  it('is 100 by default', async () => {
    const tenant = await app.tenant({});
    expect(stateOf(await tenant.as('alice').get('/rooms')).limit).toBe(100);
  });

  it('0 refuses everything: keys, tokens, tickets, admin; the master key still works', async () => {
    const tenant = await limited(HIGH);
    const token = bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token);
    await setLimit(tenant, 0);
    const statuses = [
      await tenant.as('alice').get('/rooms'),
      await token.get('/rooms'),
      await tenant.key.post('/tokens', { user_id: 'alice' }),
      await tenant.as('alice').post('/ws/token'),
      await tenant.key.get(`/admin/tenants/${tenant.tenantId}`),
    ].map((answer) => answer.status);
    expect(statuses).toEqual([429, 429, 429, 429, 429]);
    expect((await app.master.get(`/admin/tenants/${tenant.tenantId}`)).status).toBe(200);
  });

  it('changes without a restart', async () => {
    const tenant = await limited(0);
    const alice = tenant.as('alice');
    const seen: unknown[] = [];
    for (const limit of [0, HIGH, null, 'default', 0]) {
      await setLimit(tenant, limit);
      const answer = await alice.get('/rooms');
      seen.push([answer.status, rateOf(answer)?.limit]);
    }
    expect(seen).toEqual([
      [429, 0],
      [200, HIGH],
      [200, undefined],
      [200, 100],
      [429, 0],
    ]);
  });

  it('counts before the body is read: a broken or too large body is counted, and is 429 beyond the limit', async () => {
    const tenant = await limited(HIGH);
    const alice = tenant.as('alice');
    const bodies = ['{', '{"type":"nonsense"}', TOO_LARGE, 'null'];
    const window = await withinOneWindow(
      async () => {
        const states = [stateOf(await alice.get('/rooms'))];
        for (const raw of bodies) states.push(stateOf(await alice.post('/rooms', undefined, { raw })));
        return states;
      },
      (states) => states.length === bodies.length + 1,
    );
    expect(window.map((state) => state.status)).toEqual([200, 400, 400, 413, 400]);
    const first = window[0]?.remaining ?? NaN;
    expect(window.map((state) => state.remaining)).toEqual(window.map((_, i) => first - i));

    await setLimit(tenant, 0);
    for (const raw of bodies) expect((await alice.post('/rooms', undefined, { raw })).status).toBe(429);
  });

  it('is one counter for a whole tenant: all users, keys, tokens and routes', async () => {
    const tenant = await limited(HIGH);
    const token = bearer(app.anonymous, (await mintToken(tenant.key, 'carol')).token);
    const window = await withinOneWindow(
      async () => {
        const answers: Answer<unknown>[] = [
          await tenant.as('alice').get('/rooms'),
          await tenant.as('bob').get('/rooms'),
          await token.get('/rooms'),
          await tenant.key.post('/tokens', { user_id: 'alice' }),
          await tenant.as('alice').post('/ws/token'),
          await tenant.key.get(`/admin/tenants/${tenant.tenantId}`),
          await tenant.key.get('/rooms'),
          await tenant.key.get('/admin/tenants'),
        ];
        return answers.map(stateOf);
      },
      (states) => states.length === 8,
    );
    const first = window[0]?.remaining ?? NaN;
    expect(window.map((state) => state.remaining)).toEqual(window.map((_, i) => first - i));
  });

  it('is a counter of its own for each tenant', async () => {
    const [one, two] = [await limited(3), await limited(3)];
    await burst(one.as('alice'), '/rooms');
    const answer = await two.as('alice').get('/rooms');
    expect([answer.status, stateOf(answer).remaining]).toEqual([200, 2]);
  });

  it('counts concurrent requests exactly', async () => {
    const alice = (await limited(10)).as('alice');
    const answers = await Promise.all(Array.from({ length: 60 }, () => alice.get('/rooms')));
    for (const window of byWindow(answers.map(stateOf))) {
      const served = window.filter((state) => state.status === 200);
      expect(served).toHaveLength(Math.min(10, window.length));
      expect(new Set(served.map((state) => state.remaining)).size).toBe(served.length);
    }
  });

  // The last one: it uses up what the other tests make their tenants with.
  it('the master key has 100 a second, whatever the tenant', async () => {
    const tenant = await limited(0);
    const path = `/admin/tenants/${tenant.tenantId}`;
    let answers: Answer<unknown>[] = [];
    for (let round = 0; round < 20 && !answers.some((answer) => answer.status === 429); round++)
      answers = await Promise.all(Array.from({ length: 300 }, () => app.master.get(path)));
    const windows = byWindow(answers.map(stateOf));
    expect(windows.some((window) => window.some((state) => state.status === 429))).toBe(true);
    for (const window of windows) {
      expect(window.filter((state) => state.status !== 429).length).toBeLessThanOrEqual(100);
      expect(new Set(window.map((state) => state.limit))).toEqual(new Set([100]));
    }
    expect(errorOf(answers.find((answer) => answer.status === 429) as Answer<unknown>).code).toBe(
      'RATE_LIMIT_EXCEEDED',
    );
  });
});
