-- The append for batches in which a tenant with a hook has messages: for each of its rooms that got some, one job per
-- hook names them, in the same transaction. Called only then: without a hook the append is what it is.
-- A job has its hook's kind and payload, with the room and the seqs beside it.
--
-- 'new' also says what a lost connection had stored before: its job is written a second time, which does no harm.
--
-- Locks: as append_messages.
--
-- tables: jobs
-- owner: append
-- keeps: append_messages_hooked(boolean,uuid[],uuid[],uuid[],text[],text[],bytea[],text[],text[],integer[],text[],text[],text[],integer[],text[],bigint[],text[],uuid[],text[],text[],bigint[]) for releases before 0.2.0
-- execute: system
CREATE FUNCTION append_messages_hooked(
  p_lock_ms integer,
  p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[],
  p_contents text[], p_metas text[],
  p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[],
  p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[],
  p_hook_tenants uuid[], p_hook_kinds text[], p_hook_payloads text[], p_hook_delays bigint[]
) RETURNS TABLE (item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $f$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH appended AS MATERIALIZED (
    SELECT a.* FROM append_messages(p_lock_ms, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
      p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
      p_answer_statuses, p_answer_replies, p_answer_runs) a
  ), hooked AS (
    INSERT INTO jobs (tenant_id, kind, key, payload, run_at)
    SELECT n.t, n.kind, n.r::text,
      n.payload::jsonb || jsonb_build_object('room_id', n.r, 'seqs', n.seqs),
      clock_timestamp() + n.delay_ms * interval '1 ms'
    FROM (
      SELECT h.t, p_rooms[a.item] AS r, h.kind, h.payload, h.delay_ms, jsonb_agg(a.seq ORDER BY a.seq) AS seqs
      FROM appended a JOIN unnest(p_hook_tenants, p_hook_kinds, p_hook_payloads, p_hook_delays)
        h(t, kind, payload, delay_ms)
        ON h.t = p_tenants[a.item]
      WHERE a.status = 'new' GROUP BY 1, 2, 3, 4, 5) n
  )
  SELECT a.item, a.status, a.message_id, a.seq, a.rev, a.created_at FROM appended a;
END $f$;
