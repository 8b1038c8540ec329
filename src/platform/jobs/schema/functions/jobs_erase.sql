-- A batch of the erase of a user from jobs, in the order of their ids: work of theirs goes, in other work that waits or was given
-- up the id is replaced. One that runs and names them is waited for.
--
-- execute: tenant
CREATE FUNCTION jobs_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  behind bigint := COALESCE((p_after->>'job')::bigint, 0);
  token text := to_json(p_user)::text;
  through bigint;
  running bigint;
  gone bigint;
  changed bigint;
BEGIN
  SELECT j.id INTO through FROM jobs j WHERE j.tenant_id = p_tenant AND j.id > behind ORDER BY j.id OFFSET 2 * p_limit - 1 LIMIT 1;
  SELECT min(j.id) INTO running FROM jobs j WHERE j.tenant_id = p_tenant AND j.id > behind
    AND (through IS NULL OR j.id <= through) AND j.state = 'running'
    AND erased_json(j.payload::text, p_user, p_erased) <> j.payload::text;
  DELETE FROM jobs j WHERE j.tenant_id = p_tenant AND j.id > behind AND (through IS NULL OR j.id <= through)
    AND j.state <> 'running' AND j.payload->>'user_id' = p_user;
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE jobs j SET payload = erased_json(j.payload::text, p_user, p_erased)::jsonb,
    key = CASE WHEN j.key = p_user THEN p_erased ELSE j.key END
  WHERE j.tenant_id = p_tenant AND j.id > behind AND (through IS NULL OR j.id <= through) AND j.state <> 'running'
    AND (j.key = p_user OR strpos(j.payload::text, token) > 0 AND erased_json(j.payload::text, p_user, p_erased) <> j.payload::text);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('jobs', gone + changed), 'waits', running IS NOT NULL,
    'after', CASE WHEN running IS NOT NULL THEN jsonb_build_object('job', running - 1)
      WHEN through IS NOT NULL THEN jsonb_build_object('job', through) END);
END $f$;
