/** Work of the kinds of jobs that write and read files. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Export, exportPath, fileAt, linesIn, ofKind } from '../exports';
import { until } from '../poll';
import { createRoom } from '../rooms';
import { uuidOf } from '../tenants';
import { exportFile, MADE_AT, roomLines, userLine } from '../transfer/files';
import { createImport, type ImportBody, importPath, validImport } from '../transfer/imports';
import { type CrashSite, type JobWork, type ServedTenant, wrong } from './site';

const EXPORTED = 15_000;
const CHECKED = 8000;
const LOADED = { rooms: 3, each: 1500 };
const USERS = ['ann', 'ben'];

export async function exporting(site: CrashSite): Promise<JobWork> {
  const tenant = await site.tenant();
  const { room_id } = await createRoom(tenant.as('ann'), 'group', []);
  await site.fill(room_id, EXPORTED);
  const ids: string[] = [];
  const names = (): string[] => {
    try {
      return readdirSync(join(site.victim.dataDir, 'exports', uuidOf(tenant.tenantId)));
    } catch {
      return [];
    }
  };
  return {
    tenantId: tenant.tenantId,
    begin: async () => {
      const headers = { 'idempotency-key': `export ${ids.length} of ${tenant.tenantId}` };
      const call = () => site.master.post<Export>(exportPath(tenant), undefined, { headers });
      ids.push((await site.insist(call, 202)).export_id);
    },
    isHalfDone: () => Promise.resolve(names().some((name) => name.endsWith('.partial'))),
    faults: async () => {
      const faults: string[] = [];
      for (const id of ids) faults.push(...(await faultsOfExport(site, tenant, id)));
      return [
        ...faults,
        ...wrong(
          'files of exports',
          names().map(kindOfFile),
          ids.map(() => 'ndjson.gz'),
        ),
      ];
    },
  };
}

async function faultsOfExport(site: CrashSite, tenant: ServedTenant, id: string): Promise<string[]> {
  const path = (rest = ''): string => exportPath(tenant, undefined, `/${id}${rest}`);
  const { state, lines } = await until(
    () => site.insist<Export>(() => site.master.get(path())),
    (now) => now.state !== 'queued' && now.state !== 'running',
  );
  if (state !== 'ready') return [`an export is ${state}`];
  const file = linesIn((await fileAt(site.master, path('/file'))).bytes);
  return [
    ...wrong('the hash of an export', file.end['sha256'], file.sha256),
    ...wrong('lines of an export', file.lines.length, lines),
    ...wrong(
      'messages of an export',
      ofKind(file, 'message').map(({ seq }) => seq),
      Array.from({ length: EXPORTED }, (_, i) => i + 1),
    ),
  ];
}

/** `<id>.<attempt>.ndjson.gz` → `ndjson.gz`. */
function kindOfFile(name: string): string {
  return name.split('.').slice(2).join('.');
}

/** Looks at a file in which one line is wrong. */
export async function validating(site: CrashSite): Promise<JobWork> {
  const tenant = await site.tenant();
  const messages = Array.from({ length: CHECKED }, (_, i) => (i === CHECKED - 2 ? { created_at: MADE_AT } : {}));
  const lines = [...USERS.map((user) => userLine(user)), ...roomLines({ members: USERS, messages })];
  const { import_id } = await createImport(site.master, tenant, exportFile(lines));
  const path = importPath(tenant, import_id);
  return {
    tenantId: tenant.tenantId,
    begin: async () => {
      await site.insist(() => site.master.post(`${path}/validate`), 202);
    },
    isHalfDone: () => Promise.resolve(true),
    faults: async () => {
      const found = await until(
        () => site.insist<ImportBody>(() => site.master.get(path)),
        ({ state }) => state !== 'validating',
      );
      const lineOf = found.faults.map(({ line, field }) => [line, field]);
      const made = await site.count('rooms WHERE tenant_id = $1', uuidOf(tenant.tenantId));
      return [
        ...wrong('a file with a fault', [found.state, found.fault_count], ['invalid', 1]),
        // The header, two users, the room, two members.
        ...wrong('where its fault is', lineOf, [[1 + 2 + 1 + 2 + CHECKED - 1, 'created_at']]),
        ...wrong('rooms that looking at it has made', made, 0),
      ];
    },
  };
}

export async function loading(site: CrashSite): Promise<JobWork> {
  const tenant = await site.tenant();
  const total = LOADED.rooms * LOADED.each;
  const messages = Array.from({ length: LOADED.each }, () => ({}));
  const rooms = Array.from({ length: LOADED.rooms }, () => roomLines({ members: USERS, messages })).flat();
  const file = exportFile([...USERS.map((user) => userLine(user)), ...rooms]);
  const { import_id } = await validImport(site.master, tenant, file);
  const path = importPath(tenant, import_id);
  const loaded = (): Promise<number> => site.count('messages WHERE tenant_id = $1', uuidOf(tenant.tenantId));
  return {
    tenantId: tenant.tenantId,
    begin: async () => {
      await site.insist(() => site.master.post(`${path}/start`), 202);
    },
    isHalfDone: async () => {
      const now = await loaded();
      return now > 0 && now < total;
    },
    isOver: async () => (await loaded()) === total,
    faults: async () => {
      const { state, counts } = await until(
        () => site.insist<ImportBody>(() => site.master.get(path)),
        (now) => now.state !== 'running',
      );
      const whole = `rooms r WHERE tenant_id = $1 AND deleted_at IS NULL AND last_seq = $2
        AND last_seq = (SELECT count(*) FROM messages m WHERE m.tenant_id = r.tenant_id AND m.room_id = r.room_id)`;
      const { rooms: room, each } = LOADED;
      return [
        ...wrong('an import', state, 'done'),
        ...wrong('what it has made', counts, {
          ...{ room, user: USERS.length, member: room * USERS.length, message: total },
        }),
        ...wrong('its rooms', await site.count(whole, uuidOf(tenant.tenantId), each), room),
        ...wrong('its messages', await loaded(), total),
      ];
    },
  };
}
