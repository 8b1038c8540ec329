import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, EmbeddedPostgresError } from '../../src/platform/database/embedded';
import { socketDirFor } from '../../src/platform/database/embedded/layout';
import { connect, EmbeddedFixture, FAST, query, type SupervisorProcess } from '../support/embedded/fixture';
import { asNobody, eventually, isAlive, kill, NOBODY, processesOn, watchdogsOf } from '../support/embedded/processes';

const harness = new EmbeddedFixture();

afterEach(() => harness.cleanUp());
afterAll(() => harness.dispose());

async function failure(starting: Promise<unknown>): Promise<string> {
  const error = await starting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmbeddedPostgresError);
  const { message } = error as EmbeddedPostgresError;
  expect(message).not.toContain('\n');
  return message;
}

const isRoot = process.getuid?.() === 0;
const pidOf = (postgres: EmbeddedPostgres): number => postgres.pid ?? 0;

async function makeTable(postgres: EmbeddedPostgres): Promise<void> {
  await query(postgres.connection(), 'create table kept as select generate_series(1, 10) as id');
}

async function countKept(postgres: EmbeddedPostgres): Promise<number> {
  const [row] = await query<{ n: number }>(postgres.connection(), 'select count(*)::int as n from kept');
  return row?.n ?? 0;
}

/** A postmaster that nobody looks after: its server and both shells of its watchdog are dead. */
async function makeOrphan(dir: string): Promise<{ pid: number; socketDir: string }> {
  const server = harness.spawn({ dataDir: dir });
  const ready = await server.next('ready');
  // The watchdog first: it would see the server's end.
  kill(watchdogsOf(dir), 'SIGSTOP');
  await server.end('SIGKILL');
  kill(watchdogsOf(dir), 'SIGKILL');
  await eventually('the end of the watchdog', () => watchdogsOf(dir).length === 0);
  expect(isAlive(ready.pid)).toBe(true);
  return ready;
}

describe('a start', () => {
  it('creates the database, for a role that stands below row-level security', async () => {
    const progress: string[] = [];
    const dir = harness.tempDir();
    const postgres = await harness.started(dir, { settings: {}, onProgress: (line) => progress.push(line) });
    expect(progress).toEqual([expect.stringContaining('first start')]);
    const [role] = await query(
      postgres.connection(),
      `select current_user::text as name, current_database()::text as database, rolsuper, rolbypassrls, rolreplication,
        rolcreaterole, pg_get_userbyid(datdba)::text as owner
        from pg_roles, pg_database where rolname = current_user and datname = current_database()`,
    );
    const attributes = { rolsuper: false, rolbypassrls: false, rolreplication: false, rolcreaterole: true };
    expect(role).toEqual({ name: 'chatapi', database: 'chatapi', owner: 'chatapi', ...attributes });
    for (const name of ['fsync', 'full_page_writes', 'synchronous_commit']) {
      expect(await query(postgres.connection(), `show ${name}`)).toEqual([{ [name]: 'on' }]);
    }
    expect(await query(postgres.connection(), 'show listen_addresses')).toEqual([{ listen_addresses: '' }]);
    expect(lstatSync(postgres.connection().host).mode & 0o777).toBe(0o700);
    expect(
      await query(postgres.adminConnection(), 'select rolsuper from pg_roles where rolname = current_user'),
    ).toEqual([{ rolsuper: true }]);
  });

  it('keeps the data of the last one, and a stop leaves no process and no socket', async () => {
    const dir = harness.tempDir();
    const first = await harness.started(dir);
    await makeTable(first);
    const { host } = first.connection();
    await Promise.all([first.stop(), first.stop()]);
    // The shell that watched over it sees by itself that there is nothing left to watch.
    await eventually('no process', () => processesOn(dir).length === 0);
    expect(existsSync(host)).toBe(false);
    expect(first.pid).toBeUndefined();
    const second = await harness.started(dir);
    expect(await countKept(second)).toBe(10);
    await second.stop();
    await second.start();
    expect(await countKept(second)).toBe(10);
  });

  it('repairs role and database', async () => {
    const dir = await harness.seededDir();
    const first = await harness.started(dir);
    await query(first.adminConnection(), 'drop database chatapi');
    await query(first.adminConnection(), 'alter role chatapi superuser bypassrls nocreaterole');
    await first.stop();
    const second = await harness.started(dir);
    const [role] = await query(
      second.connection(),
      'select rolsuper or rolbypassrls or not rolcreaterole as wrong from pg_roles where rolname = current_user',
    );
    expect(role).toEqual({ wrong: false });
    await query(second.adminConnection(), 'alter database chatapi owner to postgres');
    await second.stop();
    await second.start();
    await makeTable(second);
  });

  it('writes no content of a client into the log', async () => {
    const dir = await harness.seededDir();
    const postgres = await harness.started(dir);
    const client = await connect(postgres.connection());
    await client.query('create table t (content text primary key)');
    await client.query("insert into t values ('top-secret')");
    for (const sql of [
      "insert into t values ('top-secret')",
      "select 'top-secret'::int",
      'select * from "top-secret"',
    ]) {
      await expect(client.query(sql)).rejects.toThrow();
    }
    await expect(client.query('select $1::int', ['top-secret'])).rejects.toThrow();
    await client.query("do $$ begin raise warning 'top-secret'; end $$");
    // A crashed backend: postgres names its statement in a DETAIL.
    const [backend] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
    const running = client.query("select 'top-secret', pg_sleep(60)").catch(() => undefined);
    await eventually('the statement to run', async () => {
      const active = await query(
        postgres.adminConnection(),
        `select from pg_stat_activity where query like '%sleep(60)'`,
      );
      return active.length > 0;
    });
    kill([backend?.pid ?? 0]);
    await running;
    const log = (): string => readFileSync(join(dir, 'postgres.log'), 'utf8');
    await eventually('the crash in the log', () => log().includes('terminated by signal 9'));
    expect(log()).not.toContain('top-secret');
  });
});

