-- The append for batches with changes of states among them: messages and states in one transaction and one commit, under locks
-- that are taken in one order (docs/adr/0043). Called only then: a batch of messages alone is append_messages' or
-- append_messages_hooked's.
--
-- Items are numbered through: the messages first, then the states. `state` is told of those alone, in full.
-- p_lock_ms: as append_messages; below 0: of this function's own call alone.
--
-- Locks: the rooms of both, in the order of (tenant, room), skipping those that are held or waiting for them; then as
-- append_messages.
--
-- tables: rooms
-- owner: append
-- execute: system
CREATE FUNCTION append_batch(
  p_lock_ms integer,
  p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[],
  p_contents text[], p_metas text[],
  p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[],
  p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[],
  p_hook_tenants uuid[], p_hook_kinds text[], p_hook_payloads text[], p_hook_delays bigint[],
  p_state_tenants uuid[], p_state_rooms uuid[], p_state_kinds text[], p_state_messages uuid[], p_state_users text[],
  p_state_keys text[], p_state_ons boolean[],
  p_state_hook_tenants uuid[], p_state_hook_states text[], p_state_hook_kinds text[], p_state_hook_payloads text[]
) RETURNS TABLE (item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamptz, state jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $f$
#variable_conflict use_column
DECLARE
  held_tenants uuid[];
  held_rooms uuid[];
BEGIN
  IF p_lock_ms > 0 THEN
    BEGIN
      PERFORM set_config('lock_timeout', p_lock_ms::text, true);
      RETURN QUERY SELECT a.* FROM append_batch(-1, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
        p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
        p_answer_statuses, p_answer_replies, p_answer_runs,
        p_hook_tenants, p_hook_kinds, p_hook_payloads, p_hook_delays, p_state_tenants, p_state_rooms, p_state_kinds, p_state_messages, p_state_users,
        p_state_keys, p_state_ons, p_state_hook_tenants, p_state_hook_states, p_state_hook_kinds, p_state_hook_payloads) a;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      NULL;
    END;
  END IF;
  IF p_lock_ms < 0 THEN
    SELECT array_agg(l.tenant_id), array_agg(l.room_id) INTO held_tenants, held_rooms
      FROM (SELECT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r)
        UNION SELECT u.t, u.r FROM unnest(p_state_tenants, p_state_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.tenant_id, x.room_id FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE) l;
    -- What is waited for from here on is no reason to let go of the rooms.
    PERFORM set_config('lock_timeout', '0', true);
  ELSE
    SELECT array_agg(l.tenant_id), array_agg(l.room_id) INTO held_tenants, held_rooms
      FROM (SELECT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r)
        UNION SELECT u.t, u.r FROM unnest(p_state_tenants, p_state_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.tenant_id, x.room_id FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE SKIP LOCKED) l;
  END IF;
  -- Its rooms are this transaction's by now: it skips and waits for none.
  IF cardinality(p_hook_tenants) > 0 THEN
    RETURN QUERY SELECT a.*, NULL::jsonb FROM append_messages_hooked(0, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
        p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
        p_answer_statuses, p_answer_replies, p_answer_runs,
        p_hook_tenants, p_hook_kinds, p_hook_payloads, p_hook_delays) a;
  ELSIF cardinality(p_ids) > 0 THEN
    RETURN QUERY SELECT a.*, NULL::jsonb FROM append_messages(0, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
        p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
        p_answer_statuses, p_answer_replies, p_answer_runs) a;
  END IF;
  RETURN QUERY SELECT s.item + cardinality(p_ids), s.status, s.message_id, s.seq, s.rev, s.created_at, s.state
    FROM append_states(held_tenants, held_rooms, p_state_tenants, p_state_rooms, p_state_kinds, p_state_messages, p_state_users,
        p_state_keys, p_state_ons, p_state_hook_tenants, p_state_hook_states, p_state_hook_kinds, p_state_hook_payloads) s;
END $f$;
