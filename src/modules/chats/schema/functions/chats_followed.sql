-- How runs and chats of all tenants stand that one server follows: a row per run of p_runs, and per unfinished run of
-- p_chats, its state null where there is no such run; and a row without a run per chat of p_chats, its last_seq null where
-- there is no such chat, or none any more. tokens: how many of a run that is being written are stored; else 0.
--
-- Arrays have no length that the planner knows, so each row is looked up by its key.
--
-- tables: rooms
-- execute: system
CREATE FUNCTION chats_followed(p_run_tenants uuid[], p_runs uuid[], p_chat_tenants uuid[], p_chats uuid[])
RETURNS TABLE (
  tenant_id uuid, room_id uuid, run_id uuid, state text, fence bigint, is_cancelled boolean, tokens integer, last_seq bigint
)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  WITH followed AS (
    SELECT a.tenant, a.run FROM unnest(p_run_tenants, p_runs) a(tenant, run)
    UNION
    SELECT q.tenant_id, q.run_id FROM unnest(p_chat_tenants, p_chats) c(tenant, chat)
    JOIN runs q ON q.tenant_id = c.tenant AND q.room_id = c.chat AND q.state IN ('queued', 'streaming')
  )
  SELECT f.tenant, q.room_id, f.run, q.state, q.fence, q.is_cancelled, COALESCE(k.tokens, 0), NULL::bigint
  FROM followed f LEFT JOIN runs q ON q.tenant_id = f.tenant AND q.run_id = f.run
  LEFT JOIN LATERAL (
    SELECT x.first_index + cardinality(x.ends) AS tokens FROM run_chunks x
    WHERE q.state = 'streaming' AND x.tenant_id = f.tenant AND x.run_id = f.run ORDER BY x.first_index DESC LIMIT 1
  ) k ON true
  UNION ALL
  SELECT c.tenant, c.chat, NULL, NULL, NULL, NULL, 0, r.last_seq
  FROM unnest(p_chat_tenants, p_chats) c(tenant, chat)
  LEFT JOIN rooms r ON r.tenant_id = c.tenant AND r.room_id = c.chat AND r.deleted_at IS NULL
$f$;
