-- An answer has used what it may have: takes up to p_more tokens more of the budgets of its day.
-- {answer_tokens: how many it may have now, and where that is no more: limit, seconds_left}; 0 of one that has ended, elsewhere:
-- whoever asks has lost it.
--
-- Locks: as charges_fold; then the call's own row.
--
-- execute: tenant
CREATE FUNCTION charge_extend(p_tenant uuid, p_charge uuid, p_more bigint)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  charge charges;
  room record;
  more bigint;
BEGIN
  SELECT * INTO charge FROM charges c WHERE c.tenant_id = p_tenant AND c.charge_id = p_charge;
  IF charge.charge_id IS NULL OR charge.ended_at IS NOT NULL THEN RETURN jsonb_build_object('answer_tokens', 0); END IF;
  PERFORM charges_fold(p_tenant, charge.day);
  SELECT * INTO room FROM budget_room(p_tenant, charge.day, charge.user_id, charge.room_id, 0, p_more, charge.price_input,
    charge.price_output);
  more := GREATEST(0, COALESCE(room.tokens, p_more));
  UPDATE charges c SET reserved = c.reserved + more, reserved_cost = c.reserved_cost + more * c.price_output / 1000000
    WHERE c.tenant_id = p_tenant AND c.charge_id = p_charge AND c.ended_at IS NULL RETURNING * INTO charge;
  RETURN jsonb_build_object('answer_tokens', COALESCE(charge.reserved - charge.context_tokens, 0))
    || CASE WHEN more = 0 THEN COALESCE(budget_refusal(room.name), '{}') ELSE '{}' END;
END $f$;
