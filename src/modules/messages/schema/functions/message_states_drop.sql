-- Takes the states of messages away, of a range of a room: with their tombstones, and with what is trimmed. Nothing is told
-- of it: what the messages become says it.
--
-- Locks: the rows; the caller holds the room, or nobody sees the messages any more.
--
-- execute: tenant
CREATE FUNCTION message_states_drop(p_tenant uuid, p_room uuid, p_seqs bigint[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  DELETE FROM message_reactions x WHERE x.tenant_id = p_tenant AND x.room_id = p_room AND x.seq = ANY (p_seqs);
  DELETE FROM message_reaction_counts c WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.seq = ANY (p_seqs);
  DELETE FROM room_pins p WHERE p.tenant_id = p_tenant AND p.room_id = p_room AND p.seq = ANY (p_seqs);
$f$;
