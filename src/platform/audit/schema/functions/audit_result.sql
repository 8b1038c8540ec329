-- Writes the row of what a function of the schema has done, and hands its answer through. Where there is something to write
-- the answer holds `audit` ({user?, before?, after?}), which is taken off it; `audited` says that the row is written.
--
-- Locks: as audit_append. Stands around whatever else the statement does.
--
-- execute: tenant
CREATE FUNCTION audit_result(
  p_tenant uuid, p_ipad bytea, p_opad bytea, p_key_id text, p_actor text, p_actor_user text, p_action text, p_target text,
  p_entry jsonb, p_address text, p_result jsonb
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  told jsonb := p_result -> 'audit';
BEGIN
  IF told IS NULL THEN RETURN p_result; END IF;
  PERFORM audit_append(p_tenant, p_ipad, p_opad, p_key_id, p_actor, p_actor_user, p_action, p_target,
    p_entry || (told - 'user'), p_address, told ->> 'user');
  RETURN (p_result - 'audit') || jsonb_build_object('audited', true);
END $f$;
