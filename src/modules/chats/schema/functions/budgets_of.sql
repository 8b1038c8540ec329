-- The budgets of a day that a call of this user in this chat stands under, from the widest on: `most`, and what is taken of it
-- ({limit, is_cost, most, used}): what calls have cost and, with p_reserved, what those hold that run. Exact at any moment: all
-- is one snapshot, in which a call is open, ended or folded.
-- Only a plain scan of an index forgets entries of what is folded before a vacuum does: no other is chosen.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION budgets_of(p_tenant uuid, p_day date, p_user text, p_room uuid, p_reserved boolean)
RETURNS TABLE (name text, is_cost boolean, most numeric, used numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET enable_seqscan = off SET enable_bitmapscan = off AS $f$
#variable_conflict use_column
BEGIN
  -- Who has no budget has calls that nobody folds.
  IF NOT EXISTS (SELECT FROM tenants t WHERE t.tenant_id = p_tenant AND COALESCE(t.limits->>'tokens_per_day',
    t.limits->>'cost_per_day', t.limits->>'tokens_per_user_per_day', t.limits->>'tokens_per_chat_per_day') IS NOT NULL)
  THEN RETURN; END IF;
  RETURN QUERY
  WITH open AS MATERIALIZED (
    SELECT COALESCE(sum(c.tokens), 0) AS all_tokens, COALESCE(sum(c.cost), 0) AS all_cost,
      COALESCE(sum(c.tokens) FILTER (WHERE c.user_id = p_user), 0) AS user_tokens,
      COALESCE(sum(c.tokens) FILTER (WHERE c.room_id = p_room), 0) AS chat_tokens
    FROM (SELECT x.user_id, x.room_id, COALESCE(x.tokens, CASE WHEN p_reserved THEN x.reserved END) AS tokens,
        COALESCE(x.cost, CASE WHEN p_reserved THEN x.reserved_cost END) AS cost
      FROM charges x WHERE x.tenant_id = p_tenant AND x.day = p_day AND NOT x.is_folded) c
  )
  SELECT b.name, b.is_cost, b.most, COALESCE(CASE WHEN b.is_cost THEN d.cost ELSE d.tokens END, 0) + b.open
  FROM tenants t CROSS JOIN open o
  CROSS JOIN LATERAL (VALUES
    (1, 'tokens_per_day', false, (t.limits->>'tokens_per_day')::numeric, 'tenant', '', o.all_tokens),
    (2, 'cost_per_day', true, (t.limits->>'cost_per_day')::numeric, 'tenant', '', o.all_cost),
    (3, 'tokens_per_user_per_day', false, (t.limits->>'tokens_per_user_per_day')::numeric, 'user', p_user, o.user_tokens),
    (4, 'tokens_per_chat_per_day', false, (t.limits->>'tokens_per_chat_per_day')::numeric, 'chat', p_room::text, o.chat_tokens)
  ) b(place, name, is_cost, most, scope, subject, open)
  LEFT JOIN charge_days d ON d.tenant_id = p_tenant AND d.day = p_day AND d.scope = b.scope AND d.subject = b.subject
  WHERE t.tenant_id = p_tenant AND b.most IS NOT NULL AND b.subject IS NOT NULL
  ORDER BY b.place;
END $f$;
