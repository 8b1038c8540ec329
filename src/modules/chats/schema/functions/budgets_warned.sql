-- Marks those budgets of a day, of these subjects, of which 80 % are spent, each once. Its caller holds the turn (charges_fold).
--
-- Locks: of charge_days the rows of these subjects, which its caller has.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION budgets_warned(p_tenant uuid, p_day date, p_scopes text[], p_subjects text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  UPDATE charge_days d SET warned = d.warned || n.names
  FROM (
    SELECT x.scope, x.subject, array_agg(b.name ORDER BY b.name) AS names
    FROM unnest(p_scopes, p_subjects) g(scope, subject)
    JOIN charge_days x ON x.tenant_id = p_tenant AND x.day = p_day AND x.scope = g.scope AND x.subject = g.subject
    JOIN tenants t ON t.tenant_id = p_tenant
    CROSS JOIN LATERAL (VALUES
      ('tenant', 'tokens_per_day', x.tokens::numeric), ('tenant', 'cost_per_day', x.cost),
      ('user', 'tokens_per_user_per_day', x.tokens), ('chat', 'tokens_per_chat_per_day', x.tokens)) b(scope, name, used)
    WHERE b.scope = x.scope AND b.used > 0 AND b.used >= 0.8 * (t.limits->>b.name)::numeric AND b.name <> ALL (x.warned)
    GROUP BY x.scope, x.subject
  ) n
  WHERE d.tenant_id = p_tenant AND d.day = p_day AND d.scope = n.scope AND d.subject = n.subject;
END $f$;
