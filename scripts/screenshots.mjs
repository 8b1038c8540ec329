/**
 * Pictures of the pages, to be looked at: every page, narrow and wide, light and dark, of a server with some life in it.
 *
 *   node scripts/screenshots.mjs [FOLDER]   writes them (./screenshots)
 *
 * Needs a built server (npm run build) and Debian's chromium.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = resolve(process.argv[2] ?? join(ROOT, 'screenshots'));
const WIDTHS = [390, 1280];
const SCHEMES = ['light', 'dark'];
const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin'];
const DEMO_ROOM = 'room_019000000000700080000000000000d0';

/** A server of its own; resolves when it listens. */
function startServer(dataDir) {
  const env = { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', HOST: '127.0.0.1' };
  const child = spawn(process.execPath, ['dist/main.js'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((found, failed) => {
    let output = '';
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}`)));
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (!output.includes('/api/chat')) return;
      found({
        child,
        url: /listens on (http:\S+)/.exec(output)[1],
        masterKey: /^ {2}(master_\S+)/m.exec(output)[1],
        apiKey: /API key +(chatapi_\S+)/.exec(output)[1],
      });
    });
  });
}

/** Tenants, rooms, messages and an answer, as somebody would have them who looks around. */
async function populate({ url, masterKey, apiKey }) {
  const call = async (method, path, headers, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const as = (user) => ({ 'X-API-Key': apiKey, 'X-User-Id': user });
  for (const name of ['Acme Support', 'Globex', 'Initech', 'Umbrella'])
    await call('POST', '/admin/tenants', { 'X-Master-Key': masterKey }, { name });
  for (const name of ['Design', 'Release 2.0', 'Weekend'])
    await call('POST', '/rooms', as('alice'), { type: 'group', name, members: PEOPLE.slice(1) });
  for (let n = 0; n < 40; n++) {
    const content = ['Morning!', 'The build is green again.', 'I have put the notes into the wiki.', 'Lunch at one?'][
      n % 4
    ];
    await call('POST', `/rooms/${DEMO_ROOM}/messages`, as(PEOPLE[n % 2]), { content });
  }
  await call('POST', '/api/chat', { 'X-API-Key': apiKey }, { message: 'What can you do?', userId: 'alice' });
}

/** Waits until the page has shown what it fetches, then takes its picture. */
async function picture(page, path, file, options) {
  await page.goto(path);
  await page.locator('.loading').first().waitFor({ state: 'hidden' });
  await page.waitForTimeout(1500);
  await page.screenshot({ path: file, ...options });
  console.log(file);
}

async function everyPage(browser, { url, masterKey }) {
  for (const colorScheme of SCHEMES)
    for (const width of WIDTHS) {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      const session = JSON.stringify(JSON.stringify({ kind: 'master', key: masterKey }));
      await context.addInitScript(`sessionStorage.setItem('chatapi.session', ${session})`);
      const page = await context.newPage();
      await page.goto(`${url}/admin/ui`);
      await page.locator('.rail a').nth(1).waitFor();
      const links = await page.locator('.rail a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
      for (const path of [...new Set(['/', '/playground', '/docs', '/docs/ws', ...links])]) {
        const name = path.replace(/\?.*/, '').replaceAll('/', '-').replace(/^-/, '') || 'home';
        await picture(page, url + path, join(FOLDER, `${name}-${width}-${colorScheme}.png`), { fullPage: true });
      }
      await context.close();
    }
}

const dataDir = mkdtempSync(join(tmpdir(), 'chatapi-pictures-'));
const server = await startServer(dataDir);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
  mkdirSync(FOLDER, { recursive: true });
  await populate(server);
  await everyPage(browser, server);
} finally {
  await browser.close();
  const gone = new Promise((done) => server.child.once('exit', done));
  server.child.kill('SIGTERM');
  await gone;
  rmSync(dataDir, { recursive: true, force: true });
}
