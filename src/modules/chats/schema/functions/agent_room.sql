-- The first step of every change of a room's agents: the room is locked, and what stands against the change is said.
-- p_open: members may, where the room does not say who may. no_room · forbidden · fixed (a dm's or a chat's members); null: nothing
--
-- Locks: the room.
--
-- tables: rooms
-- execute: tenant
CREATE FUNCTION agent_room(p_tenant uuid, p_room uuid, p_actor text, p_open boolean) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  room rooms;
  role text;
BEGIN
  room := room_lock(p_tenant, p_room);
  role := room_role(p_tenant, p_room, p_actor);
  RETURN CASE
    WHEN room.room_id IS NULL THEN 'no_room'
    WHEN role IS NULL THEN 'forbidden'
    WHEN room.type IN ('dm', 'ai') THEN 'fixed'
    WHEN role = 'admin' THEN NULL
    WHEN role = 'member' AND COALESCE(room.agent_settings->>'control' = 'members', p_open) THEN NULL
    ELSE 'forbidden' END;
END $f$;
