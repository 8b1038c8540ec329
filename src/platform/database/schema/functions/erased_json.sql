-- The text of a JSON value in which one user's id is another: where it is a string of its own or a name, nowhere inside a longer
-- text. The token's first quote has no backslash before it, so what a text quotes is not taken for one.
--
-- execute: tenant
CREATE FUNCTION erased_json(p_json text, p_user text, p_erased text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT CASE WHEN strpos(p_json, to_json(p_user)::text) = 0 THEN p_json
    ELSE regexp_replace(p_json, '(?<!\\)' || regexp_replace(to_json(p_user)::text, '([^A-Za-z0-9_])', '\\\1', 'g'),
      to_json(p_erased)::text, 'g') END
$f$;
