-- Counts messages that are not counted yet, at most p_messages: of the p_rooms rooms after p_after, in the order of their
-- ids. Returns {after: the room to go on behind, or null where the tenant has been walked through, counted: messages}.
--
-- Invariants: a message is counted once, with the move of its room's mark; it is counted with the size that it has when
-- the mark is passed, and each change of its size after that adds the difference (usage_message_edited): so the room's
-- row in usage_rooms is taken before the messages are read, in a statement of its own. What was deleted uncounted was
-- counted by the deletion (usage_messages_deleted). What an append has committed it finds by the room's last_seq; the
-- append itself counts nothing and takes no lock of these.
--
-- Locks: rooms in usage_rooms in the order of their ids; then the rows that are added to, in the order of their keys. The
-- row in usage_days is the transaction's own.
--
-- tables: messages, rooms
-- execute: tenant
CREATE FUNCTION usage_count_rooms(p_tenant uuid, p_after uuid, p_rooms integer, p_messages integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public SET enable_seqscan = off AS $f$
DECLARE
  due uuid[];
  due_to bigint[];
  reached uuid;
  is_whole boolean;
  held uuid[];
  held_from bigint[];
  held_to bigint[];
  counted bigint;
BEGIN
  WITH walked AS MATERIALIZED (
    SELECT r.room_id, r.last_seq, COALESCE(u.counted_seq, 0) AS counted
    FROM (SELECT x.room_id, x.last_seq FROM rooms x WHERE x.tenant_id = p_tenant AND x.room_id > p_after
      ORDER BY x.room_id LIMIT p_rooms) r
    LEFT JOIN usage_rooms u ON u.tenant_id = p_tenant AND u.room_id = r.room_id
  ), missing AS (
    SELECT w.room_id, w.last_seq, w.counted,
      sum(w.last_seq - w.counted) OVER (ORDER BY w.room_id ROWS UNBOUNDED PRECEDING) - (w.last_seq - w.counted) AS before
    FROM walked w WHERE w.last_seq > w.counted
  ), taken AS (
    SELECT m.room_id, LEAST(m.last_seq, m.counted + p_messages - m.before)::bigint AS upto FROM missing m
    WHERE m.before < p_messages
  )
  SELECT array_agg(t.room_id ORDER BY t.room_id), array_agg(t.upto ORDER BY t.room_id),
      (SELECT w.room_id FROM walked w ORDER BY w.room_id DESC OFFSET 0 LIMIT (SELECT CASE WHEN count(*) = p_rooms THEN 1
        ELSE 0 END FROM walked)),
      COALESCE((SELECT sum(m.last_seq - m.counted) FROM missing m), 0) <= p_messages
    INTO due, due_to, reached, is_whole FROM taken t;
  IF due IS NULL THEN RETURN jsonb_build_object('after', reached, 'counted', 0); END IF;
  INSERT INTO usage_rooms (tenant_id, room_id) SELECT p_tenant, r.room_id FROM rooms r
  WHERE r.tenant_id = p_tenant AND r.room_id = ANY (due) ORDER BY r.room_id ON CONFLICT DO NOTHING;
  SELECT array_agg(l.room_id), array_agg(l.counted_seq), array_agg(d.upto) INTO held, held_from, held_to
  FROM (SELECT u.room_id, u.counted_seq FROM usage_rooms u WHERE u.tenant_id = p_tenant AND u.room_id = ANY (due)
    ORDER BY u.room_id FOR NO KEY UPDATE) l JOIN unnest(due, due_to) d(room_id, upto) USING (room_id)
  WHERE d.upto > l.counted_seq;
  WITH fresh AS MATERIALIZED (
    SELECT h.room_id, m.sender_id, (m.created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n,
      sum(octet_length(m.content) + COALESCE(octet_length(m.meta::text), 0))::bigint AS bytes
    FROM unnest(held, held_from, held_to) h(room_id, above, upto)
    CROSS JOIN LATERAL (SELECT y.sender_id, y.created_at, y.content, y.meta FROM messages y WHERE y.tenant_id = p_tenant
      AND y.room_id = h.room_id AND y.seq > h.above AND y.seq <= h.upto OFFSET 0) m
    GROUP BY 1, 2, 3
  ), passed AS (
    UPDATE usage_rooms u SET counted_seq = h.upto FROM unnest(held, held_to) h(room_id, upto)
    WHERE u.tenant_id = p_tenant AND u.room_id = h.room_id
  ), by_user AS (
    INSERT INTO usage_users AS u (tenant_id, user_id, day, messages_sent)
    SELECT p_tenant, f.sender_id, f.day, sum(f.n) FROM fresh f GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent
  ), by_room AS (
    INSERT INTO usage_chats AS u (tenant_id, room_id, day, messages_sent)
    SELECT p_tenant, f.room_id, f.day, sum(f.n) FROM fresh f GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, room_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent
  ), by_day AS (
    INSERT INTO usage_days AS u (tenant_id, day, part, messages_sent, storage_delta)
    SELECT p_tenant, f.day, pg_backend_pid(), sum(f.n), sum(f.bytes) FROM fresh f GROUP BY 2 ORDER BY 2
    ON CONFLICT (tenant_id, day, part) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent,
      storage_delta = u.storage_delta + EXCLUDED.storage_delta
  )
  SELECT COALESCE(sum(f.n), 0) INTO counted FROM fresh f;
  RETURN jsonb_build_object('after', CASE WHEN is_whole THEN reached ELSE p_after END, 'counted', counted);
END $f$;
