import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { backup, restore, type RestoreRequest } from '../../src/platform/database';
import type { Header } from '../../src/platform/database/backup/backup';
import { BlockKind, BlockReader, BlockWriter, parse } from '../../src/platform/database/backup/format';
import { SilentLog } from '../../src/platform/logging';

type BackupSummary = Awaited<ReturnType<typeof backup>>;
type RestoreSummary = Awaited<ReturnType<typeof restore>>;

/** Runs SQL as a superuser, in the database that is looked at. */
export type Sql = <R extends object>(text: string) => Promise<R[]>;

/** What a person would compare: the schema, object by object, and every row. */
export interface DatabaseSnapshot {
  readonly schema: readonly string[];
  readonly rows: Readonly<Record<string, readonly string[]>>;
}

/** The catalogue by other ways than a backup's own: the standard's views, and access lists as they are stored. */
const SCHEMA = `
  SELECT format('column %s.%s %s %s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    a.attcollation::regcollation, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid)) AS line
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT format('columns %s %s', c.relname, (SELECT string_agg(a.attname, ' ' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  UNION ALL SELECT format('%s %s %s %s %s %s %s', c.relkind, c.relname, c.relpersistence, c.reloptions, c.relrowsecurity,
    c.relforcerowsecurity, pg_get_userbyid(c.relowner))
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'restoring'
  UNION ALL SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT format('constraint %s %s %s %s', conrelid::regclass, conname, contype, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
  UNION ALL SELECT format('function %s %s %s', pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner), p.prosecdef)
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
  UNION ALL SELECT format('trigger %s %s', tgenabled, pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT format('policy %s', to_jsonb(p)) FROM pg_policies p WHERE schemaname = 'public'
  UNION ALL SELECT format('sequence %s', to_jsonb(s) - 'last_value') FROM pg_sequences s WHERE schemaname = 'public'
  UNION ALL SELECT format('right of %s on %s: %s %s', x.grantee::regrole, o.name, x.privilege_type, x.is_grantable) FROM (
    SELECT relname::text AS name, relacl AS acl, relowner AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT oid::regprocedure::text, proacl, proowner FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'public', nspacl, nspowner FROM pg_namespace WHERE nspname = 'public'
    UNION ALL SELECT attrelid::regclass::text || '.' || attname, attacl, c.relowner FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
      WHERE c.relnamespace = 'public'::regnamespace AND attacl IS NOT NULL) o
  CROSS JOIN LATERAL aclexplode(o.acl) x WHERE x.grantee <> o.owner
  ORDER BY 1`;

