-- Takes the turn of a tenant's budgets for a day, and brings into the sums of that day what has ended since, at most 1,000
-- calls: of a tenant that has had no budget until now there may be many. What is not folded is thereby soon as much as runs at
-- once, however long the day is. Budgets of which 80 % are spent are marked, once. A
-- call that is no run's and has run for an hour has lost its server: no model is given that long. An end waits for nobody: it
-- changes the call's own row.
--
-- Locks: of charge_days the tenant's row, then users', then chats', each in their order; charges that have ended, which nobody
-- else changes, and those that were lost.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION charges_fold(p_tenant uuid, p_day date) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public SET enable_seqscan = off SET enable_bitmapscan = off AS $f$
DECLARE
  limits jsonb;
  scopes text[];
  subjects text[];
  names text[];
BEGIN
  PERFORM FROM charge_days d
    WHERE d.tenant_id = p_tenant AND d.day = p_day AND d.scope = 'tenant' AND d.subject = '' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    INSERT INTO charge_days (tenant_id, day, scope, subject) VALUES (p_tenant, p_day, 'tenant', '') ON CONFLICT DO NOTHING;
    PERFORM FROM charge_days d
      WHERE d.tenant_id = p_tenant AND d.day = p_day AND d.scope = 'tenant' AND d.subject = '' FOR NO KEY UPDATE;
  END IF;
  UPDATE charges c SET ended_at = clock_timestamp(), tokens = c.context_tokens, cost = c.context_tokens * c.price_input / 1000000
    WHERE c.tenant_id = p_tenant AND c.day = p_day AND NOT c.is_folded AND c.ended_at IS NULL AND c.room_id IS NULL
      AND c.created_at < clock_timestamp() - interval '1 hour';
  SELECT t.limits INTO limits FROM tenants t WHERE t.tenant_id = p_tenant;
  WITH ended AS (
    UPDATE charges c SET is_folded = true
    WHERE c.tenant_id = p_tenant AND c.charge_id = ANY (ARRAY(SELECT x.charge_id FROM charges x
      WHERE x.tenant_id = p_tenant AND x.day = p_day AND NOT x.is_folded AND x.ended_at IS NOT NULL LIMIT 1000))
    RETURNING c.user_id, c.room_id, c.tokens, c.cost
  ), summed AS (
    INSERT INTO charge_days AS d (tenant_id, day, scope, subject, tokens, cost)
    SELECT p_tenant, p_day, s.scope, s.subject, sum(e.tokens), sum(e.cost) FROM ended e CROSS JOIN LATERAL (VALUES
      (1, 'tenant', ''), (2, 'user', e.user_id), (3, 'chat', e.room_id::text)) s(place, scope, subject)
    WHERE s.subject IS NOT NULL GROUP BY s.place, s.scope, s.subject ORDER BY s.place, s.subject COLLATE "C"
    ON CONFLICT (tenant_id, day, scope, subject) DO UPDATE
      SET tokens = d.tokens + EXCLUDED.tokens, cost = d.cost + EXCLUDED.cost
    RETURNING d.scope, d.subject, d.tokens, d.cost, d.warned
  )
  SELECT array_agg(w.scope), array_agg(w.subject), array_agg(b.name) INTO scopes, subjects, names
  FROM summed w CROSS JOIN LATERAL (VALUES
    ('tenant', 'tokens_per_day', w.tokens::numeric), ('tenant', 'cost_per_day', w.cost),
    ('user', 'tokens_per_user_per_day', w.tokens), ('chat', 'tokens_per_chat_per_day', w.tokens)) b(scope, name, used)
  WHERE b.scope = w.scope AND b.used > 0 AND b.used >= 0.8 * (limits->>b.name)::numeric AND b.name <> ALL (w.warned);
  FOR n IN 1 .. COALESCE(cardinality(names), 0) LOOP
    UPDATE charge_days d SET warned = d.warned || names[n]
      WHERE d.tenant_id = p_tenant AND d.day = p_day AND d.scope = scopes[n] AND d.subject = subjects[n];
  END LOOP;
END $f$;
