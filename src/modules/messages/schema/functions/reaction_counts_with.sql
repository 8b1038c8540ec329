-- What is shown of a message's reactions once a user has given a key that they had not given: its count is one more, and
-- the user is named where fewer than three are.
--
-- execute: append, tenant
CREATE FUNCTION reaction_counts_with(p_counts jsonb, p_key text, p_user text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public AS $f$
BEGIN
  RETURN (SELECT CASE WHEN p_counts @> jsonb_build_array(jsonb_build_object('key', p_key)) THEN (
    SELECT jsonb_agg(CASE WHEN e->>'key' = p_key THEN jsonb_build_object('key', p_key, 'count', (e->>'count')::bigint + 1,
      'users', CASE WHEN jsonb_array_length(e->'users') < 3 THEN e->'users' || to_jsonb(p_user) ELSE e->'users' END)
      ELSE e END ORDER BY n)
    FROM jsonb_array_elements(p_counts) WITH ORDINALITY a(e, n))
  ELSE p_counts || jsonb_build_array(jsonb_build_object('key', p_key, 'count', 1, 'users', jsonb_build_array(p_user))) END);
END $f$;
