-- Ends the letters of what is acknowledged up to p_acked. The caller holds the cursor.
--
-- Locks: the letters.
--
-- execute: tenant
CREATE FUNCTION dead_letters_acked(p_tenant uuid, p_room uuid, p_user text, p_acked bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  DELETE FROM dead_letters d
  WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user AND d.to_seq <= p_acked;
  UPDATE dead_letters d SET from_seq = p_acked + 1
  WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user AND d.from_seq <= p_acked;
  UPDATE cursors c SET has_dead_letters = EXISTS (SELECT 1 FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user)
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user;
END $f$;
