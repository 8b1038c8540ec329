-- Folds what has ended on the day of a call: budgets that it has nearly spent are marked now, and not when the next one begins.
--
-- Locks: as charges_fold.
--
-- execute: tenant
CREATE FUNCTION charge_fold(p_tenant uuid, p_charge uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  PERFORM charges_fold(p_tenant, c.day) FROM charges c WHERE c.tenant_id = p_tenant AND c.charge_id = p_charge AND NOT c.is_folded;
END $f$;
