import { setTimeout as pause } from 'node:timers/promises';
import { memoryColumns, memoryOf } from './memory.mjs';

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
  const measured = await memoryOf(pid, () => written(exports, master));
  const { lines, bytes } = measured.result;
  return {
    export: `${lines} lines, ${(bytes / 1e6).toFixed(0)} MB compressed`,
    ...memoryColumns(measured, MOST_MB),
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
