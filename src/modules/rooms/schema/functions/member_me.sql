-- What a member has set for themselves in a room, as they are told it. A mark of before they joined is none.
--
-- tables: cursors
-- execute: tenant
CREATE FUNCTION member_me(p_tenant uuid, p_room uuid, p_user text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('muted_until',
      to_char(s.muted_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'hidden', COALESCE(s.is_hidden, false),
    'favourite', COALESCE(s.is_favourite, false), 'notify', COALESCE(s.notify, 'all'),
    'unread_seq', CASE WHEN c.unread_seq > m.joined_seq THEN c.unread_seq END)
  FROM room_members m
  LEFT JOIN member_settings s ON s.tenant_id = m.tenant_id AND s.room_id = m.room_id AND s.user_id = m.user_id
  LEFT JOIN cursors c ON c.tenant_id = m.tenant_id AND c.room_id = m.room_id AND c.user_id = m.user_id
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user
$f$;
