-- A batch of the erase of a user from the figures by user: they stay, under the other id.
--
-- Locks: the user's days, then those of the other id, in their order.
--
-- execute: tenant
CREATE FUNCTION usage_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  moved bigint;
BEGIN
  WITH gone AS (
    DELETE FROM usage_users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user AND u.day = ANY (ARRAY(
      SELECT x.day FROM usage_users x WHERE x.tenant_id = p_tenant AND x.user_id = p_user ORDER BY x.day LIMIT p_limit))
    RETURNING *
  ), added AS (
    INSERT INTO usage_users AS u (tenant_id, user_id, day, messages_sent, runs, prompt_tokens, completion_tokens,
      estimated_tokens, cost)
    SELECT p_tenant, p_erased, g.day, g.messages_sent, g.runs, g.prompt_tokens, g.completion_tokens, g.estimated_tokens,
      g.cost
    FROM gone g ORDER BY g.day
    ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent,
      runs = u.runs + EXCLUDED.runs, prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
      completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
      estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost
  )
  SELECT count(*) INTO moved FROM gone;
  RETURN jsonb_build_object('counts', jsonb_build_object('usage_days', moved),
    'after', CASE WHEN moved = p_limit THEN jsonb_build_object() END);
END $f$;
