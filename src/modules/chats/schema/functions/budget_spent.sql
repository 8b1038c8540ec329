-- Which budget of today (UTC, by this clock) is spent for a user, in a chat if one is named: null, or {limit, seconds_left}.
-- What runs is not counted: it may give back of what it holds before the turn of whoever asks comes.
--
-- keeps: budget_spent(uuid,text) for releases before 0.2.0
-- execute: tenant
CREATE FUNCTION budget_spent(p_tenant uuid, p_user text, p_room uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $f$
DECLARE
  which text;
BEGIN
  SELECT b.name INTO which
    FROM budgets_of(p_tenant, (clock_timestamp() AT TIME ZONE 'UTC')::date, p_user, p_room, false) b
    WHERE b.used >= b.most LIMIT 1;
  RETURN budget_refusal(which);
END $f$;
