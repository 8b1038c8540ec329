-- Stores tokens of any runs, durable a moment later; those of a run that another worker has taken, or that has ended, are
-- dropped. Answers with the runs that are to stop: cancelled, or taken.
--
-- execute: system
CREATE FUNCTION run_chunks_write(
  p_tenants uuid[], p_runs uuid[], p_fences bigint[], p_firsts integer[], p_texts text[], p_ends text[]
) RETURNS TABLE (run_id uuid, is_lost boolean)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
#variable_conflict use_column
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  RETURN QUERY
  WITH given AS (
    SELECT w.*, q.state = 'streaming' AND q.fence = w.fence AS ours, q.is_cancelled
    FROM unnest(p_tenants, p_runs, p_fences, p_firsts, p_texts, p_ends) w(t, r, fence, first_index, text, ends)
    LEFT JOIN runs q ON q.tenant_id = w.t AND q.run_id = w.r
  ), stored AS (
    INSERT INTO run_chunks (tenant_id, run_id, first_index, text, ends)
    SELECT g.t, g.r, g.first_index, g.text, g.ends::integer[] FROM given g WHERE g.ours AND g.text <> ''
    ON CONFLICT DO NOTHING
  )
  SELECT g.r, g.ours IS NOT TRUE FROM given g WHERE g.ours IS NOT TRUE OR g.is_cancelled;
END $f$;
