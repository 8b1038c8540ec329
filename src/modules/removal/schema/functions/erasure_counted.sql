-- Counts what a batch of an erase has done, in the statement that does it, and keeps where the next one goes on: in this step,
-- or with p_next. Takes it back where the erase is not where the batch began: another worker goes on, or it is over, and
-- whoever has the name by now is another person.
-- Answers with the batch.
--
-- Locks: the erasure, which the statement has locked before the batch (ErasuresRepository).
--
-- execute: tenant
CREATE FUNCTION erasure_counted(p_tenant uuid, p_erasure uuid, p_of text, p_step text, p_at jsonb, p_next text, p_batch jsonb)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  has_more boolean := jsonb_typeof(p_batch->'after') = 'object';
  rows_of jsonb := COALESCE(p_batch->'counts', '{}');
BEGIN
  UPDATE erasures e SET step = CASE WHEN has_more THEN p_step ELSE p_next END,
    step_cursor = CASE WHEN has_more THEN p_batch->'after' END,
    found = e.found + (SELECT COALESCE(sum(c.value::bigint), 0) FROM jsonb_each_text(rows_of) c)
      + CASE WHEN (p_batch->>'waits')::boolean THEN 1 ELSE 0 END,
    counts = e.counts || (SELECT COALESCE(jsonb_object_agg(c.key, c.value::bigint + COALESCE((e.counts->>c.key)::bigint, 0)), '{}')
      FROM jsonb_each_text(rows_of) c WHERE c.value::bigint > 0)
  WHERE e.tenant_id = p_tenant AND e.erasure_id = p_erasure AND e.state = 'erasing' AND e.user_id = p_of
    AND e.step = p_step AND e.step_cursor IS NOT DISTINCT FROM p_at;
  IF NOT FOUND THEN RAISE EXCEPTION 'the erase is elsewhere' USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;
  RETURN p_batch;
END $f$;
