/**
 * The data of `bench/big.mjs`, written by SQL as the server itself would have left it: seqs and revisions without a gap,
 * rooms that know their newest ones, members in the order of joining. Each large thing has a small one beside it.
 */
export const TENANT = '01900000-0000-7000-8000-0000000000d2';
const CONTENT = 'abcdefghij'.repeat(20);

export const SIZES = {
  messages: { small: 1_000, big: 1_000_000 },
  /** Rooms that a user is in, among `others` of the tenant. */
  rooms: { small: 50, big: 1_000, others: 20_000, messages: 100, unread: 20 },
  members: { small: 50, big: 10_000 },
  /** Tenants, each with so many jobs that were given up. */
  tenants: { big: 1_000, jobs: 20 },
};

/**
 * Fills a migrated database in which the demo tenant exists; answers with the ids of its rooms as the API has them.
 * @param sql runs one statement as superuser: `sql(text, values)`
 */
export async function fill(sql) {
  await users(sql, ['alice', 'few', 'many']);
  const ids = {
    smallLog: await log(sql, SIZES.messages.small),
    bigLog: await log(sql, SIZES.messages.big),
    fewMembers: await crowd(sql, SIZES.members.small),
    manyMembers: await crowd(sql, SIZES.members.big),
  };
  await joinedRooms(sql);
  await sql('VACUUM ANALYZE');
  await sql('CHECKPOINT');
  return ids;
}

/** Tenants with work that waits for nobody, and a day of minutes of each: what the stats must not grow with. */
export async function fillTenants(sql) {
  const { big, jobs } = SIZES.tenants;
  await sql(`INSERT INTO tenants (tenant_id, name) SELECT gen_random_uuid(), 'big' FROM generate_series(1, $1::int)`, [
    big,
  ]);
  await sql(
    `INSERT INTO jobs (tenant_id, kind, key, payload, state, ended_at)
     SELECT t.tenant_id, 'webhook.deliver', '', '{}', 'dead', now() FROM tenants t, generate_series(1, $1::int)`,
    [jobs],
  );
  await sql(
    `INSERT INTO stats_minutes (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens)
     SELECT t.tenant_id, date_trunc('minute', now()) - make_interval(mins => n), 1, 1, 1, 1, 0, 0
     FROM tenants t, generate_series(0, 1439) n
     -- The server keeps its own of the tenants that were busy meanwhile.
     ON CONFLICT DO NOTHING`,
  );
  await sql('VACUUM ANALYZE');
}

/** Ids of the rooms that a user is in. */
export async function roomsOf(sql, userId) {
  const rows = await sql('SELECT room_id AS id FROM room_members WHERE tenant_id = $1 AND user_id = $2', [
    TENANT,
    userId,
  ]);
  return rows.map(({ id }) => asRoomId(id));
}

/** Puts a user's cursors back to the beginning. */
export function rewind(sql, userId) {
  return sql('UPDATE cursors SET acked_seq = 0, read_seq = 0 WHERE tenant_id = $1 AND user_id = $2', [TENANT, userId]);
}

function users(sql, ids) {
  return sql(`INSERT INTO users (tenant_id, user_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, [
    TENANT,
    ids,
  ]);
}

/** A room with so many messages of ten senders, of which alice is one. */
async function log(sql, count) {
  const [{ id }] = await sql(
    `INSERT INTO rooms (tenant_id, room_id, type, name, last_seq, last_rev, last_message_at, member_count, members_added)
     VALUES ($1, gen_random_uuid(), 'group', 'log', $2, $2, now(), 10, 10) RETURNING room_id AS id`,
    [TENANT, count],
  );
  const members = ['alice', ...Array.from({ length: 9 }, (_, i) => `sender_${i + 1}`)];
  await users(sql, members);
  await join(sql, id, members);
  await sql(
    `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, client_message_id, body_hash, content,
       created_at)
     SELECT $1, $2, n, gen_random_uuid(), n, ($4::text[])[1 + n % 10], md5(n::text), sha256(n::text::bytea), $5,
       now() - ($3 - n) * interval '1 second'
     FROM generate_series(1, $3::bigint) n`,
    [TENANT, id, count, members, CONTENT],
  );
  return asRoomId(id);
}

/** A room with so many members, of which alice is the first. */
async function crowd(sql, count) {
  const [{ id }] = await sql(
    `INSERT INTO rooms (tenant_id, room_id, type, name, member_count, members_added)
     VALUES ($1, gen_random_uuid(), 'group', 'crowd', $2::integer, $2::integer) RETURNING room_id AS id`,
    [TENANT, count],
  );
  const members = ['alice', ...Array.from({ length: count - 1 }, (_, i) => `member_${i + 1}`)];
  await users(sql, members);
  await join(sql, id, members);
  return asRoomId(id);
}

function join(sql, room, members) {
  return sql(
    `INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
     SELECT $1, $2, u, CASE WHEN n = 1 THEN 'admin' ELSE 'member' END, 0, n
     FROM unnest($3::text[]) WITH ORDINALITY m(u, n)`,
    [TENANT, room, members],
  );
}

/**
 * The rooms of the two users, scattered among the tenant's others as years of use leave them. Every one has messages of
 * other members, the last of them unread, and its own time of last activity.
 */
async function joinedRooms(sql) {
  const { small, big, others, messages, unread } = SIZES.rooms;
  await users(sql, ['other']);
  await sql(
    `WITH r AS (
       INSERT INTO rooms (tenant_id, room_id, type, name, last_seq, last_rev, last_message_at, member_count,
         members_added)
       SELECT $1, gen_random_uuid(), 'group', 'room ' || n, $2, $2, now() - random() * interval '300 days', 2, 2
       FROM generate_series(1, $3::integer) n RETURNING room_id
     ), numbered AS (SELECT room_id, row_number() OVER () AS n FROM r), seats AS (
       SELECT room_id, u, no FROM numbered, LATERAL (VALUES ('other', 1),
         (CASE WHEN n % ($3 / $4) = 1 THEN 'few' WHEN n % ($3 / $5) = 2 THEN 'many' END, 2)) m(u, no)
       WHERE u IS NOT NULL
     ), members AS (
       INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
       SELECT $1, room_id, u, 'member', 0, no FROM seats
     )
     INSERT INTO cursors (tenant_id, room_id, user_id, acked_seq, read_seq)
     SELECT $1, room_id, u, $2, $2 - $6::bigint FROM seats WHERE no = 2`,
    [TENANT, messages, others, small, big, unread],
  );
  await sql(
    `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, client_message_id, body_hash, content,
       created_at)
     SELECT $1, r.room_id, n, gen_random_uuid(), n, 'other', md5(n::text), sha256(n::text::bytea), $2,
       r.last_message_at - ($3 - n) * interval '1 second'
     FROM generate_series(1, $3::bigint) n, rooms r
     WHERE EXISTS (SELECT 1 FROM room_members m WHERE m.tenant_id = r.tenant_id AND m.room_id = r.room_id
       AND m.user_id IN ('few', 'many'))`,
    [TENANT, CONTENT, messages],
  );
}

function asRoomId(uuid) {
  return `room_${uuid.replaceAll('-', '')}`;
}
