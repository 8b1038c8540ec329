-- Adds what tenants have done to the present minute, of p_rows: [{tenant_id, connections, online, messages_sent, deliveries,
-- refused, tokens, p50_ms, p99_ms}], no tenant twice. A tenant that is gone is passed over.
--
-- Locks: the tenants' rows FOR KEY SHARE, as the foreign key takes them, then the minute's rows; both in order of tenant_id.
--
-- tables: tenants
-- execute: system
CREATE FUNCTION stats_minutes_add(p_rows json) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO stats_minutes AS m
    (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens, p50_ms, p99_ms)
  SELECT l.tenant_id, date_trunc('minute', clock_timestamp()), l.connections, l.online, l.messages_sent, l.deliveries, l.refused,
    l.tokens, l.p50_ms, l.p99_ms
  FROM (SELECT r.* FROM json_to_recordset(p_rows) r (tenant_id uuid, connections integer, online integer, messages_sent bigint,
      deliveries bigint, refused bigint, tokens bigint, p50_ms real, p99_ms real)
    JOIN tenants t ON t.tenant_id = r.tenant_id ORDER BY t.tenant_id FOR KEY SHARE OF t) l
  ON CONFLICT (tenant_id, minute) DO UPDATE SET connections = m.connections + EXCLUDED.connections,
    online = GREATEST(m.online, EXCLUDED.online), messages_sent = m.messages_sent + EXCLUDED.messages_sent,
    deliveries = m.deliveries + EXCLUDED.deliveries, refused = m.refused + EXCLUDED.refused,
    tokens = m.tokens + EXCLUDED.tokens, p50_ms = GREATEST(m.p50_ms, EXCLUDED.p50_ms),
    p99_ms = GREATEST(m.p99_ms, EXCLUDED.p99_ms);
END $f$;
