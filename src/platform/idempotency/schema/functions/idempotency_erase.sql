-- A batch of the erase of a user from what calls were answered with: what they called goes first, then all others are walked in the
-- order of their keys. Those go whose path names the user, and those that show a room which names them, or which they described or
-- were in a dm of; in other results the id is replaced.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION idempotency_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  called_by text := COALESCE(p_after->>'user', '');
  called text := COALESCE(p_after->>'route', '');
  called_with text := COALESCE(p_after->>'key', '');
  last idempotency_keys;
  segment text := '/' || p_user;
  gone bigint;
  changed bigint;
BEGIN
  IF NOT COALESCE(p_after ? 'user', false) THEN
    DELETE FROM idempotency_keys k USING (SELECT x.route, x.key FROM idempotency_keys x
      WHERE x.tenant_id = p_tenant AND x.user_id = p_user ORDER BY x.route, x.key LIMIT p_limit) g
    WHERE k.tenant_id = p_tenant AND k.user_id = p_user AND k.route = g.route AND k.key = g.key;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN jsonb_build_object('counts', jsonb_build_object('idempotency_keys', gone),
      'after', CASE WHEN gone = p_limit THEN jsonb_build_object() ELSE jsonb_build_object('user', '') END);
  END IF;
  SELECT * INTO last FROM idempotency_keys k
    WHERE k.tenant_id = p_tenant AND (k.user_id, k.route, k.key) > (called_by, called, called_with)
    ORDER BY k.user_id, k.route, k.key OFFSET 2 * p_limit - 1 LIMIT 1;
  DELETE FROM idempotency_keys k
  WHERE k.tenant_id = p_tenant AND (k.user_id, k.route, k.key) > (called_by, called, called_with)
    AND (last.key IS NULL OR (k.user_id, k.route, k.key) <= (last.user_id, last.route, last.key))
    -- A path is as the client wrote it: whatever may be encoded there is read as what it stands for.
    AND (strpos((SELECT string_agg(CASE WHEN part[1] ~ '^%(?!00)[0-9A-Fa-f]{2}$'
          THEN chr(('x' || substr(part[1], 2))::bit(8)::integer) ELSE part[1] END, '')
        FROM regexp_matches(k.route, '%[0-9A-Fa-f]{2}|.', 'g') part) || '/', segment || '/') > 0
      OR strpos(k.result->'room'->>'metadata_text', to_json(p_user)::text) > 0
      OR EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = (k.result->'room'->>'room_id')::uuid
        AND p_erased = ANY (r.described_by)));
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE idempotency_keys k SET result = erased_json(k.result::text, p_user, p_erased)::jsonb
  WHERE k.tenant_id = p_tenant AND (k.user_id, k.route, k.key) > (called_by, called, called_with)
    AND (last.key IS NULL OR (k.user_id, k.route, k.key) <= (last.user_id, last.route, last.key))
    AND strpos(k.result::text, to_json(p_user)::text) > 0
    AND erased_json(k.result::text, p_user, p_erased) <> k.result::text;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('idempotency_keys', gone + changed), 'after',
    CASE WHEN last.key IS NOT NULL THEN jsonb_build_object('user', last.user_id, 'route', last.route, 'key', last.key) END);
END $f$;
