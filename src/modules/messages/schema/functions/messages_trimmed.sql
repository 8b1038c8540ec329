-- Deletes messages, with their versions, that lie before what the room keeps: of those after p_after the oldest, at most p_limit. The room is not
-- locked: nobody sees them, and nobody can change them, since the commit that moved the room's beginning.
-- Answers with how many went (`deleted`) and the seq before which none is left (`through`).
--
-- execute: tenant
CREATE FUNCTION messages_trimmed(p_tenant uuid, p_room uuid, p_after bigint, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  first bigint := (SELECT k.first_seq FROM room_keeps(p_tenant, p_room) k);
  low bigint;
  gone bigint;
BEGIN
  SELECT m.seq INTO low FROM messages m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq > p_after AND m.seq < first ORDER BY m.seq LIMIT 1;
  IF low IS NULL THEN RETURN jsonb_build_object('deleted', 0, 'through', p_after); END IF;
  IF (SELECT k.has_states FROM room_keeps(p_tenant, p_room) k) THEN
    PERFORM message_states_drop(p_tenant, p_room, ARRAY(SELECT s FROM generate_series(low, LEAST(first, low + p_limit) - 1) s));
  END IF;
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = p_room AND v.seq >= low
    AND v.seq < LEAST(first, low + p_limit);
  DELETE FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq >= low
    AND m.seq < LEAST(first, low + p_limit);
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN jsonb_build_object('deleted', gone, 'through', LEAST(first, low + p_limit) - 1);
END $f$;
