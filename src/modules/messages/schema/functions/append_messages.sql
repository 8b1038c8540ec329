-- The append: the one way a message enters the log (docs/adr/0006, 0010).
--
-- Invariants: `seq` of a room is 1…N without a gap, `rev` counts every change, `created_at` never falls as `seq`
-- rises, one client_message_id of a sender is one message. They hold because the room's row is locked first and
-- everything that is decided (duplicates, membership, posting, whether an answer is written) is read afterwards, in a new
-- statement and so in a new snapshot; an edit, a removal or another append that commits while this one waits for the lock
-- is seen.
--
-- The caller joins repeats of one (room, sender, client_message_id) within a call beforehand.
-- The same message (its id) handed in again after a lost connection is answered as new once more, not as a repeat.
-- status: new · duplicate · mismatch · no_room · not_member · posting · ai · busy (see p_reject_items) · locked (another
-- transaction holds the room, nothing was decided about the item).
--
-- p_lock_ms: 0 or null: a room that another transaction holds is skipped at once. More: each room is waited for so long, in
-- the order of the locks, so no two calls wait for each other. Where one was waited for in vain, the call lets go of all that
-- it has taken and goes on as one that does not wait. So a call that its client gave up does not stay in a lock's queue, hold
-- its connection, and store later what was reported as lost. Below 0: of this function's own call alone, which waits as
-- long as its caller has set.
--
-- p_reject_items: items with a run of their own that are refused ('busy') while a run of their room has not ended, or where an
-- item before them starts one; an answer of the same call makes the room free for the next call, since nobody can have
-- heard of it. One that is in the log already (its connection was lost, and has committed after all) is not refused: it meets
-- the unique index, whereupon the caller asks the log.
--
-- - The rooms' rows are locked, so each is updated where it lies (its ctid) instead of being looked up again. Locked in a
--   subtransaction and updated outside of it, they would cost a MultiXact a call: so the one that bounds the wait holds all.
-- - Jobs are a statement of their own, made only where there are any: a message was stored by this very call when its
--   seq lies beyond what its room had when it was locked. So is the question whether an answer is written.
-- - A message into a room of type ai comes with the job of its answer, or it is refused ('ai'): its caller applies
--   the limits of the models first, so the append need not be told what a room is. The job's run is made with it.
-- - An answer carries its status and the seq that it replies to, and ends its run in the same transaction. It is sent
--   under its run's id: the first one of a run counts, another text of the same run is a 'mismatch'. One whose run says why it
--   was refused is a notice, of kind system.
-- - What a message asks of the agents of its room is found in the same transaction (agents_asked), and only where one of the
--   rooms has any.
--
-- Locks: the rooms, in the order of (tenant, room), skipping those that are held or waiting for them; then runs.
--
-- tables: jobs, room_members, rooms, runs
-- owner: append
-- keeps: append_messages(boolean,uuid[],uuid[],uuid[],text[],text[],bytea[],text[],text[],integer[],text[],text[],text[],integer[],text[],bigint[],text[]) for releases before 0.2.0
-- execute: system
CREATE FUNCTION append_messages(
  p_lock_ms integer,
  p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[],
  p_contents text[], p_metas text[],
  p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[],
  p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[]
) RETURNS TABLE (item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $f$
#variable_conflict use_column
DECLARE
  held_tenants uuid[];
  held_rooms uuid[];
  held_posting text[];
  held_ai boolean[];
  held_agents boolean[];
  held_seqs bigint[];
  held_revs bigint[];
  held_ats timestamptz(3)[];
  held_tids tid[];
  rejecting integer[] := '{}';
  busy_items integer[] := '{}';
  ts timestamptz(3);
BEGIN
  IF p_lock_ms > 0 THEN
    BEGIN
      PERFORM set_config('lock_timeout', p_lock_ms::text, true);
      RETURN QUERY SELECT a.* FROM append_messages(-1, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
        p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
        p_answer_statuses, p_answer_replies, p_answer_runs) a;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      NULL;
    END;
  END IF;
  IF p_lock_ms < 0 THEN
    SELECT array_agg(l.tenant_id), array_agg(l.room_id), array_agg(l.posting), array_agg(l.type = 'ai'),
        array_agg(l.has_agents), array_agg(l.last_seq), array_agg(l.last_rev), array_agg(l.last_message_at), array_agg(l.tid)
      INTO held_tenants, held_rooms, held_posting, held_ai, held_agents, held_seqs, held_revs, held_ats, held_tids
      FROM (SELECT DISTINCT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.*, x.ctid AS tid FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE) l;
    -- What is waited for from here on is no reason to let go of the rooms.
    PERFORM set_config('lock_timeout', '0', true);
  ELSE
    SELECT array_agg(l.tenant_id), array_agg(l.room_id), array_agg(l.posting), array_agg(l.type = 'ai'),
        array_agg(l.has_agents), array_agg(l.last_seq), array_agg(l.last_rev), array_agg(l.last_message_at), array_agg(l.tid)
      INTO held_tenants, held_rooms, held_posting, held_ai, held_agents, held_seqs, held_revs, held_ats, held_tids
      FROM (SELECT DISTINCT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.*, x.ctid AS tid FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE SKIP LOCKED) l;
  END IF;
  IF cardinality(p_reject_items) > 0 THEN
    SELECT COALESCE(array_agg(w.item), '{}'), COALESCE(array_agg(w.item) FILTER (WHERE w.is_busy), '{}')
      INTO rejecting, busy_items
      FROM (SELECT i.item, EXISTS (SELECT FROM runs q WHERE q.tenant_id = p_tenants[i.item] AND q.room_id = p_rooms[i.item]
          AND q.state IN ('queued', 'streaming') OFFSET 0) AS is_busy
        FROM unnest(p_reject_items) i(item)
        WHERE i.item = ANY (p_job_items) AND NOT EXISTS (SELECT FROM messages y
          WHERE y.tenant_id = p_tenants[i.item] AND y.message_id = p_ids[i.item] OFFSET 0)) w;
  END IF;
  ts := date_trunc('milliseconds', clock_timestamp());
  RETURN QUERY
  WITH placed AS MATERIALIZED (
    -- Of the items of a room that may be refused as busy one is stored at most: the first with a run.
    SELECT k.*, k.storable AND (NOT k.rejects OR (k.first_run = k.ord AND k.ord <> ALL (busy_items))) AS fits,
      k.others + CASE WHEN k.first_reject = k.first_run AND k.first_reject <> ALL (busy_items) THEN 1 ELSE 0 END AS n
    FROM (
      SELECT j.*, count(*) FILTER (WHERE j.storable AND NOT j.rejects) OVER up_to_here AS others,
        min(j.ord) FILTER (WHERE j.storable AND j.rejects) OVER up_to_here AS first_reject,
        min(j.ord) FILTER (WHERE j.storable AND j.ord = ANY (p_job_items)) OVER up_to_here AS first_run
      FROM (
        SELECT u.*, h.r IS NOT NULL AS is_held, h.seq0, h.rev0, h.tid, GREATEST(ts, h.at0) AS at, m.role,
          x.seq AS old_seq, x.rev AS old_rev, x.message_id AS old_id, x.created_at AS old_at, x.body_hash AS old_hash,
          h.r IS NOT NULL AND x.seq IS NULL AND m.role IS NOT NULL AND (h.posting = 'members' OR m.role <> 'member')
            AND (NOT h.ai OR a.item IS NOT NULL OR u.ord = ANY (p_job_items)) AS storable,
          u.ord = ANY (rejecting) AS rejects,
          h.ai, a.status AS answer_status, a.reply AS reply_to, a.item IS NOT NULL AS is_answer,
          a.run::jsonb->>'refused' IS NOT NULL AS is_notice
        FROM unnest(p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes, p_contents, p_metas)
          WITH ORDINALITY u(t, r, id, sender, client_id, hash, content, meta, ord)
        LEFT JOIN unnest(p_answer_items, p_answer_statuses, p_answer_replies, p_answer_runs)
          a(item, status, reply, run) ON a.item = u.ord
        LEFT JOIN unnest(held_tenants, held_rooms, held_posting, held_ai, held_seqs, held_revs, held_ats, held_tids)
          h(t, r, posting, ai, seq0, rev0, at0, tid) ON h.t = u.t AND h.r = u.r
        LEFT JOIN LATERAL (SELECT y.seq, y.rev, y.message_id, y.created_at, y.body_hash FROM messages y
          WHERE y.tenant_id = u.t AND y.room_id = u.r AND y.sender_id = u.sender AND y.client_message_id = u.client_id
          OFFSET 0) x ON true
        LEFT JOIN LATERAL (SELECT k.role FROM room_members k
          WHERE k.tenant_id = u.t AND k.room_id = u.r AND k.user_id = u.sender OFFSET 0) m ON true
      ) j WINDOW up_to_here AS (PARTITION BY j.t, j.r ORDER BY j.ord ROWS UNBOUNDED PRECEDING)
    ) k
  ), bumped AS (
    UPDATE rooms q SET last_seq = q.last_seq + g.k, last_rev = q.last_rev + g.k, last_message_at = g.at
    FROM (SELECT p.tid, count(*) AS k, max(p.at) AS at FROM placed p WHERE p.fits GROUP BY 1) g
    WHERE q.ctid = g.tid
  ), stored AS (
    INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, client_message_id, body_hash,
      content, meta, created_at, kind, status, reply_to_seq)
    SELECT p.t, p.r, p.seq0 + p.n, p.id, p.rev0 + p.n, p.sender, p.client_id, p.hash, p.content, p.meta::json, p.at,
      CASE WHEN p.is_notice THEN 'system' WHEN p.is_answer THEN 'assistant' ELSE 'user' END, p.answer_status, p.reply_to
    FROM placed p WHERE p.fits
  )
  SELECT p.ord::integer,
    CASE
      WHEN p.fits OR (p.old_id = p.id AND (NOT p.is_answer OR p.old_hash = p.hash)) THEN 'new'
      WHEN p.old_seq IS NOT NULL THEN CASE WHEN p.old_hash = p.hash THEN 'duplicate' ELSE 'mismatch' END
      WHEN NOT p.is_held THEN CASE WHEN EXISTS (SELECT 1 FROM rooms z
        WHERE z.tenant_id = p.t AND z.room_id = p.r AND z.deleted_at IS NULL) THEN 'locked' ELSE 'no_room' END
      WHEN p.role IS NULL THEN 'not_member'
      WHEN p.ai AND NOT p.is_answer AND p.ord <> ALL (p_job_items) THEN 'ai'
      WHEN p.storable THEN 'busy'
      ELSE 'posting'
    END,
    CASE WHEN p.fits THEN p.id ELSE p.old_id END,
    CASE WHEN p.fits THEN p.seq0 + p.n ELSE p.old_seq END,
    CASE WHEN p.fits THEN p.rev0 + p.n ELSE p.old_rev END,
    CASE WHEN p.fits THEN p.at ELSE p.old_at END
  FROM placed p;
  IF cardinality(p_job_items) > 0 THEN
    WITH made AS (
      INSERT INTO jobs (tenant_id, kind, key, payload)
      SELECT m.tenant_id, w.kind, w.key, w.payload::jsonb || jsonb_build_object('message_id', m.message_id, 'seq', m.seq)
      FROM unnest(p_job_items, p_job_kinds, p_job_keys, p_job_payloads) w(item, kind, key, payload)
      CROSS JOIN LATERAL (SELECT y.* FROM messages y
        WHERE y.tenant_id = p_tenants[w.item] AND y.message_id = p_ids[w.item] OFFSET 0) m
      JOIN unnest(held_tenants, held_rooms, held_seqs) h(t, r, seq0) ON h.t = m.tenant_id AND h.r = m.room_id
      WHERE m.seq > h.seq0
      ORDER BY w.item
      RETURNING tenant_id, kind, payload
    )
    INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq)
    SELECT n.tenant_id, (n.payload->>'run_id')::uuid, (n.payload->>'room_id')::uuid, n.payload->>'user_id',
      (n.payload->>'seq')::bigint
    FROM made n WHERE n.kind = 'run';
  END IF;
  IF cardinality(p_answer_items) > 0 THEN
    UPDATE runs q SET state = m.status, answer_seq = m.seq, ended_at = m.created_at, channel = d.channel,
      model = d.model, finish_reason = d.finish_reason, prompt_tokens = d.prompt_tokens,
      completion_tokens = d.completion_tokens, total_tokens = d.total_tokens, estimated = d.estimated,
      error_code = d.error_code, error_message = d.error_message, token_count = d.token_count, cost = d.cost,
      reasoning = d.reasoning
    FROM unnest(p_answer_items, p_answer_runs) w(item, run)
    CROSS JOIN LATERAL (SELECT y.* FROM messages y
      WHERE y.tenant_id = p_tenants[w.item] AND y.message_id = p_ids[w.item] OFFSET 0) m
    CROSS JOIN LATERAL jsonb_to_record(w.run::jsonb) d(channel text, model text, finish_reason text,
      prompt_tokens bigint, completion_tokens bigint, total_tokens bigint, estimated boolean, error_code text,
      error_message text, token_count integer, cost numeric, reasoning text)
    WHERE q.tenant_id = m.tenant_id AND q.run_id = m.message_id AND q.state IN ('queued', 'streaming');
  END IF;
  IF true = ANY (held_agents) THEN
    PERFORM agents_asked(array_agg(h.t), array_agg(h.r), array_agg(h.seq0))
      FROM unnest(held_tenants, held_rooms, held_agents, held_seqs) h(t, r, agents, seq0) WHERE h.agents;
  END IF;
END $f$;
