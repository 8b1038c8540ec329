-- An agent as clients get it. `paused_until` is null also where it is paused until somebody resumes it.
--
-- execute: tenant
CREATE FUNCTION agent_json(a room_agents) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $f$
  SELECT jsonb_build_object('agent_id', a.agent_id, 'preset', a.preset, 'name', a.name, 'respond', a.respond,
    'paused', COALESCE(a.paused_until > clock_timestamp(), false), 'paused_until',
    CASE WHEN a.paused_until > clock_timestamp() AND a.paused_until < 'infinity' THEN a.paused_until END,
    'created_at', a.created_at)
$f$;
