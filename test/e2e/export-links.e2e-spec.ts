import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { JWT_SECRET, mintToken } from '../support/auth';
import { exportPath, fileAt, linesIn, ofKind, readyExport } from '../support/exports';
import { type Bodies } from '../support/http/api';
import { captureLog } from '../support/recording-log';
import { bodyOf, createRoom, refusal, sendAll } from '../support/rooms';

const NO_GOOD = { status: 401, code: 'AUTHENTICATION_ERROR' };

describe('a link to the file of an export', () => {
  const log = captureLog('trace');
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp({ log: log.log, env: { JWT_SECRET } });
    tenant = await app.tenant();
    const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
    await sendAll(tenant.as('bob'), room_id, ['hello']);
  });
  afterAll(() => app.close());

  const linkTo = async (userId?: string): Promise<string> => {
    const { export_id } = await readyExport(tenant.key, tenant, userId);
    const path = exportPath(tenant, userId, `/${export_id}/link`);
    const { url, expires_in } = bodyOf(await tenant.key.post<Bodies['FileTicketDto']>(path));
    expect(expires_in).toBe(60);
    return url;
  };

  it.each([undefined, 'bob'])('gives the file to whoever has it, once (user: %s)', async (userId) => {
    const url = await linkTo(userId);
    const { status, headers, bytes } = await fileAt(app.anonymous, url);
    expect(status).toBe(200);
    expect(ofKind(linesIn(bytes), 'message')).toMatchObject([{ content: 'hello' }]);
    const whose = userId === undefined ? 'tenant' : 'user';
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/gzip',
      'content-length': String(bytes.length),
      'content-disposition': expect.stringMatching(
        new RegExp(`^attachment; filename="chatapi-${whose}-exp_[0-9a-f]{32}\\.ndjson\\.gz"$`),
      ),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(headers.get('content-encoding')).toBeNull();
    expect(refusal(await app.anonymous.get(url))).toEqual(NO_GOOD);
  });

  it('lets one of several who use it at once have the file', async () => {
    const url = await linkTo();
    const answers = await Promise.all(Array.from({ length: 10 }, () => fileAt(app.anonymous, url)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 401)]);
  });

  it('is the only thing that opens it without a key', async () => {
    const { token } = await mintToken(tenant.key, 'alice');
    const socket = bodyOf(await tenant.as('alice').post<Bodies['TicketDto']>('/ws/token')).token;
    const good = await linkTo();
    const forged = `${good.slice(0, -4)}AAAA`;
    const others = ['', `?ticket=${token}`, `?ticket=ft_${token}`, `?ticket=${socket}`, '?ticket=ft_', '?ticket='];
    for (const url of [...others.map((query) => `/exports/file${query}`), forged])
      expect([url, refusal(await app.anonymous.get(url))]).toEqual([url, NO_GOOD]);
    // It is no credential of any other kind.
    const ticket = good.split('=')[1] ?? '';
    const asToken = app.anonymous.with({ authorization: `Bearer ${ticket.slice('ft_'.length)}` });
    expect((await asToken.get('/rooms')).status).toBe(401);
    expect((await fileAt(app.anonymous, good)).status).toBe(200);
  });

  it('leads nowhere once the file has expired', async () => {
    const url = await linkTo();
    await app.database.sql(`UPDATE exports SET expires_at = now() WHERE state = 'ready'`);
    expect(refusal(await app.anonymous.get(url))).toEqual({ status: 409, code: 'CONFLICT' });
  });

  it('is in no log, and nothing of the file is', () => {
    expect(log.text()).toContain('/exports/file');
    expect(log.text()).not.toMatch(/ft_|ticket=|hello/);
  });

  it('is in the audit log as it was made, and so is what a key has downloaded', async () => {
    const { export_id } = await readyExport(app.master, tenant);
    await fileAt(app.master, exportPath(tenant, undefined, `/${export_id}/file`));
    const path = `/admin/audit?tenant_id=${tenant.tenantId}&limit=100`;
    const { items } = bodyOf(await app.master.get<Bodies['AuditPageDto']>(path));
    const counts = new Map<string, number>();
    for (const { action } of items) counts.set(action, (counts.get(action) ?? 0) + 1);
    expect(Object.fromEntries([...counts].filter(([action]) => action.includes('export')))).toEqual({
      ...{ 'tenant.export': 5, 'tenant.export_link': 4, 'tenant.export_file': 1 },
      ...{ 'user.export': 1, 'user.export_link': 1 },
    });
  });
});
