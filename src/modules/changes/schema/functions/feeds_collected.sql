-- The tenants whose changes are collected; `is_due`: all of their rooms were looked at an hour ago or more.
--
-- execute: system
CREATE FUNCTION feeds_collected() RETURNS TABLE (tenant_id uuid, is_due boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT f.tenant_id, f.swept_at < clock_timestamp() - interval '1 hour' FROM tenant_feeds f WHERE f.is_collected
$f$;
