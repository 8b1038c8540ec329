import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from '../support/database';
import { eventually } from '../support/embedded/processes';
import { Api } from '../support/http/api';
import { type ServerProcess, Servers } from '../support/server-process';

const servers = new Servers();
afterEach(() => servers.cleanUp());

const KEYS = /chatapi_[A-Za-z0-9]{20,}|master_[\w-]{20,}/;

async function bannerOf(server: ServerProcess): Promise<string> {
  await server.url();
  await eventually('the banner', () => server.stdout.at(-1) === '' && server.output.includes('/health'));
  return server.output;
}

/** Runs a line of the banner as it stands. */
function paste(banner: string, path: string): { status: number; body: string } {
  const line = banner.split('\n').find((each) => each.startsWith('curl ') && each.includes(path)) ?? 'false';
  const { stdout } = spawnSync('sh', ['-c', `${line} --silent --write-out ' %{http_code}'`], { encoding: 'utf8' });
  const [, body = '', status = ''] = /^([^]*) (\d+)$/.exec(stdout) ?? [];
  return { status: Number(status), body };
}

describe('S19: in production, with the embedded database', () => {
  it('no demo tenant is made and no key printed; its file is named, and a line that makes a tenant works', async () => {
    const dataDir = servers.dataDir();
    const { server, url } = await servers.start({ env: { DATA_DIR: dataDir, NODE_ENV: 'production' } });
    const banner = await bannerOf(server);
    const file = join(dataDir, 'secrets', 'master-key');
    expect(banner).not.toMatch(KEYS);
    expect(banner).toContain(file);
    const master = new Api(url, { 'x-master-key': readFileSync(file, 'utf8').trim() });
    expect((await master.get<{ tenants: unknown[] }>('/admin/tenants')).body.tenants).toEqual([]);
    const made = paste(banner, '/admin/tenants');
    expect(made.status).toBe(201);
    expect(made.body).toMatch(KEYS);
  });

  it('DEMO=true makes one, and its key is in a file that is named', async () => {
    const dataDir = servers.dataDir();
    const env = { DATA_DIR: dataDir, NODE_ENV: 'production', DEMO: 'true', MASTER_API_KEY: 'set-by-the-operator' };
    const banner = await bannerOf((await servers.start({ env })).server);
    const file = join(dataDir, 'secrets', 'demo-api-key');
    expect(banner).not.toMatch(KEYS);
    expect(banner).toContain(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(paste(banner, '/messages').status).toBe(201);
    expect(paste(banner, '/api/chat').status).toBe(200);
  });

  it('DEMO=false makes none anywhere', async () => {
    const banner = await bannerOf((await servers.start({ env: { DEMO: 'false' } })).server);
    expect(banner).not.toMatch(/chatapi_[A-Za-z0-9]{20,}/);
    expect(banner).not.toContain('"demo"');
  });
});

describe('S20: the banner says what is bound', () => {
  it('every address, with DATABASE_URL and no HOST', async () => {
    const database = await createTestDatabase();
    try {
      const env = { DATABASE_URL: database.url, DATABASE_ALLOW_UNSAFE: 'true' };
      const { server } = await servers.start({ env });
      const banner = await bannerOf(server);
      const [, port = ''] = /listens on http:\/\/0\.0\.0\.0:(\d+)$/m.exec(banner) ?? [];
      expect(banner).toMatch(
        new RegExp(`every address of this machine; from here it is http://127\\.0\\.0\\.1:${port}$`, 'm'),
      );
      for (const address of Object.values(networkInterfaces()).flat())
        if (address?.family === 'IPv4')
          expect((await fetch(`http://${address.address}:${port}/health`)).status).toBe(200);
    } finally {
      await servers.cleanUp();
      await database.drop();
    }
  });

  it('this machine alone, with the embedded database', async () => {
    const banner = await bannerOf((await servers.start({ env: {} })).server);
    expect(banner).toMatch(/listens on http:\/\/127\.0\.0\.1:\d+$/m);
    expect(banner).not.toContain('every address');
  });
});

it('S18: variables that look like ours, on the command line and in .env, are told in one warning', async () => {
  const cwd = servers.dataDir();
  writeFileSync(join(cwd, '.env'), 'LOG_LEVLE=debug\nCOLOUR=red\n');
  const { server } = await servers.start({ cwd, env: { CHATAPI_PORT_NUMBER: '1', PROT: '9000', EDITOR: 'vi' } });
  const warnings = server.log.filter((line) => line.msg.startsWith('not a setting'));
  expect(warnings.map((line) => line['variables'])).toEqual([
    ['CHATAPI_PORT_NUMBER', 'COLOUR', 'LOG_LEVLE (did you mean LOG_LEVEL?)', 'PROT (did you mean PORT?)'],
  ]);
});