describe('a refused start', () => {
  it.each([
    ['a file in its place', (dir: string) => writeFileSync(join(dir, 'data'), ''), /is a file; set DATA_DIR/],
    [
      'a directory that is no database',
      (dir: string) => mkdirSync(join(dir, 'data/postgres/x'), { recursive: true }),
      /holds no PostgreSQL database/,
    ],
  ])('says so: %s', async (_name, prepare, message) => {
    const dir = harness.tempDir();
    prepare(dir);
    expect(await failure(harness.create(join(dir, 'data')).start())).toMatch(message);
  });

  it('names both versions when another PostgreSQL wrote the database', async () => {
    const dir = await harness.seededDir();
    const postgres = harness.create(dir);
    writeFileSync(join(dir, 'postgres/PG_VERSION'), '15\n');
    expect(await failure(postgres.start())).toMatch(/written by PostgreSQL 15 and this server brings 18/);
  });

  it('passes on what postgres says, at once', async () => {
    const postgres = harness.create(await harness.seededDir(), { settings: { ...FAST, shared_buffers: 'plenty' } });
    expect(await failure(postgres.start())).toMatch(/does not start .*: invalid value for parameter "shared_buffers"/);
  });

  it('does not trust a socket directory that others prepared', async () => {
    const dir = await harness.seededDir();
    const socketDir = socketDirFor(dir, tmpdir());
    mkdirSync(socketDir);
    chmodSync(socketDir, 0o755);
    const postgres = harness.create(dir);
    expect(await failure(postgres.start())).toMatch(/mode is not 0700/);
    const other = await harness.seededDir();
    symlinkSync(harness.tempDir(), socketDirFor(other, tmpdir()));
    expect(await failure(harness.create(other).start())).toMatch(/is not a directory/);
  });

  const forOthers = isRoot ? asNobody(it) : it;
  forOthers('says that the directory is not writable', async () => {
    const dir = harness.tempDir();
    chmodSync(dir, 0o555);
    const server = harness.spawn({ dataDir: dir }, isRoot ? { uid: NOBODY } : {});
    expect(await server.outcome()).toMatch(/not writable for this user; change its permissions or set DATA_DIR/);
  });

  it('leaves nothing behind when it is stopped half-way', async () => {
    const dir = harness.tempDir();
    const postgres = harness.create(dir);
    const message = failure(postgres.start());
    await eventually('initdb', () => readdirSync(dir).some((name) => name.includes('.init-')));
    await postgres.stop();
    expect(await message).toMatch(/stopped while it was starting/);
    await eventually('no process', () => processesOn(dir).length === 0);
    await postgres.start();
    expect(readdirSync(dir).sort()).toEqual(['postgres', 'postgres.lock', 'postgres.log']);
  });
});

