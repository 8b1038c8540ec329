import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { loadConfig } from '../../src/config';
import { loadSecrets } from '../../src/platform/secrets';
import { asNobody, eventually, NOBODY, processesOn } from '../support/embedded/processes';
import { freePort, type ServerProcess, Servers } from '../support/server-process';

const servers = new Servers();
afterEach(() => servers.cleanUp());

const README = readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8');
const API_KEY = /chatapi_[A-Za-z0-9]+/g;
const MASTER_KEY = /master_[\w-]+/g;

const curlLine = (server: ServerProcess): string | undefined => server.stdout.find((line) => line.startsWith('curl '));
const found = (server: ServerProcess, pattern: RegExp): string[] => server.output.match(pattern) ?? [];

/** The banner is one write, which ends with an empty line. */
async function bannerOf(server: ServerProcess): Promise<void> {
  await server.url();
  await eventually(
    'the banner',
    () => server.stdout.some((line) => line.includes('/health')) && server.stdout.at(-1) === '',
  );
}

function occupied(port: number): Promise<Server> {
  return new Promise((resolve) => {
    const blocker = createServer().listen(port, '127.0.0.1', () => resolve(blocker));
  });
}

describe('the very first start', () => {
  it('prints URLs and keys once, and a curl line that sends a message as it stands', async () => {
    const env = { DATA_DIR: servers.dataDir() };
    const { server, url } = await servers.start({ env });
    await bannerOf(server);
    for (const path of ['/docs', '/openapi.json', '/health']) {
      expect(server.output).toContain(`${url}${path}`);
      expect((await fetch(url + path)).status).toBe(200);
    }
    const file = join(env.DATA_DIR, 'secrets', 'master-key');
    expect(server.output).toContain(file);
    expect(found(server, MASTER_KEY)).toEqual([readFileSync(file, 'utf8').trim()]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(server.stderr).toEqual([]);

    const pasted = spawnSync('sh', ['-c', `${curlLine(server)} --silent --write-out ' %{http_code}'`], {
      encoding: 'utf8',
    });
    expect(pasted.stdout).toMatch(/^\{"message_id":"msg_\w+","seq":2,"created_at":"[^"]+"\} 201$/);

    const [apiKey = ''] = found(server, API_KEY);
    const headers = { 'x-api-key': apiKey, 'x-user-id': 'bob' };
    await server.kill('SIGTERM');
    const again = await servers.start({ env });
    await bannerOf(again.server);
    expect([...found(again.server, API_KEY), ...found(again.server, MASTER_KEY)]).toEqual([]);
    expect(curlLine(again.server)).toBeUndefined();
    const rooms = (await (await fetch(`${again.url}/rooms`, { headers })).json()) as { rooms: { last_seq: number }[] };
    expect(rooms.rooms).toEqual([expect.objectContaining({ name: 'general', last_seq: 2 })]);
  });

  it('answers what the README has people paste, on every door, without a model', async () => {
    const { server, url } = await servers.start({ env: { DATA_DIR: servers.dataDir() } });
    await bannerOf(server);
    const [, commands = ''] = /## Talk to a model[\s\S]*?```bash\n([\s\S]*?)```/.exec(README) ?? [];
    const script = commands.replaceAll('http://127.0.0.1:8080', url).replaceAll('curl ', 'curl --silent --fail ');
    const env = { PATH: process.env['PATH'], KEY: found(server, API_KEY)[0] };
    const { stdout, stderr, status } = spawnSync('sh', ['-ec', script], { encoding: 'utf8', env });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('"event_type":"message_stream_ended"');
    expect(stdout).toMatch(/"response":"No model is configured[^"]*You said: Hello, how are you\?"/);
    expect(stdout).toMatch(/\{"message_id":"msg_\w+","seq":3,/);
  });

  it('shows the keys of an attempt before that nobody has seen', async () => {
    const port = await freePort();
    const env = { DATA_DIR: servers.dataDir(), PORT: String(port) };
    const blocker = await occupied(port);
    const { code, lines } = await servers.launch({ env }).failure();
    blocker.close();
    expect({ code, lines }).toEqual({
      code: 1,
      lines: ['ChatAPI could not start:', `Port ${port} on 127.0.0.1 is taken: stop what uses it, or set PORT`],
    });
    const { server, url } = await servers.start({ env });
    await bannerOf(server);
    expect(found(server, MASTER_KEY)).toHaveLength(1);
    const headers = { 'x-api-key': found(server, API_KEY)[0] ?? '', 'x-user-id': 'alice' };
    expect((await fetch(`${url}/rooms`, { headers })).status).toBe(200);
  });

  it('prints no master key that the operator has set himself', async () => {
    const { server } = await servers.start({ env: { MASTER_API_KEY: 'set-by-the-operator' } });
    await bannerOf(server);
    expect(found(server, API_KEY).length).toBeGreaterThan(0);
    expect(server.output).not.toContain('set-by-the-operator');
    expect(found(server, MASTER_KEY)).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('leaves nothing behind when %s comes while initdb runs', async (signal) => {
    const dir = servers.dataDir();
    const server = servers.launch({ env: { DATA_DIR: dir } });
    await eventually('initdb', () => processesOn(dir).some(({ command }) => command.includes('initdb')));
    expect(await server.kill(signal)).toBe(0);
    expect(server.stderr).toEqual([]);
    expect(processesOn(dir)).toEqual([]);
    expect(readdirSync(dir).filter((name) => name !== 'postgres.lock')).toEqual([]);
    // And the directory is as good as new.
    const { server: next } = await servers.start({ env: { DATA_DIR: dir } });
    await bannerOf(next);
    expect(found(next, API_KEY).length).toBeGreaterThan(0);
  });
});

describe('a data directory that is of no use', () => {
  it('is one clear line when it is a file, or below one', async () => {
    const file = join(servers.dataDir(), 'file');
    writeFileSync(file, '');
    for (const dataDir of [file, join(file, 'data')]) {
      const { code, lines } = await servers.launch({ env: { DATA_DIR: dataDir } }).failure();
      expect(code).toBe(1);
      expect(lines).toEqual(['ChatAPI could not start:', expect.stringMatching(/DATA_DIR$/)]);
      expect(lines[1]).toContain('is a file');
    }
  });

  it.each([
    ['below /proc, which takes no directories', '/proc/chatapi'],
    ['below /proc, deeper', '/proc/chatapi/a/b'],
    ['/proc itself', '/proc'],
    ['a device', '/dev/null'],
    ['below a device', '/dev/null/data'],
    ['below /sys', '/sys/chatapi'],
    ['too long a name', `/tmp/${'x'.repeat(300)}`],
  ])('S27: one clear line and an end: %s', async (_, dataDir) => {
    const { code, lines } = await servers.launch({ env: { DATA_DIR: dataDir } }).failure();
    expect({ code, lines }).toEqual({
      code: 1,
      lines: [
        'ChatAPI could not start:',
        expect.stringMatching(/^the data directory .*set DATA_DIR( to another one)?$/),
      ],
    });
  });

  it('S27: a link that leads nowhere, and one that leads to itself', async () => {
    const dir = servers.dataDir();
    symlinkSync('/proc/chatapi', join(dir, 'nowhere'));
    symlinkSync(join(dir, 'loop'), join(dir, 'loop'));
    for (const name of ['nowhere', 'loop']) {
      const { code, lines } = await servers.launch({ env: { DATA_DIR: join(dir, name) } }).failure();
      expect({ code, lines }).toEqual({
        code: 1,
        lines: ['ChatAPI could not start:', expect.stringMatching(/^the data directory .*set DATA_DIR/)],
      });
    }
  });

  it('S27: with a database of its own, where the secrets are to be made there', () => {
    const config = loadConfig({ DATABASE_URL: 'postgres://u@127.0.0.1/db', DATA_DIR: '/proc/chatapi' });
    expect(() => loadSecrets(config)).toThrow(
      /^Cannot use \/proc\/chatapi\/secrets\/master-key \(ENOENT\): make DATA_DIR/,
    );
  });

  asNobody(it)('is one clear line when this user may not write there', async () => {
    const dir = join(servers.dataDir(), 'closed');
    mkdirSync(dir, { mode: 0o755 });
    const { code, lines } = await servers.launch({ env: { DATA_DIR: dir }, uid: NOBODY }).failure();
    expect(code).toBe(1);
    expect(lines).toEqual(['ChatAPI could not start:', expect.stringContaining('is not writable for this user')]);
  });
});
