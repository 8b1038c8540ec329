-- The tenants whose changes are collected; `is_due`: all of their rooms were looked at an hour ago or more, and no look is to be done.
--
-- tables: jobs
-- execute: system
CREATE FUNCTION feeds_collected() RETURNS TABLE (tenant_id uuid, is_due boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT f.tenant_id, f.swept_at < clock_timestamp() - interval '1 hour' AND NOT EXISTS (SELECT 1 FROM jobs j
    WHERE j.tenant_id = f.tenant_id AND j.kind = 'feed' AND j.state IN ('queued', 'running') AND j.payload = '{}')
  FROM tenant_feeds f WHERE f.is_collected
$f$;
