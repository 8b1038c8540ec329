-- Hints of changes may be lost: a job looks at all rooms of the tenant, unless one waits that will. One that has begun does not count,
-- whether it runs or is put off: it may be past the room. Returns whether it made one.
--
-- tables: jobs
-- execute: tenant
CREATE FUNCTION feed_sweep_due(p_tenant uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT p_tenant, 'feed', 'feed', '{}' WHERE NOT EXISTS (SELECT 1 FROM jobs j
    WHERE j.tenant_id = p_tenant AND j.kind = 'feed' AND j.state = 'queued' AND j.fence = 0
      AND j.payload = '{}');
  RETURN FOUND;
END $f$;
