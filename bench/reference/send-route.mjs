/**
 * What the bare references share: a lean append (`batch` on PostgreSQL, or `stub` in memory) and the route that sends.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { batching, LEAN_APPEND, LEAN_SCHEMA, leanValues } from './lean-append.mjs';

const require = createRequire(import.meta.url);
const { Client } = require('pg');
const TENANT = randomUUID();
const TEXT = { type: 'string' };
const SCHEMA = {
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
  response: { 201: { type: 'object', properties: { message_id: TEXT, seq: { type: 'integer' }, created_at: TEXT } } },
};

/**
 * Options: append ('batch' or 'stub'), and for 'batch' connection, rooms (how many to make) and roomsFile (where their
 * ids go). Returns a function that stores `{messageId, roomId, clientMessageId, content, metaText}`.
 */
export async function openAppend(o) {
  if (o.append === 'stub') {
    let seq = 0;
    return async (message) => ({ message_id: message.messageId, seq: ++seq, created_at: new Date() });
  }
  const client = new Client(o.connection);
  await client.connect();
  await client.query(LEAN_SCHEMA);
  const rooms = Array.from({ length: o.rooms }, () => randomUUID());
  await client.query('INSERT INTO rooms SELECT $1, unnest($2::uuid[])', [TENANT, rooms]);
  await client.query('ANALYZE');
  writeFileSync(o.roomsFile, rooms.join('\n'));
  return batching(async (batch) => {
    const { rows } = await client.query({ name: 'batch', text: LEAN_APPEND, values: leanValues(batch, TENANT) });
    return rows;
  });
}

/** Stores what a client sent and returns the message as the references know it. */
export async function store(append, roomId, { content, meta, client_message_id: clientId }) {
  const stored = await append({
    messageId: randomUUID(),
    roomId,
    clientMessageId: clientId ?? randomUUID(),
    content,
    metaText: meta === undefined ? null : JSON.stringify(meta),
  });
  return { message_id: stored.message_id, seq: Number(stored.seq), created_at: stored.created_at.toISOString() };
}

/** `POST /rooms/:room/messages`; `onStored` hears of each message before it is answered. */
export function sendRoute(app, append, onStored = () => undefined) {
  app.post('/rooms/:room/messages', { schema: SCHEMA }, async (request, reply) => {
    const stored = await store(append, request.params.room, request.body);
    onStored(request.params.room, stored, request.body.content);
    reply.code(201);
    return stored;
  });
}
