import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExportFiles } from '../../src/modules/transfer/exports/export-files';
import type { LinesOfKind } from '../../src/modules/transfer/exports/export-text';
import { ExportRunner } from '../../src/modules/transfer/exports/export.job';
import { ExportsRepository } from '../../src/modules/transfer/exports/exports.repository';
import { ExportSweep } from '../../src/modules/transfer/exports/sweep';
import { ExportSweepRepository } from '../../src/modules/transfer/exports/sweep.repository';
import type { Snapshot } from '../../src/platform/database';
import type { Job } from '../../src/platform/jobs';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { linesIn } from '../support/exports';
import { openTestDatabase, type OpenTestDatabase } from '../support/open-database';

const TENANT = '01900000-0000-7000-8000-0000000000a1';
const OTHER = '01900000-0000-7000-8000-0000000000a2';
const never = new AbortController().signal;

let db: OpenTestDatabase;
let dataDir: string;

beforeAll(async () => {
  db = await openTestDatabase();
  for (const tenant of [TENANT, OTHER])
    await db.database.sql(`INSERT INTO tenants (tenant_id, name) VALUES ($1, 'test')`, [tenant]);
  dataDir = mkdtempSync(join(tmpdir(), 'chatapi-exports-'));
});
afterAll(async () => {
  await db.close();
  rmSync(dataDir, { recursive: true });
});

describe('a snapshot', () => {
  const addUsers = async (tenant: string, from: number, to: number): Promise<void> => {
    await db.database.sql(
      `INSERT INTO users (tenant_id, user_id) SELECT $1, 'user-' || lpad(n::text, 5, '0') FROM generate_series($2::int, $3::int) n`,
      [tenant, from, to],
    );
  };
  const USERS = 'SELECT user_id FROM users WHERE tenant_id = $1 ORDER BY user_id';

  it('shows one tenant at one moment, some rows at a time', async () => {
    await addUsers(TENANT, 1, 350);
    await addUsers(OTHER, 1, 5);
    const sizes: number[] = [];
    await db.open.snapshots.take(TENANT, never, async (snapshot) => {
      let next = 351;
      for await (const rows of snapshot.pages(USERS, [TENANT])) {
        sizes.push(rows.length);
        await addUsers(TENANT, next, next++);
      }
      // Whatever the SQL asks for.
      expect(await snapshot.query('SELECT DISTINCT tenant_id FROM users')).toEqual([{ tenant_id: TENANT }]);
      expect(await snapshot.query('SELECT count(*) AS n FROM users')).toEqual([{ n: 350 }]);
      const first = snapshot.pages(USERS, [TENANT]);
      const second = snapshot.pages(USERS, [TENANT]);
      expect((await first.next()).value).toEqual((await second.next()).value);
    });
    expect(sizes).toEqual([100, 100, 100, 50]);
  });

  it('writes nothing', async () => {
    const write = db.open.snapshots.take(TENANT, never, (snapshot) =>
      snapshot.query(`UPDATE users SET profile = '{"a":1}' WHERE tenant_id = $1`, [TENANT]),
    );
    await expect(write).rejects.toMatchObject({ cause: { code: '25006' } });
  });

  it('ends at once when it is stopped, whatever it waits for', async () => {
    const stop = new AbortController();
    const waiting = db.open.snapshots.take(TENANT, stop.signal, async (snapshot) => {
      const slow = snapshot.query('SELECT pg_sleep(600)');
      stop.abort(new Error('stopped'));
      return slow;
    });
    await expect(waiting).rejects.toThrow('stopped');
    await expect(db.open.snapshots.take(TENANT, stop.signal, () => Promise.resolve())).rejects.toThrow('stopped');
  });
});

/** Lines that come when they are let go. */
class GatedSources {
  private readonly gates: (() => void)[] = [];
  private begun: (() => void)[] = [];
  calls = 0;

  userLines(): AsyncGenerator<LinesOfKind> {
    throw new Error('not asked for here');
  }

  async *tenantLines(_snapshot: Snapshot, signal: AbortSignal): AsyncGenerator<LinesOfKind> {
    const call = ++this.calls;
    yield { kind: 'subscription', rows: [lineOf(call)] };
    for (const told of this.begun.splice(0)) told();
    await new Promise<void>((resolve) => this.gates.push(resolve));
    signal.throwIfAborted();
    yield { kind: 'subscription', rows: [lineOf(call)] };
  }

  waiting(): Promise<void> {
    return new Promise((resolve) => this.begun.push(resolve));
  }

  /** The one that began first goes last where there are two. */
  release(which: number): void {
    this.gates.splice(which, 1)[0]?.();
  }
}

function lineOf(call: number): object {
  return { subscription_id: `sub_${call}`, user_id: 'alice', topic: 't', created_at: new Date(0) };
}

