-- A batch of the erase of a user from what left and is to enter as a file. Every export of the tenant may hold something that the
-- user wrote, a room's name at least, so all files go; of those that were about the user the rows, too. One that waits is written
-- after this, and one that is written now is found once more in the pass that follows. A file of an import that has not begun may
-- name the user: it is given up, and sent again without them; one that is looked at or taken in is waited for.
--
-- Locks: exports, then imports, in the order of their ids.
--
-- execute: tenant
CREATE FUNCTION transfer_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  found uuid[];
  given_up uuid[];
BEGIN
  SELECT array_agg(x.export_id) INTO found FROM (
    SELECT e.export_id FROM exports e
    WHERE e.tenant_id = p_tenant AND (e.state IN ('running', 'ready') OR e.user_id = p_user)
    ORDER BY e.export_id LIMIT p_limit FOR NO KEY UPDATE) x;
  DELETE FROM exports e WHERE e.tenant_id = p_tenant AND e.export_id = ANY (found) AND e.user_id = p_user;
  UPDATE exports e SET state = 'expired', expires_at = clock_timestamp()
  WHERE e.tenant_id = p_tenant AND e.export_id = ANY (found);
  SELECT array_agg(x.import_id) INTO given_up FROM (
    SELECT i.import_id FROM imports i
    WHERE i.tenant_id = p_tenant AND (i.state IN ('uploading', 'valid', 'invalid')
      OR i.state IN ('done', 'failed') AND i.faults <> '[]')
    ORDER BY i.import_id LIMIT p_limit FOR NO KEY UPDATE) x;
  UPDATE imports i SET faults = '[]',
    state = CASE WHEN i.state = 'done' THEN i.state ELSE 'failed' END,
    error = CASE WHEN i.state IN ('done', 'failed') THEN i.error
      ELSE 'A person was erased whom the file may name: send it again without them' END,
    finished_at = COALESCE(i.finished_at, clock_timestamp())
  WHERE i.tenant_id = p_tenant AND i.import_id = ANY (given_up);
  RETURN jsonb_build_object(
    'counts', jsonb_build_object('exports', COALESCE(cardinality(found), 0), 'imports', COALESCE(cardinality(given_up), 0)),
    'after', CASE WHEN p_limit IN (cardinality(found), cardinality(given_up)) THEN jsonb_build_object() END,
    'waits', EXISTS (SELECT 1 FROM imports i WHERE i.tenant_id = p_tenant AND i.state IN ('validating', 'running')));
END $f$;
