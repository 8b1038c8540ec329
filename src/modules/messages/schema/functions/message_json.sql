-- A message as its changes answer it, with its states where it has any.
--
-- execute: tenant
CREATE FUNCTION message_json(m messages) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('message_id', m.message_id, 'room_id', m.room_id, 'seq', m.seq, 'rev', m.rev,
    'sender_id', m.sender_id, 'content', m.content, 'meta', m.meta::text, 'client_message_id', m.client_message_id,
    'created_at', m.created_at, 'edited_at', m.edited_at, 'deleted_at', m.deleted_at)
    || COALESCE((SELECT jsonb_build_object('states', s.states::jsonb) FROM message_states(m.tenant_id, m.room_id, m.seq) s), '{}')
$f$;
