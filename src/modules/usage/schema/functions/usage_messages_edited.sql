-- Counts by how much edited messages, and messages that became tombstones, have grown or shrunk: today, by the database's
-- clock. One that is not counted yet will be, with its size of then; that it had another one on an earlier day is made up
-- for on the day on which it was sent. A change that alters no size touches nothing.
--
-- Locks: the rooms in usage_rooms; the row in usage_days is the transaction's own.
--
-- tables: messages, tenants
-- execute: tenant
CREATE FUNCTION usage_messages_edited() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  changed record;
BEGIN
  FOR changed IN
    SELECT a.tenant_id, array_agg(DISTINCT a.room_id) AS rooms FROM is_now a
    JOIN was w USING (tenant_id, room_id, seq) JOIN tenants t USING (tenant_id)
    WHERE octet_length(a.content) + COALESCE(octet_length(a.meta::text), 0)
      <> octet_length(w.content) + COALESCE(octet_length(w.meta::text), 0)
    GROUP BY 1 ORDER BY 1
  LOOP
    PERFORM usage_rooms_hold(changed.tenant_id, changed.rooms);
    WITH sizes AS MATERIALIZED (
      SELECT a.room_id, a.seq, a.created_at, octet_length(a.content) + COALESCE(octet_length(a.meta::text), 0)
        - octet_length(w.content) - COALESCE(octet_length(w.meta::text), 0) AS grown
      FROM is_now a JOIN was w USING (tenant_id, room_id, seq) WHERE a.tenant_id = changed.tenant_id
    ), deltas AS (
      SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day, sum(s.grown) AS delta FROM sizes s
      UNION ALL
      SELECT (s.created_at AT TIME ZONE 'UTC')::date, -sum(s.grown) FROM sizes s
      JOIN usage_rooms u ON u.tenant_id = changed.tenant_id AND u.room_id = s.room_id WHERE s.seq > u.counted_seq
      GROUP BY 1
    )
    INSERT INTO usage_days AS u (tenant_id, day, part, storage_delta)
    SELECT changed.tenant_id, d.day, pg_backend_pid(), sum(d.delta) FROM deltas d
    GROUP BY 2 HAVING sum(d.delta) <> 0 ORDER BY 2
    ON CONFLICT (tenant_id, day, part) DO UPDATE SET storage_delta = u.storage_delta + EXCLUDED.storage_delta;
  END LOOP;
  RETURN NULL;
END $f$;

CREATE TRIGGER usage_edited AFTER UPDATE ON messages REFERENCING OLD TABLE AS was NEW TABLE AS is_now
FOR EACH STATEMENT EXECUTE FUNCTION usage_messages_edited();
