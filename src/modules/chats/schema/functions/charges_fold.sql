-- Takes the turn of a tenant's budgets for a day, and brings into the sums of that day what has ended since. What is not
-- folded is thereby as much as runs at once, however long the day is. Of budgets that are nearly spent it is told (budgets_warned). An end waits for nobody: it changes the call's own row.
--
-- Locks: of charge_days the tenant's row, then users', then chats', each in their order; charges that have ended, which nobody
-- else changes.
--
-- execute: tenant
CREATE FUNCTION charges_fold(p_tenant uuid, p_day date) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  scopes text[];
  subjects text[];
BEGIN
  PERFORM FROM charge_days d
    WHERE d.tenant_id = p_tenant AND d.day = p_day AND d.scope = 'tenant' AND d.subject = '' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    INSERT INTO charge_days (tenant_id, day, scope, subject) VALUES (p_tenant, p_day, 'tenant', '') ON CONFLICT DO NOTHING;
    PERFORM FROM charge_days d
      WHERE d.tenant_id = p_tenant AND d.day = p_day AND d.scope = 'tenant' AND d.subject = '' FOR NO KEY UPDATE;
  END IF;
  WITH ended AS (
    UPDATE charges c SET is_folded = true
    WHERE c.tenant_id = p_tenant AND c.day = p_day AND NOT c.is_folded AND c.ended_at IS NOT NULL
    RETURNING c.user_id, c.room_id, c.tokens, c.cost
  ), summed AS (
    INSERT INTO charge_days AS d (tenant_id, day, scope, subject, tokens, cost)
    SELECT p_tenant, p_day, s.scope, s.subject, sum(e.tokens), sum(e.cost) FROM ended e CROSS JOIN LATERAL (VALUES
      (1, 'tenant', ''), (2, 'user', e.user_id), (3, 'chat', e.room_id::text)) s(place, scope, subject)
    WHERE s.subject IS NOT NULL GROUP BY s.place, s.scope, s.subject ORDER BY s.place, s.subject COLLATE "C"
    ON CONFLICT (tenant_id, day, scope, subject) DO UPDATE
      SET tokens = d.tokens + EXCLUDED.tokens, cost = d.cost + EXCLUDED.cost
    RETURNING d.scope, d.subject
  )
  SELECT array_agg(w.scope), array_agg(w.subject) INTO scopes, subjects FROM summed w;
  IF scopes IS NOT NULL THEN PERFORM budgets_warned(p_tenant, p_day, scopes, subjects); END IF;
END $f$;
