import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { type Answer, type Bodies, errorOf } from '../support/http/api';
import { deadJob } from '../support/jobs';
import { bodyOf } from '../support/rooms';
import { createKey, withKey } from '../support/tenants';

type Jobs = Bodies['JobsDto'];

describe('jobs, for operators', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let foreign: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
    [tenant, foreign] = await Promise.all([app.tenant(), app.tenant()]);
  });
  beforeEach(() => app.database.sql('DELETE FROM jobs'));
  afterAll(() => app.close());

  const run = (id: string, of = tenant, by = app.master): Promise<Answer<Bodies['JobDto']>> =>
    by.post(`/admin/jobs/${id}/run?tenant_id=${of.tenantId}`);

  it('are told by kind, and listed with their errors and ids, never with what they carry', async () => {
    const id = await deadJob(app.database, tenant);
    await deadJob(app.database, tenant, 'queued');
    await deadJob(app.database, foreign);
    const { kinds, items, next } = bodyOf(await tenant.key.get<Jobs>('/admin/jobs'));
    expect(kinds).toEqual([{ kind: 'nobodys', queued: 1, running: 0, dead: 1, oldest_due_at: expect.any(String) }]);
    expect(items).toEqual([
      {
        job_id: id,
        tenant_id: tenant.tenantId,
        kind: 'nobodys',
        key: 'key',
        state: 'dead',
        attempts: 3,
        last_error: 'boom',
        about: { room_id: 'a-room' },
        created_at: expect.any(String),
        due_at: expect.any(String),
        dead_at: expect.any(String),
      },
    ]);
    expect(next).toBeNull();
    expect(bodyOf(await tenant.key.get<Jobs>('/admin/jobs?state=queued')).items).toHaveLength(1);
    expect(bodyOf(await tenant.key.get<Jobs>('/admin/jobs?kind=others'))).toEqual({ kinds: [], items: [], next: null });
  });

  it('of all tenants are seen with the master key, page by page', async () => {
    const ids = [await deadJob(app.database, tenant), await deadJob(app.database, foreign)];
    const first = bodyOf(await app.master.get<Jobs>('/admin/jobs?limit=1'));
    const second = bodyOf(await app.master.get<Jobs>(`/admin/jobs?limit=1&cursor=${first.next ?? ''}`));
    expect([...first.items, ...second.items].map(({ job_id }) => job_id)).toEqual(ids);
    expect([first.kinds[0]?.dead, second.next]).toEqual([2, null]);
    const own = bodyOf(await app.master.get<Jobs>(`/admin/jobs?tenant_id=${foreign.tenantId}`));
    expect(own.items.map(({ tenant_id }) => tenant_id)).toEqual([foreign.tenantId]);
  });

  it('are run now: those that were given up, and those that wait', async () => {
    for (const state of ['dead', 'queued'] as const) {
      const id = await deadJob(app.database, tenant, state);
      const job = bodyOf(await run(id));
      expect(job).toMatchObject({ job_id: id, state: 'queued', attempts: state === 'dead' ? 0 : 3, dead_at: null });
      expect(Date.parse(job.due_at)).toBeLessThanOrEqual(Date.now() + 60_000);
    }
  });

  it('are not run twice by one Idempotency-Key', async () => {
    const id = await deadJob(app.database, tenant);
    const by = app.master.with({ 'idempotency-key': 'once' });
    const first = bodyOf(await run(id, tenant, by));
    await app.database.sql(`UPDATE jobs SET state = 'dead', ended_at = now() WHERE id = $1`, [id]);
    const again = await run(id, tenant, by);
    expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([first, 'true']);
    expect(await app.database.sql('SELECT state FROM jobs WHERE id = $1', [id])).toEqual([{ state: 'dead' }]);
  });

  it('that run are 409; those that are gone, foreign or none are 404', async () => {
    const running = await run(await deadJob(app.database, tenant, 'running'));
    expect([running.status, errorOf(running).details]).toEqual([409, expect.objectContaining({ reason: 'running' })]);
    const id = await deadJob(app.database, foreign);
    for (const none of [id, '1', '0', '-1', '1e3', 'job', '99999999999999999999'])
      expect([none, (await run(none)).status]).toEqual([none, 404]);
    expect(await app.database.sql('SELECT state FROM jobs WHERE id = $1', [id])).toEqual([{ state: 'dead' }]);
  });

  it('are the business of operators', async () => {
    const chat = withKey(app, (await createKey(app, tenant, { scopes: ['chat'] })).api_key);
    expect((await chat.get('/admin/jobs')).status).toBe(403);
    expect((await tenant.key.get(`/admin/jobs?tenant_id=${foreign.tenantId}`)).status).toBe(404);
    const id = await deadJob(app.database, tenant);
    expect((await run(id, tenant, tenant.key)).status).toBe(403);
    const nobodys = await app.master.post(`/admin/jobs/${id}/run`);
    expect([nobodys.status, errorOf(nobodys).field]).toEqual([400, 'tenant_id']);
  });

  it.each([
    ['cursor', 'cursor=nonsense'],
    ['state', 'state=done'],
    ['tenant_id', 'state=queued'],
    ['limit', 'limit=101'],
  ])('a bad %s is 400', async (field, query) => {
    const answer = await app.master.get(`/admin/jobs?${query}`);
    expect([answer.status, errorOf(answer).field]).toEqual([400, field]);
  });
});
