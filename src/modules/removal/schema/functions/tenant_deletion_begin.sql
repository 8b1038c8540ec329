-- Begins the deletion of a tenant: from its commit on no call of the tenant is served, nothing is posted for it, and a job
-- waits that deletes its rows. One that has begun stays what it is; one that was given up is taken up again.
-- p_request, p_address: of the call. status: ok (with deletion_id, state) · no_tenant · wrong_name · held; `audit` where
-- something was begun.
--
-- The job waits until calls that were let in before have ended; tenant_deletion_proceed sees to it that it does.
--
-- Locks: the tenant, as whatever changes it or sets a hold does; its webhook; the deletion. Not FOR UPDATE: under load there is
-- always somebody whose foreign key shares the row, and it would wait for ever.
--
-- tables: jobs, rooms, tenants, users, webhooks
-- execute: tenant
CREATE FUNCTION tenant_deletion_begin(p_tenant uuid, p_deletion uuid, p_confirm text, p_request text, p_address text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  tenant tenants;
  deletion tenant_deletions;
BEGIN
  SELECT * INTO tenant FROM tenants t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF tenant.tenant_id IS NULL THEN RETURN jsonb_build_object('status', 'no_tenant'); END IF;
  IF tenant.name <> p_confirm THEN RETURN jsonb_build_object('status', 'wrong_name'); END IF;
  IF EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.legal_hold)
    OR EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = p_tenant AND u.legal_hold)
  THEN RETURN jsonb_build_object('status', 'held'); END IF;
  SELECT * INTO deletion FROM tenant_deletions d WHERE d.tenant_id = p_tenant FOR UPDATE;
  IF tenant.deleting_since IS NOT NULL AND deletion.state IN ('waiting', 'deleting') THEN
    RETURN jsonb_build_object('status', 'ok', 'deletion_id', deletion.deletion_id, 'state', deletion.state);
  END IF;
  UPDATE tenants t SET status = 'suspended', deleting_since = COALESCE(t.deleting_since, clock_timestamp()),
    updated_at = clock_timestamp() WHERE t.tenant_id = p_tenant;
  UPDATE webhooks w SET url = NULL, secret = NULL, previous_secret = NULL, updated_at = clock_timestamp()
  WHERE w.tenant_id = p_tenant AND w.url IS NOT NULL;
  IF deletion.state = 'failed' THEN
    UPDATE tenant_deletions d SET state = 'waiting', error = NULL WHERE d.tenant_id = p_tenant RETURNING * INTO deletion;
    DELETE FROM jobs j WHERE j.tenant_id = p_tenant AND j.kind = 'tenant.delete' AND j.state = 'dead';
  ELSE
    -- A tenant of the same id was deleted before: only the first start makes one with an id that is given.
    INSERT INTO tenant_deletions AS d (tenant_id, deletion_id, request_id, address)
    VALUES (p_tenant, p_deletion, p_request, p_address)
    ON CONFLICT (tenant_id) DO UPDATE SET deletion_id = EXCLUDED.deletion_id, state = 'waiting', deleted = '{}', error = NULL,
      request_id = EXCLUDED.request_id, address = EXCLUDED.address, started_at = EXCLUDED.started_at, finished_at = NULL
    RETURNING * INTO deletion;
  END IF;
  INSERT INTO jobs (tenant_id, kind, key, payload, run_at)
  VALUES (p_tenant, 'tenant.delete', 'delete', jsonb_build_object('deletion_id', deletion.deletion_id),
    deletion.started_at + interval '15 s');
  RETURN jsonb_build_object('status', 'ok', 'deletion_id', deletion.deletion_id, 'state', deletion.state,
    'audit', jsonb_build_object());
END $f$;
