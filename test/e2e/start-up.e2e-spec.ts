import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { Servers } from '../support/server-process';

const servers = new Servers();
afterEach(() => servers.cleanUp());

const UNSAFE = { DATABASE_ALLOW_UNSAFE: 'true' };

/** The lines below "ChatAPI could not start:"; the exit code is always 1 and standard error holds nothing else. */
async function refusal(env: Readonly<Record<string, string>>): Promise<string[]> {
  const { code, lines } = await servers.launch({ env }).failure();
  expect(code).toBe(1);
  expect(lines[0]).toBe('ChatAPI could not start:');
  return lines.slice(1);
}

describe('bad variables', () => {
  it('are all told at once, a line each, and secrets are not repeated', async () => {
    const env = { PORT: 'eighty', LOG_LEVEL: 'loud', JWT_SECRET: 'shhh', REDIS_URL: 'redis://:pw@localhost' };
    const lines = await refusal(env);
    expect(lines).toEqual([
      'PORT must be a whole number from 0 to 65535, not "eighty"',
      'JWT_SECRET must have at least 32 characters',
      expect.stringContaining('LOG_LEVEL must be one of: '),
      expect.stringMatching(/^REDIS_URL .* set DATABASE_URL, MASTER_API_KEY, ENCRYPTION_KEY too/),
    ]);
    expect(lines.join('\n')).not.toMatch(/shhh|pw@/);
  });

  it('in production with a database of its own, secrets have to be set', async () => {
    const lines = await refusal({ NODE_ENV: 'production', DATABASE_URL: 'postgresql://u@127.0.0.1/db' });
    expect(lines).toEqual(
      ['MASTER_API_KEY', 'JWT_SECRET', 'ENCRYPTION_KEY'].map(
        (name) => expect.stringContaining(`${name} is required`) as string,
      ),
    );
  });

  it('an address that is not of this machine is one clear line', async () => {
    expect(await refusal({ HOST: '203.0.113.1' })).toEqual(['HOST 203.0.113.1 is no address of this machine']);
  });
});

describe('a server that is held up', () => {
  /** Beyond the 511 that Node asks for by itself, and within what Linux allows. */
  const CONNECTIONS = 1500;

  it(`has ${CONNECTIONS} connections wait that come meanwhile, and serves them afterwards`, async () => {
    const { server, url } = await servers.start();
    const { hostname, port } = new URL(url);
    const sockets: Socket[] = [];
    process.kill(server.pid, 'SIGSTOP');
    try {
      const open = Array.from({ length: CONNECTIONS }, () => connect(Number(port), hostname));
      sockets.push(...open);
      await Promise.all(open.map((socket) => once(socket, 'connect')));
      process.kill(server.pid, 'SIGCONT');
      const answers = open.map(async (socket) => String((await once(socket, 'data'))[0]).split('\r\n')[0]);
      for (const socket of open) socket.write('GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 200 OK']));
    } finally {
      process.kill(server.pid, 'SIGCONT');
      for (const socket of sockets) socket.destroy();
    }
  });
});

describe('a second server', () => {
  it('is refused on the same DATA_DIR, and the first one goes on', async () => {
    const env = { DATA_DIR: servers.seededDir() };
    const { server, url } = await servers.start({ env });
    const lines = await refusal(env);
    expect(lines).toEqual([
      expect.stringContaining(`another ChatAPI server (pid ${server.pid}) is already running on`),
    ]);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('is refused on the same DATABASE_URL until the first one is gone, however it went', async () => {
    const database = await createTestDatabase();
    try {
      const env = { DATABASE_URL: database.url, ...UNSAFE };
      const { server, url } = await servers.start({ env });
      expect(await refusal(env)).toEqual([expect.stringMatching(/^Another ChatAPI server runs on this database/)]);
      expect((await fetch(`${url}/health`)).status).toBe(200);
      await server.kill('SIGKILL');
      await servers.start({ env });
    } finally {
      await servers.cleanUp();
      await database.drop();
    }
  });
});

describe('a database that is not fit', () => {
  let database: TestDatabase;
  beforeEach(async () => (database = await createTestDatabase()));
  afterEach(async () => {
    await servers.cleanUp();
    await database.drop();
  });

  it('loses data in a crash: refused unless the operator accepts that', async () => {
    expect(await refusal({ DATABASE_URL: database.url })).toEqual([
      expect.stringMatching(
        /^PostgreSQL runs with fsync, full_page_writes, synchronous_commit off: .*DATABASE_ALLOW_UNSAFE=true$/,
      ),
    ]);
    const { url } = await servers.start({ env: { DATABASE_URL: database.url, ...UNSAFE } });
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('has a newer schema than this version', async () => {
    await database.sql(`INSERT INTO schema_migrations (timestamp, name) VALUES (1, 'FromTheFuture9999')`);
    expect(await refusal({ DATABASE_URL: database.url, ...UNSAFE })).toEqual([
      'The database has a newer schema than this version knows (FromTheFuture9999): start the newer version',
    ]);
  });

  it('takes no writes', async () => {
    await database.sql(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`);
    expect(await refusal({ DATABASE_URL: database.url, ...UNSAFE })).toEqual([
      expect.stringMatching(/^This PostgreSQL is read-only/),
    ]);
  });
});
