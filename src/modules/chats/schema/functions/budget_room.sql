-- How many tokens more the answer of a call may have, at most p_want, after p_context tokens that it begins with; and which
-- budget gives the least. Its caller holds the turn (charges_fold). Prices are per million tokens.
--
-- execute: tenant
CREATE FUNCTION budget_room(
  p_tenant uuid, p_day date, p_user text, p_room uuid, p_context bigint, p_want bigint, p_input numeric, p_output numeric
) RETURNS TABLE (tokens bigint, name text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $f$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT LEAST(p_want, CASE WHEN NOT b.is_cost THEN floor(b.most - b.used) - p_context
      WHEN b.most - b.used < p_context * p_input / 1000000 THEN 0
      WHEN p_output > 0 THEN floor((b.most - b.used) * 1000000 / p_output - p_context * p_input / p_output)
      ELSE p_want END)::bigint, b.name
  FROM budgets_of(p_tenant, p_day, p_user, p_room, true) b
  ORDER BY 1 LIMIT 1;
END $f$;
