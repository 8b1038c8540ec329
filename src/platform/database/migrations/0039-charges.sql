-- Charges of calls of models (docs/adr/0041). What answers have used today, by releases that know none, is charged; the owner is to see
-- all rows for that, which forced security keeps from it.
ALTER TABLE runs ADD COLUMN cost numeric;
ALTER TABLE usage_days ADD COLUMN cost numeric NOT NULL DEFAULT 0;
ALTER TABLE usage_users ADD COLUMN cost numeric NOT NULL DEFAULT 0;
ALTER TABLE usage_chats ADD COLUMN cost numeric NOT NULL DEFAULT 0;
ALTER TABLE usage_models ADD COLUMN cost numeric NOT NULL DEFAULT 0;

-- What calls of models have cost, one row each (docs/adr/0041): while a call runs it holds `reserved` tokens of the budgets of
-- its day, once it has ended `tokens`, for good. `charge_id`: of an answer its run's; the row outlives it. `day`: UTC, of
-- the reservation, by the database's clock. `prices`: per million tokens, of the dearest channel that could answer.
-- `is_folded`: it is in the sums of charge_days.
CREATE TABLE charges (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  charge_id uuid NOT NULL,
  day date NOT NULL,
  user_id text COLLATE "C",
  room_id uuid,
  context_tokens bigint NOT NULL,
  reserved bigint NOT NULL,
  price_input numeric NOT NULL DEFAULT 0,
  price_output numeric NOT NULL DEFAULT 0,
  reserved_cost numeric NOT NULL DEFAULT 0,
  tokens bigint,
  cost numeric,
  is_folded boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz(3),
  PRIMARY KEY (tenant_id, charge_id)
) WITH (fillfactor = 70);
CREATE INDEX charges_unfolded ON charges (tenant_id, day) WHERE NOT is_folded;
CREATE INDEX charges_of_user ON charges (tenant_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX charges_purge ON charges (day);
ALTER TABLE charges ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON charges TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON charges TO :"tenant";
-- Drops those of all tenants that are old.
CREATE POLICY system_rows ON charges TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, charge_id, day), DELETE ON charges TO :"system";
-- The append ends a charge with its run.
CREATE POLICY append_rows ON charges TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON charges TO :"append";
-- A charge whose run has no count ends by what is stored of the answer.
CREATE POLICY append_rows ON run_chunks TO :"append" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, run_id, text) ON run_chunks TO :"append";

-- What is folded of a day's charges, of the tenant ('' as its subject), its users and chats. Whoever reserves holds the tenant's
-- row. `warned`: limits of which it was told that they are nearly spent.
CREATE TABLE charge_days (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  day date NOT NULL,
  scope text NOT NULL CHECK (scope IN ('tenant', 'user', 'chat')),
  subject text COLLATE "C" NOT NULL,
  tokens bigint NOT NULL DEFAULT 0,
  cost numeric NOT NULL DEFAULT 0,
  warned text[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, day, scope, subject)
) WITH (fillfactor = 50);
CREATE INDEX charge_days_purge ON charge_days (day);
ALTER TABLE charge_days ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON charge_days TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON charge_days TO :"tenant";
CREATE POLICY system_rows ON charge_days TO :"system" USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id, day, scope, subject), DELETE ON charge_days TO :"system";

ALTER TABLE runs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE charges NO FORCE ROW LEVEL SECURITY;
INSERT INTO charges (tenant_id, charge_id, day, user_id, room_id, context_tokens, reserved, tokens, cost, created_at, ended_at)
SELECT r.tenant_id, r.run_id, (r.ended_at AT TIME ZONE 'UTC')::date, r.user_id, r.room_id, COALESCE(r.prompt_tokens, 0),
  r.total_tokens, r.total_tokens, 0, COALESCE(r.started_at, r.created_at), r.ended_at
FROM runs r WHERE r.ended_at >= date_trunc('day', clock_timestamp(), 'UTC') AND r.total_tokens > 0;
ALTER TABLE charges FORCE ROW LEVEL SECURITY;
ALTER TABLE runs FORCE ROW LEVEL SECURITY;
