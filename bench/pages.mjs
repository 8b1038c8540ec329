/**
 * `npm run bench:pages`: what the pages cost in a real browser. Chromium has one core to itself, but while pages come up;
 * server, PostgreSQL and whoever sends share the other. Console and playground as they come up on a processor that is four
 * times slower; the live page with 200 tenants; the playground under 500 frames a second; lists of 10,000 rooms, 1,000
 * tenants and 100,000 dead letters. Medians of BENCH_RUNS (5) runs, with the load of the machine at that time.
 * Environment: BENCH_ONLY=loads|lists|frames|live (nothing is written down then), BENCH_SECONDS (10, of a window),
 * BENCH_RING (600: so long the server runs before the live page is looked at, and its charts are full).
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { ALL_CORES, openBrowser, pin, SERVER_CORE } from './lib/browser.mjs';
import { DEMO_TENANT, openCluster, startOurs } from './lib/cluster.mjs';
import { readList, signedIn, stored, timeToUse } from './lib/page-loads.mjs';
import { busyTenants, floodedRoom, floodPlayground, fullCharts, watchLive } from './lib/page-streams.mjs';
import { table, writeSection } from './lib/report.mjs';
import { median } from './lib/stats.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 10);
const RING_SECONDS = Number(process.env.BENCH_RING ?? 600);
const ONLY = process.env.BENCH_ONLY;
const SLOWED = 4;
/** Until somebody can do something there, slowed. What comes by itself later has no aim. */
const MOST_LOAD_MS = 1000;
const TENANTS = 200;
const FRAMES = 500;
const PAGES = 5;
const LISTS = new URL('../test/fixtures/long-lists.sql', import.meta.url);

const cluster = await openCluster();
pin(process.pid, SERVER_CORE);
pin(cluster.pid, SERVER_CORE);
const browser = await openBrowser();
try {
  const server = await startOurs(cluster, 'pages', {
    node: 'taskset',
    nodeArguments: ['-c', SERVER_CORE, process.execPath],
  });
  const begunAt = Date.now();
  const key = server.headers['X-API-Key'];
  const console_ = signedIn(server.master['X-Master-Key']);
  const playground = stored('chatapi.playground', { kind: 'key', key, people: ['alice', 'bob'] });
  const parts = {
    loads: () => loads(server, { console_, playground }),
    frames: () => frames(server, playground),
    lists: () => lists(server, console_),
    live: () => live(server, console_, begunAt),
  };
  const rows = [];
  for (const [name, part] of Object.entries(parts))
    if (ONLY === undefined || ONLY === name) rows.push(...(await loaded(part)));
  if (ONLY === undefined) await writeSection('pages', table(rows));
  else console.log(table(rows));
  await server.stop();
} finally {
  await browser.close();
  await cluster.close();
}

/** Rows of a part, each with the load that the machine had meanwhile. */
async function loaded(part) {
  const before = loadavg()[0];
  const rows = await part();
  const load = `${before.toFixed(1)}–${loadavg()[0].toFixed(1)}`;
  return rows.map((row) => ({ ...row, 'load average': load }));
}

function row(what, is, aim, isMet) {
  return { 'what of it': what, is, aim, met: isMet === undefined ? '' : isMet ? 'yes' : 'NO' };
}

async function loads(server, { console_, playground }) {
  // The slowed thread of a page spins on its core: the rest of the browser has the other one, as people's browsers have.
  const browser = await openBrowser(ALL_CORES);
  const cases = [
    ['console, until a key can be typed', '/admin/ui', '', 'label', /Key/, MOST_LOAD_MS],
    ['console, signed in, until its pages can be chosen', '/admin/ui', console_, 'nav a', /Live/, MOST_LOAD_MS],
    [
      'console, signed in, until the first tenant is listed',
      '/admin/ui/tenants',
      console_,
      'tbody td',
      /./,
      MOST_LOAD_MS,
    ],
    ['console, signed in, until the first figure', '/admin/ui', console_, '.now', /\d/],
    ['playground, until a key can be typed', '/playground', '', 'label', /API key/, MOST_LOAD_MS],
    [
      'playground, with a key, until both people are live',
      '/playground',
      playground,
      'section:nth-of-type(2) .badge',
      /Live/,
    ],
  ];
  const rows = [];
  for (const [what, path, begin, selector, text, most] of cases) {
    const results = [];
    for (let run = 0; run < RUNS; run++) {
      const options = { url: server.url + path, begin, selector, text };
      results.push({
        slow: await timeToUse(browser, { ...options, slowed: SLOWED }),
        fast: await timeToUse(browser, options),
      });
      process.stderr.write(`${what} ${JSON.stringify(results.at(-1))}\n`);
    }
    const of = (pick) => median(results.map(pick)).toFixed(0);
    const slow = Number(of((result) => result.slow.took));
    const is = `${slow} : ${of((result) => result.fast.took)} (${of((result) => result.fast.tasks)})`;
    const aims = most === undefined ? [''] : [`≤ ${most}`, slow <= most];
    rows.push(row(`${what}: ms, ${SLOWED}× slowed : not (its CPU)`, is, ...aims));
  }
  await browser.close();
  return rows;
}

