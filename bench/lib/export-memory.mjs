import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 100;
/** What an export of any size may add to a server that has been at work. */
const MOST_MB = 40;

/**
 * What the export of a tenant adds to the memory of its server: the most that the process had while it was written, over what it
 * had before. The first export is not measured: it loads what every later one has.
 * @param tenantId UUID
 */
export async function exportMemory({ url, pid, master }, tenantId) {
  const exports = `${url}/admin/tenants/tenant_${tenantId.replaceAll('-', '')}/exports`;
  await written(exports, master);
  const before = residentMb(pid, 'VmRSS');
  // From here on the system notes the most.
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const begun = performance.now();
  const { lines, bytes } = await written(exports, master);
  const more = residentMb(pid, 'VmHWM') - before;
  return {
    export: `${lines} lines, ${(bytes / 1e6).toFixed(0)} MB compressed`,
    seconds: ((performance.now() - begun) / 1000).toFixed(1),
    'MB before': before.toFixed(0),
    'MB more': more.toFixed(0),
    [`≤${MOST_MB} MB`]: more <= MOST_MB ? 'yes' : 'NO',
  };
}

async function written(exports, headers) {
  const made = await fetch(exports, { method: 'POST', headers });
  if (made.status !== 202) throw new Error(`${exports} answered ${made.status}: ${await made.text()}`);
  const { export_id: id } = await made.json();
  for (;;) {
    const now = await (await fetch(`${exports}/${id}`, { headers })).json();
    if (now.state === 'ready') return now;
    if (now.state !== 'queued' && now.state !== 'running') throw new Error(`the export is ${now.state}: ${now.error}`);
    await pause(POLL_MS);
  }
}

function residentMb(pid, name) {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1024;
}
