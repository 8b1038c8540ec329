-- Tells answers of an agent that are written or wait to stop, all or those that this user asked for; their ids.
--
-- Locks: the runs.
--
-- execute: tenant
CREATE FUNCTION agent_runs_stop(p_tenant uuid, p_room uuid, p_agent text, p_user text) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  WITH ended AS (
    UPDATE runs q SET is_cancelled = true WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.agent_id = p_agent
      AND q.state IN ('queued', 'streaming') AND (p_user IS NULL OR q.user_id = p_user) RETURNING q.run_id)
  SELECT COALESCE(jsonb_agg(e.run_id), '[]') FROM ended e
$f$;
