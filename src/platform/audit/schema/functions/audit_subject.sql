-- The ref under which the log knows a user: random, made with the first row that is about them.
--
-- Locks: the ref that another call makes of the same user.
--
-- execute: tenant
CREATE FUNCTION audit_subject(p_tenant uuid, p_user text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  known text;
BEGIN
  LOOP
    SELECT s.ref INTO known FROM audit_subjects s WHERE s.tenant_id = p_tenant AND s.user_id = p_user;
    IF FOUND THEN RETURN known; END IF;
    INSERT INTO audit_subjects (tenant_id, ref, user_id)
    VALUES (p_tenant, 'person_' || replace(gen_random_uuid()::text, '-', ''), p_user)
    ON CONFLICT (tenant_id, user_id) DO NOTHING;
  END LOOP;
END $f$;
