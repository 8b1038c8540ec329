-- A batch of the erase of a user from what rooms remember of their changes, twenty rooms at most: the id is replaced, and names
-- and metadata of before the room lost its description (room_part) are taken out. Whoever is behind that begins anew, by
-- first_rev, and is not told of one person under two names.
--
-- Locks: the rooms, in the order of their ids.
--
-- execute: tenant
CREATE FUNCTION events_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  most CONSTANT integer := LEAST(20, p_limit);
  none CONSTANT jsonb := '{"name": null, "metadata": null, "metadata_text": null, "unique_key": null}';
  behind_room uuid := COALESCE((p_after->>'room')::uuid, '00000000-0000-0000-0000-000000000000');
  behind_rev bigint := COALESCE((p_after->>'rev')::bigint, -1);
  last_room uuid;
  last_rev_of bigint;
  found_rooms uuid[];
  found_revs bigint[];
  found_payloads jsonb[];
  cut uuid;
BEGIN
  SELECT e.room_id, e.rev INTO last_room, last_rev_of FROM room_events e
    WHERE e.tenant_id = p_tenant AND (e.room_id, e.rev) > (behind_room, behind_rev)
    ORDER BY e.room_id, e.rev OFFSET 2 * p_limit - 1 LIMIT 1;
  WITH page AS MATERIALIZED (
    SELECT e.room_id, e.rev, e.type, e.payload FROM room_events e
    WHERE e.tenant_id = p_tenant AND (e.room_id, e.rev) > (behind_room, behind_rev)
    ORDER BY e.room_id, e.rev LIMIT 2 * p_limit
  ), parted AS MATERIALIZED (
    SELECT d.room_id, CASE WHEN r.deleted_at IS NOT NULL THEN r.last_rev + 1 ELSE (SELECT max(x.rev) FROM room_events x
      WHERE x.tenant_id = p_tenant AND x.room_id = d.room_id AND x.payload->>'erased' = p_erased) END AS rev
    FROM (SELECT DISTINCT p.room_id FROM page p WHERE p.type = 'room.updated') d
    JOIN rooms r ON r.tenant_id = p_tenant AND r.room_id = d.room_id WHERE p_erased = ANY (r.described_by)
  ), clean AS (
    -- metadata stands there twice, once as text.
    SELECT p.room_id, p.rev, p.payload AS old, erased_json((CASE WHEN p.type = 'room.updated' AND p.rev < d.rev
      THEN p.payload || none WHEN p.payload->>'metadata_text' IS NOT NULL THEN p.payload || jsonb_build_object(
        'metadata_text', erased_json(p.payload->>'metadata_text', p_user, p_erased))
      ELSE p.payload END)::text, p_user, p_erased)::jsonb AS new
    FROM page p LEFT JOIN parted d ON d.room_id = p.room_id
  )
  SELECT array_agg(c.room_id ORDER BY c.room_id, c.rev), array_agg(c.rev ORDER BY c.room_id, c.rev),
      array_agg(c.new ORDER BY c.room_id, c.rev)
    INTO found_rooms, found_revs, found_payloads FROM clean c WHERE c.new <> c.old;
  SELECT d.room_id INTO cut FROM (SELECT DISTINCT f AS room_id FROM unnest(found_rooms) f) d
    ORDER BY d.room_id OFFSET most - 1 LIMIT 1;
  PERFORM 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = ANY (found_rooms) AND (cut IS NULL OR r.room_id <= cut)
    ORDER BY r.room_id FOR NO KEY UPDATE;
  UPDATE room_events e SET payload = f.payload FROM unnest(found_rooms, found_revs, found_payloads) f(room_id, rev, payload)
  WHERE e.tenant_id = p_tenant AND e.room_id = f.room_id AND e.rev = f.rev AND (cut IS NULL OR f.room_id <= cut);
  UPDATE rooms r SET first_rev = r.last_rev
  WHERE r.tenant_id = p_tenant AND r.room_id = ANY (found_rooms) AND (cut IS NULL OR r.room_id <= cut);
  RETURN jsonb_build_object('counts', jsonb_build_object('events', (SELECT count(*) FROM unnest(found_rooms) f
      WHERE cut IS NULL OR f <= cut)),
    'after', CASE WHEN cut IS NOT NULL THEN jsonb_build_object('room', cut, 'rev', (SELECT max(f.rev)
        FROM unnest(found_rooms, found_revs) f(room_id, rev) WHERE f.room_id = cut))
      WHEN last_room IS NOT NULL THEN jsonb_build_object('room', last_room, 'rev', last_rev_of) END);
END $f$;
