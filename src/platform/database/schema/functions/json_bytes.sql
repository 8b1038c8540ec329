-- The size of a value as JavaScript writes it, which is what limits of bytes are about: no space outside of strings, and
-- all the digits of numbers that JavaScript writes with an exponent.
--
-- execute: tenant
CREATE FUNCTION json_bytes(j jsonb) RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT octet_length(j::text) - (length(s) - length(replace(s, ' ', ''))) - (
    SELECT COALESCE(sum(octet_length(v::text) - octet_length(regexp_replace(v::text::float8::text, 'e([+-])0', 'e\1'))),
      0)::integer
    FROM jsonb_path_query(j, 'strict $.** ? (@.type() == "number" && (@ >= 1e21 || @ <= -1e21 ||
      (@ > -1e-6 && @ < 1e-6 && @ != 0)))') v)
  FROM (SELECT regexp_replace(j::text, '"(\\.|[^"\\])*"', '', 'g') AS s) q
$f$;