describe('ownership', () => {
  const TAKEN = /another ChatAPI server.* is already running on .*; stop it or set DATA_DIR/;

  async function outcomes(servers: readonly SupervisorProcess[]): Promise<void> {
    const all = await Promise.all(servers.map((server) => server.outcome()));
    const lost = all.filter((outcome) => outcome !== 'ready');
    expect(lost).toHaveLength(servers.length - 1);
    for (const message of lost) expect(message).toMatch(TAKEN);
  }

  it('refuses a second server, in this process and in another one', async () => {
    const dir = await harness.seededDir();
    const owner = await harness.started(dir);
    expect(await failure(harness.create(dir).start())).toMatch(`(pid ${process.pid})`);
    expect(await harness.spawn({ dataDir: dir }).outcome()).toMatch(TAKEN);
    const path = harness.pathWithoutFlock();
    expect(await harness.spawn({ dataDir: dir }, { path }).outcome()).toMatch(`(pid ${process.pid})`);
    await makeTable(owner);
  });

  it.each([
    ['with the file lock', false],
    ['with the advisory lock alone', true],
  ])('gives a directory to one of three servers that start at once, %s', async (_name, weak) => {
    const dir = harness.tempDir();
    const options = weak ? { path: harness.pathWithoutFlock() } : {};
    const start = (): SupervisorProcess[] => [1, 2, 3].map(() => harness.spawn({ dataDir: dir }, options));
    const first = start();
    await outcomes(first);
    await Promise.all(first.map((server) => server.end('SIGTERM')));
    await outcomes(start());
    const postmasters = processesOn(dir).filter(({ command }) => /\/postgres -D/.test(command) && !/^sh/.test(command));
    expect(postmasters).toHaveLength(1);
  });

  it('stops an orphan and replaces it', async () => {
    const dir = await harness.seededDir();
    const orphan = await makeOrphan(dir);
    const postgres = await harness.started(dir);
    expect(isAlive(orphan.pid)).toBe(false);
    expect(postgres.pid).not.toBe(orphan.pid);
    await makeTable(postgres);
  });

  it('leaves a postmaster alone whose lock is held, or that does not answer', async () => {
    const dir = await harness.seededDir();
    const orphan = await makeOrphan(dir);
    const owner = await connect({ host: orphan.socketDir, port: 5432, user: 'postgres', database: 'postgres' });
    await owner.query(`set application_name = 'ChatAPI owner, pid 4711'`);
    await owner.query('select pg_advisory_lock(1128808788, 1)');
    const postgres = harness.create(dir, { timeouts: { orphanMs: 3_000 } });
    expect(await failure(postgres.start())).toMatch('(pid 4711)');
    await owner.end();
    kill([orphan.pid], 'SIGSTOP');
    expect(await failure(harness.create(dir, { timeouts: { orphanMs: 100 } }).start())).toMatch(
      /pid \d+\) is already running on .* cannot be asked .*did not answer/,
    );
    expect(isAlive(orphan.pid)).toBe(true);
    kill([orphan.pid], 'SIGCONT');
    await postgres.start();
  });
});

describe('after kill -9', () => {
  it.each([
    ['of the server', (server: number) => [server]],
    ['of the server and postgres', (server: number, postmaster: number) => [server, postmaster]],
    ['of every process', (server: number, _postmaster: number, all: readonly number[]) => [server, ...all]],
  ])('%s the next start has every acknowledged row', async (_name, choose) => {
    const dir = await harness.seededDir();
    const server = harness.spawn({ dataDir: dir, settings: {}, write: true });
    const { pid } = await server.next('ready');
    await eventually('200 rows', () => server.all('acked').length >= 200);
    kill(
      choose(
        server.pid,
        pid,
        processesOn(dir).map((found) => found.pid),
      ),
    );
    const postgres = await harness.started(dir);
    await server.end('SIGKILL');
    const acked = server.all('acked').map(({ id }) => id);
    const rows = await query<{ id: number }>(postgres.connection(), 'select id from acked');
    const present = new Set(rows.map(({ id }) => id));
    expect(acked.filter((id) => !present.has(id))).toEqual([]);
  });

  it('of the server its postgres stops by itself', async () => {
    const dir = await harness.seededDir();
    const server = harness.spawn({ dataDir: dir });
    await server.next('ready');
    await server.end('SIGKILL');
    await eventually('no process', () => processesOn(dir).length === 0);
  });

  it('during initdb the next start begins anew', async () => {
    const dir = harness.tempDir();
    const server = harness.spawn({ dataDir: dir });
    const half = (): string[] => readdirSync(dir).filter((name) => name.includes('.init-'));
    await eventually('a half-made cluster', () => half().some((name) => existsSync(join(dir, name, 'PG_VERSION'))));
    await server.end('SIGKILL');
    await harness.started(dir);
    await eventually('no leftovers', () => half().length === 0);
  });

  it('a lock file whose pid was given to another process does not matter', async () => {
    const dir = await harness.seededDir();
    const server = harness.spawn({ dataDir: dir });
    await server.next('ready');
    kill([server.pid, ...processesOn(dir).map(({ pid }) => pid)]);
    await eventually('no process', () => processesOn(dir).length === 0);
    for (const file of [
      join(dir, 'postgres/postmaster.pid'),
      join(socketDirFor(dir, tmpdir()), '.s.PGSQL.5432.lock'),
    ]) {
      const [, ...rest] = readFileSync(file, 'utf8').split('\n');
      writeFileSync(file, [process.pid, ...rest].join('\n'));
    }
    await harness.started(dir);
  });
});

