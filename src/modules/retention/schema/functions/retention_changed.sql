-- How long something is kept, whether it is held, or whether earlier versions of messages are kept, is another one now: a job looks at all rooms of the tenant. What asks for it
-- is the committed row, whoever wrote it. The append's update of a room names no column of these triggers.
--
-- tables: jobs, rooms, tenants, users
-- execute: tenant
CREATE FUNCTION retention_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload) VALUES (NEW.tenant_id, 'retention', 'retention', '{}');
  RETURN NULL;
END $f$;

CREATE TRIGGER retention_begun AFTER INSERT ON tenants FOR EACH ROW
WHEN (NEW.settings ? 'retention_days') EXECUTE FUNCTION retention_changed();

CREATE TRIGGER retention_changed AFTER UPDATE OF settings ON tenants FOR EACH ROW
WHEN ((OLD.settings->'retention_days', OLD.settings->'message_history')
  IS DISTINCT FROM (NEW.settings->'retention_days', NEW.settings->'message_history'))
EXECUTE FUNCTION retention_changed();

CREATE TRIGGER retention_changed AFTER UPDATE OF retention_days, legal_hold ON rooms FOR EACH ROW
WHEN ((OLD.retention_days, OLD.legal_hold) IS DISTINCT FROM (NEW.retention_days, NEW.legal_hold))
EXECUTE FUNCTION retention_changed();

CREATE TRIGGER retention_changed AFTER UPDATE OF legal_hold ON users FOR EACH ROW
WHEN (OLD.legal_hold <> NEW.legal_hold) EXECUTE FUNCTION retention_changed();
