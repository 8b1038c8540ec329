-- The claim, for all tenants at once.
--
-- Invariants: a job runs under one fence at a time; the limits per tenant, per user and per key hold over all nodes, since
-- claims are made one after the other (the advisory lock, and after it a new statement, hence a new snapshot); one tenant's
-- backlog delays no other's claim: `pairs` jumps from one (tenant, kind) to the next by the index, whatever lies between,
-- reads a bounded window of each, and due jobs go in turns, tenant by tenant.
--
-- A job whose lease ran out is due again at once, its attempt being counted; a worker that claims it beyond its last
-- attempt buries it. Where even that fails three times (it kills every worker), it ends dead here.
--
-- p_scan bounds the pairs of one call; cursor says where the next one goes on. `more`: others are due that a limit kept.
-- run_at is rounded to milliseconds, possibly upwards: what was committed before this call is due with the one added.
--
-- p_tenant_limits, p_user_limits: names in tenants.limits, null for a kind that has none; beside them the defaults. A
-- limit that is null in tenants.limits is none. Of a kind that has one (how many run at once for the tenant and for one of
-- its users, `user_id` of the payload), what a full key or a full user holds back hides no other user's jobs, as far as
-- 5,000 due ones reach; free places go first to the users with the fewest running jobs, and within a user to what came first.
--
-- What is read of a backlog is read in the order of `jobs_queued` and bounded by LIMIT. A planner that has seen the table
-- empty finds it as cheap to fetch all and sort: it is not left to it.
--
-- Locks: the advisory lock of claims, at most a second; then jobs, skipping those that are held.
--
-- tables: tenants
-- execute: system
CREATE FUNCTION jobs_claim(
  p_kinds text[], p_free integer[], p_per_tenant integer[], p_per_key integer[], p_max_attempts integer[],
  p_tenant_limits text[], p_tenant_defaults integer[], p_user_limits text[], p_user_defaults integer[],
  p_lease_ms bigint, p_after_tenant uuid, p_after_kind text, p_scan integer
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $f$
DECLARE
  ts timestamptz;
  claimed jsonb;
BEGIN
  PERFORM set_config('lock_timeout', '1s', true);
  PERFORM pg_advisory_xact_lock(hashtextextended('chatapi jobs claim', 0));
  ts := clock_timestamp() + interval '1 ms';

  UPDATE jobs j SET state = CASE WHEN l.attempts >= l.most + 3 THEN 'dead' ELSE 'queued' END, fence = j.fence + 1,
    lease_until = NULL, last_error = 'the worker was lost',
    ended_at = CASE WHEN l.attempts >= l.most + 3 THEN ts END
  FROM (SELECT x.tenant_id, x.id, x.attempts, k.most FROM unnest(p_kinds, p_max_attempts) k(kind, most),
      LATERAL (SELECT y.* FROM jobs y WHERE y.state = 'running' AND y.kind = k.kind AND y.lease_until < ts
        ORDER BY y.lease_until LIMIT 1000 FOR UPDATE SKIP LOCKED) x) l
  WHERE j.tenant_id = l.tenant_id AND j.id = l.id;

  WITH RECURSIVE pairs AS (
    (SELECT j.tenant_id, j.kind, 1 AS n FROM jobs j WHERE j.state = 'queued' AND (j.tenant_id, j.kind) >
        (COALESCE(p_after_tenant, '00000000-0000-0000-0000-000000000000'::uuid), COALESCE(p_after_kind, ''))
      ORDER BY j.tenant_id, j.kind LIMIT 1)
    UNION ALL
    SELECT x.tenant_id, x.kind, p.n + 1 FROM pairs p, LATERAL (SELECT j.tenant_id, j.kind FROM jobs j
      WHERE j.state = 'queued' AND (j.tenant_id, j.kind) > (p.tenant_id, p.kind)
      ORDER BY j.tenant_id, j.kind LIMIT 1) x
    WHERE p.n < p_scan
  ), wanted AS MATERIALIZED (
    SELECT p.tenant_id, p.kind, k.free, k.per_key, k.user_limit IS NOT NULL AS by_user, l.per_user,
      LEAST(k.free, LEAST(k.per_tenant, l.per_tenant) - r.n) AS room
    FROM pairs p JOIN unnest(p_kinds, p_free, p_per_tenant, p_per_key, p_tenant_limits, p_tenant_defaults, p_user_limits,
        p_user_defaults) k(kind, free, per_tenant, per_key, tenant_limit, tenant_default, user_limit, user_default)
      ON k.kind = p.kind
    LEFT JOIN LATERAL (SELECT
        CASE WHEN t.limits ? k.tenant_limit THEN (t.limits->>k.tenant_limit)::integer ELSE k.tenant_default END AS per_tenant,
        CASE WHEN t.limits ? k.user_limit THEN (t.limits->>k.user_limit)::integer ELSE k.user_default END AS per_user
      FROM tenants t WHERE t.tenant_id = p.tenant_id AND (k.tenant_limit IS NOT NULL OR k.user_limit IS NOT NULL)
    ) l ON true,
      LATERAL (SELECT count(*)::integer AS n FROM jobs r WHERE r.state = 'running' AND r.tenant_id = p.tenant_id
        AND r.kind = p.kind) r
  ), busy AS MATERIALIZED (
    SELECT w.tenant_id, w.kind, r.payload->>'user_id' AS user_id, r.key FROM wanted w, LATERAL (SELECT x.payload, x.key
      FROM jobs x WHERE x.state = 'running' AND x.tenant_id = w.tenant_id AND x.kind = w.kind) r WHERE w.by_user
  ), busy_users AS MATERIALIZED (
    SELECT b.tenant_id, b.kind, b.user_id, count(*) AS n FROM busy b GROUP BY 1, 2, 3
  ), filled AS MATERIALIZED (
    SELECT w.*,
      ARRAY(SELECT b.key FROM busy b WHERE b.tenant_id = w.tenant_id AND b.kind = w.kind
        GROUP BY 1 HAVING count(*) >= w.per_key) AS full_keys,
      ARRAY(SELECT b.user_id FROM busy_users b WHERE b.tenant_id = w.tenant_id AND b.kind = w.kind
        AND b.n >= w.per_user) AS full_users
    FROM wanted w
  ), seen AS MATERIALIZED (
    SELECT w.tenant_id, w.kind, w.per_key, w.room, w.free, w.per_user, d.id, d.key, d.run_at, d.user_id,
      row_number() OVER (PARTITION BY w.tenant_id, w.kind, d.key ORDER BY d.run_at, d.id) AS in_key
    FROM filled w, LATERAL (
      (SELECT j.id, j.key, j.run_at, NULL AS user_id FROM jobs j WHERE NOT w.by_user AND j.state = 'queued'
        AND j.tenant_id = w.tenant_id AND j.kind = w.kind AND j.run_at <= ts ORDER BY j.run_at, j.id
        LIMIT CASE WHEN w.room <= 0 THEN 1 WHEN w.per_key >= w.room THEN w.room + 1 ELSE 1000 END)
      UNION ALL
      (SELECT x.id, x.key, x.run_at, x.user_id FROM (SELECT j.id, j.key, j.run_at, j.payload->>'user_id' AS user_id
          FROM jobs j WHERE w.by_user AND j.state = 'queued' AND j.tenant_id = w.tenant_id AND j.kind = w.kind
          AND j.run_at <= ts ORDER BY j.run_at, j.id LIMIT CASE WHEN w.room <= 0 THEN 1 ELSE 5000 END) x
        WHERE x.key <> ALL (w.full_keys) AND COALESCE(x.user_id, '') <> ALL (w.full_users)
        ORDER BY x.run_at, x.id LIMIT 1000)
    ) d
  ), by_key AS (
    SELECT s.*, row_number() OVER (PARTITION BY s.tenant_id, s.kind, s.user_id ORDER BY s.run_at, s.id)
      + COALESCE(b.n, 0) AS in_user
    FROM seen s LEFT JOIN busy_users b ON b.tenant_id = s.tenant_id AND b.kind = s.kind AND b.user_id = s.user_id
    WHERE s.room > 0 AND s.in_key + (SELECT count(*) FROM jobs r WHERE r.state = 'running'
      AND r.tenant_id = s.tenant_id AND r.kind = s.kind AND r.key = s.key) <= s.per_key
  ), fit AS (
    SELECT f.*, row_number() OVER (PARTITION BY f.tenant_id, f.kind
      ORDER BY CASE WHEN f.user_id IS NOT NULL THEN f.in_user END, f.run_at, f.id) AS place FROM by_key f
    WHERE f.user_id IS NULL OR f.per_user IS NULL OR f.in_user <= f.per_user
  ), turns AS (
    SELECT f.*, row_number() OVER (PARTITION BY f.kind ORDER BY f.place, random()) AS turn FROM fit f
    WHERE f.place <= f.room
  ), held AS MATERIALIZED (
    SELECT l.* FROM turns t, LATERAL (SELECT x.tenant_id, x.id FROM jobs x WHERE x.tenant_id = t.tenant_id
      AND x.id = t.id AND x.state = 'queued' FOR UPDATE SKIP LOCKED) l
    WHERE t.turn <= t.free
  ), taken AS (
    UPDATE jobs j SET state = 'running', attempts = j.attempts + 1, fence = j.fence + 1,
      lease_until = clock_timestamp() + p_lease_ms * interval '1 ms'
    FROM held h WHERE j.tenant_id = h.tenant_id AND j.id = h.id
    RETURNING j.tenant_id, j.id, j.kind, j.key, j.payload, j.attempts, j.fence, j.last_error, j.created_at, j.run_at
  )
  SELECT jsonb_build_object(
    'jobs', COALESCE((SELECT jsonb_agg(to_jsonb(t) ORDER BY t.run_at, t.id) FROM taken t), '[]'::jsonb),
    'more', (SELECT count(*) FROM seen) > (SELECT count(*) FROM taken)
      OR EXISTS (SELECT 1 FROM filled w WHERE w.by_user AND (w.full_keys <> '{}' OR w.full_users <> '{}')),
    'cursor', (SELECT jsonb_build_object('tenant_id', p.tenant_id, 'kind', p.kind) FROM pairs p WHERE p.n = p_scan))
  INTO claimed;
  RETURN claimed;
END $f$;
