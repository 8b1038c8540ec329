-- The budgets of a day that a call of this user in this chat stands under, from the widest on: `most`, and what is taken of it
-- ({limit, is_cost, most, used}): what calls have cost and, with p_reserved, what those hold that run. Exact at any moment: all
-- is one snapshot, in which a call is open, ended or folded.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION budgets_of(p_tenant uuid, p_day date, p_user text, p_room uuid, p_reserved boolean)
RETURNS TABLE (name text, is_cost boolean, most numeric, used numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $f$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT b.name, b.is_cost, b.most, COALESCE(CASE WHEN b.is_cost THEN d.cost ELSE d.tokens END, 0) + o.taken
  FROM tenants t
  CROSS JOIN LATERAL (VALUES
    (1, 'tokens_per_day', false, (t.limits->>'tokens_per_day')::numeric, 'tenant', ''),
    (2, 'cost_per_day', true, (t.limits->>'cost_per_day')::numeric, 'tenant', ''),
    (3, 'tokens_per_user_per_day', false, (t.limits->>'tokens_per_user_per_day')::numeric, 'user', p_user),
    (4, 'tokens_per_chat_per_day', false, (t.limits->>'tokens_per_chat_per_day')::numeric, 'chat', p_room::text)
  ) b(place, name, is_cost, most, scope, subject)
  LEFT JOIN charge_days d ON d.tenant_id = p_tenant AND d.day = p_day AND d.scope = b.scope AND d.subject = b.subject
  CROSS JOIN LATERAL (SELECT COALESCE(sum(CASE WHEN b.is_cost
      THEN COALESCE(c.cost, CASE WHEN p_reserved THEN c.reserved_cost END)
      ELSE COALESCE(c.tokens, CASE WHEN p_reserved THEN c.reserved END) END), 0) AS taken
    FROM charges c WHERE c.tenant_id = p_tenant AND c.day = p_day AND NOT c.is_folded
      AND (b.scope = 'tenant' OR (b.scope = 'user' AND c.user_id = p_user) OR (b.scope = 'chat' AND c.room_id = p_room))) o
  WHERE t.tenant_id = p_tenant AND b.most IS NOT NULL AND b.subject IS NOT NULL
  ORDER BY b.place;
END $f$;
