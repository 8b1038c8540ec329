import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { roleNames } from '../roles';

const TABLES = `
CREATE TABLE tenant_counts (
  tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  users bigint NOT NULL DEFAULT 0,
  rooms bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- What a transaction adds: counted, and gone again, at its COMMIT.
CREATE TABLE tenant_count_deltas (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  delta_no bigint GENERATED ALWAYS AS IDENTITY,
  users bigint NOT NULL DEFAULT 0,
  rooms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, delta_no)
);
`;

/** CA001 is the application's own SQLSTATE; DETAIL names the limit, HINT says what it allows. */
const FUNCTIONS = `
CREATE FUNCTION limit_reached(p_limit text, p_allowed bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $f$
BEGIN
  RAISE EXCEPTION 'a limit of the tenant is reached'
    USING ERRCODE = 'CA001', DETAIL = p_limit, HINT = p_allowed::text;
END $f$;

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

-- Agents are no users of anybody. A tenant that is being deleted is counted no more.
CREATE FUNCTION tenant_users_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO tenant_count_deltas (tenant_id, users)
  SELECT c.tenant_id, count(*) * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
  FROM changed c JOIN tenants t USING (tenant_id) WHERE NOT starts_with(c.user_id, 'agent_') GROUP BY c.tenant_id;
  RETURN NULL;
END $f$;

CREATE FUNCTION tenant_rooms_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO tenant_count_deltas (tenant_id, rooms)
  SELECT c.tenant_id, count(*) * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
  FROM changed c JOIN tenants t USING (tenant_id) WHERE c.deleted_at IS NULL GROUP BY c.tenant_id;
  IF TG_OP = 'INSERT' THEN
    PERFORM room_members_check(c.tenant_id, c.type, c.member_count) FROM changed c;
  END IF;
  RETURN NULL;
END $f$;

CREATE FUNCTION tenant_room_deleted() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO tenant_count_deltas (tenant_id, rooms)
  VALUES (NEW.tenant_id, CASE WHEN NEW.deleted_at IS NULL THEN 1 ELSE -1 END);
  RETURN NULL;
END $f$;

-- A chat's members are fixed.
CREATE FUNCTION room_members_check(p_tenant uuid, p_type text, p_count integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  allowed bigint := (SELECT (t.limits->>'members_per_room')::bigint FROM tenants t WHERE t.tenant_id = p_tenant);
BEGIN
  IF p_type <> 'ai' AND p_count > allowed THEN PERFORM limit_reached('members_per_room', allowed); END IF;
END $f$;

CREATE FUNCTION tenant_room_grown() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  PERFORM room_members_check(NEW.tenant_id, NEW.type, NEW.member_count);
  RETURN NULL;
END $f$;
`;

/** The append's update of a room names neither column, so it fires none of them. */
const TRIGGERS = `
CREATE CONSTRAINT TRIGGER tenant_counts AFTER INSERT ON tenant_count_deltas DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION tenant_counts_add();
CREATE TRIGGER tenant_users_made AFTER INSERT ON users REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION tenant_users_changed();
CREATE TRIGGER tenant_users_gone AFTER DELETE ON users REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION tenant_users_changed();
CREATE TRIGGER tenant_rooms_made AFTER INSERT ON rooms REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION tenant_rooms_changed();
CREATE TRIGGER tenant_rooms_gone AFTER DELETE ON rooms REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION tenant_rooms_changed();
CREATE TRIGGER tenant_room_deleted AFTER UPDATE OF deleted_at ON rooms FOR EACH ROW
WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)) EXECUTE FUNCTION tenant_room_deleted();
CREATE TRIGGER tenant_room_grown AFTER UPDATE OF member_count ON rooms FOR EACH ROW
WHEN (NEW.member_count > OLD.member_count) EXECUTE FUNCTION tenant_room_grown();
`;

/** What is there already; for the test, which makes it again. */
export const COUNTED = `
INSERT INTO tenant_counts (tenant_id, users, rooms)
SELECT t.tenant_id, COALESCE(u.n, 0), COALESCE(r.n, 0) FROM tenants t
LEFT JOIN (SELECT tenant_id, count(*) AS n FROM users WHERE NOT starts_with(user_id, 'agent_') GROUP BY tenant_id) u
  USING (tenant_id)
LEFT JOIN (SELECT tenant_id, count(*) AS n FROM rooms WHERE deleted_at IS NULL GROUP BY tenant_id) r USING (tenant_id);
`;

const FUNCTION_NAMES = `limit_reached, tenant_counts_add, tenant_users_changed, tenant_rooms_changed, tenant_room_deleted,
  room_members_check, tenant_room_grown`;

/**
 * How many users and rooms each tenant has, and the limits `users`, `rooms` and `members_per_room`.
 *
 * Invariants
 * - A count is that of the committed rows, whatever made them: triggers see each statement, and no function of the schema
 *   has to think of it. A change that is taken back was never counted.
 * - Exact under concurrency: a transaction adds what it made at its COMMIT, under the lock of the tenant's row, and reads
 *   the limit under it. Who is beyond is rolled back as a whole.
 * - No deadlock: that row is the last lock that a transaction takes. (Taken where the rows are made it would be held while
 *   waiting for a user whom another transaction makes, which may wait for it.)
 * - A limit that is lowered below what is there takes nothing away; it refuses what would be added.
 *
 * The members of a room are counted by the room itself, under its lock.
 */
export class TenantCounts1765152000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const tenant = quote(roleNames(row?.role_prefix ?? '').tenant);
    const own = `tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid`;
    // Nobody makes a user or a room between the count and the triggers: this takes the tables' strongest lock. The owner is
    // to see all rows, which forced security keeps from it.
    const tables = ['tenants', 'users', 'rooms'];
    for (const table of tables) await runner.query(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`);
    await runner.query(TABLES);
    await runner.query(COUNTED);
    for (const table of tables) await runner.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`);
    for (const table of ['tenant_counts', 'tenant_count_deltas'])
      await runner.query(`
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant_rows ON ${table} TO ${tenant} USING (${own}) WITH CHECK (${own});
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${tenant};`);
    await runner.query(FUNCTIONS);
    await runner.query(`
      REVOKE ALL ON FUNCTION ${FUNCTION_NAMES} FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION ${FUNCTION_NAMES} TO ${tenant};`);
    await runner.query(TRIGGERS);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}
