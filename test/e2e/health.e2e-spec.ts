import { SystemClock } from '../../src/common/time';
import { VERSION } from '../../src/common/version';
import { startTestApp, type TestApp } from '../support/app';
import { eventually } from '../support/embedded/processes';
import type { Bodies } from '../support/http/api';
import { RecordingLog } from '../support/recording-log';

let app: TestApp;
// A short deadline: what fails here fails by it.
beforeEach(async () => (app = await startTestApp({ env: { DATABASE_DEADLINE_MS: '3000' } })));
afterEach(() => app.close());

type Health = Bodies['HealthDto'];

/** The table that health writes to is somebody else's until the returned function is called. */
async function lockInstance(): Promise<() => Promise<void>> {
  const holder = await app.database.connect();
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE instance IN ACCESS EXCLUSIVE MODE');
  return () => holder.end();
}

describe('GET /health', () => {
  it('needs no credential and says that the database takes writes', async () => {
    const { status, body } = await app.anonymous.get<Health>('/health');
    expect(status).toBe(200);
    const uptime = expect.stringMatching(/^(\d+h)?(\d+m)?\d+s$/) as string;
    expect(body).toEqual({ status: 'ok', uptime, version: VERSION, db_writable: true });
    const [written] = await app.database.sql<{ at: Date | null }>('SELECT checked_at AS at FROM instance');
    expect(written?.at).not.toBeNull();
  });

  it('makes one write however many ask at the same time', async () => {
    const letGo = await lockInstance();
    const answers = Array.from({ length: 20 }, () => app.anonymous.get<Health>('/health'));
    const waiting = (): Promise<unknown[]> =>
      app.database.sql(
        `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
           AND query LIKE 'UPDATE instance SET checked_at%'`,
      );
    await eventually('the write waits', async () => (await waiting()).length > 0);
    expect(await waiting()).toHaveLength(1);
    await letGo();
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
  });

  it('a database that answers and takes no writes is an error, for which 503 stands', async () => {
    const letGo = await lockInstance();
    const { status, headers, body } = await app.anonymous.get<Health>('/health');
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(body).toMatchObject({ status: 'error', db_writable: false });
    // It answers: a lock is no outage, and requests may still be sent here.
    expect((await app.anonymous.get('/health/ready')).status).toBe(200);
    await letGo();
  });

  it('says by how much the clocks differ, where that is more than a second; so do the metrics and one warning', async () => {
    const hourMs = 3_600_000;
    const real = SystemClock.prototype.wallMs;
    jest.spyOn(SystemClock.prototype, 'wallMs').mockImplementation(() => real() + hourMs);
    const log = new RecordingLog();
    const late = await startTestApp({ log });
    try {
      const { status, body } = await late.anonymous.get<Health & { clock_offset_ms?: number }>('/health');
      expect([status, body.status]).toEqual([200, 'ok']);
      expect(Math.round((body.clock_offset_ms ?? 0) / hourMs)).toBe(-1);
      const metrics = await late.anonymous.get<string>('/metrics');
      expect(metrics.body).toMatch(/^chatapi_clock_offset_seconds -3[56]\d\d(\.\d+)?$/m);
      expect(log.lines.filter(({ message }) => message.startsWith('the clocks of this server'))).toHaveLength(1);
    } finally {
      jest.restoreAllMocks();
      await late.close();
    }
  });

  it('is never enveloped', async () => {
    const { body } = await app.anonymous.with({ 'x-response-format': 'envelope' }).get<Health>('/health');
    expect(Object.keys(body).sort()).toEqual(['db_writable', 'status', 'uptime', 'version']);
  });
});

describe('probes', () => {
  it('live and ready answer 200 while the server serves', async () => {
    for (const path of ['/health/live', '/health/ready', '/health/ready/'])
      expect((await app.anonymous.get(path)).body).toEqual({ status: 'ok' });
  });
});

describe('GET /metrics', () => {
  it('tells whether the database is there', async () => {
    const { status, headers, body } = await app.anonymous.get<string>('/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    expect(body).toMatch(/^chatapi_database_up 1$/m);
  });

  it('counts failures of database calls by reason', async () => {
    const letGo = await lockInstance();
    await app.anonymous.get('/health');
    await letGo();
    const { body } = await app.anonymous.get<string>('/metrics');
    expect(body).toMatch(/^chatapi_database_failures_total\{reason="deadline"\} 1$/m);
  });
});
