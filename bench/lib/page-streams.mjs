/** `npm run bench:pages`: pages that are written to all the time, and what they cost. */
import { createRequire } from 'node:module';
import { heldBytes, shareOf } from './browser.mjs';
import { cpuMicros } from './stats.mjs';

const { WebSocket } = createRequire(import.meta.url)('ws');

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Charts and frames are written in so many steps a second. */
const STEP_MS = 20;

async function call(method, url, headers, body) {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

function connect(server, headers, query) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws${query}`, { headers });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** So many tenants with somebody online, one of whom says something each step of 50 ms. @returns what ends it */
export async function busyTenants(server, count) {
  const sides = [];
  for (let n = 0; n < count; n++) {
    const { headers, paths } = await server.tenant({});
    const socket = await connect(server, headers, '?sync=manual');
    socket.on('message', () => undefined);
    sides.push({ socket, room_id: paths[0].split('/')[2] });
  }
  let turn = 0;
  const timer = setInterval(() => {
    const { socket, room_id } = sides[turn++ % count];
    socket.send(JSON.stringify({ type: 'send_message', room_id, content: 'moves the charts' }));
  }, 50);
  return () => {
    clearInterval(timer);
    for (const { socket } of sides) socket.terminate();
  };
}

/** Waits until the server has seconds enough for full charts. */
export async function fullCharts(begunAt, seconds) {
  const left = begunAt + seconds * 1000 - Date.now();
  if (left > 0) await pause(left);
}

/**
 * The live page against nobody who looks, in turns.
 * @returns shares of a core in the browser, and ms of CPU a second that the server has more
 */
export async function watchLive(browser, server, { begin, runs, seconds }) {
  const results = [];
  const window = async () => {
    const before = cpuMicros(server.pid);
    const begun = performance.now();
    await pause(seconds * 1000);
    return (cpuMicros(server.pid) - before) / (performance.now() - begun);
  };
  for (let run = 0; run < runs; run++) {
    const alone = await window();
    const { page, close, usage } = await browser.open({ begin });
    await page.goto(`${server.url}/admin/ui`);
    await page.getByText('each second').waitFor();
    await page.locator('table a').first().waitFor();
    await pause(2000);
    const before = await usage();
    const open = await window();
    const share = shareOf(before, await usage());
    const points = await page.locator('canvas').count();
    await close();
    results.push({ ...share, alone, open, more: open - alone, points });
    process.stderr.write(`live ${JSON.stringify(results.at(-1))}\n`);
  }
  return results;
}

/** What the frame list shows last: when that was sent, and how many have come. */
const LOOK = `
window.lags = [];
window.stale = 0;
const look = () => {
  const rows = document.querySelectorAll('.frames .frame-row[data-direction="in"] .frame-text');
  const at = /said (\\d+) /.exec(rows[rows.length - 1]?.textContent ?? '')?.[1];
  if (at !== undefined && at !== window.last) {
    window.last = at;
    lags.push(Date.now() - Number(at));
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);`;

/**
 * Two people in a room where so many messages are said a second that each gets half of the frames.
 * @param frames a second, of both @param seconds of each of the two windows that are compared
 */
export async function floodPlayground(browser, server, { begin, room, frames, seconds }) {
  const { page, cdp, close, usage } = await browser.open({ begin });
  await page.goto(`${server.url}/playground`);
  for (const name of ['alice', 'bob']) {
    const person = page.getByRole('region', { name, exact: true });
    await person.getByText('Live', { exact: true }).waitFor();
    await person.getByRole('navigation').getByRole('button', { name: /bench/ }).click();
    await person.getByRole('textbox').waitFor();
  }
  await page.evaluate(LOOK);
  const sender = await saying(server, room, frames / 2);
  // Until what is kept is full, memory grows as it should.
  await pause(seconds * 1000);
  const windows = [];
  for (let n = 0; n < 2; n++) {
    const held = await heldBytes(cdp);
    await page.evaluate('lags.length = 0');
    const said = sender.count();
    const before = await usage();
    await pause(seconds * 1000);
    const after = await usage();
    windows.push({
      ...shareOf(before, after),
      ...(await page.evaluate(
        `({ median: [...lags].sort((a, b) => a - b)[lags.length >> 1], most: Math.max(...lags) })`,
      )),
      held,
      rate: ((sender.count() - said) * 2) / (after.at - before.at),
      nodes: after.nodes,
    });
  }
  process.stderr.write(`playground ${JSON.stringify(windows)}\n`);
  const end = await sender.stop();
  await page.getByText(`said ${end}`, { exact: false }).first().waitFor();
  const gaps = await page.getByRole('option').getByText('closed').count();
  await close();
  if (gaps > 0) throw new Error('somebody was too slow, and was closed');
  return windows;
}

/** Says so much a second, each with the time; `stop` answers with that of the last. */
async function saying(server, room_id, rate) {
  const socket = await connect(server, { ...server.headers, 'X-User-Id': 'carol' }, '?sync=manual');
  let [sent, accepted, last] = [0, 0, 0];
  socket.on('message', (data) => {
    const text = data.toString();
    if (text.includes('"message.accepted"')) accepted++;
    if (text.includes('"error"')) throw new Error(text);
  });
  const begun = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - begun) / 1000) * rate;
    for (; sent < due; sent++) {
      last = Date.now();
      socket.send(JSON.stringify({ type: 'send_message', room_id, content: `said ${last} and a few words more` }));
    }
  }, STEP_MS);
  return {
    count: () => accepted,
    async stop() {
      clearInterval(timer);
      while (accepted < sent) await pause(STEP_MS);
      socket.close();
      return last;
    },
  };
}

/** A room that the two people and who floods it are in. */
export async function floodedRoom(server) {
  const headers = { ...server.headers, 'X-User-Id': 'carol' };
  const body = { type: 'group', name: 'bench', members: ['alice', 'bob'] };
  return (await call('POST', `${server.url}/rooms`, headers, body)).room_id;
}
