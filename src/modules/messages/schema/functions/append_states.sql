-- Changes of states of messages (docs/adr/0043), in a transaction that holds their rooms: each in its room's order of coming,
-- with a revision of its own behind those of the messages of the same batch. A room is written to once.
--
-- What a kind of state does is a function of its own; another one is a line here, and a table in message_states and
-- message_states_after. Whoever is a member may change states, whether they may post or not.
--
-- p_held_…: rooms that the transaction holds. p_hook_…: per tenant and kind, a job to be stored for each room in which
-- something of the kind has changed; its payload is the hook's, with the room and the `changes`.
-- status: new · unchanged · no_room · locked · not_member · off · admins · no_message · full
--
-- Locks: none beyond the caller's.
--
-- tables: jobs, room_members, rooms
-- owner: append
-- execute: system
CREATE FUNCTION append_states(
  p_held_tenants uuid[], p_held_rooms uuid[],
  p_tenants uuid[], p_rooms uuid[], p_kinds text[], p_messages uuid[], p_users text[], p_keys text[], p_ons boolean[],
  p_hook_tenants uuid[], p_hook_states text[], p_hook_kinds text[], p_hook_payloads text[]
) RETURNS TABLE (item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamptz, state jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $f$
#variable_conflict use_column
DECLARE
  ts timestamptz(3) := date_trunc('milliseconds', clock_timestamp());
  change record;
  room rooms;
  role text;
  told jsonb;
  made jsonb := '[]';
BEGIN
  FOR change IN
    SELECT u.*, h.r IS NOT NULL AS is_held,
      row_number() OVER (PARTITION BY u.t, u.r ORDER BY u.ord) = 1 AS is_first,
      row_number() OVER (PARTITION BY u.t, u.r ORDER BY u.ord DESC) = 1 AS is_last
    FROM unnest(p_tenants, p_rooms, p_kinds, p_messages, p_users, p_keys, p_ons)
      WITH ORDINALITY u(t, r, kind, id, member, key, is_on, ord)
    LEFT JOIN unnest(p_held_tenants, p_held_rooms) h(t, r) ON h.t = u.t AND h.r = u.r
    ORDER BY u.t, u.r, u.ord
  LOOP
    IF change.is_first THEN
      SELECT * INTO room FROM rooms q WHERE q.tenant_id = change.t AND q.room_id = change.r AND q.deleted_at IS NULL;
      made := '[]';
    END IF;
    SELECT k.role INTO role FROM room_members k
      WHERE k.tenant_id = change.t AND k.room_id = change.r AND k.user_id = change.member;
    told := CASE
      WHEN room.room_id IS NULL THEN '{"status": "no_room"}'
      WHEN NOT change.is_held THEN '{"status": "locked"}'
      WHEN role IS NULL THEN '{"status": "not_member"}'
      WHEN change.kind = 'reaction' THEN
        reaction_set(room, room.last_rev + 1, ts, change.id, change.member, role, change.key, change.is_on)
      WHEN change.kind = 'pin' THEN
        pin_set(room, room.last_rev + 1, ts, change.id, change.member, role, change.key, change.is_on)
    END;
    IF told->>'status' = 'new' THEN
      room.last_rev := room.last_rev + 1;
      made := made || jsonb_build_array(told - 'status' || jsonb_build_object('state', change.kind,
        'message_id', change.id, 'user_id', change.member, 'on', change.is_on));
    END IF;
    RETURN QUERY SELECT change.ord::integer, told->>'status', change.id, (told->>'seq')::bigint, (told->>'rev')::bigint,
      ts::timestamptz, told;
    IF change.is_last AND made <> '[]' THEN
      UPDATE rooms q SET last_rev = room.last_rev, has_states = true
      WHERE q.tenant_id = change.t AND q.room_id = change.r;
      IF change.t = ANY (p_hook_tenants) THEN
        INSERT INTO jobs (tenant_id, kind, key, payload)
        SELECT h.t, h.kind, change.r::text, h.payload::jsonb || jsonb_build_object('room_id', change.r, 'changes', c.list)
        FROM unnest(p_hook_tenants, p_hook_states, p_hook_kinds, p_hook_payloads) h(t, state, kind, payload)
        CROSS JOIN LATERAL (SELECT jsonb_agg(m - ARRAY['state', 'reactions', 'replaced', 'pinned_at'] ORDER BY (m->>'rev')::bigint) AS list FROM jsonb_array_elements(made) m
          WHERE m->>'state' = h.state AND (h.state <> 'pin' OR (m->>'on')::boolean)) c
        WHERE h.t = change.t AND c.list IS NOT NULL;
      END IF;
    END IF;
  END LOOP;
END $f$;
