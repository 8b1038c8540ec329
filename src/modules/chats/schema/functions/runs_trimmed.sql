-- Deletes runs whose question and answer lie before what their room keeps, at most p_limit; returns how many. Those that ended
-- less than a day ago stay, without what their models thought: releases before 0.2.0 count them for the budgets of today.
--
-- execute: tenant
CREATE FUNCTION runs_trimmed(p_tenant uuid, p_room uuid, p_limit integer) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, public AS $f$
  WITH hushed AS (
    UPDATE runs q SET reasoning = NULL WHERE q.tenant_id = p_tenant AND q.run_id = ANY (ARRAY(
      SELECT x.run_id FROM runs x CROSS JOIN room_keeps(p_tenant, p_room) k
      WHERE x.tenant_id = p_tenant AND x.room_id = p_room AND x.reply_to_seq < k.first_seq AND x.reasoning IS NOT NULL
        AND x.answer_seq < k.first_seq AND x.ended_at >= statement_timestamp() - interval '1 day'
      ORDER BY x.reply_to_seq LIMIT p_limit))
    RETURNING 1), gone AS (
    DELETE FROM runs q WHERE q.tenant_id = p_tenant AND q.run_id = ANY (ARRAY(
      SELECT x.run_id FROM runs x CROSS JOIN room_keeps(p_tenant, p_room) k
      WHERE x.tenant_id = p_tenant AND x.room_id = p_room AND x.reply_to_seq < k.first_seq
        AND (x.answer_seq IS NULL OR x.answer_seq < k.first_seq) AND x.ended_at < statement_timestamp() - interval '1 day'
      ORDER BY x.reply_to_seq LIMIT p_limit))
    RETURNING 1)
  SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM hushed)
$f$;
