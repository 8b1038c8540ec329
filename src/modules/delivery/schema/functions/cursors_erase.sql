-- A batch of the erase of a user's cursors. Dead letters go with the membership that they are of.
--
-- execute: tenant
CREATE FUNCTION cursors_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  gone bigint;
BEGIN
  DELETE FROM cursors c WHERE c.tenant_id = p_tenant AND c.user_id = p_user AND c.room_id = ANY (ARRAY(
    SELECT x.room_id FROM cursors x WHERE x.tenant_id = p_tenant AND x.user_id = p_user ORDER BY x.room_id LIMIT p_limit));
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('cursors', gone),
    'after', CASE WHEN gone = p_limit THEN jsonb_build_object() END);
END $f$;
