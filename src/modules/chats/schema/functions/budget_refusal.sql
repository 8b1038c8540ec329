-- How a call is refused for a budget: {limit, seconds_left} until the next day (UTC, by this clock); null for none.
--
-- execute: tenant
CREATE FUNCTION budget_refusal(p_name text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  RETURN CASE WHEN p_name IS NOT NULL THEN jsonb_build_object('limit', p_name, 'seconds_left',
    ceil(extract(epoch FROM date_trunc('day', clock_timestamp(), 'UTC') + interval '1 day' - clock_timestamp()))) END;
END $f$;
