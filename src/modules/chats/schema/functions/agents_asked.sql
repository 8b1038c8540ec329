-- Which agents the messages ask that this append has stored: those of p_rooms behind p_seqs. For each of them a run and its job
-- in the append's own transaction, so that a message which is acknowledged has its run, and none is asked twice
-- (docs/adr/0042). Called for rooms with agents alone.
--
-- A message of a person has no hop, an answer those of its run. What asks: a person's message, or an answer that came to its
-- end, of fewer hops than the room allows; who asks is the person at the root.
--
-- Paced by what the room's agents were asked in the last minute: 30 answers, 10 of one agent to one sender; and 20 of an agent
-- that are not over. The first question beyond it in a minute gets a notice (`refused`), which is a run that asks no model, and those
-- after it nothing.
--
-- Locks: none beyond the append's: it holds the rooms, and so nobody else asks in them.
--
-- tables: jobs, messages, rooms
-- owner: append
-- execute: system
CREATE FUNCTION agents_asked(p_tenants uuid[], p_rooms uuid[], p_seqs bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $f$
DECLARE
  asking record;
  agent room_agents;
  over text;
  run uuid;
BEGIN
  FOR asking IN
    SELECT m.tenant_id, m.room_id, m.seq, m.message_id, m.sender_id, COALESCE(q.hops, 0) AS hops,
      COALESCE(q.user_id, m.sender_id) AS root, CASE WHEN json_typeof(m.meta->'mentions') = 'array'
        THEN ARRAY(SELECT json_array_elements_text(m.meta->'mentions')) END AS mentions
    FROM unnest(p_tenants, p_rooms, p_seqs) h(t, r, seq0)
    JOIN rooms x ON x.tenant_id = h.t AND x.room_id = h.r
    CROSS JOIN LATERAL (SELECT y.* FROM messages y WHERE y.tenant_id = h.t AND y.room_id = h.r AND y.seq > h.seq0 OFFSET 0) m
    LEFT JOIN runs q ON q.tenant_id = m.tenant_id AND q.run_id = m.message_id
    WHERE (m.kind = 'user' OR (m.kind = 'assistant' AND m.status = 'completed' AND m.content <> ''))
      AND COALESCE(q.hops, 0) < COALESCE((x.agent_settings->>'max_hops')::integer, 1)
    ORDER BY m.tenant_id, m.room_id, m.seq
  LOOP
    FOR agent IN SELECT a.* FROM room_agents a WHERE a.tenant_id = asking.tenant_id AND a.room_id = asking.room_id
      AND a.agent_id <> asking.sender_id AND (a.paused_until IS NULL OR a.paused_until <= clock_timestamp())
      AND (a.respond = 'always' OR (a.respond = 'mention' AND a.agent_id = ANY (asking.mentions))) ORDER BY a.agent_id
    LOOP
      SELECT CASE
          WHEN count(*) FILTER (WHERE u.agent_id = agent.agent_id AND u.is_open) >= 20 THEN 'queue'
          WHEN count(*) FILTER (WHERE u.is_recent) >= 30 THEN 'room'
          WHEN count(*) FILTER (WHERE u.is_recent AND u.agent_id = agent.agent_id AND s.sender_id = asking.sender_id) >= 10
            THEN 'pair' END INTO over
        FROM (SELECT q.agent_id, q.reply_to_seq, q.state IN ('queued', 'streaming') AS is_open,
            q.created_at > clock_timestamp() - interval '1 minute' AS is_recent
          FROM runs q WHERE q.tenant_id = asking.tenant_id AND q.room_id = asking.room_id AND q.agent_id IS NOT NULL
            AND q.refused IS NULL
            AND (q.created_at > clock_timestamp() - interval '1 minute' OR q.state IN ('queued', 'streaming'))) u
        LEFT JOIN messages s ON s.tenant_id = asking.tenant_id AND s.room_id = asking.room_id AND s.seq = u.reply_to_seq;
      CONTINUE WHEN over IS NOT NULL AND EXISTS (SELECT 1 FROM runs q
        WHERE q.tenant_id = asking.tenant_id AND q.room_id = asking.room_id AND q.agent_id IS NOT NULL
          AND q.refused IS NOT NULL AND q.created_at > clock_timestamp() - interval '1 minute');
      -- A UUIDv7, as all ids of messages: it becomes the answer's.
      run := encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1),
        'hex')::uuid;
      INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, agent_id, hops, refused)
      VALUES (asking.tenant_id, run, asking.room_id, asking.root, asking.seq, agent.agent_id, asking.hops + 1, over);
      -- A notice waits for no answer.
      INSERT INTO jobs (tenant_id, kind, key, payload)
      VALUES (asking.tenant_id, 'run', asking.room_id::text || '/' || CASE WHEN over IS NULL THEN agent.agent_id ELSE '' END,
        jsonb_build_object('run_id', run, 'room_id', asking.room_id, 'user_id', asking.root, 'message_id',
          asking.message_id, 'seq', asking.seq));
    END LOOP;
  END LOOP;
END $f$;
