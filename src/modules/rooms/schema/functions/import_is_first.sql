-- Whether a tenant has no room at all, so that an import may keep the ids of its file.
--
-- execute: tenant
CREATE FUNCTION import_is_first(p_tenant uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant)
    AND NOT EXISTS (SELECT 1 FROM import_rooms i WHERE i.tenant_id = p_tenant)
$f$;
