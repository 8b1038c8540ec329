-- A call of a model is to begin: takes p_context tokens, and p_answer for its answer or what is left, of all budgets that it
-- stands under; or says which of them has not even one left. Asked again for the same call it answers as before.
-- status: ok, with `answer_tokens`: how many tokens the answer may have (null: it stands under no budget), and
-- `priced_only` where one of them is of money · spent, with limit and seconds_left
--
-- Locks: as charges_fold, where there are budgets; then the call's own row.
--
-- tables: tenants
-- execute: tenant
CREATE FUNCTION charge_reserve(
  p_tenant uuid, p_charge uuid, p_user text, p_room uuid, p_context bigint, p_answer bigint, p_prices jsonb
) RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  input numeric := COALESCE((p_prices->>'input')::numeric, 0);
  output numeric := COALESCE((p_prices->>'output')::numeric, 0);
  known charges;
  room record;
  granted bigint := p_answer;
  is_bound boolean;
  said jsonb;
BEGIN
  SELECT COALESCE(t.limits->>'tokens_per_day', t.limits->>'cost_per_day', t.limits->>'tokens_per_user_per_day',
      t.limits->>'tokens_per_chat_per_day') IS NOT NULL,
      jsonb_build_object('status', 'ok') || CASE WHEN t.limits->>'cost_per_day' IS NULL THEN '{}'::jsonb ELSE '{"priced_only": true}' END
    INTO is_bound, said FROM tenants t WHERE t.tenant_id = p_tenant;
  IF is_bound THEN PERFORM charges_fold(p_tenant, today); END IF;
  SELECT * INTO known FROM charges c WHERE c.tenant_id = p_tenant AND c.charge_id = p_charge;
  IF known.charge_id IS NOT NULL THEN
    RETURN said || jsonb_build_object('answer_tokens', CASE WHEN is_bound THEN known.reserved - known.context_tokens END);
  END IF;
  IF is_bound THEN
    SELECT * INTO room FROM budget_room(p_tenant, today, p_user, p_room, p_context, p_answer, input, output);
    IF room.tokens < 1 THEN RETURN budget_refusal(room.name) || jsonb_build_object('status', 'spent'); END IF;
    granted := COALESCE(room.tokens, p_answer);
  END IF;
  INSERT INTO charges (tenant_id, charge_id, day, user_id, room_id, context_tokens, reserved, price_input, price_output,
    reserved_cost)
  VALUES (p_tenant, p_charge, today, p_user, p_room, p_context, p_context + granted, input, output,
    (p_context * input + granted * output) / 1000000);
  RETURN said || jsonb_build_object('answer_tokens', CASE WHEN is_bound THEN granted END);
END $f$;
