-- cursor_advance, unless another transaction holds the cursor or a letter: then nothing is decided.
-- status: busy, or what cursor_advance says
--
-- Locks: the cursor, then its letters; it skips what is held.
--
-- execute: tenant
CREATE FUNCTION cursor_try_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  has_letters boolean;
BEGIN
  SELECT c.has_dead_letters INTO has_letters FROM cursors c
    WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND AND EXISTS (SELECT 1 FROM cursors c
    WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user)
  THEN RETURN jsonb_build_object('status', 'busy'); END IF;
  IF has_letters AND (SELECT count(*) FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user) > (SELECT count(*) FROM (
      SELECT 1 FROM dead_letters d WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user
      FOR UPDATE SKIP LOCKED) free)
  THEN RETURN jsonb_build_object('status', 'busy'); END IF;
  RETURN cursor_advance(p_tenant, p_room, p_user, p_seq, p_read);
END $f$;
