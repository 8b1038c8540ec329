-- How many users and rooms each tenant has, and the limits `users` and `rooms`.
--
-- Invariants
-- - A count is that of the committed rows, whatever made them: triggers see each statement, and no function of the schema
--   has to think of it. A change that is taken back was never counted.
-- - Exact under concurrency: a transaction adds what it made at its COMMIT, under the lock of the tenant's row, and reads
--   the limit under it. A transaction that is beyond is rolled back as a whole.
-- - No deadlock: that row is the last lock that a transaction takes. (Taken where the rows are made it would be held while
--   waiting for a user that another transaction makes, which may wait for it.)
-- - A limit that is lowered below what is there takes nothing away; it refuses what would be added.
--
-- Locks: the tenant's row of tenant_counts, the last lock of its transaction.
--
-- execute: tenant
CREATE FUNCTION tenant_counts_add() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  counts tenant_counts;
  limits jsonb;
BEGIN
  DELETE FROM tenant_count_deltas d WHERE d.tenant_id = NEW.tenant_id AND d.delta_no = NEW.delta_no;
  INSERT INTO tenant_counts AS c (tenant_id, users, rooms) VALUES (NEW.tenant_id, NEW.users, NEW.rooms)
  ON CONFLICT (tenant_id) DO UPDATE SET users = c.users + EXCLUDED.users, rooms = c.rooms + EXCLUDED.rooms
  RETURNING * INTO counts;
  SELECT t.limits INTO limits FROM tenants t WHERE t.tenant_id = NEW.tenant_id;
  IF NEW.users > 0 AND counts.users > (limits->>'users')::bigint THEN
    PERFORM limit_reached('users', (limits->>'users')::bigint);
  END IF;
  IF NEW.rooms > 0 AND counts.rooms > (limits->>'rooms')::bigint THEN
    PERFORM limit_reached('rooms', (limits->>'rooms')::bigint);
  END IF;
  RETURN NULL;
END $f$;

CREATE CONSTRAINT TRIGGER tenant_counts AFTER INSERT ON tenant_count_deltas DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION tenant_counts_add();
