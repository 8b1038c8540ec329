-- The letters' number in an id; of an id that is no letter of a message: null.
--
-- execute: tenant
CREATE FUNCTION dead_letter_no(p_id uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT ('x' || left(h, 12) || substr(h, 14, 3))::bit(60)::bigint
  FROM replace(p_id::text, '-', '') h WHERE substr(h, 13, 1) = '8' AND substr(h, 17, 1) = '8'
$f$;