/** @param names what an installation calls its own, which is put in one form: its login role and the prefix of its roles */
export async function snapshotOf(
  sql: Sql,
  names: { readonly login: string; readonly prefix: string },
): Promise<DatabaseSnapshot> {
  const neutral = (line: string): string =>
    line
      .replaceAll(new RegExp(`\\b${names.prefix}_(tenant|system|append|backup)\\b`, 'g'), 'ROLE_$1')
      .replaceAll(new RegExp(`\\b${names.login}\\b(?!\\.)`, 'g'), 'LOGIN');
  const schema = await sql<{ line: string }>(SCHEMA);
  const tables = await sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'restoring' ORDER BY 1`,
  );
  const rows: Record<string, string[]> = {};
  for (const { name } of tables) {
    const what = name === 'instance' ? `to_jsonb(t) - 'epoch' - 'role_prefix'` : 't';
    const found = await sql<{ row: string }>(`SELECT (${what})::text AS row FROM public."${name}" t ORDER BY 1`);
    rows[name] = found.map(({ row }) => row);
  }
  return { schema: schema.map(({ line }) => neutral(line)).sort(), rows };
}

/** Rows whose text is hard on a format of lines: of every type, with what has to be escaped, with nothing. */
export const HARD_ROWS = `
  INSERT INTO tenants (tenant_id, name, settings) SELECT t, 'tenant ' || t, '{"a": "\\\\ \\u2028 \\" ü"}' FROM unnest(ARRAY[
    '00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b']::uuid[]) t;
  INSERT INTO users (tenant_id, user_id) SELECT tenant_id, u FROM tenants, unnest(ARRAY['alice', E'b\\tob', 'ünïcødé 👍', '\\N', '\\.']) u;
  INSERT INTO rooms (tenant_id, room_id, type, last_seq, last_rev, metadata)
    SELECT tenant_id, tenant_id, 'group', 2000, 2000, '{"n": 1.50, "s": null}' FROM tenants;
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
    SELECT tenant_id, tenant_id, user_id, 'member', 0, row_number() OVER () FROM users;
  INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, meta, body_hash, created_at)
    SELECT tenant_id, tenant_id, n, gen_random_uuid(), n, 'alice',
      CASE n % 7 WHEN 0 THEN '' WHEN 1 THEN E'\\\\N' WHEN 2 THEN E'a\\tb\\nc\\rd\\be\\f\\v' WHEN 3 THEN repeat('👍 x', 300)
        WHEN 4 THEN E'\\\\.' WHEN 5 THEN '%ROLES% "quoted"' ELSE 'message ' || n END,
      CASE n % 3 WHEN 0 THEN NULL ELSE '{"z": 1, "a": [1, 2.50, "\\\\n"], "a": null}'::json END,
      CASE n % 2 WHEN 0 THEN NULL ELSE sha256(n::text::bytea) END, timestamptz '1999-12-31 23:59:59.999Z' + n * interval '1 hour'
    FROM tenants, generate_series(1, 2000) n;
  INSERT INTO jobs (tenant_id, kind, key, payload) SELECT tenant_id, 'x', n::text, '{}' FROM tenants, generate_series(1, 40) n;
  DELETE FROM jobs WHERE key::int > 10;
  INSERT INTO notifications (tenant_id, notification_id, topic, payload, user_ids, topic_subscribers)
    SELECT tenant_id, gen_random_uuid(), 't', '{"b":1,"a":2}', ARRAY['a,b', 'c"d', '{}', '', NULL], false FROM tenants;
  INSERT INTO presets (tenant_id, name, system_prompt, temperature, context_messages)
    SELECT tenant_id, 'p' || COALESCE(x::text, ''), '', x, 20 FROM tenants, unnest(ARRAY[0.1, 1e-7, 3.3333333333333335, NULL]::float8[]) x;
  INSERT INTO ws_tickets (tenant_id, ticket_id, expires_at) SELECT tenant_id, tenant_id, 'infinity' FROM tenants;`;

const PREFIX_BYTES = 16;

/** Where the blocks of a file begin, and where the last one ends. */
export function boundariesOf(content: Buffer): number[] {
  const at = [PREFIX_BYTES];
  for (let next = PREFIX_BYTES; next < content.length; at.push(next)) next += 10 + content.readUInt32BE(next + 2) + 32;
  return at;
}

/** The same file with another first block, as a writer of ours would have written it. */
export async function withHeader(from: string, to: string, change: (header: Header) => object): Promise<string> {
  const [source, target] = [await open(from, 'r'), await open(to, 'w')];
  try {
    const reader = await BlockReader.begin(source, from);
    const writer = await BlockWriter.begin(target);
    await writer.json(BlockKind.header, change(parse(await reader.expect(BlockKind.header)) as Header));
    for (let block = await reader.next(); block; block = await reader.next())
      await writer.block(block.kind, block.body);
  } finally {
    await source.close();
    await target.close();
  }
  return to;
}

/** Backups of one test file, in a directory of their own. */
export class BackupsFixture {
  readonly dir = mkdtempSync(join(tmpdir(), 'chatapi-backups-'));
  /** What was told to the person who waits. */
  readonly told: string[] = [];
  private count = 0;

  file(): string {
    return join(this.dir, `backup-${++this.count}`);
  }

  /** A file with this content. */
  made(content: Buffer): string {
    const file = this.file();
    writeFileSync(file, content);
    return file;
  }

  async make(connection: ClientConfig, options: Partial<Parameters<typeof backup>[0]> = {}): Promise<MadeBackup> {
    const file = options.file ?? this.file();
    const summary = await backup({
      ...{ connection, file, release: '0.0.0', keys: ['a'.repeat(16)], isGentle: false },
      ...{ onProgress: (line: string) => this.told.push(line), signal: new AbortController().signal },
      ...options,
    });
    return { file, summary, content: readFileSync(file) };
  }

  restore(file: string, connection: ClientConfig, options: Partial<RestoreRequest> = {}): Promise<RestoreSummary> {
    return restore({
      file,
      openTarget: () => Promise.resolve(connection),
      takeKeys: () => Promise.resolve(() => Promise.resolve()),
      ...{ allowUnsafe: true, log: new SilentLog(), signal: new AbortController().signal },
      onProgress: (line) => this.told.push(line),
      ...options,
    });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export interface MadeBackup {
  readonly file: string;
  readonly summary: BackupSummary;
  readonly content: Buffer;
}
