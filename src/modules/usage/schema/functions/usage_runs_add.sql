-- Adds runs that have ended to the figures of their users, chats and models, by the UTC day of their end.
-- p_runs: runs of one tenant, as rows of `runs`.
--
-- Locks: the rows that are added to, in the order of their keys.
--
-- tables: chats, runs
-- execute: tenant
CREATE FUNCTION usage_runs_add(p_tenant uuid, p_runs runs[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  WITH ended AS MATERIALIZED (
    SELECT q.user_id, q.room_id, COALESCE(q.channel, '') AS channel, COALESCE(c.preset, '') AS preset,
      (q.ended_at AT TIME ZONE 'UTC')::date AS day, COALESCE(q.prompt_tokens, 0) AS prompt,
      COALESCE(q.completion_tokens, 0) AS completion, CASE WHEN q.estimated THEN COALESCE(q.total_tokens, 0) ELSE 0 END AS guess,
      COALESCE(q.cost, 0) AS cost
    FROM unnest(p_runs) q LEFT JOIN chats c ON c.tenant_id = p_tenant AND c.room_id = q.room_id
  ), by_user AS (
    INSERT INTO usage_users AS u (tenant_id, user_id, day, runs, prompt_tokens, completion_tokens, estimated_tokens,
      cost)
    SELECT p_tenant, e.user_id, e.day, count(*), sum(e.prompt), sum(e.completion), sum(e.guess), sum(e.cost) FROM ended e
    GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET runs = u.runs + EXCLUDED.runs,
      prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
      completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
      estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost
  ), by_room AS (
    INSERT INTO usage_chats AS u (tenant_id, room_id, day, runs, prompt_tokens, completion_tokens, estimated_tokens,
      cost)
    SELECT p_tenant, e.room_id, e.day, count(*), sum(e.prompt), sum(e.completion), sum(e.guess), sum(e.cost) FROM ended e
    GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, room_id, day) DO UPDATE SET runs = u.runs + EXCLUDED.runs,
      prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
      completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
      estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost
  ), by_model AS (
    INSERT INTO usage_models AS u (tenant_id, channel, preset, day, runs, prompt_tokens, completion_tokens,
      estimated_tokens, cost)
    SELECT p_tenant, e.channel, e.preset, e.day, count(*), sum(e.prompt), sum(e.completion), sum(e.guess), sum(e.cost) FROM ended e
    GROUP BY 2, 3, 4 ORDER BY 2, 3, 4
    ON CONFLICT (tenant_id, channel, preset, day) DO UPDATE SET runs = u.runs + EXCLUDED.runs,
      prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
      completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
      estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost
  )
  INSERT INTO usage_days AS u (tenant_id, day, part, runs, prompt_tokens, completion_tokens, estimated_tokens, cost)
  SELECT p_tenant, e.day, pg_backend_pid(), count(*), sum(e.prompt), sum(e.completion), sum(e.guess), sum(e.cost) FROM ended e
  GROUP BY 2 ORDER BY 2
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET runs = u.runs + EXCLUDED.runs,
    prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
    completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
    estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost;
END $f$;
