-- Adds a row to a tenant's chain and returns its number. The last thing that its transaction does: from here to the commit no
-- other action of the tenant is written, and so the order of the numbers is that of the commits.
--
-- The key comes as the two pads of HMAC-SHA-256, since PostgreSQL has sha256() and no HMAC of its own. p_actor is null for a
-- user: p_actor_user is then theirs, and p_address is kept beside the text.
--
-- Locks: refs, then the head. Others may be held; none is asked for behind the head but tenant_counts, at the commit.
--
-- execute: tenant, system
CREATE FUNCTION audit_append(
  p_tenant uuid, p_ipad bytea, p_opad bytea, p_key_id text, p_actor text, p_actor_user text, p_action text, p_target text,
  p_entry jsonb, p_address text, p_user text
) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  actor text := p_actor;
  subject text;
  head audit_heads;
  written_at timestamptz(3);
  entry text;
  row_mac bytea;
BEGIN
  IF p_actor_user IS NOT NULL THEN actor := 'person:' || audit_subject(p_tenant, p_actor_user); END IF;
  IF p_user IS NOT NULL THEN subject := audit_subject(p_tenant, p_user); END IF;
  INSERT INTO audit_heads AS h (tenant_id, n, mac, key_id, seal)
  VALUES (p_tenant, 1, decode(repeat('00', 32), 'hex'), p_key_id, '')
  ON CONFLICT (tenant_id) DO UPDATE SET n = h.n + 1 RETURNING * INTO head;
  -- Of this row's turn, so that the times rise with the numbers.
  written_at := clock_timestamp();
  entry := (p_entry || jsonb_build_object(
    'n', head.n, 'at', to_char(written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'tenant', p_tenant,
    'actor', actor, 'action', p_action, 'target', p_target, 'subject', subject,
    'address', CASE WHEN p_actor_user IS NULL THEN p_address END))::text;
  row_mac := sha256(p_opad || sha256(p_ipad || head.mac || convert_to(entry, 'UTF8')));
  INSERT INTO audit_log (tenant_id, n, at, actor, action, target, subject, entry, key_id, mac, address)
  VALUES (p_tenant, head.n, written_at, actor, p_action, p_target, subject, entry, p_key_id, row_mac,
    CASE WHEN p_actor_user IS NOT NULL THEN p_address END);
  UPDATE audit_heads h SET mac = row_mac, key_id = p_key_id,
    seal = sha256(p_opad || sha256(p_ipad || convert_to('head ' || head.n || ' ', 'UTF8') || row_mac))
  WHERE h.tenant_id = p_tenant;
  RETURN head.n;
END $f$;
