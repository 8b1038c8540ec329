-- How often a key is given, of what is shown of a message's reactions.
--
-- execute: append, tenant
CREATE FUNCTION reaction_count(p_counts jsonb, p_key text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public AS $f$
BEGIN
  RETURN COALESCE((SELECT (e->>'count')::bigint FROM jsonb_array_elements(p_counts) e WHERE e->>'key' = p_key), 0);
END $f$;
