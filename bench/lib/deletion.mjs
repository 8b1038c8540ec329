/**
 * `npm run bench:big`, the last of its tables: sends of a tenant while another one with many messages is deleted, against sends
 * before and after. At most 1.2 times their p99.
 */
import { load } from './processes.mjs';
import { median } from './stats.mjs';

/** Messages a second, by the clock: far from what the server can do, so that what the deletion takes is seen in the times. */
const RATE = 200;
const CONNECTIONS = 16;
const CONTENT = 'abcdefghij'.repeat(20);
const UNLIMITED = { requests_per_second: null };
/** The name of the tenant that goes. */
const NAME = 'going';

/** @param count messages of the tenant that is deleted @param runs windows before, during and after, at most */
export async function compareDeletion(cluster, server, sql, { count, runs, seconds, warmup }) {
  const sender = await server.tenant(UNLIMITED);
  const going = await furnish(server, sql, count);
  const path = `/admin/tenants/tenant_${going.replaceAll('-', '')}`;
  const admin = async (method, rest) => {
    const answer = await fetch(`${server.url}${path}${rest}`, { method, headers: server.master });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  const window = async (what) => {
    const body = JSON.stringify({ content: 'hello', client_message_id: '{uuid}' });
    const options = { ...sender, body, rate: RATE, connections: CONNECTIONS, seconds, warmup };
    const result = await load(options, { node: server.pid, postgres: cluster.pid });
    if (result.failed > 0) throw new Error(`${what}: ${result.failed} sends failed, e.g. ${result.sample}`);
    process.stderr.write(`${what} p50 ${result.p50.toFixed(2)} ms p99 ${result.p99.toFixed(2)} ms\n`);
    return result;
  };
  const results = { before: [], during: [], after: [] };
  for (let run = 0; run < runs; run++) results.before.push(await window('before'));
  await admin('DELETE', `?confirm=${NAME}`);
  await skipQuiet(sql, going);
  const begun = Date.now();
  let deletion;
  do {
    results.during.push(await window('during'));
    deletion = await admin('GET', '/deletion');
  } while (results.during.length < runs && deletion.state !== 'done');
  while (deletion.state !== 'done') {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    deletion = await admin('GET', '/deletion');
  }
  if (deletion.deleted.messages !== count) throw new Error(`deleted ${JSON.stringify(deletion.deleted)}`);
  const took = (Date.parse(deletion.finished_at) - begun) / 1000;
  for (let run = 0; run < runs; run++) results.after.push(await window('after'));
  return rowOf(count, took, results);
}

function rowOf(count, took, { before, during, after }) {
  const of = (results, pick) => median(results.map(pick));
  const alone = [...before, ...after];
  const [p99, cpu] = [(r) => r.p99, (r) => r.cpu.node + r.cpu.postgres];
  const ratio = of(during, p99) / of(alone, p99);
  const shown = (results) => `${of(results, (r) => r.p50).toFixed(2)} / ${of(results, p99).toFixed(2)}`;
  return {
    'deleted messages': count.toLocaleString('en'),
    'took s': took.toFixed(0),
    'sends alone, p50 / p99 ms': shown(alone),
    'meanwhile, p50 / p99 ms': shown(during),
    'windows meanwhile': during.length,
    'CPU µs a send, alone : meanwhile': `${of(alone, cpu).toFixed(0)} : ${of(during, cpu).toFixed(0)}`,
    'ratio p99': ratio.toFixed(2),
    '≤1.2': ratio <= 1.2 ? 'yes' : 'NO',
  };
}

/** A tenant with so many messages in ten rooms, as years of use leave them; its id as the database has it. */
async function furnish(server, sql, count) {
  const [{ id }] = await sql(
    `INSERT INTO tenants (tenant_id, name) VALUES (gen_random_uuid(), $1) RETURNING tenant_id AS id`,
    [NAME],
  );
  await sql(`INSERT INTO users (tenant_id, user_id) SELECT $1, 'user' || n FROM generate_series(1, 100) n`, [id]);
  await sql(
    `WITH r AS (INSERT INTO rooms (tenant_id, room_id, type, name, last_seq, last_rev, member_count, members_added)
       SELECT $1, gen_random_uuid(), 'group', 'room', $2::bigint / 10, $2::bigint / 10, 100, 100
       FROM generate_series(1, 10) RETURNING room_id)
     INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
     SELECT $1, room_id, 'user' || n, 'member', 0, n FROM r, generate_series(1, 100) n`,
    [id, count],
  );
  await sql(
    `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, client_message_id, body_hash, content,
       created_at)
     SELECT $1, room_id, n, gen_random_uuid(), n, 'user' || (1 + n % 100), md5(n::text), sha256(n::text::bytea), $3, now()
     FROM rooms, generate_series(1, $2::bigint / 10) n WHERE tenant_id = $1`,
    [id, count, CONTENT],
  );
  await sql('VACUUM ANALYZE');
  await sql('CHECKPOINT');
  return id;
}

/** Nobody has called as this tenant: nothing has to be waited for. */
async function skipQuiet(sql, tenantId) {
  await sql(`UPDATE tenant_deletions SET started_at = started_at - interval '1 minute' WHERE tenant_id = $1`, [
    tenantId,
  ]);
  await sql(`UPDATE jobs SET run_at = now() WHERE tenant_id = $1 AND kind = 'tenant.delete'`, [tenantId]);
}
