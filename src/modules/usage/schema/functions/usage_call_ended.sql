-- A call of a model that is no run's has ended, such as one of /v1 without a chat: it is in the figures of its tenant and user, by
-- the UTC day of its end, in the transaction that ends it and so once. What it has used is the provider's figure, how much of
-- that was the prompt our own count: a charge keeps no more. A call in which no model had begun is none.
--
-- Locks: the rows that are added to, as usage_runs_add.
--
-- tables: charges
-- execute: tenant
CREATE FUNCTION usage_call_ended() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  today date := (NEW.ended_at AT TIME ZONE 'UTC')::date;
  prompt bigint := LEAST(NEW.tokens, NEW.context_tokens);
  completion bigint := NEW.tokens - LEAST(NEW.tokens, NEW.context_tokens);
BEGIN
  IF NEW.user_id IS NOT NULL THEN
    INSERT INTO usage_users AS u (tenant_id, user_id, day, runs, prompt_tokens, completion_tokens, cost)
    VALUES (NEW.tenant_id, NEW.user_id, today, 1, prompt, completion, NEW.cost)
    ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET runs = u.runs + 1,
      prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
      completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens, cost = u.cost + EXCLUDED.cost;
  END IF;
  INSERT INTO usage_models AS u (tenant_id, channel, preset, day, runs, prompt_tokens, completion_tokens, cost)
  VALUES (NEW.tenant_id, '', '', today, 1, prompt, completion, NEW.cost)
  ON CONFLICT (tenant_id, channel, preset, day) DO UPDATE SET runs = u.runs + 1,
    prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
    completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens, cost = u.cost + EXCLUDED.cost;
  INSERT INTO usage_days AS u (tenant_id, day, part, runs, prompt_tokens, completion_tokens, cost)
  VALUES (NEW.tenant_id, today, pg_backend_pid(), 1, prompt, completion, NEW.cost)
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET runs = u.runs + 1,
    prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
    completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens, cost = u.cost + EXCLUDED.cost;
  RETURN NULL;
END $f$;

CREATE TRIGGER usage_call_ended AFTER UPDATE OF ended_at ON charges
FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND NEW.room_id IS NULL AND NEW.tokens > 0)
EXECUTE FUNCTION usage_call_ended();
