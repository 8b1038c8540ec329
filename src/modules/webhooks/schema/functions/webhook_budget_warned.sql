-- A webhook is told that a budget is nearly spent by a job that the very statement stores which marks it. Looks at one row,
-- by its key, and does nothing more for a tenant that did not ask for the event.
--
-- tables: charge_days, jobs, tenants
-- execute: tenant
CREATE FUNCTION webhook_budget_warned() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT NEW.tenant_id, 'webhook.plan', 'budget ' || n.name, jsonb_build_object('event', 'budget.warning', 'budget',
    jsonb_strip_nulls(jsonb_build_object('limit', n.name, 'day', NEW.day,
      'user_id', CASE WHEN NEW.scope = 'user' THEN NEW.subject END,
      'room_id', CASE WHEN NEW.scope = 'chat' THEN NEW.subject END,
      'used', CASE WHEN n.name = 'cost_per_day' THEN NEW.cost ELSE NEW.tokens END, 'most', (t.limits->>n.name)::numeric)))
  FROM unnest(NEW.warned) n(name) JOIN webhooks w ON w.tenant_id = NEW.tenant_id JOIN tenants t ON t.tenant_id = NEW.tenant_id
  WHERE n.name <> ALL (OLD.warned) AND w.url IS NOT NULL AND w.disabled_at IS NULL AND 'budget.warning' = ANY (w.events);
  RETURN NULL;
END $f$;

CREATE TRIGGER webhook_budget AFTER UPDATE OF warned ON charge_days
FOR EACH ROW EXECUTE FUNCTION webhook_budget_warned();
