-- A call that is no run's has ended: its charge does, once. p_used: {tokens, cost}; a cost that is left out is that by the prices
-- of its reservation; null: what it has used is not known, its context at least.
--
-- Locks: the charge.
--
-- execute: tenant
CREATE FUNCTION charge_end(p_tenant uuid, p_charge uuid, p_used jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  used bigint := (p_used->>'tokens')::bigint;
BEGIN
  UPDATE charges c SET ended_at = clock_timestamp(), tokens = COALESCE(used, c.context_tokens),
    cost = COALESCE((p_used->>'cost')::numeric, (LEAST(COALESCE(used, c.context_tokens), c.context_tokens) * c.price_input
      + GREATEST(0, COALESCE(used, 0) - c.context_tokens) * c.price_output) / 1000000)
    WHERE c.tenant_id = p_tenant AND c.charge_id = p_charge AND c.ended_at IS NULL;
END $f$;
