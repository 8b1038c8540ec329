-- Agents do not count as users, nor does what stands for those who were erased. A tenant that is being deleted is counted no more.
--
-- execute: tenant
CREATE FUNCTION tenant_users_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO tenant_count_deltas (tenant_id, users)
  SELECT c.tenant_id, count(*) * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
  FROM changed c JOIN tenants t USING (tenant_id)
  WHERE NOT starts_with(c.user_id, 'agent_') AND NOT starts_with(c.user_id, 'erased_') AND t.deleting_since IS NULL
  GROUP BY c.tenant_id;
  RETURN NULL;
END $f$;

CREATE TRIGGER tenant_users_made AFTER INSERT ON users REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION tenant_users_changed();

CREATE TRIGGER tenant_users_gone AFTER DELETE ON users REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION tenant_users_changed();
