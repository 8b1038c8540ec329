import { fileURLToPath } from 'node:url';
import { load, runLoad } from './processes.mjs';
import { median } from './stats.mjs';

const WS_LOAD = fileURLToPath(new URL('./ws-load.mjs', import.meta.url));
/** What a page of the list of connections may take, whichever it is. */
const MOST_MS = 20;
const PAGE = 100;

/**
 * What a page of `GET /admin/connections` takes while so many sockets are open: the first, one from the middle, and those of
 * one user. One request at a time, medians of the runs.
 */
export async function connectionLists({ url, pid, headers }, { count, runs, seconds, warmup }) {
  const options = {
    url: `${url.replace('http', 'ws')}/ws?sync=manual`,
    headers: { 'X-API-Key': headers['X-API-Key'], 'X-User-Id': '{user}' },
    ...{ mode: 'idle', ready: '"type":"hello"', count, seconds: 3 * runs * (seconds + warmup) + 60 },
  };
  let opened;
  const open = new Promise((resolve) => (opened = resolve));
  const held = runLoad(WS_LOAD, options, {}, (message) => message === 'opened' && opened());
  await Promise.race([open, held]);
  const tenant = { 'X-API-Key': headers['X-API-Key'] };
  const rows = [];
  for (const [what, path] of Object.entries(await pages(url, tenant, count))) {
    const results = [];
    for (let run = 0; run < runs; run++)
      results.push(
        await load(
          { url, paths: [path], headers: tenant, method: 'GET', connections: 1, seconds, warmup },
          { node: pid },
        ),
      );
    const [p50, p99] = [(r) => r.p50, (r) => r.p99].map((pick) => median(results.map(pick)));
    rows.push({
      'connections listed': `${what}, of ${count}`,
      'p50 / p99 ms': `${p50.toFixed(2)} / ${p99.toFixed(2)}`,
      'CPU µs node': Math.round(median(results.map(({ cpu }) => cpu.node))),
      [`≤${MOST_MS} ms`]: p99 <= MOST_MS ? 'yes' : 'NO',
    });
  }
  const { failed } = await held;
  if (failed > 0) throw new Error(`${failed} of the connections were closed`);
  return rows;
}

/** Checked to be full, so that nothing wrong is measured. */
async function pages(url, headers, count) {
  const of = async (path, most) => {
    const { items, next } = await (await fetch(url + path, { headers })).json();
    if (items?.length !== most) throw new Error(`${path} answered ${items?.length} connections`);
    return next;
  };
  const first = `/admin/connections?limit=${PAGE}`;
  let middle = first;
  for (let at = 0; at < count / 2; at += PAGE) middle = `${first}&cursor=${encodeURIComponent(await of(middle, PAGE))}`;
  await of(middle, PAGE);
  const ofUser = `${first}&user_id=user${count / 2}`;
  await of(ofUser, 1);
  return { 'the first 100': first, '100 from the middle': middle, 'of one user': ofUser };
}