describe('the writing of an export', () => {
  let sources: GatedSources;
  let repository: ExportsRepository;
  let files: ExportFiles;
  let runner: ExportRunner;
  let id: string;

  beforeEach(async () => {
    await db.database.sql('DELETE FROM exports');
    rmSync(join(dataDir, 'exports'), { recursive: true, force: true });
    sources = new GatedSources();
    repository = new ExportsRepository(db.open.database);
    files = new ExportFiles({ dataDir });
    const metrics = new Metrics(new SilentLog());
    runner = new ExportRunner(repository, db.open.snapshots, sources, files, { hours: 24 }, metrics);
    id = '01900000-0000-7000-8000-0000000000e1';
    await db.database.sql(`INSERT INTO exports (tenant_id, export_id, kind) VALUES ($1, $2, 'tenant')`, [TENANT, id]);
  });

  const job = (): Job<{ export_id: string }> => ({
    ...{ id: 1, tenantId: TENANT, kind: 'export.write', key: id, attempt: 1, createdAt: new Date() },
    payload: { export_id: id },
  });
  const names = (): string[] => {
    const directory = join(dataDir, 'exports', TENANT);
    return existsSync(directory) ? readdirSync(directory).sort() : [];
  };
  const rowNow = async (): Promise<{ state: string; attempt: number } | undefined> => {
    const found = await repository.find(TENANT, id, { kind: 'tenant', userId: undefined });
    return found && { state: found.state, attempt: found.attempt };
  };
  const lines = async (attempt: number): Promise<unknown[]> => {
    const handle = await files.open({ tenantId: TENANT, exportId: id, attempt });
    if (handle === undefined) throw new Error('there is no such file');
    const bytes = await handle.readFile().finally(() => handle.close());
    return linesIn(bytes).lines.map(({ subscription_id }) => subscription_id);
  };

  it('that has lost its lease does no harm to the one that took it over, whichever is done first', async () => {
    for (const isLoserFirst of [false, true]) {
      await db.database.sql(`UPDATE exports SET state = 'queued', attempt = 0`);
      sources = Object.assign(sources, new GatedSources());
      const begun = [sources.waiting()];
      const loser = runner.run(job(), never).catch((error: unknown) => error);
      await begun[0];
      begun.push(sources.waiting());
      const winner = runner.run(job(), never);
      await begun[1];
      sources.release(isLoserFirst ? 0 : 1);
      await (isLoserFirst ? loser : winner);
      expect(await rowNow()).toEqual({ state: isLoserFirst ? 'running' : 'ready', attempt: 2 });
      sources.release(0);
      await Promise.all([loser, winner]);
      expect(await rowNow()).toEqual({ state: 'ready', attempt: 2 });
      expect(names()).toEqual([`${id}.2.ndjson.gz`]);
      expect(await lines(2)).toEqual(['sub_2', 'sub_2']);
    }
  });

  it('that was cut short begins anew, and takes away what was left', async () => {
    const stop = new AbortController();
    const begun = sources.waiting();
    const cut = runner.run(job(), stop.signal);
    await begun;
    stop.abort(new Error('killed'));
    sources.release(0);
    await expect(cut).rejects.toThrow();
    // A process that is killed leaves what it has written; and one that was killed before it said so, a whole file.
    for (const ending of ['partial', 'ndjson.gz'])
      writeFileSync(join(dataDir, 'exports', TENANT, `${id}.1.${ending}`), 'half');
    expect(await rowNow()).toEqual({ state: 'running', attempt: 1 });
    const again = sources.waiting();
    const writing = runner.run(job(), never);
    await again;
    sources.release(0);
    await writing;
    expect(await rowNow()).toEqual({ state: 'ready', attempt: 2 });
    expect(names()).toEqual([`${id}.2.ndjson.gz`]);
    // The job may run once more: its worker died before it said that it was done.
    await runner.run(job(), never);
    expect(await rowNow()).toEqual({ state: 'ready', attempt: 2 });
  });

  it('that is given up says why', async () => {
    await runner.onDead(job(), 'The file could not be written (ENOSPC)');
    const found = await repository.find(TENANT, id, { kind: 'tenant', userId: undefined });
    expect(found).toMatchObject({ state: 'failed', error: 'The file could not be written (ENOSPC)' });
  });

  it('is followed by a sweep that takes what has expired and what is nobody’s, and nothing else', async () => {
    const sweep = new ExportSweep(new ExportSweepRepository(db.open.system), files);
    const put = async (state: string, expires: string, file: string): Promise<string> => {
      const [row] = await db.database.sql<{ id: string }>(
        `INSERT INTO exports (tenant_id, export_id, kind, user_id, state, attempt, expires_at)
         VALUES ($1, gen_random_uuid(), 'user', gen_random_uuid()::text, $2, 2, now() + $3::interval) RETURNING export_id AS id`,
        [OTHER, state, expires],
      );
      const name = `${row?.id ?? ''}${file}`;
      await files.write({ tenantId: OTHER, exportId: row?.id ?? '', attempt: 9 }, emptyFile(), never);
      rmSync(join(dataDir, 'exports', OTHER, `${row?.id ?? ''}.9.ndjson.gz`));
      writeFileSync(join(dataDir, 'exports', OTHER, name), '');
      return name;
    };
    const kept = [await put('ready', '1 hour', '.2.ndjson.gz'), await put('running', '1 hour', '.2.partial')];
    await put('ready', '-1 minute', '.2.ndjson.gz');
    await put('ready', '1 hour', '.1.ndjson.gz');
    await put('running', '1 hour', '.1.partial');
    await put('failed', '-1 minute', '.2.partial');
    await put('expired', '-31 days', '.2.ndjson.gz');
    writeFileSync(join(dataDir, 'exports', OTHER, '01900000-0000-7000-8000-00000000dead.1.ndjson.gz'), '');
    await sweep.sweep();
    expect(readdirSync(join(dataDir, 'exports', OTHER)).sort()).toEqual([...kept].sort());
    const states = await db.database.sql<{ state: string }>(
      'SELECT state FROM exports WHERE tenant_id = $1 ORDER BY state',
      [OTHER],
    );
    expect(states.map(({ state }) => state)).toEqual(['expired', 'failed', 'ready', 'ready', 'running', 'running']);
    await sweep.sweep();
    expect(readdirSync(join(dataDir, 'exports', OTHER)).sort()).toEqual([...kept].sort());
  });
});

async function* emptyFile(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.alloc(0));
}
