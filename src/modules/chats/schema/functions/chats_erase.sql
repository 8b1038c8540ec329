-- A batch of the erase of a user's chats: the next one is marked as deleted, so that nothing is added to it any more, or loses
-- rows, and its room last. `runs`: answers that were under way. Behind the last chat: what its calls have cost is nobody's
-- any more, and stays the tenant's.
--
-- Locks: as chat_delete; the rows of a room that nobody writes to.
--
-- tables: cursors, held_messages, message_versions, messages, rooms
-- execute: tenant
CREATE FUNCTION chats_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  behind uuid := COALESCE((p_after->>'room')::uuid, '00000000-0000-0000-0000-000000000000');
  again jsonb := COALESCE(p_after, '{}');
  chat uuid;
  stopped jsonb;
  gone bigint;
  seqs bigint[];
BEGIN
  SELECT w.room_id INTO chat FROM (SELECT c.room_id, c.user_id FROM chats c
    WHERE c.tenant_id = p_tenant AND c.room_id > behind ORDER BY c.room_id LIMIT 10 * p_limit) w
  WHERE w.user_id = p_user ORDER BY w.room_id LIMIT 1;
  IF chat IS NULL THEN
    UPDATE charges c SET user_id = NULL WHERE c.tenant_id = p_tenant AND c.charge_id = ANY (ARRAY(SELECT x.charge_id
      FROM charges x WHERE x.tenant_id = p_tenant AND x.user_id = p_user
        AND (x.ended_at IS NOT NULL OR x.room_id IS NULL) LIMIT p_limit));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN RETURN jsonb_build_object('counts', jsonb_build_object('charges', gone), 'after', again); END IF;
    -- Answers that agents gave the user stay, as others' words; those that are written end first.
    UPDATE runs q SET is_cancelled = true WHERE q.tenant_id = p_tenant AND q.user_id = p_user AND q.agent_id IS NOT NULL
      AND q.state IN ('queued', 'streaming');
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
      RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', again, 'waits', true, 'runs', (SELECT jsonb_agg(q.run_id)
        FROM runs q WHERE q.tenant_id = p_tenant AND q.user_id = p_user AND q.agent_id IS NOT NULL AND q.is_cancelled
          AND q.state IN ('queued', 'streaming')));
    END IF;
    UPDATE room_agents a SET name = NULL, named_by = NULL WHERE a.tenant_id = p_tenant AND a.named_by = p_user;
    UPDATE runs q SET user_id = p_erased, error_message = NULL, options = NULL, reasoning = NULL WHERE q.tenant_id = p_tenant
      AND q.run_id = ANY (ARRAY(SELECT x.run_id FROM runs x WHERE x.tenant_id = p_tenant AND x.user_id = p_user
        AND x.agent_id IS NOT NULL LIMIT p_limit));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN RETURN jsonb_build_object('counts', jsonb_build_object('runs', gone), 'after', again); END IF;
    DELETE FROM charge_days d WHERE d.tenant_id = p_tenant AND d.scope = 'user' AND d.subject = p_user;
    RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', (SELECT jsonb_build_object('room', c.room_id)
      FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id > behind ORDER BY c.room_id OFFSET 10 * p_limit - 1 LIMIT 1));
  END IF;
  IF EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = chat AND r.deleted_at IS NULL) THEN
    SELECT COALESCE(jsonb_agg(q.run_id), '[]') INTO stopped FROM runs q
      WHERE q.tenant_id = p_tenant AND q.room_id = chat AND q.state IN ('queued', 'streaming');
    PERFORM chat_delete(p_tenant, chat, p_user);
    RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', again, 'deleted', chat, 'runs', stopped);
  END IF;
  seqs := ARRAY(SELECT x.seq FROM messages x WHERE x.tenant_id = p_tenant AND x.room_id = chat ORDER BY x.seq LIMIT p_limit);
  PERFORM message_states_drop(p_tenant, chat, seqs);
  DELETE FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = chat AND m.seq = ANY (seqs);
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN
    RETURN jsonb_build_object('counts', jsonb_build_object('messages', gone), 'after', again);
  END IF;
  DELETE FROM run_chunks k USING (
    SELECT x.run_id, x.first_index FROM runs q JOIN run_chunks x ON x.tenant_id = q.tenant_id AND x.run_id = q.run_id
    WHERE q.tenant_id = p_tenant AND q.room_id = chat LIMIT p_limit) g
  WHERE k.tenant_id = p_tenant AND k.run_id = g.run_id AND k.first_index = g.first_index;
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN RETURN jsonb_build_object('counts', jsonb_build_object('tokens', gone), 'after', again); END IF;
  DELETE FROM runs q WHERE q.tenant_id = p_tenant AND q.run_id = ANY (ARRAY(
    SELECT x.run_id FROM runs x WHERE x.tenant_id = p_tenant AND x.room_id = chat LIMIT p_limit));
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN RETURN jsonb_build_object('counts', jsonb_build_object('runs', gone), 'after', again); END IF;
  DELETE FROM cursors c WHERE c.tenant_id = p_tenant AND c.room_id = chat;
  DELETE FROM held_messages h WHERE h.tenant_id = p_tenant AND h.room_id = chat;
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = chat;
  DELETE FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = chat;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('chats', gone), 'after', again);
END $f$;
