-- A run has ended, in whichever way: its call's charge ends with it, in the same transaction and once. Without a count (its chat
-- was deleted, or no answer could be stored) by what is stored of it: a quarter of the bytes, as everywhere. A run of a
-- release that makes no charges gets its charge here.
--
-- Locks: the charge.
--
-- execute: tenant
CREATE FUNCTION run_charged() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  used bigint := NEW.total_tokens;
BEGIN
  IF used IS NULL THEN
    SELECT ceil(sum(octet_length(k.text)) / 4.0)::bigint INTO used FROM run_chunks k
      WHERE k.tenant_id = NEW.tenant_id AND k.run_id = NEW.run_id;
    used := used + (SELECT c.context_tokens FROM charges c WHERE c.tenant_id = NEW.tenant_id AND c.charge_id = NEW.run_id);
  END IF;
  used := COALESCE(used, 0);
  UPDATE charges c SET tokens = used, ended_at = NEW.ended_at, cost = COALESCE(NEW.cost, (LEAST(used, c.context_tokens) * c.price_input
      + GREATEST(0, used - c.context_tokens) * c.price_output) / 1000000)
    WHERE c.tenant_id = NEW.tenant_id AND c.charge_id = NEW.run_id AND c.ended_at IS NULL;
  IF NOT FOUND AND used > 0 THEN
    INSERT INTO charges (tenant_id, charge_id, day, user_id, room_id, context_tokens, reserved, tokens, cost, ended_at)
    VALUES (NEW.tenant_id, NEW.run_id, (clock_timestamp() AT TIME ZONE 'UTC')::date, NEW.user_id, NEW.room_id,
      COALESCE(NEW.prompt_tokens, 0), used, used, COALESCE(NEW.cost, 0), NEW.ended_at)
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $f$;

CREATE TRIGGER run_charged AFTER UPDATE OF ended_at ON runs
FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION run_charged();
