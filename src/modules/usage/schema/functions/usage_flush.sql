-- Adds what the connections and webhooks of tenants did lately to today, by the database's clock. Tenants that are gone are
-- left out.
--
-- Locks: none that is waited for: the rows are the session's own.
--
-- tables: tenants
-- execute: system
CREATE FUNCTION usage_flush(p_tenants uuid[], p_deliveries bigint[], p_posts bigint[], p_peaks integer[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  INSERT INTO usage_days AS u (tenant_id, day, part, deliveries, webhook_posts, peak_connections)
  SELECT f.tenant_id, (clock_timestamp() AT TIME ZONE 'UTC')::date, pg_backend_pid(), f.deliveries, f.posts, f.peak
  FROM unnest(p_tenants, p_deliveries, p_posts, p_peaks) f(tenant_id, deliveries, posts, peak)
  JOIN tenants t USING (tenant_id) ORDER BY f.tenant_id
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET deliveries = u.deliveries + EXCLUDED.deliveries,
    webhook_posts = u.webhook_posts + EXCLUDED.webhook_posts,
    peak_connections = GREATEST(u.peak_connections, EXCLUDED.peak_connections);
$f$;
