/** What the server remembers of the days before: usage by day, user and channel, and the minutes that charts are made of. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

const uuidOf = (id) => id.replace(/^[a-z]+_/, '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
const A_DAY = `(CASE WHEN extract(isodow FROM day) > 5 THEN 0.3 ELSE 0.8 + random() / 2 END * $2::float8)`;
const DAYS = `generate_series(current_date - 28, current_date - 1, interval '1 day') day`;
/** Of the tenant $1, so many times $2: what the days and the minutes before this one have used. */
const PAST = [
  `INSERT INTO usage_days (tenant_id, day, part, messages_sent, storage_delta, runs, prompt_tokens, completion_tokens,
     deliveries, webhook_posts, peak_connections)
   SELECT $1, day, 0, 41000 * n, 9400000 * n, 830 * n, 342000 * n, 98000 * n, 260000 * n, 5200 * n, 940 * n
   FROM (SELECT day, ${A_DAY} n FROM ${DAYS}) d`,
  `INSERT INTO usage_users (tenant_id, user_id, day, messages_sent, runs, prompt_tokens, completion_tokens)
   SELECT $1, name, day, 2900 * n / place, 70 * n / place, 29000 * n / place, 8100 * n / place
   FROM (SELECT day, name, place, ${A_DAY} n FROM ${DAYS},
     unnest('{alice,grace,bob,erin,carol,ivan,dave,heidi}'::text[]) WITH ORDINALITY u (name, place)) d`,
  `INSERT INTO usage_models (tenant_id, channel, preset, day, runs, prompt_tokens, completion_tokens)
   SELECT $1, channel, preset, day, 410 * n / place, 171000 * n / place, 49000 * n / place
   FROM (SELECT day, channel, preset, place, ${A_DAY} n FROM ${DAYS},
     unnest('{primary,fallback}'::text[], '{support,default}'::text[]) WITH ORDINALITY u (channel, preset, place)) d`,
  `INSERT INTO stats_minutes (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens, p50_ms, p99_ms)
   SELECT $1, minute, 400 + 300 * n, 380 + 280 * n, 1700 * n, 9800 * n, 14 * random(), 5200 * n, 3 + 2 * random(), 9 + 14 * n
   FROM (SELECT minute, $2::float8 * (1.2 + sin(extract(epoch FROM minute) / 5400) + random() / 4) n
     FROM generate_series(now() - interval '24 hours', now() - interval '2 minutes', interval '1 minute') minute) m`,
];

/** The same minutes of the server as a whole. */
const SERVER_PAST = `INSERT INTO server_minutes
   SELECT minute, '01900000-0000-7000-8000-000000000001', 900 + 500 * n, 860 + 480 * n, 3100 * n, 17000 * n, 21 * random(), 7800 * n,
     3 + 2 * random(), 9 + 14 * n, 4096 * n, 6 * n * random(), 2 * n, 4 + 9 * random(), 210000000 + 30000000 * n
   FROM (SELECT minute, 1.2 + sin(extract(epoch FROM minute) / 5400) + random() / 4 n
     FROM generate_series(now() - interval '24 hours', now() - interval '2 minutes', interval '1 minute') minute) m`;

/** What was before today: no API writes it, so the tables are written, as the server's own roles. */
export async function rememberPast(dataDir, tenants) {
  const names = readdirSync(join(dataDir, 'postgres'), { recursive: true });
  const pid = names.find((name) => name.endsWith('postmaster.pid'));
  const [, , , port, host] = readFileSync(join(dataDir, 'postgres', pid), 'utf8').split('\n');
  const database = new pg.Client({ host, port: Number(port), user: 'chatapi', database: 'chatapi' });
  await database.connect();
  for (const [index, { tenant_id: id }] of tenants.entries()) {
    await database.query('BEGIN');
    await database.query('SET LOCAL ROLE chatapi_tenant');
    await database.query(`SELECT set_config('app.tenant', $1, true)`, [uuidOf(id)]);
    for (const text of PAST) await database.query(text, [uuidOf(id), 1 / (index + 1)]);
    await database.query('COMMIT');
  }
  await database.query('SET ROLE chatapi_system');
  await database.query(SERVER_PAST);
  await database.end();
}
