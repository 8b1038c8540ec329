-- Takes the sizes of deleted messages off, today by the database's clock. What was not counted yet is counted by this: it
-- was sent and stored, and usage_count_rooms will not find it. Of a tenant that is being deleted nothing is counted any more.
--
-- Locks: the rooms in usage_rooms; then the rows that are added to, in the order of their keys. The row in usage_days is
-- the transaction's own.
--
-- tables: messages, tenants
-- execute: tenant
CREATE FUNCTION usage_messages_deleted() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  changed record;
BEGIN
  FOR changed IN
    SELECT g.tenant_id, array_agg(DISTINCT g.room_id) AS rooms FROM gone g JOIN tenants t USING (tenant_id)
    WHERE t.deleting_since IS NULL GROUP BY 1 ORDER BY 1
  LOOP
    PERFORM usage_rooms_hold(changed.tenant_id, changed.rooms);
    WITH sizes AS MATERIALIZED (
      SELECT g.room_id, g.sender_id, (g.created_at AT TIME ZONE 'UTC')::date AS day, u.counted_seq < g.seq AS is_fresh,
        octet_length(g.content) + COALESCE(octet_length(g.meta::text), 0) AS bytes
      FROM gone g LEFT JOIN usage_rooms u ON u.tenant_id = g.tenant_id AND u.room_id = g.room_id
      WHERE g.tenant_id = changed.tenant_id
    ), by_user AS (
      INSERT INTO usage_users AS u (tenant_id, user_id, day, messages_sent)
      SELECT changed.tenant_id, s.sender_id, s.day, count(*) FROM sizes s WHERE s.is_fresh GROUP BY 2, 3 ORDER BY 2, 3
      ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent
    ), by_room AS (
      INSERT INTO usage_chats AS u (tenant_id, room_id, day, messages_sent)
      SELECT changed.tenant_id, s.room_id, s.day, count(*) FROM sizes s WHERE s.is_fresh GROUP BY 2, 3 ORDER BY 2, 3
      ON CONFLICT (tenant_id, room_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent
    ), deltas AS (
      SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day, 0 AS n, -sum(s.bytes) AS delta FROM sizes s
      UNION ALL
      SELECT s.day, count(*), sum(s.bytes) FROM sizes s WHERE s.is_fresh GROUP BY 1
    )
    INSERT INTO usage_days AS u (tenant_id, day, part, messages_sent, storage_delta)
    SELECT changed.tenant_id, d.day, pg_backend_pid(), sum(d.n), sum(d.delta) FROM deltas d GROUP BY 2
    HAVING sum(d.n) <> 0 OR sum(d.delta) <> 0 ORDER BY 2
    ON CONFLICT (tenant_id, day, part) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent,
      storage_delta = u.storage_delta + EXCLUDED.storage_delta;
  END LOOP;
  RETURN NULL;
END $f$;

CREATE TRIGGER usage_deleted AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION usage_messages_deleted();
