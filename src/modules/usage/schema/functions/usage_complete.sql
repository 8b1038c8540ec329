-- What was committed before p_before is counted. Says nothing of a tenant that is gone, or being deleted: the pass may have begun
-- when it was not.
--
-- Locks: the tenant FOR KEY SHARE, its row in usage_state.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION usage_complete(p_tenant uuid, p_before timestamptz) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  INSERT INTO usage_state AS s (tenant_id, complete_to)
  SELECT t.tenant_id, p_before FROM tenants t WHERE t.tenant_id = p_tenant AND t.deleting_since IS NULL
  ON CONFLICT (tenant_id) DO UPDATE SET complete_to = GREATEST(s.complete_to, EXCLUDED.complete_to)
$f$;
