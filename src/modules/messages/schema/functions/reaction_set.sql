-- Gives a reaction, or takes it back; what changes nothing has no revision. In a room of `unique` reactions the user's other
-- ones go with it, in the same change. A message has 30 different keys at most. What is deleted has none to be taken back.
-- status: new · unchanged · off · no_message · full
--
-- Locks: none beyond the caller's, who holds the room.
--
-- tables: rooms
-- execute: append, tenant
CREATE FUNCTION reaction_set(
  p_room rooms, p_rev bigint, p_at timestamptz, p_message uuid, p_user text, p_role text, p_key text, p_on boolean
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  most CONSTANT integer := 30;
  mode text := COALESCE(p_room.settings->>'reactions', 'distinct');
  msg record;
  old message_reaction_counts;
  shown jsonb;
  others text[] := '{}';
  other text;
BEGIN
  IF mode = 'off' THEN RETURN jsonb_build_object('status', 'off'); END IF;
  SELECT m.seq, m.deleted_at INTO msg FROM messages m WHERE m.tenant_id = p_room.tenant_id AND m.room_id = p_room.room_id
    AND m.message_id = p_message AND m.seq >= p_room.first_seq;
  IF msg.seq IS NULL OR (p_on AND msg.deleted_at IS NOT NULL) THEN
    RETURN jsonb_build_object('status', 'no_message');
  END IF;
  SELECT * INTO old FROM message_reaction_counts c
    WHERE c.tenant_id = p_room.tenant_id AND c.room_id = p_room.room_id AND c.seq = msg.seq;
  shown := COALESCE(old.counts, '[]');
  IF p_on = EXISTS (SELECT FROM message_reactions x WHERE x.tenant_id = p_room.tenant_id AND x.user_id = p_user
      AND x.room_id = p_room.room_id AND x.seq = msg.seq AND x.key = p_key) THEN
    RETURN jsonb_build_object('status', 'unchanged', 'seq', msg.seq, 'rev', old.rev, 'key', p_key, 'reactions', shown,
      'count', reaction_count(shown, p_key));
  END IF;
  IF p_on THEN
    IF mode = 'unique' THEN
      SELECT COALESCE(array_agg(x.key ORDER BY x.rev, x.key), '{}') INTO others FROM message_reactions x
        WHERE x.tenant_id = p_room.tenant_id AND x.user_id = p_user AND x.room_id = p_room.room_id AND x.seq = msg.seq;
      FOREACH other IN ARRAY others LOOP
        shown := reaction_counts_without(shown, p_room.tenant_id, p_room.room_id, msg.seq, other, p_user);
      END LOOP;
    END IF;
    shown := reaction_counts_with(shown, p_key, p_user);
    IF jsonb_array_length(shown) > most THEN RETURN jsonb_build_object('status', 'full'); END IF;
    DELETE FROM message_reactions x WHERE x.tenant_id = p_room.tenant_id AND x.user_id = p_user
      AND x.room_id = p_room.room_id AND x.seq = msg.seq AND x.key = ANY (others);
    INSERT INTO message_reactions (tenant_id, room_id, seq, user_id, key, rev, created_at)
    VALUES (p_room.tenant_id, p_room.room_id, msg.seq, p_user, p_key, p_rev, p_at);
  ELSE
    shown := reaction_counts_without(shown, p_room.tenant_id, p_room.room_id, msg.seq, p_key, p_user);
    DELETE FROM message_reactions x WHERE x.tenant_id = p_room.tenant_id AND x.user_id = p_user
      AND x.room_id = p_room.room_id AND x.seq = msg.seq AND x.key = p_key;
  END IF;
  INSERT INTO message_reaction_counts (tenant_id, room_id, seq, message_id, rev, counts)
  VALUES (p_room.tenant_id, p_room.room_id, msg.seq, p_message, p_rev, shown)
  ON CONFLICT (tenant_id, room_id, seq) DO UPDATE SET rev = EXCLUDED.rev, counts = EXCLUDED.counts;
  RETURN jsonb_build_object('status', 'new', 'seq', msg.seq, 'rev', p_rev, 'key', p_key, 'reactions', shown,
    'count', reaction_count(shown, p_key), 'replaced', (SELECT COALESCE(jsonb_agg(jsonb_build_object('key', o,
      'count', reaction_count(shown, o)) ORDER BY n), '[]') FROM unnest(others) WITH ORDINALITY u(o, n)));
END $f$;
