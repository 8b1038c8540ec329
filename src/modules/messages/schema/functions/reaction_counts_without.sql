-- What is shown of a message's reactions once a user has taken a key back: its count is one less, a key that nobody gives is
-- gone, and where the user was named the first three of the others are read anew. Called before or after the row goes.
--
-- execute: append, tenant
CREATE FUNCTION reaction_counts_without(
  p_counts jsonb, p_tenant uuid, p_room uuid, p_seq bigint, p_key text, p_user text
) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $f$
BEGIN
  RETURN (SELECT COALESCE(jsonb_agg(CASE WHEN e->>'key' = p_key THEN jsonb_build_object('key', p_key,
    'count', (e->>'count')::bigint - 1, 'users', CASE WHEN e->'users' ? p_user THEN (
      SELECT COALESCE(jsonb_agg(o.user_id ORDER BY o.rev), '[]') FROM (SELECT x.user_id, x.rev FROM message_reactions x
        WHERE x.tenant_id = p_tenant AND x.room_id = p_room AND x.seq = p_seq AND x.key = p_key AND x.user_id <> p_user
        ORDER BY x.rev LIMIT 3) o) ELSE e->'users' END)
    ELSE e END ORDER BY n), '[]')
  FROM jsonb_array_elements(p_counts) WITH ORDINALITY a(e, n)
  WHERE e->>'key' <> p_key OR (e->>'count')::bigint > 1);
END $f$;
