/**
 * The claim, for all tenants at once.
 *
 * Invariants: a job runs under one fence at a time; the limits per tenant and per key hold over all nodes, since claims
 * are made one after the other (the advisory lock, and after it a new statement, hence a new snapshot); one tenant's
 * backlog delays no other's claim: `pairs` jumps from one (tenant, kind) to the next by the index, whatever lies between,
 * reads a bounded window of each, and who is due goes in turns, tenant by tenant.
 *
 * A job whose lease ran out is due again at once, its attempt being counted; whoever claims it beyond its last attempt
 * buries it. Where even that fails three times (it kills every worker), it ends dead here.
 *
 * p_scan bounds the pairs of one call; cursor says where the next one goes on. `more`: others are due that a limit kept.
 * run_at is rounded to milliseconds, possibly upwards: what was committed before this call is due with the one added.
 */
export const CLAIM = `
CREATE FUNCTION jobs_claim(
  p_kinds text[], p_free integer[], p_per_tenant integer[], p_per_key integer[], p_max_attempts integer[],
  p_lease_ms bigint, p_after_tenant uuid, p_after_kind text, p_scan integer
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public SET enable_seqscan = off AS $f$
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
    SELECT p.tenant_id, p.kind, k.free, k.per_key, LEAST(k.free, k.per_tenant - r.n) AS room
    FROM pairs p JOIN unnest(p_kinds, p_free, p_per_tenant, p_per_key) k(kind, free, per_tenant, per_key)
      ON k.kind = p.kind,
      LATERAL (SELECT count(*)::integer AS n FROM jobs r WHERE r.state = 'running' AND r.tenant_id = p.tenant_id
        AND r.kind = p.kind) r
  ), seen AS MATERIALIZED (
    SELECT w.tenant_id, w.kind, w.per_key, w.room, w.free, d.id, d.key, d.run_at,
      row_number() OVER (PARTITION BY w.tenant_id, w.kind, d.key ORDER BY d.run_at, d.id) AS in_key
    FROM wanted w, LATERAL (SELECT j.id, j.key, j.run_at FROM jobs j WHERE j.state = 'queued'
      AND j.tenant_id = w.tenant_id AND j.kind = w.kind AND j.run_at <= ts ORDER BY j.run_at, j.id
      LIMIT CASE WHEN w.room <= 0 THEN 1 WHEN w.per_key >= w.room THEN w.room + 1 ELSE 1000 END) d
  ), fit AS (
    SELECT s.*, row_number() OVER (PARTITION BY s.tenant_id, s.kind ORDER BY s.run_at, s.id) AS place FROM seen s
    WHERE s.room > 0 AND s.in_key + (SELECT count(*) FROM jobs r WHERE r.state = 'running'
      AND r.tenant_id = s.tenant_id AND r.kind = s.kind AND r.key = s.key) <= s.per_key
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
    'more', (SELECT count(*) FROM seen) > (SELECT count(*) FROM taken),
    'cursor', (SELECT jsonb_build_object('tenant_id', p.tenant_id, 'kind', p.kind) FROM pairs p WHERE p.n = p_scan))
  INTO claimed;
  RETURN claimed;
END $f$;
`;
