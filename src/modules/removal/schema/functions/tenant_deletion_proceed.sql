-- Asks whether a deletion may go on, and holds its row until the transaction's end: of two workers one waits for the other.
-- state: deleting · waiting (calls that were let in before it may still be served, for `wait_ms`) · over (it is another one by
-- now, done, or given up).
--
-- So long: a credential is believed for 2 s on each server, and a call, or an append that waits, has 4 s more; twice.
--
-- Locks: the deletion.
--
-- execute: tenant
CREATE FUNCTION tenant_deletion_proceed(p_tenant uuid, p_deletion uuid)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  quiet CONSTANT interval := interval '15 s';
  deletion tenant_deletions;
BEGIN
  SELECT * INTO deletion FROM tenant_deletions d
  WHERE d.tenant_id = p_tenant AND d.deletion_id = p_deletion AND d.state IN ('waiting', 'deleting') FOR UPDATE;
  IF deletion.tenant_id IS NULL THEN RETURN jsonb_build_object('state', 'over'); END IF;
  IF deletion.started_at > clock_timestamp() - quiet THEN
    RETURN jsonb_build_object('state', 'waiting',
      'wait_ms', ceil(extract(epoch FROM deletion.started_at + quiet - clock_timestamp()) * 1000));
  END IF;
  IF deletion.state = 'waiting' THEN
    UPDATE tenant_deletions d SET state = 'deleting' WHERE d.tenant_id = p_tenant;
  END IF;
  RETURN jsonb_build_object('state', 'deleting');
END $f$;
