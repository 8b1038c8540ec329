-- How much work waits and how much was given up, of one tenant or, with NULL, of all: {jobs: [{kind, queued, running, dead}],
-- runs: {queued, streaming}, dead_letters: {message, notification, webhook}, capped: [names]}.
--
-- Each count ends at p_cap entries of an index, however many there are; its name is then in `capped`, and of jobs the kinds
-- share what was counted. So the whole reads at most seven times p_cap entries, and knows neither how many tenants there are
-- nor what is done. All tenants are a range of tenant_id as one is. Planned anew each time, by how large the tables are now: the
-- partial indexes are the small ones, and a plan of the time when all were empty may take another.
--
-- Locks: none.
--
-- tables: jobs, runs, dead_letters, notification_deliveries, webhook_deliveries
-- execute: system
CREATE FUNCTION stats_counts(p_tenant uuid, p_cap integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET plan_cache_mode = force_custom_plan AS $f$
DECLARE
  lo uuid := COALESCE(p_tenant, '00000000-0000-0000-0000-000000000000');
  hi uuid := COALESCE(p_tenant, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  jobs_now jsonb;
  runs_now jsonb;
  dead_messages bigint;
  dead_rows bigint;
  dead_notifications bigint;
  dead_webhooks bigint;
  full_counts text[];
BEGIN
  WITH queued AS MATERIALIZED (
    SELECT j.kind FROM jobs j WHERE j.state = 'queued' AND j.tenant_id BETWEEN lo AND hi
    ORDER BY j.tenant_id, j.kind, j.run_at, j.id LIMIT p_cap
  ), running AS MATERIALIZED (
    SELECT j.kind FROM jobs j WHERE j.state = 'running' AND j.tenant_id BETWEEN lo AND hi
    ORDER BY j.tenant_id, j.kind, j.key LIMIT p_cap
  ), dead AS MATERIALIZED (
    SELECT j.kind FROM jobs j WHERE j.state = 'dead' AND j.tenant_id BETWEEN lo AND hi
    ORDER BY j.tenant_id, j.kind, j.ended_at, j.id LIMIT p_cap
  ), kinds AS (
    SELECT k.kind, count(*) FILTER (WHERE k.state = 'queued') AS queued,
      count(*) FILTER (WHERE k.state = 'running') AS running, count(*) FILTER (WHERE k.state = 'dead') AS dead
    FROM (SELECT kind, 'queued' AS state FROM queued UNION ALL SELECT kind, 'running' FROM running
      UNION ALL SELECT kind, 'dead' FROM dead) k
    GROUP BY k.kind
  )
  SELECT COALESCE(jsonb_agg(to_jsonb(kinds) ORDER BY kinds.kind), '[]'),
    array_remove(ARRAY[CASE WHEN sum(kinds.queued) >= p_cap THEN 'jobs.queued' END,
      CASE WHEN sum(kinds.running) >= p_cap THEN 'jobs.running' END,
      CASE WHEN sum(kinds.dead) >= p_cap THEN 'jobs.dead' END], NULL)
  INTO jobs_now, full_counts FROM kinds;

  SELECT jsonb_build_object('queued', count(*) FILTER (WHERE r.state = 'queued'),
      'streaming', count(*) FILTER (WHERE r.state = 'streaming')),
    full_counts || CASE WHEN count(*) >= p_cap THEN ARRAY['runs'] ELSE '{}' END
  INTO runs_now, full_counts
  FROM (SELECT x.state FROM runs x WHERE x.state IN ('queued', 'streaming') AND x.tenant_id BETWEEN lo AND hi
    ORDER BY x.tenant_id LIMIT p_cap) r;

  -- A row is a run of messages.
  SELECT COALESCE(sum(d.n), 0), count(*) INTO dead_messages, dead_rows
  FROM (SELECT x.to_seq - x.from_seq + 1 AS n FROM dead_letters x WHERE x.tenant_id BETWEEN lo AND hi
    ORDER BY x.tenant_id LIMIT p_cap) d;
  SELECT count(*) INTO dead_notifications
  FROM (SELECT FROM notification_deliveries x WHERE x.dead_at IS NOT NULL AND x.tenant_id BETWEEN lo AND hi
    ORDER BY x.tenant_id, x.dead_at LIMIT p_cap) d;
  SELECT count(*) INTO dead_webhooks
  FROM (SELECT FROM webhook_deliveries x WHERE x.state = 'dead' AND x.tenant_id BETWEEN lo AND hi
    ORDER BY x.tenant_id LIMIT p_cap) d;

  RETURN jsonb_build_object('jobs', jobs_now, 'runs', runs_now,
    'dead_letters', jsonb_build_object('message', dead_messages, 'notification', dead_notifications, 'webhook', dead_webhooks),
    'capped', to_jsonb(full_counts || array_remove(ARRAY[
      CASE WHEN dead_rows >= p_cap THEN 'dead_letters.message' END,
      CASE WHEN dead_notifications >= p_cap THEN 'dead_letters.notification' END,
      CASE WHEN dead_webhooks >= p_cap THEN 'dead_letters.webhook' END], NULL)));
END $f$;
