-- A page of all rooms of a tenant, in the order of their ids, deleted ones too, but none that an import is making: whether room_cut may move anything, and whether
-- rows lie behind where a room begins.
--
-- tables: messages, tenants
-- execute: tenant
CREATE FUNCTION rooms_to_cut(p_tenant uuid, p_after uuid, p_limit integer)
RETURNS TABLE (room_id uuid, is_due boolean, has_rest boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT r.room_id,
    NOT r.legal_hold AND r.before IS NOT NULL AND (
      EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = r.room_id AND m.seq = r.first_seq
        AND m.created_at < r.before)
      OR EXISTS (SELECT 1 FROM (SELECT e.created_at FROM room_events e
        WHERE e.tenant_id = p_tenant AND e.room_id = r.room_id AND e.rev > r.first_rev ORDER BY e.rev LIMIT 1) o
        WHERE o.created_at < r.before)),
    EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = r.room_id AND m.seq < r.first_seq)
      OR EXISTS (SELECT 1 FROM room_events e
        WHERE e.tenant_id = p_tenant AND e.room_id = r.room_id AND e.rev <= r.first_rev)
  FROM (SELECT x.*, clock_timestamp() - make_interval(days => COALESCE(x.retention_days,
      (SELECT (t.settings->>'retention_days')::integer FROM tenants t WHERE t.tenant_id = p_tenant))) AS before
    FROM rooms x WHERE x.tenant_id = p_tenant AND (p_after IS NULL OR x.room_id > p_after)
      AND (x.deleted_at IS NULL OR NOT EXISTS (SELECT 1 FROM import_rooms i
        WHERE i.tenant_id = p_tenant AND i.room_id = x.room_id AND NOT i.is_done))
    ORDER BY x.room_id LIMIT p_limit) r
$f$;
