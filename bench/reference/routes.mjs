/**
 * The bare reference of the hot routes: Fastify with a compiled schema and one statement of a plain pool, as superuser on
 * our own tables. No Nest, no credentials, no limits, no membership, no row-level security.
 * `node routes.mjs '<json>'`: {connection, tenant, userId}.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const fastify = require('fastify');
const { Pool, types } = require('pg');

const o = JSON.parse(process.argv[2]);
types.setTypeParser(types.builtins.INT8, Number);
const pool = new Pool({ ...o.connection, max: 10 });

const NEWEST = `SELECT message_id, room_id, seq, rev, sender_id, content, meta, client_message_id, created_at, edited_at,
  deleted_at FROM messages WHERE tenant_id = $1 AND room_id = $2 ORDER BY seq DESC LIMIT $3`;
const advance = (set) => `INSERT INTO cursors AS c (tenant_id, room_id, user_id, acked_seq) VALUES ($1, $2, $3, $4)
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE SET ${set}, updated_at = clock_timestamp()`;
const ACK = advance('acked_seq = GREATEST(c.acked_seq, $4)');
const READ = advance('acked_seq = GREATEST(c.acked_seq, $4), read_seq = GREATEST(c.read_seq, $4)');

const POSITION = {
  type: 'object',
  required: ['room_id', 'seq'],
  additionalProperties: false,
  properties: { room_id: { type: 'string' }, seq: { type: 'integer', minimum: 0 } },
};
const uuid = (roomId) => roomId.slice('room_'.length);

const app = fastify();
app.get('/rooms/:room/messages', async (request) => {
  const values = [o.tenant, uuid(request.params.room), Number(request.query.limit ?? 50)];
  return (await pool.query({ name: 'newest', text: NEWEST, values })).rows.reverse();
});
for (const [path, text] of Object.entries({ '/acks': ACK, '/reads': READ }))
  app.post(path, { schema: { body: POSITION } }, async ({ body }) => {
    await pool.query({ name: path, text, values: [o.tenant, uuid(body.room_id), o.userId, body.seq] });
    return { success: true };
  });
await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`listens on http://127.0.0.1:${app.server.address().port}`);
process.on('SIGTERM', () => process.exit(0));