describe('while the server runs', () => {
  async function ownerPids(postgres: EmbeddedPostgres): Promise<number[]> {
    const sql = `select pid from pg_locks where locktype = 'advisory' and classid::int8 = 1128808788 and granted`;
    return (await query<{ pid: number }>(postgres.adminConnection(), sql)).map(({ pid }) => pid);
  }

  it.each([
    ['postgres', (_dir: string, postmaster: number) => [postmaster]],
    ['its watchdog', (dir: string) => watchdogsOf(dir).filter((pid, _index, all) => pid === Math.min(...all))],
    ['all of it', (dir: string) => processesOn(dir).map(({ pid }) => pid)],
  ])('a killed postgres comes back: %s', async (_name, choose) => {
    const lines: string[] = [];
    const note = (line: string): void => void lines.push(line);
    const restarted = jest.fn();
    const dir = await harness.seededDir();
    const log = { info: note, warn: note, error: note };
    const postgres = await harness.started(dir, { settings: {}, onRestart: restarted, log });
    await makeTable(postgres);
    const before = postgres.connection();
    const old = pidOf(postgres);
    kill(choose(dir, old));
    await eventually('the restart', () => restarted.mock.calls.length === 1);
    expect(postgres.pid).not.toBe(old);
    expect(postgres.connection()).toEqual(before);
    expect(await countKept(postgres)).toBe(10);
    expect(await ownerPids(postgres)).toHaveLength(1);
    expect(lines.filter((line) => /unexpectedly|runs again/.test(line))).toHaveLength(2);
    expect(await harness.spawn({ dataDir: dir }).outcome()).toMatch(/another ChatAPI server/);
  });

  it('a crashed backend does not cost the ownership', async () => {
    const postgres = await harness.started(await harness.seededDir());
    const [owner] = await ownerPids(postgres);
    const pid = pidOf(postgres);
    kill([owner ?? 0]);
    await eventually('the lock', async () => {
      const [now] = await ownerPids(postgres).catch(() => []);
      return now !== undefined && now !== owner;
    });
    expect(postgres.pid).toBe(pid);
  });

  it('stop() wins over an outage', async () => {
    const dir = await harness.seededDir();
    const restarted = jest.fn();
    const postgres = await harness.started(dir, { onRestart: restarted });
    kill([pidOf(postgres)]);
    await eventually('the outage', () => postgres.pid === undefined);
    await postgres.stop();
    expect(restarted).not.toHaveBeenCalled();
    await eventually('no process', () => processesOn(dir).length === 0);
  });

  it('stop() ends a frozen postgres', async () => {
    const dir = await harness.seededDir();
    const postgres = await harness.started(dir, { timeouts: { stopMs: 300 } });
    kill([pidOf(postgres)], 'SIGSTOP');
    await postgres.stop();
    await eventually('no process', () => processesOn(dir).length === 0);
    await postgres.start();
  });
});

asNobody(describe)('as root', () => {
  it.each(['nobody', 'capability'] as const)('runs by way of %s, after any other way', async (mode) => {
    const dir = await harness.seededDir();
    // 'nobody' needs a path that nobody may walk; 'capability' is for the others.
    if (mode === 'nobody') chmodSync(dir, 0o711);
    const first = await harness.started(dir);
    await makeTable(first);
    await first.stop();
    const second = await harness.started(dir, { rootModes: [mode] });
    expect(await countKept(second)).toBe(10);
    expect(lstatSync(join(dir, 'postgres')).uid).toBe(NOBODY);
    await second.stop();
    const third = await harness.started(dir);
    expect(await countKept(third)).toBe(10);
  });

  it.each(['nobody', 'capability'] as const)('creates the database by way of %s', async (mode) => {
    const dir = harness.tempDir();
    if (mode === 'nobody') chmodSync(dir, 0o711);
    await makeTable(await harness.started(dir, { rootModes: [mode] }));
  });

  it('says so where none works', async () => {
    expect(await failure(harness.create(harness.tempDir(), { rootModes: [] }).start())).toMatch(
      /cannot run as root here/,
    );
  });

  it.each([
    ['of the passwd file', NOBODY],
    ['without a passwd entry', 54_321],
  ])('an ordinary user %s can run it, too', async (_name, uid) => {
    const server = harness.spawn({ dataDir: harness.tempDir(uid) }, { uid });
    expect(await server.outcome()).toBe('ready');
    await server.end('SIGTERM');
  });
});
