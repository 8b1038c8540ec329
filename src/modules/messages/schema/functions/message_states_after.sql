-- States of messages that have changed after a revision, each once, as it is now (docs/adr/0043), for reads that join them with
-- the log; the caller orders and limits. `with_message`: who is told of the message itself is told of the state with it.
-- Another kind of state is another branch. Without SET, so that it is inlined.
--
-- execute: tenant
CREATE FUNCTION message_states_after(p_tenant uuid, p_room uuid, p_rev bigint)
RETURNS TABLE (rev bigint, seq bigint, with_message boolean, type text, payload jsonb)
LANGUAGE sql STABLE AS $f$
  SELECT c.rev, c.seq, true, 'reaction.updated',
    jsonb_build_object('message_id', c.message_id, 'seq', c.seq, 'reactions', c.counts)
  FROM message_reaction_counts c WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.rev > p_rev
  UNION ALL
  SELECT p.rev, p.seq, false, CASE WHEN p.pinned_at IS NULL THEN 'message.unpinned' ELSE 'message.pinned' END,
    jsonb_build_object('message_id', p.message_id, 'seq', p.seq)
      || CASE WHEN p.pinned_at IS NULL THEN '{}' ELSE jsonb_build_object('pinned_by', p.pinned_by, 'pinned_at', p.pinned_at) END
  FROM room_pins p WHERE p.tenant_id = p_tenant AND p.room_id = p_room AND p.rev > p_rev
$f$;
