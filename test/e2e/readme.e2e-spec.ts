import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../../src/common/version';
import { describeWithBrowser, openPage } from '../support/browser';
import { until } from '../support/poll';
import { freePort, type ServerProcess, Servers } from '../support/server-process';

const ROOT = join(__dirname, '..', '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const DEFAULT_URL = 'http://127.0.0.1:8080';
/** Every block that is to be pasted into a shell. */
const BLOCKS = [...README.matchAll(/^```bash\n([^]*?)^```$/gm)].map(([, text = '']) => text);
/** What starts a server, a package or a container, and the line that only says where the key comes from. */
const NOT_RUN = /^(npm |docker |npx |> |OPENAI_|DATABASE_URL=|KEY=chatapi_…)/;

const servers = new Servers();
const children: ChildProcessWithoutNullStreams[] = [];
let server: ServerProcess;
let url: string;
let key: string;
let masterKey: string;

beforeAll(async () => {
  ({ server, url } = await servers.start({ env: { DATA_DIR: servers.seededDir() } }));
  await until(
    async () => server.output,
    (output) => output.includes('"message":"Hello"'),
  );
  key = /chatapi_[A-Za-z0-9]+/.exec(server.output)?.[0] ?? '';
  masterKey = /master_[\w-]+/.exec(server.output)?.[0] ?? '';
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await servers.cleanUp();
});

/** The lines of a block that are run, on this server. */
function commandsOf(block: string): string {
  const lines = block.split('\n').filter((line) => !NOT_RUN.test(line));
  return lines.join('\n').replaceAll(DEFAULT_URL, url).replaceAll('curl ', 'curl --silent --show-error --fail ');
}

/** Pastes into a shell that has the key; a failure of any line fails it. */
function paste(commands: string, cwd = ROOT): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env['PATH'], KEY: key, ROOM: 'room_019000000000700080000000000000d0' };
  return spawnSync('sh', ['-ec', commands], { cwd, encoding: 'utf8', env });
}

function startClient(env: Record<string, string>): { said(): string; child: ChildProcessWithoutNullStreams } {
  const child = spawn(process.execPath, ['examples/client.mjs'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
  });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  return { said: () => said, child };
}

describe('S29: what the README has people paste', () => {
  const WITH_CURL = BLOCKS.filter((block) => block.includes('curl ') && !block.includes('docker '));

  it('S29: has blocks to paste', () => {
    expect(WITH_CURL.length).toBeGreaterThanOrEqual(5);
  });

  it.each(WITH_CURL)('S29: works: %s', (block) => {
    const { status, stderr, stdout } = paste(commandsOf(block));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('"');
  });

  it('S29: the lines of useChat work as pasted, with the SDK’s own transport and chat', async () => {
    const [, block = ''] = /^```tsx\n([^]*?)^```$/m.exec(README) ?? [];
    expect(block.trim().split('\n')).toHaveLength(3);
    const response = await fetch(`${url}/tokens`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ user_id: 'alice' }),
    });
    const { token } = (await response.json()) as { token: string };
    const script = `
      import { DefaultChatTransport } from 'ai';
      import { Chat } from '@ai-sdk/react';
      const token = ${JSON.stringify(token)};
      // The hook without React: what it returns is the chat's.
      const useChat = ({ resume, ...init }) => Object.assign(new Chat(init), { resume });
      ${block.replaceAll(DEFAULT_URL, url)}
      await sendMessage({ text: 'Hello' });
      await regenerate();
      const chat = await (await fetch('${url}/api/v1/chats/my-first-chat/messages?format=ui', { headers })).json();
      console.log(JSON.stringify(chat.messages.map(({ role }) => role)));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect([stdout, stderr]).toEqual(['["user","assistant"]\n', '']);
  });

  it('the lines of OpenAI’s client work as pasted', () => {
    const [, block = ''] = /^```js\n(const client = new OpenAI[^]*?)^```$/m.exec(README) ?? [];
    expect(block.trim().split('\n')).toHaveLength(3);
    const script = `import OpenAI from 'openai';\n${block.replaceAll(DEFAULT_URL, url)}`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      ...{ cwd: ROOT, encoding: 'utf8' },
      env: { ...process.env, KEY: key },
    });
    expect(stderr).toBe('');
    // The echo answers both, each as a whole.
    expect(stdout.match(/No model is configured/gi)).toHaveLength(2);
  });

  it('S29: the operator’s call takes the master key from .env, as pasted', () => {
    const [block = ''] = BLOCKS.filter((each) => each.includes('docker compose up'));
    const cwd = mkdtempSync(join(tmpdir(), 'chatapi-readme-'));
    writeFileSync(join(cwd, '.env'), `POSTGRES_PASSWORD=x\nMASTER_API_KEY=${masterKey}\nJWT_SECRET=y\n`);
    const { status, stderr, stdout } = paste(commandsOf(block), cwd);
    rmSync(cwd, { recursive: true });
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'Acme', api_key: expect.stringMatching(/^chatapi_/) });
  });

  it('S29: the ids that it names are those that the first start prints', () => {
    const [tenant] = /tenant_[0-9a-f]{32}/.exec(README) ?? [];
    expect(server.output).toContain(tenant);
    expect(server.output).toMatch(new RegExp(`^  Version +${VERSION.replaceAll('.', '\\.')}$`, 'm'));
  });

  it('S29: every file that it links to is there', () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(5);
    for (const path of links) expect(spawnSync('test', ['-e', join(ROOT, path)]).status).toBe(0);
  });
});

describe('S29: examples/client.mjs', () => {
  it('S29: runs as pasted, and sends what is typed', async () => {
    const [block = ''] = BLOCKS.filter((each) => each.includes('examples/client.mjs'));
    expect(block).toContain('KEY=$KEY USER_ID=bob node examples/client.mjs');
    const client = startClient({ KEY: key, USER_ID: 'bob', SERVER: url });
    client.child.stdin.write('typed by bob\n');
    await until(
      async () => client.said(),
      (said) => /^\d+ bob: typed by bob$/m.test(said),
    );
  });

  it('S29: says in one line that it needs a key', async () => {
    const { child, said } = startClient({});
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, said()]).toEqual([1, 'Set KEY to an API key: KEY=chatapi_… node examples/client.mjs\n']);
  });

  it('S29: says where it finds nobody, once, and how to look elsewhere', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const { said } = startClient({ KEY: key, SERVER: nowhere });
    await until(
      async () => said(),
      (text) => (text.match(/^closed 1006/gm) ?? []).length > 1,
    );
    expect(
      said()
        .split('\n')
        .filter((line) => !line.startsWith('closed')),
    ).toEqual([expect.stringMatching(`^${nowhere}: connect ECONNREFUSED .*; set SERVER if it is elsewhere$`), '']);
  });
});

describeWithBrowser('S29: examples/page.html', () => {
  it('S29: opens by the line that is printed, and says where it finds nobody', async () => {
    const [block = ''] = BLOCKS.filter((each) => each.includes('page.html'));
    const echo = block.split('\n').find((line) => line.includes('page.html')) ?? '';
    const { stdout } = paste(echo);
    const { page, close } = await openPage(url);
    const state = (): Promise<string> => page.locator('#state').innerText();
    await page.goto(`${stdout.trim()}&server=${url}`);
    await until(state, (shown) => shown === 'live as alice');
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    await page.goto('about:blank');
    await page.goto(`${stdout.trim()}&server=${nowhere}`);
    await until(state, (shown) => shown.startsWith(`closed (1006) ${nowhere}: `));
    await close();
  });
});
