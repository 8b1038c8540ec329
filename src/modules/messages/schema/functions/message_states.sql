-- The states of a message that are told with it (docs/adr/0043), where it has any: `rev` of the last change of any of them, and
-- what the message object shows of them, as the text of JSON that frames are made of. Another kind of state is joined here.
-- Without SET, so that it is inlined.
--
-- execute: tenant
CREATE FUNCTION message_states(p_tenant uuid, p_room uuid, p_seq bigint)
RETURNS TABLE (states text)
LANGUAGE sql STABLE AS $f$
  SELECT '{"rev":' || c.rev || ',"shown":{"reactions":' || c.counts::text || ',"reactions_rev":' || c.rev || '}}'
  FROM message_reaction_counts c WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.seq = p_seq
$f$;
