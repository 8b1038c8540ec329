/**
 * Changes of rooms and memberships: one call each, the room locked first, decided after the lock. Each returns jsonb
 * with `status`; what changed gets a revision and a row in room_events in the same statement's transaction.
 */
export const ROOM_FUNCTIONS = `
CREATE FUNCTION room_json(r rooms) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT to_jsonb(r) - 'tenant_id' - 'members_added' - 'deleted_at' - 'first_seq'
$f$;

CREATE FUNCTION member_json(m room_members) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('user_id', m.user_id, 'role', m.role, 'joined_at', m.joined_at)
$f$;

-- Whether and how a user sees a room; no row where the room does not exist. Without SET, so that it is inlined.
CREATE FUNCTION room_access(p_tenant uuid, p_room uuid, p_user text)
RETURNS TABLE (type text, role text, allowed boolean, first_seq bigint, last_seq bigint, last_rev bigint)
LANGUAGE sql STABLE AS $f$
  SELECT r.type, m.role, m.role IS NOT NULL OR r.type = 'channel', r.first_seq, r.last_seq, r.last_rev
  FROM rooms r LEFT JOIN room_members m
    ON m.tenant_id = r.tenant_id AND m.room_id = r.room_id AND m.user_id = p_user
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL
$f$;

-- Changes of a room after a revision that are no messages, for reads that join them with the log; the caller orders and
-- limits. Without SET, so that it is inlined.
CREATE FUNCTION room_events_after(p_tenant uuid, p_room uuid, p_rev bigint)
RETURNS TABLE (rev bigint, type text, payload jsonb)
LANGUAGE sql STABLE AS $f$
  SELECT e.rev, e.type, e.payload FROM room_events e
  WHERE e.tenant_id = p_tenant AND e.room_id = p_room AND e.rev > p_rev
$f$;

-- Bytes of a jsonb as the compact JSON that JavaScript writes. Its own text has a blank after each colon and comma
-- outside of strings, and all the digits of numbers that JavaScript writes with an exponent.
CREATE FUNCTION json_bytes(j jsonb) RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT octet_length(j::text) - (length(s) - length(replace(s, ' ', ''))) - (
    SELECT COALESCE(sum(octet_length(v::text) - octet_length(regexp_replace(v::text::float8::text, 'e([+-])0', 'e\\1'))),
      0)::integer
    FROM jsonb_path_query(j, 'strict $.** ? (@.type() == "number" && (@ >= 1e21 || @ <= -1e21 ||
      (@ > -1e-6 && @ < 1e-6 && @ != 0)))') v)
  FROM (SELECT regexp_replace(j::text, '"(\\\\.|[^"\\\\])*"', '', 'g') AS s) q
$f$;

CREATE FUNCTION users_ensure(p_tenant uuid, p_users text[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  INSERT INTO users (tenant_id, user_id) SELECT p_tenant, u FROM unnest(p_users) u ORDER BY u COLLATE "C"
  ON CONFLICT DO NOTHING
$f$;

-- Writes one event per element with consecutive revisions after p_rev and returns the last one.
CREATE FUNCTION room_log(p_tenant uuid, p_room uuid, p_rev bigint, p_type text, p_payloads jsonb) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  WITH e AS (SELECT value, ordinality FROM jsonb_array_elements(p_payloads) WITH ORDINALITY), i AS (
    INSERT INTO room_events (tenant_id, room_id, rev, type, payload)
    SELECT p_tenant, p_room, p_rev + e.ordinality, p_type, e.value FROM e ORDER BY e.ordinality)
  SELECT p_rev + count(*) FROM e
$f$;

CREATE FUNCTION room_create(
  p_tenant uuid, p_room uuid, p_type text, p_unique_key text, p_name text, p_metadata jsonb, p_posting text,
  p_users text[], p_roles text[]
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  existing uuid;
BEGIN
  INSERT INTO rooms (tenant_id, room_id, type, unique_key, name, metadata, posting, member_count, members_added)
  VALUES (p_tenant, p_room, p_type, p_unique_key, p_name, p_metadata, p_posting, cardinality(p_users),
    cardinality(p_users))
  ON CONFLICT (tenant_id, unique_key) WHERE unique_key IS NOT NULL DO NOTHING RETURNING * INTO room;
  IF room.room_id IS NULL THEN
    SELECT r.room_id INTO existing FROM rooms r WHERE r.tenant_id = p_tenant AND r.unique_key = p_unique_key;
    RETURN jsonb_build_object('status', 'exists', 'room_id', existing);
  END IF;
  PERFORM users_ensure(p_tenant, p_users);
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
  SELECT p_tenant, p_room, m.user_id, m.role, 0, m.n FROM unnest(p_users, p_roles) WITH ORDINALITY m(user_id, role, n);
  RETURN jsonb_build_object('status', 'ok', 'room', room_json(room));
END $f$;

-- A member named in p_metadata with null is removed, the others are set; status: ok · no_room · forbidden · too_large
CREATE FUNCTION room_update(
  p_tenant uuid, p_room uuid, p_user text, p_name text, p_metadata jsonb, p_posting text, p_max_bytes integer
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  role text;
  merged jsonb;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  role := room_role(p_tenant, p_room, p_user);
  IF role IS NULL OR (role <> 'admin' AND room.type <> 'dm') OR room.type = 'ai' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  IF p_posting IS NOT NULL AND room.type = 'dm' THEN RETURN jsonb_build_object('status', 'dm_posting'); END IF;
  merged := CASE WHEN p_metadata IS NULL THEN room.metadata ELSE
    (COALESCE(room.metadata, '{}') - COALESCE((SELECT array_agg(key) FROM jsonb_each(p_metadata)), '{}'))
    || jsonb_strip_top_nulls(p_metadata) END;
  IF p_metadata IS NOT NULL AND json_bytes(merged) > p_max_bytes THEN
    RETURN jsonb_build_object('status', 'too_large');
  END IF;
  UPDATE rooms r SET name = COALESCE(p_name, r.name), metadata = merged, posting = COALESCE(p_posting, r.posting),
    last_rev = r.last_rev + 1, updated_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated', jsonb_build_array(room_json(room)));
  RETURN jsonb_build_object('status', 'ok', 'room', room_json(room));
END $f$;

CREATE FUNCTION jsonb_strip_top_nulls(j jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT COALESCE(jsonb_object_agg(key, value) FILTER (WHERE value <> 'null'), '{}') FROM jsonb_each(j)
$f$;

CREATE FUNCTION room_delete(p_tenant uuid, p_room uuid, p_user text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room.type IN ('dm', 'ai') OR room_role(p_tenant, p_room, p_user) IS DISTINCT FROM 'admin' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  UPDATE rooms r SET deleted_at = clock_timestamp(), updated_at = clock_timestamp(), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  PERFORM room_log(p_tenant, p_room, room.last_rev, 'room.deleted',
    jsonb_build_array(jsonb_build_object('room_id', p_room, 'by', p_user)));
  RETURN jsonb_build_object('status', 'ok');
END $f$;
`;
