/**
 * The lean batch: one statement, no membership, no roles, no revisions; one repeated client_message_id fails it whole,
 * and a member whose removal commits meanwhile still posts. A yardstick for speed, not a model.
 */
export const LEAN_SCHEMA = `
CREATE TABLE rooms (tenant_id uuid, room_id uuid, last_seq bigint NOT NULL DEFAULT 0, PRIMARY KEY (tenant_id, room_id))
  WITH (fillfactor = 50);
CREATE TABLE messages (tenant_id uuid NOT NULL, room_id uuid NOT NULL, seq bigint NOT NULL, message_id uuid NOT NULL,
  sender_id text NOT NULL, client_message_id text, content text NOT NULL, meta json,
  created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, room_id, seq));
CREATE UNIQUE INDEX messages_client_id ON messages (tenant_id, room_id, sender_id, client_message_id);`;

export const LEAN_APPEND = `
WITH i AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[])
    AS m(room_id, ord, message_id, client_message_id, content, meta)),
  n AS MATERIALIZED (SELECT i.*, row_number() OVER (PARTITION BY room_id ORDER BY ord) AS off FROM i
    WHERE NOT EXISTS (SELECT 1 FROM messages x WHERE x.tenant_id = $7 AND x.room_id = i.room_id
      AND x.sender_id = 'alice' AND x.client_message_id = i.client_message_id)),
  l AS MATERIALIZED (SELECT r.room_id, c.k FROM rooms r JOIN (SELECT room_id, count(*) AS k FROM n GROUP BY 1) c
    USING (room_id) WHERE r.tenant_id = $7 ORDER BY 1 FOR UPDATE OF r),
  u AS (UPDATE rooms r SET last_seq = r.last_seq + l.k FROM l WHERE r.tenant_id = $7 AND r.room_id = l.room_id
    RETURNING r.room_id, r.last_seq - l.k AS base)
INSERT INTO messages (tenant_id, room_id, seq, message_id, sender_id, client_message_id, content, meta)
SELECT $7, n.room_id, u.base + n.off, n.message_id, 'alice', n.client_message_id, n.content, n.meta::json
FROM n JOIN u USING (room_id) RETURNING message_id, seq, created_at`;

/** The parameters of LEAN_APPEND for messages `{roomId, messageId, clientMessageId, content, metaText}`. */
export function leanValues(batch, tenant) {
  const column = (pick) => batch.map(pick);
  return [
    column((m) => m.roomId),
    column((_, i) => i),
    column((m) => m.messageId),
    column((m) => m.clientMessageId),
    column((m) => m.content),
    column((m) => m.metaText),
    tenant,
  ];
}

/** Collects what arrives while a call runs and hands it over together: the least that a batch needs. */
export function batching(write, maxBatch = 256) {
  const queue = [];
  let running = false;
  const flush = async () => {
    while (queue.length > 0) {
      const batch = queue.splice(0, maxBatch);
      const rows = await write(batch.map((entry) => entry.message));
      const byId = new Map(rows.map((row) => [row.message_id, row]));
      for (const { message, resolve } of batch) resolve(byId.get(message.messageId));
    }
    running = false;
  };
  return (message) =>
    new Promise((resolve) => {
      queue.push({ message, resolve });
      if (running) return;
      running = true;
      setImmediate(flush);
    });
}
