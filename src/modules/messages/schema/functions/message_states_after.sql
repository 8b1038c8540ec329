-- States of messages that have changed after a revision, each once, as it is now (docs/adr/0043), for reads that join them with
-- the log: of each kind the first p_limit, of messages from p_first_seq on; the caller orders. Of a state that is told with its
-- message only those of messages up to p_through_seq (null: all): whoever is told of a later message has it with that.
-- Another kind of state is another branch. Without SET, so that it is inlined; each branch has its own order and limit, so that its
-- rows are looked up by their revision, and no more of them than are wanted.
--
-- execute: tenant
CREATE FUNCTION message_states_after(
  p_tenant uuid, p_room uuid, p_rev bigint, p_first_seq bigint, p_through_seq bigint, p_limit bigint
) RETURNS TABLE (rev bigint, seq bigint, type text, payload jsonb)
LANGUAGE sql STABLE AS $f$
  (SELECT c.rev, c.seq, 'reaction.updated',
    jsonb_build_object('message_id', c.message_id, 'seq', c.seq, 'reactions', c.counts)
  FROM message_reaction_counts c WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.rev > p_rev
    AND c.seq >= p_first_seq AND (p_through_seq IS NULL OR c.seq <= p_through_seq) ORDER BY c.rev LIMIT p_limit)
  UNION ALL
  (SELECT p.rev, p.seq, CASE WHEN p.pinned_at IS NULL THEN 'message.unpinned' ELSE 'message.pinned' END,
    jsonb_build_object('message_id', p.message_id, 'seq', p.seq)
      || CASE WHEN p.pinned_at IS NULL THEN '{}' ELSE jsonb_build_object('pinned_by', p.pinned_by, 'pinned_at', p.pinned_at) END
  FROM room_pins p WHERE p.tenant_id = p_tenant AND p.room_id = p_room AND p.rev > p_rev AND p.seq >= p_first_seq
  ORDER BY p.rev LIMIT p_limit)
$f$;
