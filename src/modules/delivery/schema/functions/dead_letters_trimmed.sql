-- Ends the letters of messages that lie before what a room keeps, of at most p_limit members; returns of how many.
--
-- Locks: the cursors, in the order of their users, each with its letters.
--
-- execute: tenant
CREATE FUNCTION dead_letters_trimmed(p_tenant uuid, p_room uuid, p_limit integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  first bigint := (SELECT k.first_seq FROM room_keeps(p_tenant, p_room) k);
  member text;
  members bigint := 0;
BEGIN
  FOR member IN SELECT DISTINCT d.user_id FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.from_seq < first ORDER BY 1 LIMIT p_limit
  LOOP
    PERFORM 1 FROM cursors c
      WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = member FOR UPDATE;
    PERFORM dead_letters_acked(p_tenant, p_room, member, first - 1);
    members := members + 1;
  END LOOP;
  RETURN members;
END $f$;
