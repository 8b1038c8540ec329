-- A room as clients get it, with where its log begins: a list, so that a new column of the table is not told by itself.
-- jsonb would sort the keys of `metadata`: its text goes beside it.
--
-- execute: tenant
CREATE FUNCTION room_json(r rooms) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('room_id', r.room_id, 'type', r.type, 'unique_key', r.unique_key, 'name', r.name,
    'metadata', r.metadata, 'metadata_text', r.metadata::text, 'posting', r.posting, 'settings', r.settings, 'first_seq', r.first_seq,
    'last_seq', r.last_seq, 'last_rev', r.last_rev, 'member_count', r.member_count, 'created_at', r.created_at,
    'updated_at', r.updated_at)
$f$;
