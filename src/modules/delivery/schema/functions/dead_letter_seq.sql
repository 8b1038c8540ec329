-- The message's seq in a letter's id.
--
-- execute: tenant
CREATE FUNCTION dead_letter_seq(p_id uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT ('x' || right(replace(p_id::text, '-', ''), 15))::bit(60)::bigint
$f$;
