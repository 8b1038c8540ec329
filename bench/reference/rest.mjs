/**
 * The bare reference: Fastify with a compiled schema and a lean batched append on PostgreSQL. No Nest, no credentials,
 * no limits, no membership; one repeated client_message_id fails its whole batch. It shows what the machine allows,
 * not what a chat server may do. `node rest.mjs '<json>'`: {connection, rooms, append: 'batch'|'stub'}.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { batching, LEAN_APPEND, LEAN_SCHEMA, leanValues } from './lean-append.mjs';

const require = createRequire(import.meta.url);
const fastify = require('fastify');
const { Client } = require('pg');

const o = JSON.parse(process.argv[2]);
const TENANT = randomUUID();
let append;
if (o.append === 'stub') {
  let seq = 0;
  append = async (message) => ({ message_id: message.messageId, seq: ++seq, created_at: new Date() });
} else {
  const client = new Client(o.connection);
  await client.connect();
  await client.query(LEAN_SCHEMA);
  const rooms = Array.from({ length: o.rooms }, () => randomUUID());
  await client.query('INSERT INTO rooms SELECT $1, unnest($2::uuid[])', [TENANT, rooms]);
  await client.query('ANALYZE');
  writeFileSync(o.roomsFile, rooms.join('\n'));
  append = batching(async (batch) => {
    const { rows } = await client.query({ name: 'batch', text: LEAN_APPEND, values: leanValues(batch, TENANT) });
    return rows;
  });
}

const app = fastify();
const text = { type: 'string' };
app.post(
  '/rooms/:room/messages',
  {
    schema: {
      body: {
        type: 'object',
        required: ['content'],
        additionalProperties: false,
        properties: {
          content: { type: 'string', minLength: 1, maxLength: 32768 },
          client_message_id: { type: 'string', maxLength: 64 },
          meta: { type: 'object' },
        },
      },
      response: {
        201: { type: 'object', properties: { message_id: text, seq: { type: 'integer' }, created_at: text } },
      },
    },
  },
  async (request, reply) => {
    const { content, meta, client_message_id: clientId } = request.body;
    const stored = await append({
      messageId: randomUUID(),
      roomId: request.params.room,
      clientMessageId: clientId ?? randomUUID(),
      content,
      metaText: meta === undefined ? null : JSON.stringify(meta),
    });
    reply.code(201);
    return { message_id: stored.message_id, seq: Number(stored.seq), created_at: stored.created_at.toISOString() };
  },
);
await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`listens on http://127.0.0.1:${app.server.address().port}`);
process.on('SIGTERM', () => process.exit(0));
