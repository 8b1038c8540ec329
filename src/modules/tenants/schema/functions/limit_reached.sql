-- Refuses what goes beyond a tenant's limit. CA001 is the application's own SQLSTATE; DETAIL names the limit, HINT says what
-- it allows.
--
-- execute: tenant
CREATE FUNCTION limit_reached(p_limit text, p_allowed bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $f$
BEGIN
  RAISE EXCEPTION 'a limit of the tenant is reached'
    USING ERRCODE = 'CA001', DETAIL = p_limit, HINT = p_allowed::text;
END $f$;
