-- A batch of the erase of a user from the rooms of a tenant, in the order of their ids: twenty in which they are named, at most.
--
-- Locks: as room_part, the rooms in the order of their ids.
--
-- execute: tenant
CREATE FUNCTION rooms_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  most CONSTANT integer := LEAST(20, p_limit);
  behind uuid := COALESCE((p_after->>'room')::uuid, '00000000-0000-0000-0000-000000000000');
  found uuid[];
  changed uuid[] := '{}';
  memberships bigint := 0;
  descriptions bigint := 0;
  did jsonb;
  room uuid;
BEGIN
  SELECT array_agg(w.room_id ORDER BY w.room_id) INTO found FROM (
    SELECT p.room_id FROM (SELECT r.room_id, r.described_by, r.metadata FROM rooms r
      WHERE r.tenant_id = p_tenant AND r.room_id > behind ORDER BY r.room_id LIMIT 2 * p_limit) p
    WHERE p_user = ANY (p.described_by) OR strpos(p.metadata::text, to_json(p_user)::text) > 0
      OR EXISTS (SELECT 1 FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p.room_id AND m.user_id = p_user)
    ORDER BY p.room_id LIMIT most) w;
  FOREACH room IN ARRAY COALESCE(found, '{}') LOOP
    did := room_part(p_tenant, room, p_user, p_erased);
    CONTINUE WHEN did = '{}';
    memberships := memberships + COALESCE((did->>'memberships')::bigint, 0);
    descriptions := descriptions + COALESCE((did->>'descriptions')::bigint, 0);
    changed := changed || room;
  END LOOP;
  RETURN jsonb_build_object('rooms', changed,
    'counts', jsonb_build_object('memberships', memberships, 'descriptions', descriptions),
    'after', CASE WHEN cardinality(found) = most THEN jsonb_build_object('room', found[most])
      ELSE (SELECT jsonb_build_object('room', r.room_id) FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id > behind
        ORDER BY r.room_id OFFSET 2 * p_limit - 1 LIMIT 1) END);
END $f$;