async function lists(server, begin) {
  const text = readFileSync(LISTS, 'utf8').replaceAll(':tenant', `'${DEMO_TENANT}'`);
  await cluster.sql('pages', text);
  await cluster.sql('pages', 'VACUUM ANALYZE');
  const tenant = `tenant_${DEMO_TENANT.replaceAll('-', '')}`;
  const cases = [
    ['10,000 rooms', `/admin/ui/rooms?tenant=${tenant}`, PAGES],
    ['1,000 tenants', '/admin/ui/tenants', PAGES],
    // The server has one page of those: the newest 1,000 of a kind.
    ['100,000 dead letters', `/admin/ui/dead-letters?tenant=${tenant}`, 1],
  ];
  const rows = [];
  for (const [what, path, pages] of cases) {
    const results = [];
    for (let run = 0; run < RUNS; run++) {
      results.push(await readList(browser, { url: server.url + path, begin, pages }));
      process.stderr.write(`${what} ${JSON.stringify(results.at(-1))}\n`);
    }
    const of = (pick) => median(results.map(pick));
    const most = Math.max(...results.map(({ rows: count }) => count));
    rows.push(
      row(
        `${what}: ms to the first page : to the next by scrolling`,
        `${of((r) => r.first).toFixed(0)} : ${of((r) => r.next).toFixed(0)}`,
        '',
      ),
    );
    rows.push(
      row(
        `${what}: elements, and rows among them, at row ${of((r) => r.reached)}`,
        `${of((r) => r.elements)}, ${most}`,
        '≤ 100 rows',
        most <= 100,
      ),
    );
  }
  return rows;
}

async function frames(server, begin) {
  const room = await floodedRoom(server);
  const runs = [];
  for (let run = 0; run < RUNS; run++)
    runs.push(await floodPlayground(browser, server, { begin, room, frames: FRAMES, seconds: SECONDS }));
  const of = (window, pick) => median(runs.map((windows) => pick(windows[window])));
  const share = of(1, ({ tasks }) => tasks);
  const [lag, later] = [0, 1].map((window) => of(window, (one) => one.median));
  const growth = median(runs.map(([before, after]) => (after.held - before.held) / 1e6));
  const percent = (part) => `${(part * 100).toFixed(0)} %`;
  return [
    row(
      'playground: frames/s that come',
      of(1, ({ rate }) => rate).toFixed(0),
      `${FRAMES}`,
      of(1, ({ rate }) => rate) >= FRAMES * 0.98,
    ),
    row(
      'its main thread (TaskDuration) : the whole browser, of a core',
      `${percent(share)} : ${percent(of(1, ({ browser: all }) => all))}`,
      '< 100 %',
      share < 1,
    ),
    row(
      `from sent to shown, median ms, in a window of ${SECONDS} s : in the next`,
      `${lag} : ${later}`,
      'the same',
      later <= Math.max(lag * 1.5, 100),
    ),
    row('the longest, ms', `${of(1, ({ most }) => most)}`, ''),
    row(
      'live objects, MB : what the next window added',
      `${of(1, ({ held }) => held / 1e6).toFixed(0)} : ${growth.toFixed(1)}`,
      'bounded',
      growth < 5,
    ),
  ];
}

async function live(server, begin, begunAt) {
  const end = await busyTenants(server, TENANTS);
  await fullCharts(begunAt, RING_SECONDS);
  const results = await watchLive(browser, server, { begin, runs: RUNS, seconds: SECONDS });
  end();
  const of = (pick) => median(results.map(pick));
  const percent = (part) => `${(part * 100).toFixed(1)} %`;
  const tasks = of((r) => r.tasks);
  const more = of((r) => r.more);
  return [
    row(
      `live page, ${TENANTS} tenants: its main thread (TaskDuration), of a core`,
      percent(tasks),
      '≤ 5 %',
      tasks <= 0.05,
    ),
    row('the whole browser, painting included', percent(of((r) => r.browser)), ''),
    row(
      'CPU of the server for it, ms/s (without : with)',
      `${more.toFixed(2)} (${of((r) => r.alone).toFixed(1)} : ${of((r) => r.open).toFixed(1)})`,
      '≤ 2',
      more <= 2,
    ),
  ];
}
