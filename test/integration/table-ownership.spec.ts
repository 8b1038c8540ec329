import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eachLiteral, ROOT, sourcesIn } from '../support/sources';

/** Functions of the schema may touch every table: their locks are what keeps tables in step. */
const SCHEMA = 'src/platform/database/migrations/';

/** Which folder owns each table (docs/architecture.md: a table is read and written only by its module). */
const OWNERS: Readonly<Record<string, string>> = {
  instance: 'src/platform/',
  jobs: 'src/platform/jobs/',
  idempotency_keys: 'src/platform/idempotency/',
  tenants: 'src/modules/tenants/',
  api_keys: 'src/modules/tenants/',
  tenant_counts: 'src/modules/tenants/',
  tenant_count_deltas: 'src/modules/tenants/',
  users: 'src/modules/tenants/',
  ws_tickets: 'src/modules/tenants/',
  rooms: 'src/modules/rooms/',
  room_members: 'src/modules/rooms/',
  room_events: 'src/modules/rooms/',
  cursors: 'src/modules/delivery/',
  dead_letters: 'src/modules/delivery/',
  webhooks: 'src/modules/tenants/',
  webhook_deliveries: 'src/modules/webhooks/',
  messages: 'src/modules/messages/',
  notifications: 'src/modules/notifications/',
  notification_deliveries: 'src/modules/notifications/',
  subscriptions: 'src/modules/notifications/',
  model_channels: 'src/modules/models/',
  presets: 'src/modules/models/',
  chats: 'src/modules/chats/',
  runs: 'src/modules/chats/',
  run_chunks: 'src/modules/chats/',
};

/** `file: table` that may stay for now, each with its reason. */
const TOLERATED = new Set<string>([
  // Marks the first start as done, in the transaction that makes the demo tenant.
  'src/modules/admin/first-start.service.ts: instance',
  // Keeps what the keys are compared with at the start.
  'src/modules/admin/key-check.ts: instance',
]);

describe('table ownership', () => {
  const tables = sourcesIn(join(ROOT, SCHEMA)).flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(/CREATE (?:UNLOGGED )?TABLE (\w+)/g)].map((m) => m[1] ?? ''),
  );
  const uses = sources(join(ROOT, 'src')).flatMap((file) =>
    tablesIn(readFileSync(join(ROOT, file), 'utf8'), tables).map((table) => ({ file, table })),
  );

  it('is written down for every table', () => {
    expect(Object.keys(OWNERS).sort()).toEqual([...tables].sort());
  });

  it('sees the tables that a source names in its SQL', () => {
    const source = [
      'const a = `SELECT 1 FROM messages m, cursors c ${x} JOIN "users" ON true`;',
      "const b = 'UPDATE rooms SET a = 1' + `DELETE FROM api_keys WHERE ${y}`;",
      "const c = 'messages and room_members of tenants'; // SELECT FROM jobs",
      'const d = `SELECT * FROM room_events_after($1)`;',
    ].join('\n');
    expect(tablesIn(source, tables).sort()).toEqual(['api_keys', 'cursors', 'messages', 'rooms', 'users']);
  });

  it('finds every module’s own SQL', () => {
    const owned = new Set(uses.filter(({ file, table }) => file.startsWith(OWNERS[table] ?? '?')).map((u) => u.table));
    for (const table of ['tenants', 'api_keys', 'users', 'rooms', 'room_members', 'cursors', 'messages'])
      expect(owned).toContain(table);
  });

  it('is kept', () => {
    const foreign = uses.filter(({ file, table }) => !file.startsWith(OWNERS[table] ?? '?'));
    const broken = foreign.map(({ file, table }) => `${file}: ${table}`).filter((use) => !TOLERATED.has(use));
    expect(broken).toEqual([]);
  });
});

/** Sources outside of the schema, as paths from the root. */
function sources(folder: string): string[] {
  return sourcesIn(folder).filter((file) => !file.startsWith(SCHEMA));
}

/** The tables named in string literals that look like SQL. */
function tablesIn(source: string, tables: readonly string[]): string[] {
  const found = new Set<string>();
  eachLiteral(source, (text) => {
    if (/\b(SELECT|FROM|JOIN|INTO|UPDATE|DELETE|WHERE|TABLE)\b/.test(text))
      for (const table of tables) if (new RegExp(`\\b${table}\\b`).test(text)) found.add(table);
  });
  return [...found];
}
