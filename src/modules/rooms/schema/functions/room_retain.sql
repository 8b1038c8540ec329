-- Sets how long a room keeps its messages, and whether it is held: what p_changes names (`retention_days`, `legal_hold`). Of a
-- room that is marked as deleted, too; one that an import is making is none yet. The tenant's row keeps room_cut away, and the
-- deletion of the tenant.
-- status: ok · no_room · deleting; `audit` says what changed.
--
-- Locks: the tenant, the room.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION room_retain(p_tenant uuid, p_room uuid, p_changes jsonb)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  was rooms;
  room rooms;
  before jsonb := '{}';
  after jsonb := '{}';
  told jsonb := '{}';
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant AND t.deleting_since IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'deleting'); END IF;
  SELECT * INTO was FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  IF was.room_id IS NULL OR EXISTS (SELECT 1 FROM import_rooms i
    WHERE i.tenant_id = p_tenant AND i.room_id = p_room AND NOT i.is_done) THEN
    RETURN jsonb_build_object('status', 'no_room');
  END IF;
  UPDATE rooms r SET
    retention_days = CASE WHEN p_changes ? 'retention_days' THEN (p_changes->>'retention_days')::integer
      ELSE r.retention_days END,
    legal_hold = COALESCE((p_changes->>'legal_hold')::boolean, r.legal_hold)
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  IF room.retention_days IS DISTINCT FROM was.retention_days THEN
    before := jsonb_build_object('retention_days', was.retention_days);
    after := jsonb_build_object('retention_days', room.retention_days);
  END IF;
  IF room.legal_hold <> was.legal_hold THEN
    before := before || jsonb_build_object('legal_hold', was.legal_hold);
    after := after || jsonb_build_object('legal_hold', room.legal_hold);
  END IF;
  IF after <> '{}' THEN
    told := jsonb_build_object('audit', jsonb_build_object('before', before, 'after', after));
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'retention_days', room.retention_days, 'legal_hold', room.legal_hold) || told;
END $f$;
