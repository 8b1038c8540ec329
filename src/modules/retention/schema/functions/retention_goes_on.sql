-- Whether the job that has just looked at all rooms is to look again in an hour: something is kept for a time only, or a hold
-- may end, or there are versions of messages that the tenant does not keep (an edit that still read that it does may commit behind the
-- look), and no other job of the kind waits that will do it.
--
-- tables: held_messages, jobs, message_versions, rooms, tenants
-- execute: tenant
CREATE FUNCTION retention_goes_on(p_tenant uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT NOT EXISTS (SELECT 1 FROM jobs j WHERE j.tenant_id = p_tenant AND j.kind = 'retention' AND j.state = 'queued')
    AND (EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = p_tenant AND t.settings ? 'retention_days')
      OR EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.retention_days IS NOT NULL)
      OR EXISTS (SELECT 1 FROM held_messages h WHERE h.tenant_id = p_tenant)
      OR (EXISTS (SELECT 1 FROM message_versions v WHERE v.tenant_id = p_tenant)
        AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = p_tenant AND t.settings->>'message_history' = 'on')))
$f$;
