-- Which budget of tokens of today (UTC) is spent, if any: null, or {limit, seconds_left}.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION budget_spent(p_tenant uuid, p_user text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $f$
DECLARE
  limits jsonb;
  per_tenant numeric;
  per_user numeric;
  spent numeric;
  spent_by_user numeric;
  day timestamptz := date_trunc('day', clock_timestamp(), 'UTC');
  which text;
BEGIN
  SELECT t.limits INTO limits FROM tenants t WHERE t.tenant_id = p_tenant;
  per_tenant := (limits->>'tokens_per_day')::numeric;
  per_user := (limits->>'tokens_per_user_per_day')::numeric;
  IF per_tenant IS NULL AND per_user IS NULL THEN RETURN NULL; END IF;
  SELECT COALESCE(sum(r.total_tokens), 0), COALESCE(sum(r.total_tokens) FILTER (WHERE r.user_id = p_user), 0)
    INTO spent, spent_by_user FROM runs r WHERE r.tenant_id = p_tenant AND r.ended_at >= day;
  which := CASE WHEN spent >= per_tenant THEN 'tokens_per_day' WHEN spent_by_user >= per_user
    THEN 'tokens_per_user_per_day' END;
  IF which IS NULL THEN RETURN NULL; END IF;
  RETURN jsonb_build_object('limit', which, 'seconds_left', ceil(extract(epoch FROM day + interval '1 day' - clock_timestamp())));
END $f$;
