-- The schema as a migrated database has it: each table with its constraints, indexes, triggers, policies and grants, then
-- the functions. Written by `npm run docs`; its source is the schema/ beside each module (docs/adr/0025).

CREATE SEQUENCE public.schema_migrations_id_seq AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 NO CYCLE;
ALTER SEQUENCE public.schema_migrations_id_seq OWNED BY public.schema_migrations.id;
CREATE STATISTICS public.messages_room (dependencies) ON tenant_id, room_id FROM public.messages;
REVOKE ALL ON SEQUENCE public.jobs_id_seq FROM PUBLIC;
REVOKE ALL ON SEQUENCE public.schema_migrations_id_seq FROM PUBLIC;
REVOKE ALL ON SEQUENCE public.tenant_count_deltas_delta_no_seq FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;
GRANT USAGE ON SCHEMA public TO "chatapi_append";
GRANT USAGE ON SCHEMA public TO "chatapi_backup";
GRANT USAGE ON SCHEMA public TO "chatapi_system";
GRANT USAGE ON SCHEMA public TO "chatapi_tenant";
GRANT SELECT ON SEQUENCE public.jobs_id_seq TO "chatapi_backup";
GRANT SELECT ON SEQUENCE public.schema_migrations_id_seq TO "chatapi_backup";
GRANT SELECT ON SEQUENCE public.tenant_count_deltas_delta_no_seq TO "chatapi_backup";

CREATE TABLE public.api_keys (
  tenant_id uuid NOT NULL,
  key_id uuid NOT NULL,
  name text NOT NULL,
  prefix text NOT NULL,
  hash bytea NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  expires_at timestamp(3) with time zone,
  last_used_at timestamp(3) with time zone,
  revoked_at timestamp(3) with time zone,
  updated_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.api_keys ADD CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, key_id);
CREATE UNIQUE INDEX api_keys_hash ON public.api_keys USING btree (hash);
CREATE INDEX api_keys_updated ON public.api_keys USING btree (updated_at);
ALTER TABLE public.api_keys ADD CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.api_keys AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.api_keys AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.api_keys AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.api_keys FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.api_keys TO "chatapi_tenant";
GRANT INSERT, SELECT, UPDATE ON TABLE public.api_keys TO "chatapi_system";
GRANT SELECT ON TABLE public.api_keys TO "chatapi_backup";

CREATE TABLE public.audit_heads (
  tenant_id uuid NOT NULL,
  n bigint NOT NULL,
  mac bytea NOT NULL,
  key_id text NOT NULL,
  seal bytea NOT NULL
) WITH (fillfactor='50');
ALTER TABLE public.audit_heads ADD CONSTRAINT audit_heads_pkey PRIMARY KEY (tenant_id);
ALTER TABLE public.audit_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.audit_heads AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.audit_heads AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.audit_heads AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.audit_heads FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.audit_heads TO "chatapi_tenant";
GRANT INSERT, SELECT, UPDATE ON TABLE public.audit_heads TO "chatapi_system";
GRANT SELECT ON TABLE public.audit_heads TO "chatapi_backup";

CREATE TABLE public.audit_log (
  tenant_id uuid NOT NULL,
  n bigint NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  actor text COLLATE pg_catalog."C" NOT NULL,
  action text COLLATE pg_catalog."C" NOT NULL,
  target text COLLATE pg_catalog."C",
  subject text COLLATE pg_catalog."C",
  entry text NOT NULL,
  key_id text NOT NULL,
  mac bytea NOT NULL,
  address text
);
ALTER TABLE public.audit_log ADD CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, n);
CREATE INDEX audit_log_action ON public.audit_log USING btree (tenant_id, action, n);
CREATE INDEX audit_log_actor ON public.audit_log USING btree (tenant_id, actor, n);
CREATE INDEX audit_log_at ON public.audit_log USING btree (tenant_id, at, n);
CREATE INDEX audit_log_subject ON public.audit_log USING btree (tenant_id, subject, n);
CREATE INDEX audit_log_target ON public.audit_log USING btree (tenant_id, target, n);
ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.audit_log AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.audit_log AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.audit_log AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.audit_log FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE (address) ON TABLE public.audit_log TO "chatapi_tenant";
GRANT INSERT ON TABLE public.audit_log TO "chatapi_system";
GRANT SELECT ON TABLE public.audit_log TO "chatapi_backup";

CREATE TABLE public.audit_subjects (
  tenant_id uuid NOT NULL,
  ref text COLLATE pg_catalog."C" NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL
);
ALTER TABLE public.audit_subjects ADD CONSTRAINT audit_subjects_pkey PRIMARY KEY (tenant_id, ref);
CREATE UNIQUE INDEX audit_subjects_user ON public.audit_subjects USING btree (tenant_id, user_id);
ALTER TABLE public.audit_subjects ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.audit_subjects AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.audit_subjects AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.audit_subjects FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.audit_subjects TO "chatapi_tenant";
GRANT SELECT ON TABLE public.audit_subjects TO "chatapi_backup";

CREATE TABLE public.charge_days (
  tenant_id uuid NOT NULL,
  day date NOT NULL,
  scope text NOT NULL,
  subject text COLLATE pg_catalog."C" NOT NULL,
  tokens bigint DEFAULT 0 NOT NULL,
  cost numeric DEFAULT 0 NOT NULL,
  warned text[] DEFAULT '{}'::text[] NOT NULL
) WITH (fillfactor='50');
ALTER TABLE public.charge_days ADD CONSTRAINT charge_days_pkey PRIMARY KEY (tenant_id, day, scope, subject);
CREATE INDEX charge_days_purge ON public.charge_days USING btree (day);
ALTER TABLE public.charge_days ADD CONSTRAINT charge_days_scope_check CHECK ((scope = ANY (ARRAY['tenant'::text, 'user'::text, 'chat'::text])));
ALTER TABLE public.charge_days ADD CONSTRAINT charge_days_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
CREATE TRIGGER webhook_budget AFTER UPDATE OF warned ON public.charge_days FOR EACH ROW EXECUTE FUNCTION public.webhook_budget_warned();
ALTER TABLE public.charge_days ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.charge_days AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.charge_days AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.charge_days AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.charge_days FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.charge_days TO "chatapi_tenant";
GRANT DELETE, SELECT (day), SELECT (scope), SELECT (subject), SELECT (tenant_id) ON TABLE public.charge_days TO "chatapi_system";
GRANT SELECT ON TABLE public.charge_days TO "chatapi_backup";

CREATE TABLE public.charges (
  tenant_id uuid NOT NULL,
  charge_id uuid NOT NULL,
  day date NOT NULL,
  user_id text COLLATE pg_catalog."C",
  room_id uuid,
  context_tokens bigint NOT NULL,
  reserved bigint NOT NULL,
  price_input numeric DEFAULT 0 NOT NULL,
  price_output numeric DEFAULT 0 NOT NULL,
  reserved_cost numeric DEFAULT 0 NOT NULL,
  tokens bigint,
  cost numeric,
  is_folded boolean DEFAULT false NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  ended_at timestamp(3) with time zone
) WITH (fillfactor='70');
ALTER TABLE public.charges ADD CONSTRAINT charges_pkey PRIMARY KEY (tenant_id, charge_id);
CREATE INDEX charges_of_user ON public.charges USING btree (tenant_id, user_id) WHERE (user_id IS NOT NULL);
CREATE INDEX charges_purge ON public.charges USING btree (day);
CREATE INDEX charges_unfolded ON public.charges USING btree (tenant_id, day) WHERE (NOT is_folded);
ALTER TABLE public.charges ADD CONSTRAINT charges_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
CREATE TRIGGER usage_call_ended AFTER UPDATE OF ended_at ON public.charges FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL) AND (new.room_id IS NULL) AND (new.tokens > 0))) EXECUTE FUNCTION public.usage_call_ended();
ALTER TABLE public.charges ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.charges AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.charges AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.charges AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.charges AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.charges FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.charges TO "chatapi_tenant";
GRANT DELETE, SELECT (charge_id), SELECT (day), SELECT (tenant_id) ON TABLE public.charges TO "chatapi_system";
GRANT INSERT, SELECT, UPDATE ON TABLE public.charges TO "chatapi_append";
GRANT SELECT ON TABLE public.charges TO "chatapi_backup";

CREATE TABLE public.chats (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  group_id text COLLATE pg_catalog."C",
  preset text COLLATE pg_catalog."C" NOT NULL,
  auto_title boolean NOT NULL,
  is_active boolean DEFAULT false NOT NULL,
  cleared_seq bigint DEFAULT 0 NOT NULL,
  created_at timestamp(3) with time zone DEFAULT statement_timestamp() NOT NULL,
  active_at timestamp(3) with time zone DEFAULT statement_timestamp() NOT NULL,
  deleted_at timestamp(3) with time zone,
  external_id text COLLATE pg_catalog."C"
);
ALTER TABLE public.chats ADD CONSTRAINT chats_pkey PRIMARY KEY (tenant_id, room_id);
CREATE UNIQUE INDEX chats_active ON public.chats USING btree (tenant_id, user_id, COALESCE(group_id, ''::text), preset) WHERE is_active;
CREATE INDEX chats_created ON public.chats USING btree (tenant_id, created_at, room_id) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX chats_external ON public.chats USING btree (tenant_id, user_id, external_id) WHERE ((external_id IS NOT NULL) AND (deleted_at IS NULL));
CREATE INDEX chats_recent ON public.chats USING btree (tenant_id, active_at, room_id) WHERE (deleted_at IS NULL);
CREATE INDEX chats_user_created ON public.chats USING btree (tenant_id, user_id, created_at, room_id) WHERE (deleted_at IS NULL);
CREATE INDEX chats_user_recent ON public.chats USING btree (tenant_id, user_id, active_at, room_id) WHERE (deleted_at IS NULL);
ALTER TABLE public.chats ADD CONSTRAINT chats_tenant_id_room_id_fkey FOREIGN KEY (tenant_id, room_id) REFERENCES public.rooms(tenant_id, room_id) ON DELETE CASCADE;
ALTER TABLE public.chats ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.chats AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.chats AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.chats FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.chats TO "chatapi_tenant";
GRANT SELECT ON TABLE public.chats TO "chatapi_backup";

CREATE TABLE public.cursors (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  acked_seq bigint DEFAULT 0 NOT NULL,
  read_seq bigint DEFAULT 0 NOT NULL,
  updated_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  has_dead_letters boolean DEFAULT false NOT NULL,
  unread_seq bigint
) WITH (fillfactor='70');
ALTER TABLE public.cursors ADD CONSTRAINT cursors_pkey PRIMARY KEY (tenant_id, room_id, user_id);
CREATE INDEX cursors_user ON public.cursors USING btree (tenant_id, user_id, room_id);
ALTER TABLE public.cursors ADD CONSTRAINT cursors_check CHECK ((read_seq <= acked_seq));
ALTER TABLE public.cursors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.cursors AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.cursors AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.cursors FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.cursors TO "chatapi_tenant";
GRANT SELECT ON TABLE public.cursors TO "chatapi_backup";

CREATE TABLE public.dead_letters (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  letter_no bigint NOT NULL,
  attempts integer NOT NULL,
  last_attempt_at timestamp(3) with time zone NOT NULL,
  error text NOT NULL
);
ALTER TABLE public.dead_letters ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (tenant_id, room_id, user_id, from_seq);
CREATE INDEX dead_letters_newest ON public.dead_letters USING btree (tenant_id, last_attempt_at);
CREATE INDEX dead_letters_no ON public.dead_letters USING btree (tenant_id, letter_no);
ALTER TABLE public.dead_letters ADD CONSTRAINT dead_letters_check CHECK ((from_seq <= to_seq));
ALTER TABLE public.dead_letters ADD CONSTRAINT dead_letters_tenant_id_room_id_user_id_fkey FOREIGN KEY (tenant_id, room_id, user_id) REFERENCES public.room_members(tenant_id, room_id, user_id) ON DELETE CASCADE;
ALTER TABLE public.dead_letters ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.dead_letters AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.dead_letters AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.dead_letters AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.dead_letters FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.dead_letters TO "chatapi_tenant";
GRANT SELECT ON TABLE public.dead_letters TO "chatapi_backup";
GRANT SELECT ON TABLE public.dead_letters TO "chatapi_system";

CREATE TABLE public.erasures (
  tenant_id uuid NOT NULL,
  erasure_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C",
  user_mac bytea,
  mac_key_id text NOT NULL,
  erased_id text COLLATE pg_catalog."C" NOT NULL,
  state text DEFAULT 'refusing'::text NOT NULL,
  step text,
  step_cursor jsonb,
  found bigint DEFAULT 0 NOT NULL,
  counts jsonb DEFAULT '{}'::jsonb NOT NULL,
  error text,
  requested_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  finished_at timestamp(3) with time zone,
  updated_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.erasures ADD CONSTRAINT erasures_pkey PRIMARY KEY (tenant_id, erasure_id);
CREATE INDEX erasures_updated ON public.erasures USING btree (updated_at);
CREATE UNIQUE INDEX erasures_user ON public.erasures USING btree (tenant_id, user_id) WHERE (user_id IS NOT NULL);
ALTER TABLE public.erasures ADD CONSTRAINT erasures_check CHECK (((state <> 'done'::text) OR (user_id IS NULL)));
ALTER TABLE public.erasures ADD CONSTRAINT erasures_state_check CHECK ((state = ANY (ARRAY['refusing'::text, 'erasing'::text, 'done'::text, 'failed'::text])));
ALTER TABLE public.erasures ADD CONSTRAINT erasures_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.erasures ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.erasures AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.erasures AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.erasures AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.erasures FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.erasures TO "chatapi_tenant";
GRANT SELECT (erasure_id), SELECT (mac_key_id), SELECT (requested_at), SELECT (state), SELECT (tenant_id), SELECT (updated_at), SELECT (user_mac), UPDATE (user_mac) ON TABLE public.erasures TO "chatapi_system";
GRANT SELECT ON TABLE public.erasures TO "chatapi_backup";

CREATE TABLE public.exports (
  tenant_id uuid NOT NULL,
  export_id uuid NOT NULL,
  kind text NOT NULL,
  user_id text COLLATE pg_catalog."C",
  state text DEFAULT 'queued'::text NOT NULL,
  attempt integer DEFAULT 0 NOT NULL,
  line_count bigint,
  bytes bigint,
  sha256 bytea,
  error text,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  ready_at timestamp(3) with time zone,
  expires_at timestamp(3) with time zone
);
ALTER TABLE public.exports ADD CONSTRAINT exports_pkey PRIMARY KEY (tenant_id, export_id);
CREATE INDEX exports_expiry ON public.exports USING btree (expires_at);
CREATE UNIQUE INDEX exports_open ON public.exports USING btree (tenant_id, COALESCE(user_id, ''::text)) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));
ALTER TABLE public.exports ADD CONSTRAINT exports_check CHECK (((user_id IS NOT NULL) = (kind = 'user'::text)));
ALTER TABLE public.exports ADD CONSTRAINT exports_kind_check CHECK ((kind = ANY (ARRAY['tenant'::text, 'user'::text])));
ALTER TABLE public.exports ADD CONSTRAINT exports_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'ready'::text, 'failed'::text, 'expired'::text])));
ALTER TABLE public.exports ADD CONSTRAINT exports_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.exports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.exports AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.exports AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.exports AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.exports FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.exports TO "chatapi_tenant";
GRANT DELETE, SELECT, UPDATE ON TABLE public.exports TO "chatapi_system";
GRANT SELECT ON TABLE public.exports TO "chatapi_backup";

CREATE TABLE public.held_messages (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  rev bigint NOT NULL,
  sender_id text COLLATE pg_catalog."C" NOT NULL,
  content text NOT NULL,
  meta json,
  held_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.held_messages ADD CONSTRAINT held_messages_pkey PRIMARY KEY (tenant_id, room_id, seq, rev);
ALTER TABLE public.held_messages ADD CONSTRAINT held_messages_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.held_messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.held_messages AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.held_messages AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.held_messages FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.held_messages TO "chatapi_tenant";
GRANT SELECT ON TABLE public.held_messages TO "chatapi_backup";

CREATE TABLE public.idempotency_keys (
  tenant_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  route text COLLATE pg_catalog."C" NOT NULL,
  key text COLLATE pg_catalog."C" NOT NULL,
  fingerprint bytea NOT NULL,
  result jsonb NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  expires_at timestamp(3) with time zone NOT NULL
);
ALTER TABLE public.idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, user_id, route, key);
CREATE INDEX idempotency_keys_expiry ON public.idempotency_keys USING btree (expires_at);
ALTER TABLE public.idempotency_keys ADD CONSTRAINT idempotency_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.idempotency_keys AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.idempotency_keys AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.idempotency_keys AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.idempotency_keys FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.idempotency_keys TO "chatapi_tenant";
GRANT DELETE, SELECT ON TABLE public.idempotency_keys TO "chatapi_system";
GRANT SELECT ON TABLE public.idempotency_keys TO "chatapi_backup";

CREATE TABLE public.import_rooms (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  import_id uuid NOT NULL,
  is_done boolean DEFAULT false NOT NULL,
  last_seq bigint DEFAULT 0 NOT NULL,
  last_rev bigint DEFAULT 0 NOT NULL
);
ALTER TABLE public.import_rooms ADD CONSTRAINT import_rooms_pkey PRIMARY KEY (tenant_id, room_id);
ALTER TABLE public.import_rooms ADD CONSTRAINT import_rooms_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.import_rooms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.import_rooms AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.import_rooms AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.import_rooms AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.import_rooms FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.import_rooms TO "chatapi_tenant";
GRANT SELECT ON TABLE public.import_rooms TO "chatapi_append";
GRANT SELECT ON TABLE public.import_rooms TO "chatapi_backup";

CREATE TABLE public.imports (
  tenant_id uuid NOT NULL,
  import_id uuid NOT NULL,
  source text NOT NULL,
  state text DEFAULT 'uploading'::text NOT NULL,
  parts integer DEFAULT 0 NOT NULL,
  bytes bigint,
  sha256 bytea,
  faults jsonb DEFAULT '[]'::jsonb NOT NULL,
  fault_count bigint DEFAULT 0 NOT NULL,
  counts jsonb DEFAULT '{}'::jsonb NOT NULL,
  keeps_ids boolean,
  error text,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  finished_at timestamp(3) with time zone
);
ALTER TABLE public.imports ADD CONSTRAINT imports_pkey PRIMARY KEY (tenant_id, import_id);
ALTER TABLE public.imports ADD CONSTRAINT imports_source_check CHECK ((source = ANY (ARRAY['chatapi'::text, 'slack'::text, 'stream'::text])));
ALTER TABLE public.imports ADD CONSTRAINT imports_state_check CHECK ((state = ANY (ARRAY['uploading'::text, 'validating'::text, 'valid'::text, 'invalid'::text, 'running'::text, 'done'::text, 'failed'::text])));
ALTER TABLE public.imports ADD CONSTRAINT imports_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.imports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.imports AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.imports AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.imports FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.imports TO "chatapi_tenant";
GRANT SELECT ON TABLE public.imports TO "chatapi_backup";

CREATE TABLE public.instance (
  singleton boolean DEFAULT true NOT NULL,
  instance_id uuid DEFAULT gen_random_uuid() NOT NULL,
  epoch bigint DEFAULT 1 NOT NULL,
  role_prefix text NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  bootstrapped_at timestamp(3) with time zone,
  checked_at timestamp(3) with time zone,
  directory jsonb,
  key_canaries text[] DEFAULT '{}'::text[] NOT NULL,
  lc_ctype text,
  functions_release text,
  min_release text,
  jwt_fingerprint text,
  encryption_fingerprint text,
  database_server jsonb,
  cluster_nonce text,
  cluster_seen_at timestamp(3) with time zone
);
ALTER TABLE public.instance ADD CONSTRAINT instance_pkey PRIMARY KEY (singleton);
ALTER TABLE public.instance ADD CONSTRAINT instance_singleton_check CHECK (singleton);
REVOKE ALL ON TABLE public.instance FROM PUBLIC;
GRANT SELECT ON TABLE public.instance TO "chatapi_backup";
GRANT SELECT ON TABLE public.instance TO "chatapi_tenant";
GRANT SELECT, UPDATE ON TABLE public.instance TO "chatapi_system";

CREATE TABLE public.jobs (
  tenant_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME public.jobs_id_seq START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1 NO CYCLE) NOT NULL,
  kind text NOT NULL,
  key text COLLATE pg_catalog."C" NOT NULL,
  payload jsonb NOT NULL,
  state text DEFAULT 'queued'::text NOT NULL,
  run_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  fence bigint DEFAULT 0 NOT NULL,
  lease_until timestamp(3) with time zone,
  last_error text,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  ended_at timestamp(3) with time zone
) WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000');
ALTER TABLE public.jobs ADD CONSTRAINT jobs_pkey PRIMARY KEY (tenant_id, id);
CREATE INDEX jobs_dead ON public.jobs USING btree (tenant_id, kind, ended_at, id) WHERE (state = 'dead'::text);
CREATE INDEX jobs_ended ON public.jobs USING btree (ended_at) WHERE (state = 'dead'::text);
CREATE INDEX jobs_leases ON public.jobs USING btree (kind, lease_until) WHERE (state = 'running'::text);
CREATE INDEX jobs_queued ON public.jobs USING btree (tenant_id, kind, run_at, id) INCLUDE (key) WHERE (state = 'queued'::text);
CREATE INDEX jobs_running ON public.jobs USING btree (tenant_id, kind, key) WHERE (state = 'running'::text);
ALTER TABLE public.jobs ADD CONSTRAINT jobs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'dead'::text])));
ALTER TABLE public.jobs ADD CONSTRAINT jobs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.jobs AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.jobs AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.jobs AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.jobs AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.jobs FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.jobs TO "chatapi_system";
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.jobs TO "chatapi_tenant";
GRANT INSERT, SELECT (kind), SELECT (payload), SELECT (tenant_id) ON TABLE public.jobs TO "chatapi_append";
GRANT SELECT ON TABLE public.jobs TO "chatapi_backup";

CREATE TABLE public.member_settings (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  muted_until timestamp(3) with time zone,
  is_hidden boolean DEFAULT false NOT NULL,
  is_favourite boolean DEFAULT false NOT NULL,
  notify text DEFAULT 'all'::text NOT NULL
);
ALTER TABLE public.member_settings ADD CONSTRAINT member_settings_pkey PRIMARY KEY (tenant_id, room_id, user_id);
ALTER TABLE public.member_settings ADD CONSTRAINT member_settings_notify_check CHECK ((notify = ANY (ARRAY['all'::text, 'mentions'::text, 'none'::text])));
ALTER TABLE public.member_settings ADD CONSTRAINT member_settings_tenant_id_room_id_user_id_fkey FOREIGN KEY (tenant_id, room_id, user_id) REFERENCES public.room_members(tenant_id, room_id, user_id) ON DELETE CASCADE;
ALTER TABLE public.member_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.member_settings AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.member_settings AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.member_settings FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.member_settings TO "chatapi_tenant";
GRANT SELECT ON TABLE public.member_settings TO "chatapi_backup";

CREATE TABLE public.message_reaction_counts (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  message_id uuid NOT NULL,
  rev bigint NOT NULL,
  counts jsonb NOT NULL
);
ALTER TABLE public.message_reaction_counts ADD CONSTRAINT message_reaction_counts_pkey PRIMARY KEY (tenant_id, room_id, seq);
CREATE INDEX message_reaction_counts_rev ON public.message_reaction_counts USING btree (tenant_id, room_id, rev);
ALTER TABLE public.message_reaction_counts ADD CONSTRAINT message_reaction_counts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.message_reaction_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.message_reaction_counts AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.message_reaction_counts AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.message_reaction_counts AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.message_reaction_counts FROM PUBLIC;
GRANT DELETE, SELECT, UPDATE ON TABLE public.message_reaction_counts TO "chatapi_tenant";
GRANT INSERT, SELECT, UPDATE ON TABLE public.message_reaction_counts TO "chatapi_append";
GRANT SELECT ON TABLE public.message_reaction_counts TO "chatapi_backup";

CREATE TABLE public.message_reactions (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  key text COLLATE pg_catalog."C" NOT NULL,
  rev bigint NOT NULL,
  created_at timestamp(3) with time zone NOT NULL
);
ALTER TABLE public.message_reactions ADD CONSTRAINT message_reactions_pkey PRIMARY KEY (tenant_id, user_id, room_id, seq, key);
CREATE UNIQUE INDEX message_reactions_order ON public.message_reactions USING btree (tenant_id, room_id, seq, key, rev);
ALTER TABLE public.message_reactions ADD CONSTRAINT message_reactions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.message_reactions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.message_reactions AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.message_reactions AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.message_reactions AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.message_reactions FROM PUBLIC;
GRANT DELETE, INSERT, SELECT ON TABLE public.message_reactions TO "chatapi_append";
GRANT DELETE, SELECT ON TABLE public.message_reactions TO "chatapi_tenant";
GRANT SELECT ON TABLE public.message_reactions TO "chatapi_backup";

CREATE TABLE public.message_versions (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  rev bigint NOT NULL,
  content text NOT NULL,
  meta json,
  said_at timestamp(3) with time zone NOT NULL
);
ALTER TABLE public.message_versions ADD CONSTRAINT message_versions_pkey PRIMARY KEY (tenant_id, room_id, seq, rev);
ALTER TABLE public.message_versions ADD CONSTRAINT message_versions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.message_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.message_versions AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.message_versions AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.message_versions FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.message_versions TO "chatapi_tenant";
GRANT SELECT ON TABLE public.message_versions TO "chatapi_backup";

CREATE TABLE public.messages (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  message_id uuid NOT NULL,
  rev bigint NOT NULL,
  sender_id text COLLATE pg_catalog."C" NOT NULL,
  content text NOT NULL,
  meta json,
  client_message_id text COLLATE pg_catalog."C",
  body_hash bytea,
  kind text DEFAULT 'user'::text NOT NULL,
  status text,
  reply_to_seq bigint,
  created_at timestamp(3) with time zone NOT NULL,
  edited_at timestamp(3) with time zone,
  deleted_at timestamp(3) with time zone
);
ALTER TABLE public.messages ADD CONSTRAINT messages_pkey PRIMARY KEY (tenant_id, room_id, seq);
CREATE UNIQUE INDEX messages_client_id ON public.messages USING btree (tenant_id, room_id, sender_id, client_message_id) WHERE (client_message_id IS NOT NULL);
CREATE UNIQUE INDEX messages_id ON public.messages USING btree (tenant_id, message_id);
CREATE INDEX messages_rev ON public.messages USING btree (tenant_id, room_id, rev);
ALTER TABLE public.messages ADD CONSTRAINT messages_kind_check CHECK ((kind = ANY (ARRAY['user'::text, 'assistant'::text, 'system'::text])));
CREATE TRIGGER usage_deleted AFTER DELETE ON public.messages REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.usage_messages_deleted();
CREATE TRIGGER usage_edited AFTER UPDATE OF content, meta ON public.messages FOR EACH ROW WHEN (((octet_length(new.content) + COALESCE(octet_length((new.meta)::text), 0)) <> (octet_length(old.content) + COALESCE(octet_length((old.meta)::text), 0)))) EXECUTE FUNCTION public.usage_message_edited();
ALTER TABLE public.messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.messages AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.messages AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.messages AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.messages FROM PUBLIC;
GRANT DELETE, SELECT, UPDATE ON TABLE public.messages TO "chatapi_tenant";
GRANT INSERT, SELECT ON TABLE public.messages TO "chatapi_append";
GRANT SELECT ON TABLE public.messages TO "chatapi_backup";

CREATE TABLE public.model_channels (
  tenant_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  name text COLLATE pg_catalog."C" NOT NULL,
  provider text NOT NULL,
  base_url text NOT NULL,
  api_key text,
  model text NOT NULL,
  priority integer NOT NULL,
  weight integer NOT NULL,
  enabled boolean NOT NULL,
  max_tokens integer,
  temperature double precision,
  timeout_ms integer NOT NULL,
  created_at timestamp(3) with time zone DEFAULT statement_timestamp() NOT NULL,
  updated_at timestamp(3) with time zone DEFAULT statement_timestamp() NOT NULL,
  options jsonb DEFAULT '{}'::jsonb NOT NULL
);
ALTER TABLE public.model_channels ADD CONSTRAINT model_channels_pkey PRIMARY KEY (tenant_id, channel_id);
CREATE UNIQUE INDEX model_channels_name ON public.model_channels USING btree (tenant_id, name);
ALTER TABLE public.model_channels ADD CONSTRAINT model_channels_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.model_channels ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.model_channels AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.model_channels AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.model_channels FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.model_channels TO "chatapi_tenant";
GRANT SELECT ON TABLE public.model_channels TO "chatapi_backup";

CREATE TABLE public.notification_deliveries (
  tenant_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  notification_id uuid NOT NULL,
  waits_since timestamp(3) with time zone NOT NULL,
  delivered_at timestamp(3) with time zone,
  read_at timestamp(3) with time zone,
  dead_at timestamp(3) with time zone,
  dead_letter_id uuid,
  attempts integer DEFAULT 0 NOT NULL,
  error text,
  dropped boolean DEFAULT false NOT NULL
);
ALTER TABLE public.notification_deliveries ADD CONSTRAINT notification_deliveries_pkey PRIMARY KEY (tenant_id, user_id, notification_id);
CREATE INDEX notification_deliveries_dead ON public.notification_deliveries USING btree (tenant_id, dead_at) WHERE (dead_at IS NOT NULL);
CREATE UNIQUE INDEX notification_deliveries_letter ON public.notification_deliveries USING btree (tenant_id, dead_letter_id) WHERE (dead_letter_id IS NOT NULL);
CREATE INDEX notification_deliveries_pending ON public.notification_deliveries USING btree (tenant_id, user_id, notification_id) WHERE (delivered_at IS NULL);
CREATE INDEX notification_deliveries_unread ON public.notification_deliveries USING btree (tenant_id, user_id) WHERE (read_at IS NULL);
CREATE INDEX notification_deliveries_waiting ON public.notification_deliveries USING btree (waits_since) WHERE ((delivered_at IS NULL) AND (dead_at IS NULL) AND (NOT dropped));
ALTER TABLE public.notification_deliveries ADD CONSTRAINT notification_deliveries_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.notification_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.notification_deliveries AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.notification_deliveries AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.notification_deliveries AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.notification_deliveries FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.notification_deliveries TO "chatapi_tenant";
GRANT SELECT ON TABLE public.notification_deliveries TO "chatapi_backup";
GRANT SELECT, UPDATE ON TABLE public.notification_deliveries TO "chatapi_system";

CREATE TABLE public.notifications (
  tenant_id uuid NOT NULL,
  notification_id uuid NOT NULL,
  topic text COLLATE pg_catalog."C" NOT NULL,
  payload json NOT NULL,
  user_ids text[] COLLATE pg_catalog."C" NOT NULL,
  room_id uuid,
  topic_subscribers boolean NOT NULL,
  fanned_to text COLLATE pg_catalog."C" DEFAULT ''::text NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.notifications ADD CONSTRAINT notifications_pkey PRIMARY KEY (tenant_id, notification_id);
ALTER TABLE public.notifications ADD CONSTRAINT notifications_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.notifications ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.notifications AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.notifications AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.notifications FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.notifications TO "chatapi_tenant";
GRANT SELECT ON TABLE public.notifications TO "chatapi_backup";

CREATE TABLE public.presets (
  tenant_id uuid NOT NULL,
  name text COLLATE pg_catalog."C" NOT NULL,
  system_prompt text NOT NULL,
  model text,
  temperature double precision,
  max_tokens integer,
  context_messages integer NOT NULL,
  created_at timestamp(3) with time zone DEFAULT statement_timestamp() NOT NULL,
  updated_at timestamp(3) with time zone DEFAULT statement_timestamp() NOT NULL,
  options jsonb DEFAULT '{}'::jsonb NOT NULL
);
ALTER TABLE public.presets ADD CONSTRAINT presets_pkey PRIMARY KEY (tenant_id, name);
ALTER TABLE public.presets ADD CONSTRAINT presets_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.presets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.presets AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.presets AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.presets FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.presets TO "chatapi_tenant";
GRANT SELECT ON TABLE public.presets TO "chatapi_backup";

CREATE TABLE public.room_agents (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  agent_id text COLLATE pg_catalog."C" NOT NULL,
  preset text COLLATE pg_catalog."C" NOT NULL,
  name text,
  named_by text COLLATE pg_catalog."C",
  respond text NOT NULL,
  paused_at timestamp(3) with time zone,
  paused_until timestamp(3) with time zone,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.room_agents ADD CONSTRAINT room_agents_pkey PRIMARY KEY (tenant_id, room_id, agent_id);
ALTER TABLE public.room_agents ADD CONSTRAINT room_agents_respond_check CHECK ((respond = ANY (ARRAY['mention'::text, 'always'::text, 'never'::text])));
ALTER TABLE public.room_agents ADD CONSTRAINT room_agents_tenant_id_room_id_agent_id_fkey FOREIGN KEY (tenant_id, room_id, agent_id) REFERENCES public.room_members(tenant_id, room_id, user_id) ON DELETE CASCADE;
CREATE TRIGGER agent_gone AFTER DELETE ON public.room_agents FOR EACH ROW EXECUTE FUNCTION public.agent_gone();
ALTER TABLE public.room_agents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.room_agents AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.room_agents AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.room_agents AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.room_agents FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.room_agents TO "chatapi_tenant";
GRANT SELECT ON TABLE public.room_agents TO "chatapi_append";
GRANT SELECT ON TABLE public.room_agents TO "chatapi_backup";

CREATE TABLE public.room_events (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  rev bigint NOT NULL,
  type text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.room_events ADD CONSTRAINT room_events_pkey PRIMARY KEY (tenant_id, room_id, rev);
ALTER TABLE public.room_events ADD CONSTRAINT room_events_tenant_id_room_id_fkey FOREIGN KEY (tenant_id, room_id) REFERENCES public.rooms(tenant_id, room_id) ON DELETE CASCADE;
CREATE TRIGGER webhook_events AFTER INSERT ON public.room_events REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION public.webhook_room_events();
ALTER TABLE public.room_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.room_events AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.room_events AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.room_events FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.room_events TO "chatapi_tenant";
GRANT SELECT ON TABLE public.room_events TO "chatapi_backup";

CREATE TABLE public.room_members (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  role text NOT NULL,
  joined_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  joined_seq bigint NOT NULL,
  member_no bigint NOT NULL
);
ALTER TABLE public.room_members ADD CONSTRAINT room_members_pkey PRIMARY KEY (tenant_id, room_id, user_id);
CREATE UNIQUE INDEX room_members_order ON public.room_members USING btree (tenant_id, room_id, member_no) WHERE (member_no > 0);
CREATE INDEX room_members_rooms ON public.room_members USING btree (tenant_id, user_id, room_id) INCLUDE (joined_seq);
ALTER TABLE public.room_members ADD CONSTRAINT room_members_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'member'::text, 'agent'::text])));
ALTER TABLE public.room_members ADD CONSTRAINT room_members_tenant_id_room_id_fkey FOREIGN KEY (tenant_id, room_id) REFERENCES public.rooms(tenant_id, room_id) ON DELETE CASCADE;
ALTER TABLE public.room_members ADD CONSTRAINT room_members_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, user_id) ON DELETE CASCADE;
ALTER TABLE public.room_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.room_members AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.room_members AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.room_members AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.room_members FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.room_members TO "chatapi_tenant";
GRANT SELECT ON TABLE public.room_members TO "chatapi_append";
GRANT SELECT ON TABLE public.room_members TO "chatapi_backup";

CREATE TABLE public.room_pins (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  message_id uuid NOT NULL,
  rev bigint NOT NULL,
  pinned_by text COLLATE pg_catalog."C",
  pinned_at timestamp(3) with time zone
);
ALTER TABLE public.room_pins ADD CONSTRAINT room_pins_pkey PRIMARY KEY (tenant_id, room_id, seq);
CREATE INDEX room_pins_by ON public.room_pins USING btree (tenant_id, pinned_by) WHERE (pinned_by IS NOT NULL);
CREATE INDEX room_pins_now ON public.room_pins USING btree (tenant_id, room_id, pinned_at) WHERE (pinned_at IS NOT NULL);
CREATE INDEX room_pins_rev ON public.room_pins USING btree (tenant_id, room_id, rev);
ALTER TABLE public.room_pins ADD CONSTRAINT room_pins_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.room_pins ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.room_pins AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.room_pins AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.room_pins AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.room_pins FROM PUBLIC;
GRANT DELETE, SELECT, UPDATE ON TABLE public.room_pins TO "chatapi_tenant";
GRANT INSERT, SELECT, UPDATE ON TABLE public.room_pins TO "chatapi_append";
GRANT SELECT ON TABLE public.room_pins TO "chatapi_backup";

CREATE TABLE public.rooms (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  type text NOT NULL,
  unique_key text COLLATE pg_catalog."C",
  name text,
  metadata json,
  posting text DEFAULT 'members'::text NOT NULL,
  first_seq bigint DEFAULT 1 NOT NULL,
  last_seq bigint DEFAULT 0 NOT NULL,
  last_rev bigint DEFAULT 0 NOT NULL,
  member_count integer DEFAULT 0 NOT NULL,
  members_added bigint DEFAULT 0 NOT NULL,
  last_message_at timestamp(3) with time zone,
  created_at timestamp(3) with time zone DEFAULT statement_timestamp() NOT NULL,
  updated_at timestamp(3) with time zone DEFAULT statement_timestamp() NOT NULL,
  deleted_at timestamp(3) with time zone,
  first_rev bigint DEFAULT 0 NOT NULL,
  retention_days integer,
  legal_hold boolean DEFAULT false NOT NULL,
  described_by text[] COLLATE pg_catalog."C",
  has_agents boolean,
  agent_settings jsonb,
  settings jsonb,
  has_states boolean
) WITH (fillfactor='50');
ALTER TABLE public.rooms ADD CONSTRAINT rooms_pkey PRIMARY KEY (tenant_id, room_id);
CREATE INDEX rooms_channels ON public.rooms USING btree (tenant_id, created_at, room_id) WHERE ((type = 'channel'::text) AND (deleted_at IS NULL));
CREATE INDEX rooms_held ON public.rooms USING btree (tenant_id, room_id) WHERE legal_hold;
CREATE INDEX rooms_name ON public.rooms USING btree (tenant_id, type, lower(name) COLLATE "C", room_id) WHERE ((deleted_at IS NULL) AND (name IS NOT NULL));
CREATE INDEX rooms_retention ON public.rooms USING btree (tenant_id, room_id) WHERE (retention_days IS NOT NULL);
CREATE INDEX rooms_type ON public.rooms USING btree (tenant_id, type, room_id) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX rooms_unique_key ON public.rooms USING btree (tenant_id, unique_key) WHERE (unique_key IS NOT NULL);
ALTER TABLE public.rooms ADD CONSTRAINT rooms_posting_check CHECK ((posting = ANY (ARRAY['members'::text, 'admins'::text])));
ALTER TABLE public.rooms ADD CONSTRAINT rooms_retention_days_check CHECK (((retention_days >= 1) AND (retention_days <= 3650)));
ALTER TABLE public.rooms ADD CONSTRAINT rooms_type_check CHECK ((type = ANY (ARRAY['dm'::text, 'group'::text, 'channel'::text, 'ai'::text])));
ALTER TABLE public.rooms ADD CONSTRAINT rooms_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
CREATE TRIGGER agents_room_deleted AFTER UPDATE OF deleted_at ON public.rooms FOR EACH ROW WHEN (((old.deleted_at IS NULL) AND (new.deleted_at IS NOT NULL) AND new.has_agents)) EXECUTE FUNCTION public.agents_room_deleted();
CREATE TRIGGER retention_changed AFTER UPDATE OF retention_days, legal_hold ON public.rooms FOR EACH ROW WHEN (((old.retention_days IS DISTINCT FROM new.retention_days) OR (old.legal_hold IS DISTINCT FROM new.legal_hold))) EXECUTE FUNCTION public.retention_changed();
CREATE TRIGGER tenant_room_deleted AFTER UPDATE OF deleted_at ON public.rooms FOR EACH ROW WHEN (((old.deleted_at IS NULL) <> (new.deleted_at IS NULL))) EXECUTE FUNCTION public.tenant_room_deleted();
CREATE TRIGGER tenant_room_grown AFTER UPDATE OF member_count ON public.rooms FOR EACH ROW WHEN ((new.member_count > old.member_count)) EXECUTE FUNCTION public.tenant_room_grown();
CREATE TRIGGER tenant_rooms_gone AFTER DELETE ON public.rooms REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tenant_rooms_changed();
CREATE TRIGGER tenant_rooms_made AFTER INSERT ON public.rooms REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tenant_rooms_changed();
CREATE TRIGGER webhook_created AFTER INSERT ON public.rooms REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION public.webhook_room_created();
ALTER TABLE public.rooms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.rooms AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.rooms AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.rooms AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.rooms AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.rooms FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.rooms TO "chatapi_tenant";
GRANT SELECT ON TABLE public.rooms TO "chatapi_backup";
GRANT SELECT ON TABLE public.rooms TO "chatapi_system";
GRANT SELECT, UPDATE ON TABLE public.rooms TO "chatapi_append";

CREATE TABLE public.run_chunks (
  tenant_id uuid NOT NULL,
  run_id uuid NOT NULL,
  first_index integer NOT NULL,
  text text NOT NULL,
  ends integer[] NOT NULL,
  expires_at timestamp(3) with time zone DEFAULT (clock_timestamp() + '01:00:00'::interval) NOT NULL
);
ALTER TABLE public.run_chunks ADD CONSTRAINT run_chunks_pkey PRIMARY KEY (tenant_id, run_id, first_index);
CREATE INDEX run_chunks_expiry ON public.run_chunks USING btree (expires_at);
ALTER TABLE public.run_chunks ADD CONSTRAINT run_chunks_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES public.runs(tenant_id, run_id) ON DELETE CASCADE;
ALTER TABLE public.run_chunks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.run_chunks AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.run_chunks AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.run_chunks AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.run_chunks AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.run_chunks FROM PUBLIC;
GRANT DELETE, INSERT, SELECT (ends), SELECT (expires_at), SELECT (first_index), SELECT (run_id), SELECT (tenant_id) ON TABLE public.run_chunks TO "chatapi_system";
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.run_chunks TO "chatapi_tenant";
GRANT SELECT (run_id), SELECT (tenant_id), SELECT (text) ON TABLE public.run_chunks TO "chatapi_append";
GRANT SELECT ON TABLE public.run_chunks TO "chatapi_backup";

CREATE TABLE public.runs (
  tenant_id uuid NOT NULL,
  run_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  reply_to_seq bigint NOT NULL,
  state text DEFAULT 'queued'::text NOT NULL,
  fence bigint DEFAULT 0 NOT NULL,
  is_cancelled boolean DEFAULT false NOT NULL,
  answer_seq bigint,
  token_count integer,
  channel text,
  model text,
  finish_reason text,
  prompt_tokens bigint,
  completion_tokens bigint,
  total_tokens bigint,
  estimated boolean,
  error_code text,
  error_message text,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  started_at timestamp(3) with time zone,
  ended_at timestamp(3) with time zone,
  options json,
  is_counted boolean,
  cost numeric,
  agent_id text COLLATE pg_catalog."C",
  hops smallint,
  refused text,
  reasoning text
) WITH (fillfactor='70');
ALTER TABLE public.runs ADD CONSTRAINT runs_pkey PRIMARY KEY (tenant_id, run_id);
CREATE INDEX runs_asked_by ON public.runs USING btree (tenant_id, user_id) WHERE (agent_id IS NOT NULL);
CREATE INDEX runs_ended ON public.runs USING btree (tenant_id, ended_at, user_id) INCLUDE (total_tokens) WHERE (ended_at IS NOT NULL);
CREATE INDEX runs_of_agents ON public.runs USING btree (tenant_id, room_id, created_at) WHERE (agent_id IS NOT NULL);
CREATE INDEX runs_reply ON public.runs USING btree (tenant_id, room_id, reply_to_seq, created_at);
CREATE INDEX runs_silent ON public.runs USING btree (tenant_id, room_id) WHERE ((token_count = 0) AND (answer_seq IS NOT NULL));
CREATE INDEX runs_uncounted ON public.runs USING btree (tenant_id, run_id) WHERE ((ended_at IS NOT NULL) AND (is_counted IS NULL));
CREATE INDEX runs_unfinished ON public.runs USING btree (tenant_id, room_id) WHERE (state = ANY (ARRAY['queued'::text, 'streaming'::text]));
ALTER TABLE public.runs ADD CONSTRAINT runs_refused_check CHECK ((refused = ANY (ARRAY['pair'::text, 'room'::text, 'queue'::text])));
ALTER TABLE public.runs ADD CONSTRAINT runs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'streaming'::text, 'completed'::text, 'cancelled'::text, 'interrupted'::text, 'failed'::text])));
ALTER TABLE public.runs ADD CONSTRAINT runs_tenant_id_room_id_fkey FOREIGN KEY (tenant_id, room_id) REFERENCES public.rooms(tenant_id, room_id) ON DELETE CASCADE;
CREATE TRIGGER run_charged AFTER UPDATE OF ended_at ON public.runs FOR EACH ROW WHEN (((old.ended_at IS NULL) AND (new.ended_at IS NOT NULL))) EXECUTE FUNCTION public.run_charged();
CREATE TRIGGER usage_deleted AFTER DELETE ON public.runs REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.usage_runs_deleted();
ALTER TABLE public.runs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append_rows ON public.runs AS PERMISSIVE FOR ALL TO "chatapi_append" USING (true) WITH CHECK (true);
CREATE POLICY backup_rows ON public.runs AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.runs AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.runs AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.runs FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.runs TO "chatapi_tenant";
GRANT INSERT, SELECT, UPDATE ON TABLE public.runs TO "chatapi_append";
GRANT SELECT (fence), SELECT (is_cancelled), SELECT (room_id), SELECT (run_id), SELECT (state), SELECT (tenant_id) ON TABLE public.runs TO "chatapi_system";
GRANT SELECT ON TABLE public.runs TO "chatapi_backup";

CREATE TABLE public.schema_functions (
  signature text COLLATE pg_catalog."C" NOT NULL,
  hash text NOT NULL
);
ALTER TABLE public.schema_functions ADD CONSTRAINT schema_functions_pkey PRIMARY KEY (signature);
REVOKE ALL ON TABLE public.schema_functions FROM PUBLIC;
GRANT SELECT ON TABLE public.schema_functions TO "chatapi_backup";

CREATE TABLE public.schema_migrations (
  id integer DEFAULT nextval('public.schema_migrations_id_seq'::regclass) NOT NULL,
  "timestamp" bigint NOT NULL,
  name character varying NOT NULL,
  min_release text
);
ALTER TABLE public.schema_migrations ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (id);
REVOKE ALL ON TABLE public.schema_migrations FROM PUBLIC;
GRANT SELECT ON TABLE public.schema_migrations TO "chatapi_backup";

CREATE TABLE public.server_minutes (
  minute timestamp(0) with time zone NOT NULL,
  node_id uuid NOT NULL,
  connections integer NOT NULL,
  online integer NOT NULL,
  messages_sent bigint NOT NULL,
  deliveries bigint NOT NULL,
  refused bigint NOT NULL,
  tokens bigint NOT NULL,
  p50_ms real,
  p99_ms real,
  queue_bytes bigint NOT NULL,
  append_items integer NOT NULL,
  append_oldest_ms real NOT NULL,
  loop_p99_ms real NOT NULL,
  rss_bytes bigint NOT NULL
);
ALTER TABLE public.server_minutes ADD CONSTRAINT server_minutes_pkey PRIMARY KEY (minute, node_id);
REVOKE ALL ON TABLE public.server_minutes FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.server_minutes TO "chatapi_system";
GRANT SELECT ON TABLE public.server_minutes TO "chatapi_backup";

CREATE TABLE public.stats_minutes (
  tenant_id uuid NOT NULL,
  minute timestamp(0) with time zone NOT NULL,
  connections integer NOT NULL,
  online integer NOT NULL,
  messages_sent bigint NOT NULL,
  deliveries bigint NOT NULL,
  refused bigint NOT NULL,
  tokens bigint NOT NULL,
  p50_ms real,
  p99_ms real
);
ALTER TABLE public.stats_minutes ADD CONSTRAINT stats_minutes_pkey PRIMARY KEY (tenant_id, minute);
CREATE INDEX stats_minutes_purge ON public.stats_minutes USING btree (minute);
ALTER TABLE public.stats_minutes ADD CONSTRAINT stats_minutes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.stats_minutes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.stats_minutes AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.stats_minutes AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.stats_minutes AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.stats_minutes FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.stats_minutes TO "chatapi_system";
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.stats_minutes TO "chatapi_tenant";
GRANT SELECT ON TABLE public.stats_minutes TO "chatapi_backup";

CREATE TABLE public.subscriptions (
  tenant_id uuid NOT NULL,
  subscription_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  topic text COLLATE pg_catalog."C" NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.subscriptions ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (tenant_id, subscription_id);
CREATE UNIQUE INDEX subscriptions_topic ON public.subscriptions USING btree (tenant_id, topic, user_id);
CREATE INDEX subscriptions_user ON public.subscriptions USING btree (tenant_id, user_id, subscription_id);
ALTER TABLE public.subscriptions ADD CONSTRAINT subscriptions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.subscriptions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.subscriptions AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.subscriptions AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.subscriptions FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.subscriptions TO "chatapi_tenant";
GRANT SELECT ON TABLE public.subscriptions TO "chatapi_backup";

CREATE TABLE public.tenant_count_deltas (
  tenant_id uuid NOT NULL,
  delta_no bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME public.tenant_count_deltas_delta_no_seq START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1 NO CYCLE) NOT NULL,
  users bigint DEFAULT 0 NOT NULL,
  rooms bigint DEFAULT 0 NOT NULL
);
ALTER TABLE public.tenant_count_deltas ADD CONSTRAINT tenant_count_deltas_pkey PRIMARY KEY (tenant_id, delta_no);
ALTER TABLE public.tenant_count_deltas ADD CONSTRAINT tenant_count_deltas_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
CREATE CONSTRAINT TRIGGER tenant_counts AFTER INSERT ON public.tenant_count_deltas DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.tenant_counts_add();
ALTER TABLE public.tenant_count_deltas ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.tenant_count_deltas AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.tenant_count_deltas AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.tenant_count_deltas FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.tenant_count_deltas TO "chatapi_tenant";
GRANT SELECT ON TABLE public.tenant_count_deltas TO "chatapi_backup";

CREATE TABLE public.tenant_counts (
  tenant_id uuid NOT NULL,
  users bigint DEFAULT 0 NOT NULL,
  rooms bigint DEFAULT 0 NOT NULL
) WITH (fillfactor='50');
ALTER TABLE public.tenant_counts ADD CONSTRAINT tenant_counts_pkey PRIMARY KEY (tenant_id);
ALTER TABLE public.tenant_counts ADD CONSTRAINT tenant_counts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.tenant_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.tenant_counts AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.tenant_counts AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.tenant_counts FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.tenant_counts TO "chatapi_tenant";
GRANT SELECT ON TABLE public.tenant_counts TO "chatapi_backup";

CREATE TABLE public.tenant_deletions (
  tenant_id uuid NOT NULL,
  deletion_id uuid NOT NULL,
  state text DEFAULT 'waiting'::text NOT NULL,
  deleted jsonb DEFAULT '{}'::jsonb NOT NULL,
  error text,
  request_id text NOT NULL,
  address text,
  started_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  finished_at timestamp(3) with time zone
) WITH (fillfactor='50');
ALTER TABLE public.tenant_deletions ADD CONSTRAINT tenant_deletions_pkey PRIMARY KEY (tenant_id);
ALTER TABLE public.tenant_deletions ADD CONSTRAINT tenant_deletions_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'deleting'::text, 'done'::text, 'failed'::text])));
ALTER TABLE public.tenant_deletions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.tenant_deletions AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.tenant_deletions AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.tenant_deletions FROM PUBLIC;
GRANT INSERT, SELECT, UPDATE ON TABLE public.tenant_deletions TO "chatapi_tenant";
GRANT SELECT ON TABLE public.tenant_deletions TO "chatapi_backup";

CREATE TABLE public.tenant_feed (
  tenant_id uuid NOT NULL,
  no bigint NOT NULL,
  room_id uuid NOT NULL,
  from_rev bigint NOT NULL,
  to_rev bigint NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.tenant_feed ADD CONSTRAINT tenant_feed_pkey PRIMARY KEY (tenant_id, no);
ALTER TABLE public.tenant_feed ADD CONSTRAINT tenant_feed_check CHECK ((from_rev < to_rev));
ALTER TABLE public.tenant_feed ADD CONSTRAINT tenant_feed_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.tenant_feed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.tenant_feed AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.tenant_feed AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.tenant_feed FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.tenant_feed TO "chatapi_tenant";
GRANT SELECT ON TABLE public.tenant_feed TO "chatapi_backup";

CREATE TABLE public.tenant_feed_rooms (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  collected_rev bigint NOT NULL
) WITH (fillfactor='70');
ALTER TABLE public.tenant_feed_rooms ADD CONSTRAINT tenant_feed_rooms_pkey PRIMARY KEY (tenant_id, room_id);
ALTER TABLE public.tenant_feed_rooms ADD CONSTRAINT tenant_feed_rooms_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.tenant_feed_rooms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.tenant_feed_rooms AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.tenant_feed_rooms AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.tenant_feed_rooms FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.tenant_feed_rooms TO "chatapi_tenant";
GRANT SELECT ON TABLE public.tenant_feed_rooms TO "chatapi_backup";

CREATE TABLE public.tenant_feeds (
  tenant_id uuid NOT NULL,
  is_collected boolean DEFAULT true NOT NULL,
  epoch bigint NOT NULL,
  gone_no bigint DEFAULT 0 NOT NULL,
  last_no bigint DEFAULT 0 NOT NULL,
  began_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  began_before bigint NOT NULL,
  asked_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  swept_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
) WITH (fillfactor='50');
ALTER TABLE public.tenant_feeds ADD CONSTRAINT tenant_feeds_pkey PRIMARY KEY (tenant_id);
ALTER TABLE public.tenant_feeds ADD CONSTRAINT tenant_feeds_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.tenant_feeds ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.tenant_feeds AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.tenant_feeds AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.tenant_feeds AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.tenant_feeds FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.tenant_feeds TO "chatapi_tenant";
GRANT SELECT ON TABLE public.tenant_feeds TO "chatapi_backup";
GRANT SELECT ON TABLE public.tenant_feeds TO "chatapi_system";

CREATE TABLE public.tenants (
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  status text DEFAULT 'active'::text NOT NULL,
  settings jsonb DEFAULT '{}'::jsonb NOT NULL,
  limits jsonb DEFAULT '{}'::jsonb NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  updated_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  deleting_since timestamp(3) with time zone
);
ALTER TABLE public.tenants ADD CONSTRAINT tenants_pkey PRIMARY KEY (tenant_id);
CREATE INDEX tenants_updated ON public.tenants USING btree (updated_at);
ALTER TABLE public.tenants ADD CONSTRAINT tenants_check CHECK (((deleting_since IS NULL) OR (status = 'suspended'::text)));
ALTER TABLE public.tenants ADD CONSTRAINT tenants_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])));
CREATE TRIGGER retention_begun AFTER INSERT ON public.tenants FOR EACH ROW WHEN ((new.settings ? 'retention_days'::text)) EXECUTE FUNCTION public.retention_changed();
CREATE TRIGGER retention_changed AFTER UPDATE OF settings ON public.tenants FOR EACH ROW WHEN ((((old.settings -> 'retention_days'::text) IS DISTINCT FROM (new.settings -> 'retention_days'::text)) OR ((old.settings -> 'message_history'::text) IS DISTINCT FROM (new.settings -> 'message_history'::text)))) EXECUTE FUNCTION public.retention_changed();
ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.tenants AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.tenants AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.tenants AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.tenants FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.tenants TO "chatapi_system";
GRANT SELECT ON TABLE public.tenants TO "chatapi_backup";
GRANT SELECT, UPDATE ON TABLE public.tenants TO "chatapi_tenant";

CREATE TABLE public.usage_chats (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  day date NOT NULL,
  messages_sent bigint DEFAULT 0 NOT NULL,
  runs bigint DEFAULT 0 NOT NULL,
  prompt_tokens bigint DEFAULT 0 NOT NULL,
  completion_tokens bigint DEFAULT 0 NOT NULL,
  estimated_tokens bigint DEFAULT 0 NOT NULL,
  cost numeric DEFAULT 0 NOT NULL
);
ALTER TABLE public.usage_chats ADD CONSTRAINT usage_chats_pkey PRIMARY KEY (tenant_id, room_id, day);
ALTER TABLE public.usage_chats ADD CONSTRAINT usage_chats_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.usage_chats ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.usage_chats AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.usage_chats AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.usage_chats FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.usage_chats TO "chatapi_tenant";
GRANT SELECT ON TABLE public.usage_chats TO "chatapi_backup";

CREATE TABLE public.usage_days (
  tenant_id uuid NOT NULL,
  day date NOT NULL,
  part integer NOT NULL,
  messages_sent bigint DEFAULT 0 NOT NULL,
  storage_delta bigint DEFAULT 0 NOT NULL,
  runs bigint DEFAULT 0 NOT NULL,
  prompt_tokens bigint DEFAULT 0 NOT NULL,
  completion_tokens bigint DEFAULT 0 NOT NULL,
  estimated_tokens bigint DEFAULT 0 NOT NULL,
  deliveries bigint DEFAULT 0 NOT NULL,
  webhook_posts bigint DEFAULT 0 NOT NULL,
  peak_connections integer DEFAULT 0 NOT NULL,
  cost numeric DEFAULT 0 NOT NULL
) WITH (fillfactor='50');
ALTER TABLE public.usage_days ADD CONSTRAINT usage_days_pkey PRIMARY KEY (tenant_id, day, part);
CREATE INDEX usage_days_parts ON public.usage_days USING btree (tenant_id, day) WHERE (part <> 0);
ALTER TABLE public.usage_days ADD CONSTRAINT usage_days_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.usage_days ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.usage_days AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.usage_days AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.usage_days AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.usage_days FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.usage_days TO "chatapi_tenant";
GRANT INSERT, SELECT, UPDATE ON TABLE public.usage_days TO "chatapi_system";
GRANT SELECT ON TABLE public.usage_days TO "chatapi_backup";

CREATE TABLE public.usage_models (
  tenant_id uuid NOT NULL,
  channel text COLLATE pg_catalog."C" NOT NULL,
  preset text COLLATE pg_catalog."C" NOT NULL,
  day date NOT NULL,
  runs bigint DEFAULT 0 NOT NULL,
  prompt_tokens bigint DEFAULT 0 NOT NULL,
  completion_tokens bigint DEFAULT 0 NOT NULL,
  estimated_tokens bigint DEFAULT 0 NOT NULL,
  cost numeric DEFAULT 0 NOT NULL
);
ALTER TABLE public.usage_models ADD CONSTRAINT usage_models_pkey PRIMARY KEY (tenant_id, channel, preset, day);
ALTER TABLE public.usage_models ADD CONSTRAINT usage_models_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.usage_models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.usage_models AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.usage_models AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.usage_models FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.usage_models TO "chatapi_tenant";
GRANT SELECT ON TABLE public.usage_models TO "chatapi_backup";

CREATE TABLE public.usage_rooms (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  counted_seq bigint DEFAULT 0 NOT NULL
) WITH (fillfactor='70');
ALTER TABLE public.usage_rooms ADD CONSTRAINT usage_rooms_pkey PRIMARY KEY (tenant_id, room_id);
ALTER TABLE public.usage_rooms ADD CONSTRAINT usage_rooms_tenant_id_room_id_fkey FOREIGN KEY (tenant_id, room_id) REFERENCES public.rooms(tenant_id, room_id) ON DELETE CASCADE;
ALTER TABLE public.usage_rooms ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.usage_rooms AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.usage_rooms AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.usage_rooms FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.usage_rooms TO "chatapi_tenant";
GRANT SELECT ON TABLE public.usage_rooms TO "chatapi_backup";

CREATE TABLE public.usage_state (
  tenant_id uuid NOT NULL,
  complete_to timestamp(3) with time zone NOT NULL
);
ALTER TABLE public.usage_state ADD CONSTRAINT usage_state_pkey PRIMARY KEY (tenant_id);
ALTER TABLE public.usage_state ADD CONSTRAINT usage_state_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.usage_state ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.usage_state AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.usage_state AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.usage_state FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.usage_state TO "chatapi_tenant";
GRANT SELECT ON TABLE public.usage_state TO "chatapi_backup";

CREATE TABLE public.usage_users (
  tenant_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  day date NOT NULL,
  messages_sent bigint DEFAULT 0 NOT NULL,
  runs bigint DEFAULT 0 NOT NULL,
  prompt_tokens bigint DEFAULT 0 NOT NULL,
  completion_tokens bigint DEFAULT 0 NOT NULL,
  estimated_tokens bigint DEFAULT 0 NOT NULL,
  cost numeric DEFAULT 0 NOT NULL
);
ALTER TABLE public.usage_users ADD CONSTRAINT usage_users_pkey PRIMARY KEY (tenant_id, user_id, day);
ALTER TABLE public.usage_users ADD CONSTRAINT usage_users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.usage_users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.usage_users AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY tenant_rows ON public.usage_users AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.usage_users FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.usage_users TO "chatapi_tenant";
GRANT SELECT ON TABLE public.usage_users TO "chatapi_backup";

CREATE TABLE public.users (
  tenant_id uuid NOT NULL,
  user_id text COLLATE pg_catalog."C" NOT NULL,
  profile jsonb DEFAULT '{}'::jsonb NOT NULL,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  last_seen_at timestamp(3) with time zone,
  first_socket_at timestamp(3) with time zone,
  legal_hold boolean DEFAULT false NOT NULL
);
ALTER TABLE public.users ADD CONSTRAINT users_pkey PRIMARY KEY (tenant_id, user_id);
CREATE INDEX users_held ON public.users USING btree (tenant_id, user_id) WHERE legal_hold;
ALTER TABLE public.users ADD CONSTRAINT users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
CREATE TRIGGER retention_changed AFTER UPDATE OF legal_hold ON public.users FOR EACH ROW WHEN ((old.legal_hold <> new.legal_hold)) EXECUTE FUNCTION public.retention_changed();
CREATE TRIGGER tenant_users_gone AFTER DELETE ON public.users REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tenant_users_changed();
CREATE TRIGGER tenant_users_made AFTER INSERT ON public.users REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.tenant_users_changed();
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.users AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.users AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.users AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.users FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.users TO "chatapi_tenant";
GRANT SELECT (last_seen_at), SELECT (tenant_id), SELECT (user_id), UPDATE (last_seen_at) ON TABLE public.users TO "chatapi_system";
GRANT SELECT ON TABLE public.users TO "chatapi_backup";

CREATE TABLE public.webhook_deliveries (
  tenant_id uuid NOT NULL,
  delivery_id uuid NOT NULL,
  type text COLLATE pg_catalog."C" NOT NULL,
  room_id uuid,
  subject_id uuid,
  user_ids text[] COLLATE pg_catalog."C",
  body text,
  state text DEFAULT 'pending'::text NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  status integer,
  latency_ms integer,
  answer text,
  error text,
  created_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL,
  last_attempt_at timestamp(3) with time zone
);
ALTER TABLE public.webhook_deliveries ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (tenant_id, delivery_id);
CREATE INDEX webhook_deliveries_dead ON public.webhook_deliveries USING btree (tenant_id, last_attempt_at) WHERE (state = 'dead'::text);
CREATE INDEX webhook_deliveries_log ON public.webhook_deliveries USING btree (tenant_id, created_at, delivery_id);
CREATE INDEX webhook_deliveries_purge ON public.webhook_deliveries USING btree (state, created_at);
ALTER TABLE public.webhook_deliveries ADD CONSTRAINT webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text, 'failed'::text])));
ALTER TABLE public.webhook_deliveries ADD CONSTRAINT webhook_deliveries_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.webhook_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.webhook_deliveries AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.webhook_deliveries AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.webhook_deliveries AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.webhook_deliveries FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.webhook_deliveries TO "chatapi_tenant";
GRANT DELETE, SELECT (created_at), SELECT (delivery_id), SELECT (state), SELECT (tenant_id) ON TABLE public.webhook_deliveries TO "chatapi_system";
GRANT SELECT ON TABLE public.webhook_deliveries TO "chatapi_backup";

CREATE TABLE public.webhooks (
  tenant_id uuid NOT NULL,
  url text,
  events text[] COLLATE pg_catalog."C" NOT NULL,
  secret text,
  previous_secret text,
  previous_until timestamp(3) with time zone,
  failing_since timestamp(3) with time zone,
  disabled_at timestamp(3) with time zone,
  disabled_reason text,
  updated_at timestamp(3) with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.webhooks ADD CONSTRAINT webhooks_pkey PRIMARY KEY (tenant_id);
CREATE INDEX webhooks_updated ON public.webhooks USING btree (updated_at);
ALTER TABLE public.webhooks ADD CONSTRAINT webhooks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id) ON DELETE CASCADE;
ALTER TABLE public.webhooks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.webhooks AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.webhooks AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.webhooks AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.webhooks FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.webhooks TO "chatapi_tenant";
GRANT INSERT, SELECT (disabled_at), SELECT (events), SELECT (tenant_id), SELECT (updated_at), SELECT (url) ON TABLE public.webhooks TO "chatapi_system";
GRANT SELECT ON TABLE public.webhooks TO "chatapi_backup";

CREATE UNLOGGED TABLE public.ws_tickets (
  tenant_id uuid NOT NULL,
  ticket_id uuid NOT NULL,
  expires_at timestamp(3) with time zone NOT NULL
);
ALTER TABLE public.ws_tickets ADD CONSTRAINT ws_tickets_pkey PRIMARY KEY (tenant_id, ticket_id);
CREATE INDEX ws_tickets_expiry ON public.ws_tickets USING btree (expires_at);
ALTER TABLE public.ws_tickets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY backup_rows ON public.ws_tickets AS PERMISSIVE FOR SELECT TO "chatapi_backup" USING (true);
CREATE POLICY system_rows ON public.ws_tickets AS PERMISSIVE FOR ALL TO "chatapi_system" USING (true) WITH CHECK (true);
CREATE POLICY tenant_rows ON public.ws_tickets AS PERMISSIVE FOR ALL TO "chatapi_tenant" USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));
REVOKE ALL ON TABLE public.ws_tickets FROM PUBLIC;
GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE public.ws_tickets TO "chatapi_tenant";
GRANT DELETE, SELECT ON TABLE public.ws_tickets TO "chatapi_system";
GRANT SELECT ON TABLE public.ws_tickets TO "chatapi_backup";

CREATE OR REPLACE FUNCTION public.agent_add(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_preset text, p_respond text, p_name text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  why text;
  others bigint;
  made room_agents;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  IF p_preset <> 'default' AND NOT EXISTS (SELECT 1 FROM presets p WHERE p.tenant_id = p_tenant AND p.name = p_preset) THEN
    RETURN jsonb_build_object('status', 'no_preset');
  END IF;
  IF EXISTS (SELECT 1 FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent) THEN
    RETURN jsonb_build_object('status', 'exists');
  END IF;
  SELECT count(*) INTO others FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = p_room;
  IF others >= 20 THEN RETURN jsonb_build_object('status', 'full'); END IF;
  PERFORM members_insert(room, ARRAY[p_agent], 'agent', p_actor);
  INSERT INTO room_agents (tenant_id, room_id, agent_id, preset, name, named_by, respond)
  VALUES (p_tenant, p_room, p_agent, p_preset, p_name, CASE WHEN p_name IS NOT NULL THEN p_actor END, p_respond) RETURNING * INTO made;
  UPDATE rooms r SET has_agents = true WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok', 'agent', agent_json(made), 'audit', jsonb_build_object('details',
    jsonb_build_object('agent', p_agent), 'before', NULL, 'after', jsonb_build_object('respond', p_respond)));
END $function$;
REVOKE ALL ON FUNCTION public.agent_add(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_preset text, p_respond text, p_name text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agent_add(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_preset text, p_respond text, p_name text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agent_gone()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  UPDATE runs q SET state = 'cancelled', is_cancelled = true, ended_at = clock_timestamp()
  WHERE q.tenant_id = OLD.tenant_id AND q.room_id = OLD.room_id AND q.agent_id = OLD.agent_id
    AND q.state IN ('queued', 'streaming');
  UPDATE rooms r SET has_agents = NULL WHERE r.tenant_id = OLD.tenant_id AND r.room_id = OLD.room_id
    AND NOT EXISTS (SELECT 1 FROM room_agents a WHERE a.tenant_id = OLD.tenant_id AND a.room_id = OLD.room_id);
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.agent_gone() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agent_gone() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agent_json(a public.room_agents)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT jsonb_build_object('agent_id', a.agent_id, 'preset', a.preset, 'name', a.name, 'respond', a.respond,
    'paused', COALESCE(a.paused_until > clock_timestamp(), false), 'paused_until',
    CASE WHEN a.paused_until > clock_timestamp() AND a.paused_until < 'infinity' THEN a.paused_until END,
    'created_at', a.created_at)
$function$;
REVOKE ALL ON FUNCTION public.agent_json(a public.room_agents) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agent_json(a public.room_agents) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agent_pause(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_on boolean, p_until timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  why text;
  -- Cut, not rounded: who resumes is not to wait for the next millisecond.
  ts timestamptz(3) := date_trunc('milliseconds', clock_timestamp());
  was boolean;
  now_is room_agents;
  stopped jsonb := '[]';
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  SELECT COALESCE(a.paused_until > ts, false) INTO was FROM room_agents a
    WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent FOR UPDATE;
  IF was IS NULL THEN RETURN jsonb_build_object('status', 'no_agent'); END IF;
  UPDATE room_agents a SET
    paused_at = CASE WHEN p_on AND NOT was THEN ts ELSE a.paused_at END,
    paused_until = CASE WHEN p_on THEN COALESCE(p_until, 'infinity') WHEN was THEN ts ELSE a.paused_until END
  WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent RETURNING * INTO now_is;
  IF p_on THEN stopped := agent_runs_stop(p_tenant, p_room, p_agent, NULL); END IF;
  RETURN jsonb_build_object('status', 'ok', 'agent', agent_json(now_is), 'runs', stopped);
END $function$;
REVOKE ALL ON FUNCTION public.agent_pause(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_on boolean, p_until timestamp with time zone) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agent_pause(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_on boolean, p_until timestamp with time zone) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agent_remove(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  why text;
  stopped jsonb;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  IF NOT EXISTS (SELECT 1 FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent) THEN
    RETURN jsonb_build_object('status', 'no_agent');
  END IF;
  stopped := agent_runs_stop(p_tenant, p_room, p_agent, NULL);
  DELETE FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_agent;
  UPDATE rooms r SET member_count = r.member_count - 1, last_rev = room_log(p_tenant, p_room, r.last_rev,
    'member.left', jsonb_build_array(jsonb_build_object('room_id', p_room, 'user_id', p_agent, 'role', 'agent',
      'by', p_actor)))
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok', 'runs', stopped, 'audit', jsonb_build_object('details',
    jsonb_build_object('agent', p_agent)));
END $function$;
REVOKE ALL ON FUNCTION public.agent_remove(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agent_remove(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agent_room(p_tenant uuid, p_room uuid, p_actor text, p_open boolean)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  role text;
BEGIN
  room := room_lock(p_tenant, p_room);
  role := room_role(p_tenant, p_room, p_actor);
  RETURN CASE
    WHEN room.room_id IS NULL THEN 'no_room'
    WHEN role IS NULL THEN 'forbidden'
    WHEN room.type IN ('dm', 'ai') THEN 'fixed'
    WHEN role = 'admin' THEN NULL
    WHEN role = 'member' AND COALESCE(room.agent_settings->>'control' = 'members', p_open) THEN NULL
    ELSE 'forbidden' END;
END $function$;
REVOKE ALL ON FUNCTION public.agent_room(p_tenant uuid, p_room uuid, p_actor text, p_open boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agent_room(p_tenant uuid, p_room uuid, p_actor text, p_open boolean) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agent_runs_stop(p_tenant uuid, p_room uuid, p_agent text, p_user text)
 RETURNS jsonb
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  WITH ended AS (
    UPDATE runs q SET is_cancelled = true WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.agent_id = p_agent
      AND q.state IN ('queued', 'streaming') AND (p_user IS NULL OR q.user_id = p_user) RETURNING q.run_id)
  SELECT COALESCE(jsonb_agg(e.run_id), '[]') FROM ended e
$function$;
REVOKE ALL ON FUNCTION public.agent_runs_stop(p_tenant uuid, p_room uuid, p_agent text, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agent_runs_stop(p_tenant uuid, p_room uuid, p_agent text, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agent_stop(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  why text;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why = 'no_room' THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room_role(p_tenant, p_room, p_actor) IS NULL THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  IF NOT EXISTS (SELECT 1 FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent) THEN
    RETURN jsonb_build_object('status', 'no_agent');
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'runs',
    agent_runs_stop(p_tenant, p_room, p_agent, CASE WHEN why IS NOT NULL THEN p_actor END));
END $function$;
REVOKE ALL ON FUNCTION public.agent_stop(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agent_stop(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agent_update(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_respond text, p_name text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  why text;
  now_is room_agents;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, p_open);
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  UPDATE room_agents a SET respond = COALESCE(p_respond, a.respond), name = NULLIF(COALESCE(p_name, a.name), ''),
    named_by = CASE WHEN p_name IS NULL THEN a.named_by WHEN p_name <> '' THEN p_actor END
  WHERE a.tenant_id = p_tenant AND a.room_id = p_room AND a.agent_id = p_agent RETURNING * INTO now_is;
  IF now_is.agent_id IS NULL THEN RETURN jsonb_build_object('status', 'no_agent'); END IF;
  RETURN jsonb_build_object('status', 'ok', 'agent', agent_json(now_is));
END $function$;
REVOKE ALL ON FUNCTION public.agent_update(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_respond text, p_name text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agent_update(p_tenant uuid, p_room uuid, p_actor text, p_open boolean, p_agent text, p_respond text, p_name text) TO "chatapi_tenant";

-- Owned by chatapi_append.
CREATE OR REPLACE FUNCTION public.agents_asked(p_tenants uuid[], p_rooms uuid[], p_seqs bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
AS $function$
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
END $function$;
REVOKE ALL ON FUNCTION public.agents_asked(p_tenants uuid[], p_rooms uuid[], p_seqs bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agents_asked(p_tenants uuid[], p_rooms uuid[], p_seqs bigint[]) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.agents_room_deleted()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  UPDATE runs q SET state = 'cancelled', is_cancelled = true, ended_at = clock_timestamp()
  WHERE q.tenant_id = NEW.tenant_id AND q.room_id = NEW.room_id AND q.agent_id IS NOT NULL
    AND q.state IN ('queued', 'streaming');
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.agents_room_deleted() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agents_room_deleted() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agents_settings(p_tenant uuid, p_room uuid)
 RETURNS TABLE(settings jsonb)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT r.agent_settings FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room
$function$;
REVOKE ALL ON FUNCTION public.agents_settings(p_tenant uuid, p_room uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agents_settings(p_tenant uuid, p_room uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.agents_settle(p_tenant uuid, p_room uuid, p_actor text, p_max_hops integer, p_control text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  why text;
  settled jsonb;
BEGIN
  why := agent_room(p_tenant, p_room, p_actor, false);
  IF why IS NULL AND room_role(p_tenant, p_room, p_actor) <> 'admin' THEN why := 'forbidden'; END IF;
  IF why IS NOT NULL THEN
    RETURN jsonb_build_object('status', CASE why WHEN 'no_room' THEN 'no_room' WHEN 'fixed' THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  settled := COALESCE(room.agent_settings, '{}')
    || jsonb_strip_nulls(jsonb_build_object('max_hops', p_max_hops, 'control', p_control));
  UPDATE rooms r SET agent_settings = settled WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok', 'settings', settled);
END $function$;
REVOKE ALL ON FUNCTION public.agents_settle(p_tenant uuid, p_room uuid, p_actor text, p_max_hops integer, p_control text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.agents_settle(p_tenant uuid, p_room uuid, p_actor text, p_max_hops integer, p_control text) TO "chatapi_tenant";

-- Owned by chatapi_append.
CREATE OR REPLACE FUNCTION public.append_batch(p_lock_ms integer, p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[], p_contents text[], p_metas text[], p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[], p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[], p_hook_tenants uuid[], p_hook_kinds text[], p_hook_payloads text[], p_hook_delays bigint[], p_state_tenants uuid[], p_state_rooms uuid[], p_state_kinds text[], p_state_messages uuid[], p_state_users text[], p_state_keys text[], p_state_ons boolean[], p_state_hook_tenants uuid[], p_state_hook_states text[], p_state_hook_kinds text[], p_state_hook_payloads text[])
 RETURNS TABLE(item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamp with time zone, state jsonb)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
AS $function$
#variable_conflict use_column
DECLARE
  held_tenants uuid[];
  held_rooms uuid[];
BEGIN
  IF p_lock_ms > 0 THEN
    BEGIN
      PERFORM set_config('lock_timeout', p_lock_ms::text, true);
      RETURN QUERY SELECT a.* FROM append_batch(-1, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
        p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
        p_answer_statuses, p_answer_replies, p_answer_runs,
        p_hook_tenants, p_hook_kinds, p_hook_payloads, p_hook_delays, p_state_tenants, p_state_rooms, p_state_kinds, p_state_messages, p_state_users,
        p_state_keys, p_state_ons, p_state_hook_tenants, p_state_hook_states, p_state_hook_kinds, p_state_hook_payloads) a;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      NULL;
    END;
  END IF;
  IF p_lock_ms < 0 THEN
    SELECT array_agg(l.tenant_id), array_agg(l.room_id) INTO held_tenants, held_rooms
      FROM (SELECT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r)
        UNION SELECT u.t, u.r FROM unnest(p_state_tenants, p_state_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.tenant_id, x.room_id FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE) l;
    -- What is waited for from here on is no reason to let go of the rooms.
    PERFORM set_config('lock_timeout', '0', true);
  ELSE
    SELECT array_agg(l.tenant_id), array_agg(l.room_id) INTO held_tenants, held_rooms
      FROM (SELECT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r)
        UNION SELECT u.t, u.r FROM unnest(p_state_tenants, p_state_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.tenant_id, x.room_id FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE SKIP LOCKED) l;
  END IF;
  -- Its rooms are this transaction's by now: it skips and waits for none.
  IF cardinality(p_hook_tenants) > 0 THEN
    RETURN QUERY SELECT a.*, NULL::jsonb FROM append_messages_hooked(0, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
        p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
        p_answer_statuses, p_answer_replies, p_answer_runs,
        p_hook_tenants, p_hook_kinds, p_hook_payloads, p_hook_delays) a;
  ELSIF cardinality(p_ids) > 0 THEN
    RETURN QUERY SELECT a.*, NULL::jsonb FROM append_messages(0, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
        p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
        p_answer_statuses, p_answer_replies, p_answer_runs) a;
  END IF;
  RETURN QUERY SELECT s.item + cardinality(p_ids), s.status, s.message_id, s.seq, s.rev, s.created_at, s.state
    FROM append_states(held_tenants, held_rooms, p_state_tenants, p_state_rooms, p_state_kinds, p_state_messages, p_state_users,
        p_state_keys, p_state_ons, p_state_hook_tenants, p_state_hook_states, p_state_hook_kinds, p_state_hook_payloads) s;
END $function$;
REVOKE ALL ON FUNCTION public.append_batch(p_lock_ms integer, p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[], p_contents text[], p_metas text[], p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[], p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[], p_hook_tenants uuid[], p_hook_kinds text[], p_hook_payloads text[], p_hook_delays bigint[], p_state_tenants uuid[], p_state_rooms uuid[], p_state_kinds text[], p_state_messages uuid[], p_state_users text[], p_state_keys text[], p_state_ons boolean[], p_state_hook_tenants uuid[], p_state_hook_states text[], p_state_hook_kinds text[], p_state_hook_payloads text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.append_batch(p_lock_ms integer, p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[], p_contents text[], p_metas text[], p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[], p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[], p_hook_tenants uuid[], p_hook_kinds text[], p_hook_payloads text[], p_hook_delays bigint[], p_state_tenants uuid[], p_state_rooms uuid[], p_state_kinds text[], p_state_messages uuid[], p_state_users text[], p_state_keys text[], p_state_ons boolean[], p_state_hook_tenants uuid[], p_state_hook_states text[], p_state_hook_kinds text[], p_state_hook_payloads text[]) TO "chatapi_system";

-- Owned by chatapi_append.
CREATE OR REPLACE FUNCTION public.append_lookup(p_tenants uuid[], p_rooms uuid[], p_ids uuid[])
 RETURNS TABLE(item integer, seq bigint, rev bigint, created_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT u.ord::integer, m.seq, m.rev, m.created_at
  FROM unnest(p_tenants, p_rooms, p_ids) WITH ORDINALITY u(t, r, id, ord)
  JOIN messages m ON m.tenant_id = u.t AND m.room_id = u.r AND m.message_id = u.id
$function$;
REVOKE ALL ON FUNCTION public.append_lookup(p_tenants uuid[], p_rooms uuid[], p_ids uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.append_lookup(p_tenants uuid[], p_rooms uuid[], p_ids uuid[]) TO "chatapi_system";

-- Owned by chatapi_append.
CREATE OR REPLACE FUNCTION public.append_messages(p_lock_ms integer, p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[], p_contents text[], p_metas text[], p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[], p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[])
 RETURNS TABLE(item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamp with time zone)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
AS $function$
#variable_conflict use_column
DECLARE
  held_tenants uuid[];
  held_rooms uuid[];
  held_posting text[];
  held_ai boolean[];
  held_agents boolean[];
  held_seqs bigint[];
  held_revs bigint[];
  held_ats timestamptz(3)[];
  held_tids tid[];
  rejecting integer[] := '{}';
  busy_items integer[] := '{}';
  ts timestamptz(3);
BEGIN
  IF p_lock_ms > 0 THEN
    BEGIN
      PERFORM set_config('lock_timeout', p_lock_ms::text, true);
      RETURN QUERY SELECT a.* FROM append_messages(-1, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
        p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
        p_answer_statuses, p_answer_replies, p_answer_runs) a;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      NULL;
    END;
  END IF;
  IF p_lock_ms < 0 THEN
    SELECT array_agg(l.tenant_id), array_agg(l.room_id), array_agg(l.posting), array_agg(l.type = 'ai'),
        array_agg(l.has_agents), array_agg(l.last_seq), array_agg(l.last_rev), array_agg(l.last_message_at), array_agg(l.tid)
      INTO held_tenants, held_rooms, held_posting, held_ai, held_agents, held_seqs, held_revs, held_ats, held_tids
      FROM (SELECT DISTINCT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.*, x.ctid AS tid FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE) l;
    -- What is waited for from here on is no reason to let go of the rooms.
    PERFORM set_config('lock_timeout', '0', true);
  ELSE
    SELECT array_agg(l.tenant_id), array_agg(l.room_id), array_agg(l.posting), array_agg(l.type = 'ai'),
        array_agg(l.has_agents), array_agg(l.last_seq), array_agg(l.last_rev), array_agg(l.last_message_at), array_agg(l.tid)
      INTO held_tenants, held_rooms, held_posting, held_ai, held_agents, held_seqs, held_revs, held_ats, held_tids
      FROM (SELECT DISTINCT u.t, u.r FROM unnest(p_tenants, p_rooms) u(t, r) ORDER BY 1, 2) d,
        LATERAL (SELECT x.*, x.ctid AS tid FROM rooms x
          WHERE x.tenant_id = d.t AND x.room_id = d.r AND x.deleted_at IS NULL FOR NO KEY UPDATE SKIP LOCKED) l;
  END IF;
  IF cardinality(p_reject_items) > 0 THEN
    SELECT COALESCE(array_agg(w.item), '{}'), COALESCE(array_agg(w.item) FILTER (WHERE w.is_busy), '{}')
      INTO rejecting, busy_items
      FROM (SELECT i.item, EXISTS (SELECT FROM runs q WHERE q.tenant_id = p_tenants[i.item] AND q.room_id = p_rooms[i.item]
          AND q.state IN ('queued', 'streaming') OFFSET 0) AS is_busy
        FROM unnest(p_reject_items) i(item)
        WHERE i.item = ANY (p_job_items) AND NOT EXISTS (SELECT FROM messages y
          WHERE y.tenant_id = p_tenants[i.item] AND y.message_id = p_ids[i.item] OFFSET 0)) w;
  END IF;
  ts := date_trunc('milliseconds', clock_timestamp());
  RETURN QUERY
  WITH placed AS MATERIALIZED (
    -- Of the items of a room that may be refused as busy one is stored at most: the first with a run.
    SELECT k.*, k.storable AND (NOT k.rejects OR (k.first_run = k.ord AND k.ord <> ALL (busy_items))) AS fits,
      k.others + CASE WHEN k.first_reject = k.first_run AND k.first_reject <> ALL (busy_items) THEN 1 ELSE 0 END AS n
    FROM (
      SELECT j.*, count(*) FILTER (WHERE j.storable AND NOT j.rejects) OVER up_to_here AS others,
        min(j.ord) FILTER (WHERE j.storable AND j.rejects) OVER up_to_here AS first_reject,
        min(j.ord) FILTER (WHERE j.storable AND j.ord = ANY (p_job_items)) OVER up_to_here AS first_run
      FROM (
        SELECT u.*, h.r IS NOT NULL AS is_held, h.seq0, h.rev0, h.tid, GREATEST(ts, h.at0) AS at, m.role,
          x.seq AS old_seq, x.rev AS old_rev, x.message_id AS old_id, x.created_at AS old_at, x.body_hash AS old_hash,
          h.r IS NOT NULL AND x.seq IS NULL AND m.role IS NOT NULL AND (h.posting = 'members' OR m.role <> 'member')
            AND (NOT h.ai OR a.item IS NOT NULL OR u.ord = ANY (p_job_items)) AS storable,
          u.ord = ANY (rejecting) AS rejects,
          h.ai, a.status AS answer_status, a.reply AS reply_to, a.item IS NOT NULL AS is_answer,
          a.run::jsonb->>'refused' IS NOT NULL AS is_notice
        FROM unnest(p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes, p_contents, p_metas)
          WITH ORDINALITY u(t, r, id, sender, client_id, hash, content, meta, ord)
        LEFT JOIN unnest(p_answer_items, p_answer_statuses, p_answer_replies, p_answer_runs)
          a(item, status, reply, run) ON a.item = u.ord
        LEFT JOIN unnest(held_tenants, held_rooms, held_posting, held_ai, held_seqs, held_revs, held_ats, held_tids)
          h(t, r, posting, ai, seq0, rev0, at0, tid) ON h.t = u.t AND h.r = u.r
        LEFT JOIN LATERAL (SELECT y.seq, y.rev, y.message_id, y.created_at, y.body_hash FROM messages y
          WHERE y.tenant_id = u.t AND y.room_id = u.r AND y.sender_id = u.sender AND y.client_message_id = u.client_id
          OFFSET 0) x ON true
        LEFT JOIN LATERAL (SELECT k.role FROM room_members k
          WHERE k.tenant_id = u.t AND k.room_id = u.r AND k.user_id = u.sender OFFSET 0) m ON true
      ) j WINDOW up_to_here AS (PARTITION BY j.t, j.r ORDER BY j.ord ROWS UNBOUNDED PRECEDING)
    ) k
  ), bumped AS (
    UPDATE rooms q SET last_seq = q.last_seq + g.k, last_rev = q.last_rev + g.k, last_message_at = g.at
    FROM (SELECT p.tid, count(*) AS k, max(p.at) AS at FROM placed p WHERE p.fits GROUP BY 1) g
    WHERE q.ctid = g.tid
  ), stored AS (
    INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, client_message_id, body_hash,
      content, meta, created_at, kind, status, reply_to_seq)
    SELECT p.t, p.r, p.seq0 + p.n, p.id, p.rev0 + p.n, p.sender, p.client_id, p.hash, p.content, p.meta::json, p.at,
      CASE WHEN p.is_notice THEN 'system' WHEN p.is_answer THEN 'assistant' ELSE 'user' END, p.answer_status, p.reply_to
    FROM placed p WHERE p.fits
  )
  SELECT p.ord::integer,
    CASE
      WHEN p.fits OR (p.old_id = p.id AND (NOT p.is_answer OR p.old_hash = p.hash)) THEN 'new'
      WHEN p.old_seq IS NOT NULL THEN CASE WHEN p.old_hash = p.hash THEN 'duplicate' ELSE 'mismatch' END
      WHEN NOT p.is_held THEN CASE WHEN EXISTS (SELECT 1 FROM rooms z
        WHERE z.tenant_id = p.t AND z.room_id = p.r AND z.deleted_at IS NULL) THEN 'locked' ELSE 'no_room' END
      WHEN p.role IS NULL THEN 'not_member'
      WHEN p.ai AND NOT p.is_answer AND p.ord <> ALL (p_job_items) THEN 'ai'
      WHEN p.storable THEN 'busy'
      ELSE 'posting'
    END,
    CASE WHEN p.fits THEN p.id ELSE p.old_id END,
    CASE WHEN p.fits THEN p.seq0 + p.n ELSE p.old_seq END,
    CASE WHEN p.fits THEN p.rev0 + p.n ELSE p.old_rev END,
    CASE WHEN p.fits THEN p.at ELSE p.old_at END
  FROM placed p;
  IF cardinality(p_job_items) > 0 THEN
    WITH made AS (
      INSERT INTO jobs (tenant_id, kind, key, payload)
      SELECT m.tenant_id, w.kind, w.key, w.payload::jsonb || jsonb_build_object('message_id', m.message_id, 'seq', m.seq)
      FROM unnest(p_job_items, p_job_kinds, p_job_keys, p_job_payloads) w(item, kind, key, payload)
      CROSS JOIN LATERAL (SELECT y.* FROM messages y
        WHERE y.tenant_id = p_tenants[w.item] AND y.message_id = p_ids[w.item] OFFSET 0) m
      JOIN unnest(held_tenants, held_rooms, held_seqs) h(t, r, seq0) ON h.t = m.tenant_id AND h.r = m.room_id
      WHERE m.seq > h.seq0
      ORDER BY w.item
      RETURNING tenant_id, kind, payload
    )
    INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq)
    SELECT n.tenant_id, (n.payload->>'run_id')::uuid, (n.payload->>'room_id')::uuid, n.payload->>'user_id',
      (n.payload->>'seq')::bigint
    FROM made n WHERE n.kind = 'run';
  END IF;
  IF cardinality(p_answer_items) > 0 THEN
    UPDATE runs q SET state = m.status, answer_seq = m.seq, ended_at = m.created_at, channel = d.channel,
      model = d.model, finish_reason = d.finish_reason, prompt_tokens = d.prompt_tokens,
      completion_tokens = d.completion_tokens, total_tokens = d.total_tokens, estimated = d.estimated,
      error_code = d.error_code, error_message = d.error_message, token_count = d.token_count, cost = d.cost,
      reasoning = d.reasoning
    FROM unnest(p_answer_items, p_answer_runs) w(item, run)
    CROSS JOIN LATERAL (SELECT y.* FROM messages y
      WHERE y.tenant_id = p_tenants[w.item] AND y.message_id = p_ids[w.item] OFFSET 0) m
    CROSS JOIN LATERAL jsonb_to_record(w.run::jsonb) d(channel text, model text, finish_reason text,
      prompt_tokens bigint, completion_tokens bigint, total_tokens bigint, estimated boolean, error_code text,
      error_message text, token_count integer, cost numeric, reasoning text)
    WHERE q.tenant_id = m.tenant_id AND q.run_id = m.message_id AND q.state IN ('queued', 'streaming');
  END IF;
  IF true = ANY (held_agents) THEN
    PERFORM agents_asked(array_agg(h.t), array_agg(h.r), array_agg(h.seq0))
      FROM unnest(held_tenants, held_rooms, held_agents, held_seqs) h(t, r, agents, seq0) WHERE h.agents;
  END IF;
END $function$;
REVOKE ALL ON FUNCTION public.append_messages(p_lock_ms integer, p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[], p_contents text[], p_metas text[], p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[], p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.append_messages(p_lock_ms integer, p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[], p_contents text[], p_metas text[], p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[], p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[]) TO "chatapi_system";

-- Owned by chatapi_append.
CREATE OR REPLACE FUNCTION public.append_messages_hooked(p_lock_ms integer, p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[], p_contents text[], p_metas text[], p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[], p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[], p_hook_tenants uuid[], p_hook_kinds text[], p_hook_payloads text[], p_hook_delays bigint[])
 RETURNS TABLE(item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamp with time zone)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH appended AS MATERIALIZED (
    SELECT a.* FROM append_messages(p_lock_ms, p_tenants, p_rooms, p_ids, p_senders, p_client_ids, p_hashes,
      p_contents, p_metas, p_job_items, p_job_kinds, p_job_keys, p_job_payloads, p_reject_items, p_answer_items,
      p_answer_statuses, p_answer_replies, p_answer_runs) a
  ), hooked AS (
    INSERT INTO jobs (tenant_id, kind, key, payload, run_at)
    SELECT n.t, n.kind, n.r::text,
      n.payload::jsonb || jsonb_build_object('room_id', n.r, 'seqs', n.seqs),
      clock_timestamp() + n.delay_ms * interval '1 ms'
    FROM (
      SELECT h.t, p_rooms[a.item] AS r, h.kind, h.payload, h.delay_ms, jsonb_agg(a.seq ORDER BY a.seq) AS seqs
      FROM appended a JOIN unnest(p_hook_tenants, p_hook_kinds, p_hook_payloads, p_hook_delays)
        h(t, kind, payload, delay_ms)
        ON h.t = p_tenants[a.item]
      WHERE a.status = 'new' GROUP BY 1, 2, 3, 4, 5) n
  )
  SELECT a.item, a.status, a.message_id, a.seq, a.rev, a.created_at FROM appended a;
END $function$;
REVOKE ALL ON FUNCTION public.append_messages_hooked(p_lock_ms integer, p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[], p_contents text[], p_metas text[], p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[], p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[], p_hook_tenants uuid[], p_hook_kinds text[], p_hook_payloads text[], p_hook_delays bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.append_messages_hooked(p_lock_ms integer, p_tenants uuid[], p_rooms uuid[], p_ids uuid[], p_senders text[], p_client_ids text[], p_hashes bytea[], p_contents text[], p_metas text[], p_job_items integer[], p_job_kinds text[], p_job_keys text[], p_job_payloads text[], p_reject_items integer[], p_answer_items integer[], p_answer_statuses text[], p_answer_replies bigint[], p_answer_runs text[], p_hook_tenants uuid[], p_hook_kinds text[], p_hook_payloads text[], p_hook_delays bigint[]) TO "chatapi_system";

-- Owned by chatapi_append.
CREATE OR REPLACE FUNCTION public.append_states(p_held_tenants uuid[], p_held_rooms uuid[], p_tenants uuid[], p_rooms uuid[], p_kinds text[], p_messages uuid[], p_users text[], p_keys text[], p_ons boolean[], p_hook_tenants uuid[], p_hook_states text[], p_hook_kinds text[], p_hook_payloads text[])
 RETURNS TABLE(item integer, status text, message_id uuid, seq bigint, rev bigint, created_at timestamp with time zone, state jsonb)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
AS $function$
#variable_conflict use_column
DECLARE
  ts timestamptz(3) := date_trunc('milliseconds', clock_timestamp());
  change record;
  room rooms;
  role text;
  told jsonb;
  made jsonb := '[]';
BEGIN
  FOR change IN
    SELECT u.*, h.r IS NOT NULL AS is_held,
      row_number() OVER (PARTITION BY u.t, u.r ORDER BY u.ord) = 1 AS is_first,
      row_number() OVER (PARTITION BY u.t, u.r ORDER BY u.ord DESC) = 1 AS is_last
    FROM unnest(p_tenants, p_rooms, p_kinds, p_messages, p_users, p_keys, p_ons)
      WITH ORDINALITY u(t, r, kind, id, member, key, is_on, ord)
    LEFT JOIN unnest(p_held_tenants, p_held_rooms) h(t, r) ON h.t = u.t AND h.r = u.r
    ORDER BY u.t, u.r, u.ord
  LOOP
    IF change.is_first THEN
      SELECT * INTO room FROM rooms q WHERE q.tenant_id = change.t AND q.room_id = change.r AND q.deleted_at IS NULL;
      made := '[]';
    END IF;
    SELECT k.role INTO role FROM room_members k
      WHERE k.tenant_id = change.t AND k.room_id = change.r AND k.user_id = change.member;
    told := CASE
      WHEN room.room_id IS NULL THEN '{"status": "no_room"}'
      WHEN NOT change.is_held THEN '{"status": "locked"}'
      WHEN role IS NULL THEN '{"status": "not_member"}'
      WHEN change.kind = 'reaction' THEN
        reaction_set(room, room.last_rev + 1, ts, change.id, change.member, role, change.key, change.is_on)
      WHEN change.kind = 'pin' THEN
        pin_set(room, room.last_rev + 1, ts, change.id, change.member, role, change.key, change.is_on)
    END;
    IF told->>'status' = 'new' THEN
      room.last_rev := room.last_rev + 1;
      made := made || jsonb_build_array(told - 'status' || jsonb_build_object('state', change.kind,
        'message_id', change.id, 'user_id', change.member, 'on', change.is_on));
    END IF;
    RETURN QUERY SELECT change.ord::integer, told->>'status', change.id, (told->>'seq')::bigint, (told->>'rev')::bigint,
      ts::timestamptz, told;
    IF change.is_last AND made <> '[]' THEN
      UPDATE rooms q SET last_rev = room.last_rev, has_states = true
      WHERE q.tenant_id = change.t AND q.room_id = change.r;
      IF change.t = ANY (p_hook_tenants) THEN
        INSERT INTO jobs (tenant_id, kind, key, payload)
        SELECT h.t, h.kind, change.r::text, h.payload::jsonb || jsonb_build_object('room_id', change.r, 'changes', c.list)
        FROM unnest(p_hook_tenants, p_hook_states, p_hook_kinds, p_hook_payloads) h(t, state, kind, payload)
        CROSS JOIN LATERAL (SELECT jsonb_agg(m - ARRAY['state', 'reactions', 'replaced', 'pinned_at'] ORDER BY (m->>'rev')::bigint) AS list FROM jsonb_array_elements(made) m
          WHERE m->>'state' = h.state AND (h.state <> 'pin' OR (m->>'on')::boolean)) c
        WHERE h.t = change.t AND c.list IS NOT NULL;
      END IF;
    END IF;
  END LOOP;
END $function$;
REVOKE ALL ON FUNCTION public.append_states(p_held_tenants uuid[], p_held_rooms uuid[], p_tenants uuid[], p_rooms uuid[], p_kinds text[], p_messages uuid[], p_users text[], p_keys text[], p_ons boolean[], p_hook_tenants uuid[], p_hook_states text[], p_hook_kinds text[], p_hook_payloads text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.append_states(p_held_tenants uuid[], p_held_rooms uuid[], p_tenants uuid[], p_rooms uuid[], p_kinds text[], p_messages uuid[], p_users text[], p_keys text[], p_ons boolean[], p_hook_tenants uuid[], p_hook_states text[], p_hook_kinds text[], p_hook_payloads text[]) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.audit_append(p_tenant uuid, p_ipad bytea, p_opad bytea, p_key_id text, p_actor text, p_actor_user text, p_action text, p_target text, p_entry jsonb, p_address text, p_user text)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  actor text := p_actor;
  subject text;
  head audit_heads;
  written_at timestamptz(3);
  entry text;
  row_mac bytea;
BEGIN
  IF p_actor_user IS NOT NULL THEN actor := 'person:' || audit_subject(p_tenant, p_actor_user); END IF;
  IF p_user IS NOT NULL THEN subject := audit_subject(p_tenant, p_user); END IF;
  INSERT INTO audit_heads AS h (tenant_id, n, mac, key_id, seal)
  VALUES (p_tenant, 1, decode(repeat('00', 32), 'hex'), p_key_id, '')
  ON CONFLICT (tenant_id) DO UPDATE SET n = h.n + 1 RETURNING * INTO head;
  -- Of this row's turn, so that the times rise with the numbers.
  written_at := clock_timestamp();
  entry := (p_entry || jsonb_build_object(
    'n', head.n, 'at', to_char(written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'tenant', p_tenant,
    'actor', actor, 'action', p_action, 'target', p_target, 'subject', subject,
    'address', CASE WHEN p_actor_user IS NULL THEN p_address END))::text;
  row_mac := sha256(p_opad || sha256(p_ipad || head.mac || convert_to(entry, 'UTF8')));
  INSERT INTO audit_log (tenant_id, n, at, actor, action, target, subject, entry, key_id, mac, address)
  VALUES (p_tenant, head.n, written_at, actor, p_action, p_target, subject, entry, p_key_id, row_mac,
    CASE WHEN p_actor_user IS NOT NULL THEN p_address END);
  UPDATE audit_heads h SET mac = row_mac, key_id = p_key_id,
    seal = sha256(p_opad || sha256(p_ipad || convert_to('head ' || head.n || ' ', 'UTF8') || row_mac))
  WHERE h.tenant_id = p_tenant;
  RETURN head.n;
END $function$;
REVOKE ALL ON FUNCTION public.audit_append(p_tenant uuid, p_ipad bytea, p_opad bytea, p_key_id text, p_actor text, p_actor_user text, p_action text, p_target text, p_entry jsonb, p_address text, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.audit_append(p_tenant uuid, p_ipad bytea, p_opad bytea, p_key_id text, p_actor text, p_actor_user text, p_action text, p_target text, p_entry jsonb, p_address text, p_user text) TO "chatapi_system";
GRANT EXECUTE ON FUNCTION public.audit_append(p_tenant uuid, p_ipad bytea, p_opad bytea, p_key_id text, p_actor text, p_actor_user text, p_action text, p_target text, p_entry jsonb, p_address text, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.audit_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  known text := (SELECT s.ref FROM audit_subjects s WHERE s.tenant_id = p_tenant AND s.user_id = p_user);
  addresses bigint;
BEGIN
  IF known IS NULL THEN RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', NULL); END IF;
  UPDATE audit_log l SET address = NULL WHERE l.tenant_id = p_tenant AND l.n = ANY (ARRAY(SELECT x.n FROM audit_log x
    WHERE x.tenant_id = p_tenant AND x.actor = 'person:' || known AND x.address IS NOT NULL LIMIT p_limit));
  GET DIAGNOSTICS addresses = ROW_COUNT;
  IF addresses = p_limit THEN
    RETURN jsonb_build_object('counts', jsonb_build_object('audit_addresses', addresses), 'after', jsonb_build_object());
  END IF;
  DELETE FROM audit_subjects s WHERE s.tenant_id = p_tenant AND s.ref = known;
  RETURN jsonb_build_object('counts', jsonb_build_object('audit_addresses', addresses, 'audit_subjects', 1), 'after', NULL);
END $function$;
REVOKE ALL ON FUNCTION public.audit_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.audit_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.audit_result(p_tenant uuid, p_ipad bytea, p_opad bytea, p_key_id text, p_actor text, p_actor_user text, p_action text, p_target text, p_entry jsonb, p_address text, p_result jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  told jsonb := p_result -> 'audit';
BEGIN
  IF told IS NULL THEN RETURN p_result; END IF;
  PERFORM audit_append(p_tenant, p_ipad, p_opad, p_key_id, p_actor, p_actor_user, p_action, p_target,
    p_entry || (told - 'user'), p_address, told ->> 'user');
  RETURN (p_result - 'audit') || jsonb_build_object('audited', true);
END $function$;
REVOKE ALL ON FUNCTION public.audit_result(p_tenant uuid, p_ipad bytea, p_opad bytea, p_key_id text, p_actor text, p_actor_user text, p_action text, p_target text, p_entry jsonb, p_address text, p_result jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.audit_result(p_tenant uuid, p_ipad bytea, p_opad bytea, p_key_id text, p_actor text, p_actor_user text, p_action text, p_target text, p_entry jsonb, p_address text, p_result jsonb) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.audit_subject(p_tenant uuid, p_user text)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  known text;
BEGIN
  LOOP
    SELECT s.ref INTO known FROM audit_subjects s WHERE s.tenant_id = p_tenant AND s.user_id = p_user;
    IF FOUND THEN RETURN known; END IF;
    INSERT INTO audit_subjects (tenant_id, ref, user_id)
    VALUES (p_tenant, 'person_' || replace(gen_random_uuid()::text, '-', ''), p_user)
    ON CONFLICT (tenant_id, user_id) DO NOTHING;
  END LOOP;
END $function$;
REVOKE ALL ON FUNCTION public.audit_subject(p_tenant uuid, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.audit_subject(p_tenant uuid, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.budget_refusal(p_name text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  RETURN CASE WHEN p_name IS NOT NULL THEN jsonb_build_object('limit', p_name, 'seconds_left',
    ceil(extract(epoch FROM date_trunc('day', clock_timestamp(), 'UTC') + interval '1 day' - clock_timestamp()))) END;
END $function$;
REVOKE ALL ON FUNCTION public.budget_refusal(p_name text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.budget_refusal(p_name text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.budget_room(p_tenant uuid, p_day date, p_user text, p_room uuid, p_context bigint, p_want bigint, p_input numeric, p_output numeric)
 RETURNS TABLE(tokens bigint, name text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT LEAST(p_want, CASE WHEN NOT b.is_cost THEN floor(b.most - b.used) - p_context
      WHEN b.most - b.used < p_context * p_input / 1000000 THEN 0
      WHEN p_output > 0 THEN floor((b.most - b.used) * 1000000 / p_output - p_context * p_input / p_output)
      ELSE p_want END)::bigint, b.name
  FROM budgets_of(p_tenant, p_day, p_user, p_room, true) b
  ORDER BY 1 LIMIT 1;
END $function$;
REVOKE ALL ON FUNCTION public.budget_room(p_tenant uuid, p_day date, p_user text, p_room uuid, p_context bigint, p_want bigint, p_input numeric, p_output numeric) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.budget_room(p_tenant uuid, p_day date, p_user text, p_room uuid, p_context bigint, p_want bigint, p_input numeric, p_output numeric) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.budget_spent(p_tenant uuid, p_user text, p_room uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  which text;
BEGIN
  SELECT b.name INTO which
    FROM budgets_of(p_tenant, (clock_timestamp() AT TIME ZONE 'UTC')::date, p_user, p_room, false) b
    WHERE b.used >= b.most LIMIT 1;
  RETURN budget_refusal(which);
END $function$;
REVOKE ALL ON FUNCTION public.budget_spent(p_tenant uuid, p_user text, p_room uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.budget_spent(p_tenant uuid, p_user text, p_room uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.budgets_of(p_tenant uuid, p_day date, p_user text, p_room uuid, p_reserved boolean)
 RETURNS TABLE(name text, is_cost boolean, most numeric, used numeric)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
AS $function$
#variable_conflict use_column
BEGIN
  -- Who has no budget has calls that nobody folds.
  IF NOT EXISTS (SELECT FROM tenants t WHERE t.tenant_id = p_tenant AND COALESCE(t.limits->>'tokens_per_day',
    t.limits->>'cost_per_day', t.limits->>'tokens_per_user_per_day', t.limits->>'tokens_per_chat_per_day') IS NOT NULL)
  THEN RETURN; END IF;
  RETURN QUERY
  WITH open AS MATERIALIZED (
    SELECT COALESCE(sum(c.tokens), 0) AS all_tokens, COALESCE(sum(c.cost), 0) AS all_cost,
      COALESCE(sum(c.tokens) FILTER (WHERE c.user_id = p_user), 0) AS user_tokens,
      COALESCE(sum(c.tokens) FILTER (WHERE c.room_id = p_room), 0) AS chat_tokens
    FROM (SELECT x.user_id, x.room_id, COALESCE(x.tokens, CASE WHEN p_reserved THEN x.reserved END) AS tokens,
        COALESCE(x.cost, CASE WHEN p_reserved THEN x.reserved_cost END) AS cost
      FROM charges x WHERE x.tenant_id = p_tenant AND x.day = p_day AND NOT x.is_folded) c
  )
  SELECT b.name, b.is_cost, b.most, COALESCE(CASE WHEN b.is_cost THEN d.cost ELSE d.tokens END, 0) + b.open
  FROM tenants t CROSS JOIN open o
  CROSS JOIN LATERAL (VALUES
    (1, 'tokens_per_day', false, (t.limits->>'tokens_per_day')::numeric, 'tenant', '', o.all_tokens),
    (2, 'cost_per_day', true, (t.limits->>'cost_per_day')::numeric, 'tenant', '', o.all_cost),
    (3, 'tokens_per_user_per_day', false, (t.limits->>'tokens_per_user_per_day')::numeric, 'user', p_user, o.user_tokens),
    (4, 'tokens_per_chat_per_day', false, (t.limits->>'tokens_per_chat_per_day')::numeric, 'chat', p_room::text, o.chat_tokens)
  ) b(place, name, is_cost, most, scope, subject, open)
  LEFT JOIN charge_days d ON d.tenant_id = p_tenant AND d.day = p_day AND d.scope = b.scope AND d.subject = b.subject
  WHERE t.tenant_id = p_tenant AND b.most IS NOT NULL AND b.subject IS NOT NULL
  ORDER BY b.place;
END $function$;
REVOKE ALL ON FUNCTION public.budgets_of(p_tenant uuid, p_day date, p_user text, p_room uuid, p_reserved boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.budgets_of(p_tenant uuid, p_day date, p_user text, p_room uuid, p_reserved boolean) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.channels_import(p_tenant uuid, p_rows json)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  made integer;
BEGIN
  INSERT INTO model_channels (tenant_id, channel_id, name, provider, base_url, model, priority, weight, enabled, max_tokens,
    temperature, timeout_ms, options, created_at, updated_at)
  SELECT p_tenant, x.channel_id, x.name, x.provider, x.base_url, x.model, x.priority, x.weight, x.enabled, x.max_tokens,
    x.temperature, x.timeout_ms, x.options, x.created_at, x.updated_at
  FROM json_to_recordset(p_rows) x(channel_id uuid, name text, provider text, base_url text, model text, priority integer,
    weight integer, enabled boolean, max_tokens integer, temperature double precision, timeout_ms integer, options jsonb,
    created_at timestamptz, updated_at timestamptz)
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END $function$;
REVOKE ALL ON FUNCTION public.channels_import(p_tenant uuid, p_rows json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.channels_import(p_tenant uuid, p_rows json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.charge_end(p_tenant uuid, p_charge uuid, p_used jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  used bigint := (p_used->>'tokens')::bigint;
BEGIN
  UPDATE charges c SET ended_at = clock_timestamp(), tokens = COALESCE(used, c.context_tokens),
    cost = COALESCE((p_used->>'cost')::numeric, (LEAST(COALESCE(used, c.context_tokens), c.context_tokens) * c.price_input
      + GREATEST(0, COALESCE(used, 0) - c.context_tokens) * c.price_output) / 1000000)
    WHERE c.tenant_id = p_tenant AND c.charge_id = p_charge AND c.ended_at IS NULL;
END $function$;
REVOKE ALL ON FUNCTION public.charge_end(p_tenant uuid, p_charge uuid, p_used jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.charge_end(p_tenant uuid, p_charge uuid, p_used jsonb) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.charge_extend(p_tenant uuid, p_charge uuid, p_more bigint)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
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
END $function$;
REVOKE ALL ON FUNCTION public.charge_extend(p_tenant uuid, p_charge uuid, p_more bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.charge_extend(p_tenant uuid, p_charge uuid, p_more bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.charge_fold(p_tenant uuid, p_charge uuid)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  PERFORM charges_fold(p_tenant, c.day) FROM charges c WHERE c.tenant_id = p_tenant AND c.charge_id = p_charge AND NOT c.is_folded;
END $function$;
REVOKE ALL ON FUNCTION public.charge_fold(p_tenant uuid, p_charge uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.charge_fold(p_tenant uuid, p_charge uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.charge_reserve(p_tenant uuid, p_charge uuid, p_user text, p_room uuid, p_context bigint, p_answer bigint, p_prices jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
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
END $function$;
REVOKE ALL ON FUNCTION public.charge_reserve(p_tenant uuid, p_charge uuid, p_user text, p_room uuid, p_context bigint, p_answer bigint, p_prices jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.charge_reserve(p_tenant uuid, p_charge uuid, p_user text, p_room uuid, p_context bigint, p_answer bigint, p_prices jsonb) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.charges_fold(p_tenant uuid, p_day date)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
AS $function$
DECLARE
  limits jsonb;
  scopes text[];
  subjects text[];
  names text[];
BEGIN
  PERFORM FROM charge_days d
    WHERE d.tenant_id = p_tenant AND d.day = p_day AND d.scope = 'tenant' AND d.subject = '' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    INSERT INTO charge_days (tenant_id, day, scope, subject) VALUES (p_tenant, p_day, 'tenant', '') ON CONFLICT DO NOTHING;
    PERFORM FROM charge_days d
      WHERE d.tenant_id = p_tenant AND d.day = p_day AND d.scope = 'tenant' AND d.subject = '' FOR NO KEY UPDATE;
  END IF;
  UPDATE charges c SET ended_at = clock_timestamp(), tokens = c.context_tokens, cost = c.context_tokens * c.price_input / 1000000
    WHERE c.tenant_id = p_tenant AND c.day = p_day AND NOT c.is_folded AND c.ended_at IS NULL AND c.room_id IS NULL
      AND c.created_at < clock_timestamp() - interval '1 hour';
  SELECT t.limits INTO limits FROM tenants t WHERE t.tenant_id = p_tenant;
  WITH ended AS (
    UPDATE charges c SET is_folded = true
    WHERE c.tenant_id = p_tenant AND c.charge_id = ANY (ARRAY(SELECT x.charge_id FROM charges x
      WHERE x.tenant_id = p_tenant AND x.day = p_day AND NOT x.is_folded AND x.ended_at IS NOT NULL LIMIT 1000))
    RETURNING c.user_id, c.room_id, c.tokens, c.cost
  ), summed AS (
    INSERT INTO charge_days AS d (tenant_id, day, scope, subject, tokens, cost)
    SELECT p_tenant, p_day, s.scope, s.subject, sum(e.tokens), sum(e.cost) FROM ended e CROSS JOIN LATERAL (VALUES
      (1, 'tenant', ''), (2, 'user', e.user_id), (3, 'chat', e.room_id::text)) s(place, scope, subject)
    WHERE s.subject IS NOT NULL GROUP BY s.place, s.scope, s.subject ORDER BY s.place, s.subject COLLATE "C"
    ON CONFLICT (tenant_id, day, scope, subject) DO UPDATE
      SET tokens = d.tokens + EXCLUDED.tokens, cost = d.cost + EXCLUDED.cost
    RETURNING d.scope, d.subject, d.tokens, d.cost, d.warned
  )
  SELECT array_agg(w.scope), array_agg(w.subject), array_agg(b.name) INTO scopes, subjects, names
  FROM summed w CROSS JOIN LATERAL (VALUES
    ('tenant', 'tokens_per_day', w.tokens::numeric), ('tenant', 'cost_per_day', w.cost),
    ('user', 'tokens_per_user_per_day', w.tokens), ('chat', 'tokens_per_chat_per_day', w.tokens)) b(scope, name, used)
  WHERE b.scope = w.scope AND b.used > 0 AND b.used >= 0.8 * (limits->>b.name)::numeric AND b.name <> ALL (w.warned);
  FOR n IN 1 .. COALESCE(cardinality(names), 0) LOOP
    UPDATE charge_days d SET warned = d.warned || names[n]
      WHERE d.tenant_id = p_tenant AND d.day = p_day AND d.scope = scopes[n] AND d.subject = subjects[n];
  END LOOP;
END $function$;
REVOKE ALL ON FUNCTION public.charges_fold(p_tenant uuid, p_day date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.charges_fold(p_tenant uuid, p_day date) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_answer_again(p_tenant uuid, p_room uuid, p_run uuid, p_seq bigint, p_options text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  asked messages;
  last runs;
  chat chats;
  changed jsonb;
  spent jsonb;
  asked_with text;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  SELECT * INTO chat FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  SELECT * INTO asked FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.kind = 'user'
    AND m.seq >= room.first_seq AND m.deleted_at IS NULL AND (p_seq IS NULL OR m.seq = p_seq) ORDER BY m.seq DESC LIMIT 1;
  IF asked.seq IS NULL THEN RETURN jsonb_build_object('status', 'nothing'); END IF;
  SELECT * INTO last FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.reply_to_seq = asked.seq
    ORDER BY q.created_at DESC, q.run_id DESC LIMIT 1;
  IF p_seq IS NOT NULL AND last.run_id IS NOT NULL AND last.error_code IS NULL THEN
    RETURN jsonb_build_object('status', 'kept', 'run_id', last.run_id);
  END IF;
  IF p_seq IS NULL AND EXISTS (SELECT 1 FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room
    AND q.state IN ('queued', 'streaming')) THEN RETURN jsonb_build_object('status', 'busy'); END IF;
  spent := budget_spent(p_tenant, chat.user_id, p_room);
  IF spent IS NOT NULL THEN RETURN spent || jsonb_build_object('status', 'spent'); END IF;
  WITH old AS (
    SELECT m.seq, row_number() OVER (ORDER BY m.seq) AS n FROM messages m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq > asked.seq AND m.reply_to_seq = asked.seq
      AND m.status <> 'superseded'
  ), done AS (
    UPDATE messages m SET status = 'superseded', rev = room.last_rev + old.n FROM old
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = old.seq RETURNING m.*
  )
  SELECT jsonb_agg(message_json(d) ORDER BY d.seq) INTO changed FROM done d;
  UPDATE rooms r SET last_rev = r.last_rev + COALESCE(jsonb_array_length(changed), 0)
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  asked_with := COALESCE(p_options, last.options::text);
  INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, options)
  VALUES (p_tenant, p_run, p_room, chat.user_id, asked.seq, asked_with::json);
  INSERT INTO jobs (tenant_id, kind, key, payload) VALUES (p_tenant, 'run', p_room::text, jsonb_strip_nulls(
    jsonb_build_object('run_id', p_run, 'room_id', p_room, 'user_id', chat.user_id, 'message_id', asked.message_id,
      'seq', asked.seq, 'options', asked_with)));
  RETURN jsonb_build_object('status', 'ok', 'run_id', p_run, 'seq', asked.seq, 'changed', COALESCE(changed, '[]'));
END $function$;
REVOKE ALL ON FUNCTION public.chat_answer_again(p_tenant uuid, p_room uuid, p_run uuid, p_seq bigint, p_options text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_answer_again(p_tenant uuid, p_room uuid, p_run uuid, p_seq bigint, p_options text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_clear(p_tenant uuid, p_room uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  UPDATE chats c SET cleared_seq = room.last_seq WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok');
END $function$;
REVOKE ALL ON FUNCTION public.chat_clear(p_tenant uuid, p_room uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_clear(p_tenant uuid, p_room uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_create(p_tenant uuid, p_room uuid, p_user text, p_group text, p_preset text, p_agent text, p_title text, p_metadata json, p_auto_title boolean, p_active boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  existing uuid;
BEGIN
  IF p_active THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('chat ' || jsonb_build_array(p_tenant, p_user, p_group, p_preset)::text, 0));
    SELECT c.room_id INTO existing FROM chats c WHERE c.tenant_id = p_tenant AND c.user_id = p_user
      AND COALESCE(c.group_id, '') = COALESCE(p_group, '') AND c.preset = p_preset AND c.is_active;
    IF existing IS NOT NULL THEN
      RETURN jsonb_build_object('status', 'ok', 'made', false, 'chat', chat_json(p_tenant, existing));
    END IF;
  END IF;
  PERFORM users_ensure(p_tenant, ARRAY[p_user, p_agent]);
  INSERT INTO rooms (tenant_id, room_id, type, name, metadata, member_count, members_added)
  VALUES (p_tenant, p_room, 'ai', p_title, p_metadata, 2, 2);
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
  VALUES (p_tenant, p_room, p_user, 'member', 0, 1), (p_tenant, p_room, p_agent, 'agent', 0, 2);
  INSERT INTO chats (tenant_id, room_id, user_id, group_id, preset, auto_title, is_active)
  VALUES (p_tenant, p_room, p_user, p_group, p_preset, p_auto_title, p_active);
  RETURN jsonb_build_object('status', 'ok', 'made', true, 'chat', chat_json(p_tenant, p_room));
END $function$;
REVOKE ALL ON FUNCTION public.chat_create(p_tenant uuid, p_room uuid, p_user text, p_group text, p_preset text, p_agent text, p_title text, p_metadata json, p_auto_title boolean, p_active boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_create(p_tenant uuid, p_room uuid, p_user text, p_group text, p_preset text, p_agent text, p_title text, p_metadata json, p_auto_title boolean, p_active boolean) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_delete(p_tenant uuid, p_room uuid, p_by text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  UPDATE rooms r SET deleted_at = clock_timestamp(), updated_at = clock_timestamp(), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE runs q SET state = 'cancelled', is_cancelled = true, ended_at = clock_timestamp()
  WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.state IN ('queued', 'streaming');
  UPDATE chats c SET deleted_at = clock_timestamp(), is_active = false
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  PERFORM room_log(p_tenant, p_room, room.last_rev, 'room.deleted',
    jsonb_build_array(jsonb_build_object('room_id', p_room, 'by', p_by)));
  RETURN jsonb_build_object('status', 'ok');
END $function$;
REVOKE ALL ON FUNCTION public.chat_delete(p_tenant uuid, p_room uuid, p_by text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_delete(p_tenant uuid, p_room uuid, p_by text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_external(p_tenant uuid, p_room uuid, p_user text, p_external text, p_preset text, p_agent text, p_title text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  existing uuid;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('chat id ' || jsonb_build_array(p_tenant, p_user, p_external)::text, 0));
  SELECT c.room_id INTO existing FROM chats c WHERE c.tenant_id = p_tenant AND c.user_id = p_user
    AND c.external_id = p_external AND c.deleted_at IS NULL;
  IF existing IS NULL THEN
    PERFORM chat_create(p_tenant, p_room, p_user, NULL, p_preset, p_agent, p_title, NULL, true, false);
    UPDATE chats c SET external_id = p_external WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'made', existing IS NULL,
    'chat', chat_json(p_tenant, COALESCE(existing, p_room)));
END $function$;
REVOKE ALL ON FUNCTION public.chat_external(p_tenant uuid, p_room uuid, p_user text, p_external text, p_preset text, p_agent text, p_title text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_external(p_tenant uuid, p_room uuid, p_user text, p_external text, p_preset text, p_agent text, p_title text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_import(p_tenant uuid, p_room uuid, p_row json)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  INSERT INTO chats (tenant_id, room_id, user_id, group_id, preset, auto_title, is_active, cleared_seq, created_at, active_at,
    external_id)
  SELECT p_tenant, p_room, x.user_id, x.group_id, x.preset, x.auto_title, x.is_active AND NOT EXISTS (SELECT 1 FROM chats c
      WHERE c.tenant_id = p_tenant AND c.user_id = x.user_id AND COALESCE(c.group_id, '') = COALESCE(x.group_id, '')
        AND c.preset = x.preset AND c.is_active), x.cleared_seq, x.created_at, x.active_at,
    CASE WHEN NOT EXISTS (SELECT 1 FROM chats c WHERE c.tenant_id = p_tenant AND c.user_id = x.user_id
      AND c.external_id = x.external_id AND c.deleted_at IS NULL) THEN x.external_id END
  FROM json_to_record(p_row) x(user_id text, group_id text, preset text, auto_title boolean, is_active boolean,
    cleared_seq bigint, created_at timestamptz, active_at timestamptz, external_id text)
  ON CONFLICT (tenant_id, room_id) DO NOTHING
$function$;
REVOKE ALL ON FUNCTION public.chat_import(p_tenant uuid, p_room uuid, p_row json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_import(p_tenant uuid, p_room uuid, p_row json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_json(p_tenant uuid, p_room uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT jsonb_build_object('room_id', c.room_id, 'user_id', c.user_id, 'group_id', c.group_id, 'preset', c.preset,
    'external_id', c.external_id,
    'created_at', c.created_at, 'name', r.name, 'metadata', r.metadata, 'metadata_text', r.metadata::text, 'updated_at', r.updated_at,
    'last_message_at', r.last_message_at, 'message_count', r.message_count, 'last_seq', r.last_seq)
  FROM chats c CROSS JOIN LATERAL chat_room(c.tenant_id, c.room_id) r
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room
$function$;
REVOKE ALL ON FUNCTION public.chat_json(p_tenant uuid, p_room uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_json(p_tenant uuid, p_room uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_revise(p_tenant uuid, p_room uuid, p_run uuid, p_message uuid, p_client text, p_content text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  asked messages;
  last runs;
  is_question boolean;
  is_answer boolean;
  is_under_way boolean;
  again jsonb;
  edited jsonb;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  SELECT * INTO asked FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.kind = 'user'
    AND m.seq >= room.first_seq AND m.deleted_at IS NULL ORDER BY m.seq DESC LIMIT 1;
  IF asked.seq IS NULL THEN RETURN jsonb_build_object('status', 'nothing'); END IF;
  SELECT * INTO last FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.reply_to_seq = asked.seq
    ORDER BY q.created_at DESC, q.run_id DESC LIMIT 1;
  is_question := COALESCE(asked.message_id = p_message, false) OR COALESCE(asked.client_message_id = p_client, false);
  is_answer := EXISTS (SELECT 1 FROM runs q WHERE q.tenant_id = p_tenant AND q.room_id = p_room AND q.run_id = p_message
    AND q.reply_to_seq = asked.seq);
  is_under_way := COALESCE(last.state IN ('queued', 'streaming'), false);
  IF p_client IS NOT NULL AND NOT is_question AND (p_content IS NOT NULL OR NOT is_answer) THEN
    RETURN jsonb_build_object('status', 'other');
  END IF;
  IF (is_under_way AND COALESCE(p_content, asked.content) = asked.content)
    OR (is_answer AND p_message <> last.run_id AND last.error_code IS NULL) THEN
    RETURN jsonb_build_object('status', 'kept', 'run_id', last.run_id);
  END IF;
  again := chat_answer_again(p_tenant, p_room, p_run, NULL, NULL);
  -- There is a room and a question, so it can refuse for two reasons.
  again := again || jsonb_build_object('status',
    CASE again->>'status' WHEN 'ok' THEN 'ok' WHEN 'spent' THEN 'spent' ELSE 'busy' END);
  IF again->>'status' <> 'ok' OR COALESCE(p_content, asked.content) = asked.content THEN RETURN again; END IF;
  edited := message_edit(p_tenant, p_room, asked.message_id, asked.sender_id, p_content, NULL);
  IF edited->>'status' <> 'ok' THEN RAISE EXCEPTION 'the question could not be changed: %', edited->>'status'; END IF;
  RETURN jsonb_set(again, '{changed}', again->'changed' || jsonb_build_array(edited->'message'));
END $function$;
REVOKE ALL ON FUNCTION public.chat_revise(p_tenant uuid, p_room uuid, p_run uuid, p_message uuid, p_client text, p_content text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_revise(p_tenant uuid, p_room uuid, p_run uuid, p_message uuid, p_client text, p_content text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_room(p_tenant uuid, p_room uuid)
 RETURNS TABLE(name text, metadata json, updated_at timestamp with time zone, last_message_at timestamp with time zone, message_count bigint, last_seq bigint)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT r.name, r.metadata, r.updated_at, r.last_message_at, r.last_seq - r.first_seq + 1, r.last_seq
  FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL
$function$;
REVOKE ALL ON FUNCTION public.chat_room(p_tenant uuid, p_room uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_room(p_tenant uuid, p_room uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chat_update(p_tenant uuid, p_room uuid, p_title text, p_metadata json, p_max_bytes integer, p_only_auto boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  merged json;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF p_only_auto AND NOT (SELECT c.auto_title FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = p_room) THEN
    RETURN jsonb_build_object('status', 'kept');
  END IF;
  merged := CASE WHEN p_metadata IS NULL THEN room.metadata ELSE json_merge(room.metadata, p_metadata) END;
  IF p_metadata IS NOT NULL AND json_bytes(merged::jsonb) > p_max_bytes THEN
    RETURN jsonb_build_object('status', 'too_large');
  END IF;
  UPDATE rooms r SET name = COALESCE(p_title, r.name), metadata = merged, last_rev = r.last_rev + 1,
    updated_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  IF p_title IS NOT NULL THEN
    UPDATE chats c SET auto_title = false WHERE c.tenant_id = p_tenant AND c.room_id = p_room;
  END IF;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated', jsonb_build_array(room_json(room)));
  RETURN jsonb_build_object('status', 'ok', 'chat', chat_json(p_tenant, p_room));
END $function$;
REVOKE ALL ON FUNCTION public.chat_update(p_tenant uuid, p_room uuid, p_title text, p_metadata json, p_max_bytes integer, p_only_auto boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chat_update(p_tenant uuid, p_room uuid, p_title text, p_metadata json, p_max_bytes integer, p_only_auto boolean) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chats_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  behind uuid := COALESCE((p_after->>'room')::uuid, '00000000-0000-0000-0000-000000000000');
  again jsonb := COALESCE(p_after, '{}');
  chat uuid;
  stopped jsonb;
  gone bigint;
  seqs bigint[];
BEGIN
  SELECT w.room_id INTO chat FROM (SELECT c.room_id, c.user_id FROM chats c
    WHERE c.tenant_id = p_tenant AND c.room_id > behind ORDER BY c.room_id LIMIT 10 * p_limit) w
  WHERE w.user_id = p_user ORDER BY w.room_id LIMIT 1;
  IF chat IS NULL THEN
    UPDATE charges c SET user_id = NULL WHERE c.tenant_id = p_tenant AND c.charge_id = ANY (ARRAY(SELECT x.charge_id
      FROM charges x WHERE x.tenant_id = p_tenant AND x.user_id = p_user
        AND (x.ended_at IS NOT NULL OR x.room_id IS NULL) LIMIT p_limit));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN RETURN jsonb_build_object('counts', jsonb_build_object('charges', gone), 'after', again); END IF;
    -- Answers that agents gave the user stay, as others' words; those that are written end first.
    UPDATE runs q SET is_cancelled = true WHERE q.tenant_id = p_tenant AND q.user_id = p_user AND q.agent_id IS NOT NULL
      AND q.state IN ('queued', 'streaming');
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
      RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', again, 'waits', true, 'runs', (SELECT jsonb_agg(q.run_id)
        FROM runs q WHERE q.tenant_id = p_tenant AND q.user_id = p_user AND q.agent_id IS NOT NULL AND q.is_cancelled
          AND q.state IN ('queued', 'streaming')));
    END IF;
    UPDATE room_agents a SET name = NULL, named_by = NULL WHERE a.tenant_id = p_tenant AND a.named_by = p_user;
    UPDATE runs q SET user_id = p_erased, error_message = NULL, options = NULL, reasoning = NULL WHERE q.tenant_id = p_tenant
      AND q.run_id = ANY (ARRAY(SELECT x.run_id FROM runs x WHERE x.tenant_id = p_tenant AND x.user_id = p_user
        AND x.agent_id IS NOT NULL LIMIT p_limit));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN RETURN jsonb_build_object('counts', jsonb_build_object('runs', gone), 'after', again); END IF;
    DELETE FROM charge_days d WHERE d.tenant_id = p_tenant AND d.scope = 'user' AND d.subject = p_user;
    RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', (SELECT jsonb_build_object('room', c.room_id)
      FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id > behind ORDER BY c.room_id OFFSET 10 * p_limit - 1 LIMIT 1));
  END IF;
  IF EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = chat AND r.deleted_at IS NULL) THEN
    SELECT COALESCE(jsonb_agg(q.run_id), '[]') INTO stopped FROM runs q
      WHERE q.tenant_id = p_tenant AND q.room_id = chat AND q.state IN ('queued', 'streaming');
    PERFORM chat_delete(p_tenant, chat, p_user);
    RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', again, 'deleted', chat, 'runs', stopped);
  END IF;
  seqs := ARRAY(SELECT x.seq FROM messages x WHERE x.tenant_id = p_tenant AND x.room_id = chat ORDER BY x.seq LIMIT p_limit);
  PERFORM message_states_drop(p_tenant, chat, seqs);
  DELETE FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = chat AND m.seq = ANY (seqs);
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN
    RETURN jsonb_build_object('counts', jsonb_build_object('messages', gone), 'after', again);
  END IF;
  DELETE FROM run_chunks k USING (
    SELECT x.run_id, x.first_index FROM runs q JOIN run_chunks x ON x.tenant_id = q.tenant_id AND x.run_id = q.run_id
    WHERE q.tenant_id = p_tenant AND q.room_id = chat LIMIT p_limit) g
  WHERE k.tenant_id = p_tenant AND k.run_id = g.run_id AND k.first_index = g.first_index;
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN RETURN jsonb_build_object('counts', jsonb_build_object('tokens', gone), 'after', again); END IF;
  DELETE FROM runs q WHERE q.tenant_id = p_tenant AND q.run_id = ANY (ARRAY(
    SELECT x.run_id FROM runs x WHERE x.tenant_id = p_tenant AND x.room_id = chat LIMIT p_limit));
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN RETURN jsonb_build_object('counts', jsonb_build_object('runs', gone), 'after', again); END IF;
  DELETE FROM cursors c WHERE c.tenant_id = p_tenant AND c.room_id = chat;
  DELETE FROM held_messages h WHERE h.tenant_id = p_tenant AND h.room_id = chat;
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = chat;
  DELETE FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = chat;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('chats', gone), 'after', again);
END $function$;
REVOKE ALL ON FUNCTION public.chats_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chats_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.chats_followed(p_run_tenants uuid[], p_runs uuid[], p_chat_tenants uuid[], p_chats uuid[])
 RETURNS TABLE(tenant_id uuid, room_id uuid, run_id uuid, state text, fence bigint, is_cancelled boolean, tokens integer, last_seq bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  WITH followed AS (
    SELECT a.tenant, a.run FROM unnest(p_run_tenants, p_runs) a(tenant, run)
    UNION
    SELECT q.tenant_id, q.run_id FROM unnest(p_chat_tenants, p_chats) c(tenant, chat)
    JOIN runs q ON q.tenant_id = c.tenant AND q.room_id = c.chat AND q.state IN ('queued', 'streaming')
  )
  SELECT f.tenant, q.room_id, f.run, q.state, q.fence, q.is_cancelled, COALESCE(k.tokens, 0), NULL::bigint
  FROM followed f LEFT JOIN runs q ON q.tenant_id = f.tenant AND q.run_id = f.run
  LEFT JOIN LATERAL (
    SELECT x.first_index + cardinality(x.ends) AS tokens FROM run_chunks x
    WHERE q.state = 'streaming' AND x.tenant_id = f.tenant AND x.run_id = f.run ORDER BY x.first_index DESC LIMIT 1
  ) k ON true
  UNION ALL
  SELECT c.tenant, c.chat, NULL, NULL, NULL, NULL, 0, r.last_seq
  FROM unnest(p_chat_tenants, p_chats) c(tenant, chat)
  LEFT JOIN rooms r ON r.tenant_id = c.tenant AND r.room_id = c.chat AND r.deleted_at IS NULL
$function$;
REVOKE ALL ON FUNCTION public.chats_followed(p_run_tenants uuid[], p_runs uuid[], p_chat_tenants uuid[], p_chats uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.chats_followed(p_run_tenants uuid[], p_runs uuid[], p_chat_tenants uuid[], p_chats uuid[]) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.cursor_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  newest bigint;
  since bigint;
  acked bigint;
  advanced boolean;
  has_letters boolean;
  told jsonb := '{}';
BEGIN
  SELECT r.last_seq INTO newest FROM rooms r
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL;
  IF newest IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  SELECT m.joined_seq INTO since FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user;
  IF since IS NULL THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  IF p_seq > newest THEN RETURN jsonb_build_object('status', 'beyond', 'last_seq', newest); END IF;
  IF p_read THEN
    UPDATE cursors c SET unread_seq = NULL
      WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user AND c.unread_seq IS NOT NULL;
    IF FOUND THEN told := jsonb_build_object('me', member_me(p_tenant, p_room, p_user)); END IF;
  END IF;
  INSERT INTO cursors AS c (tenant_id, room_id, user_id, acked_seq, read_seq)
  VALUES (p_tenant, p_room, p_user, GREATEST(p_seq, since), CASE WHEN p_read THEN GREATEST(p_seq, since) ELSE since END)
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE
    SET acked_seq = GREATEST(c.acked_seq, EXCLUDED.acked_seq), read_seq = GREATEST(c.read_seq, EXCLUDED.read_seq),
      updated_at = clock_timestamp()
    WHERE EXCLUDED.acked_seq > c.acked_seq OR EXCLUDED.read_seq > c.read_seq
  RETURNING c.acked_seq, c.has_dead_letters INTO acked, has_letters;
  advanced := FOUND;
  IF has_letters THEN PERFORM dead_letters_acked(p_tenant, p_room, p_user, acked); END IF;
  RETURN jsonb_build_object('status', 'ok', 'advanced', advanced, 'acked', acked) || told;
END $function$;
REVOKE ALL ON FUNCTION public.cursor_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.cursor_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.cursor_of(p_tenant uuid, p_room uuid, p_user text)
 RETURNS TABLE(acked_seq bigint, read_seq bigint)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT c.acked_seq, c.read_seq FROM cursors c
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user
$function$;
REVOKE ALL ON FUNCTION public.cursor_of(p_tenant uuid, p_room uuid, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.cursor_of(p_tenant uuid, p_room uuid, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.cursor_positions(p_tenant uuid, p_user text, p_rooms uuid[])
 RETURNS TABLE(room_id uuid, acked_seq bigint)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT m.room_id, GREATEST(m.joined_seq, c.acked_seq) FROM room_members m
  LEFT JOIN cursors c ON c.tenant_id = m.tenant_id AND c.room_id = m.room_id AND c.user_id = m.user_id
  WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.room_id = ANY (p_rooms)
$function$;
REVOKE ALL ON FUNCTION public.cursor_positions(p_tenant uuid, p_user text, p_rooms uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.cursor_positions(p_tenant uuid, p_user text, p_rooms uuid[]) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.cursor_try_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  has_letters boolean;
BEGIN
  SELECT c.has_dead_letters INTO has_letters FROM cursors c
    WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND AND EXISTS (SELECT 1 FROM cursors c
    WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user)
  THEN RETURN jsonb_build_object('status', 'busy'); END IF;
  IF has_letters AND (SELECT count(*) FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user) > (SELECT count(*) FROM (
      SELECT 1 FROM dead_letters d WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user
      FOR UPDATE SKIP LOCKED) free)
  THEN RETURN jsonb_build_object('status', 'busy'); END IF;
  RETURN cursor_advance(p_tenant, p_room, p_user, p_seq, p_read);
END $function$;
REVOKE ALL ON FUNCTION public.cursor_try_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.cursor_try_advance(p_tenant uuid, p_room uuid, p_user text, p_seq bigint, p_read boolean) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.cursors_advance(p_tenant uuid, p_rooms uuid[], p_users text[], p_seqs bigint[], p_reads boolean[])
 RETURNS TABLE(item integer, status text, advanced boolean, acked bigint, last_seq bigint, me jsonb)
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
#variable_conflict use_column
DECLARE
  held_acked bigint[];
  held_read bigint[];
  held_lettered boolean[];
  held_tids tid[];
  one record;
  said jsonb;
BEGIN
  SELECT array_agg(l.acked_seq), array_agg(l.read_seq), array_agg(l.has_dead_letters OR l.unread_seq IS NOT NULL), array_agg(l.tid)
    INTO held_acked, held_read, held_lettered, held_tids
    FROM (SELECT c.* FROM unnest(p_rooms, p_users) WITH ORDINALITY u(r, n, ord)
      LEFT JOIN LATERAL (SELECT x.acked_seq, x.read_seq, x.has_dead_letters, x.unread_seq, x.ctid AS tid FROM cursors x
        WHERE x.tenant_id = p_tenant AND x.room_id = u.r AND x.user_id = u.n FOR NO KEY UPDATE SKIP LOCKED) c ON true
      ORDER BY u.ord) l;
  RETURN QUERY
  WITH asked AS MATERIALIZED (
    SELECT u.r, u.n, u.ord, u.tid, u.acked0, u.read0, k.last_seq, GREATEST(u.seq, m.joined_seq) AS acks,
      CASE WHEN u.is_read THEN GREATEST(u.seq, m.joined_seq) ELSE m.joined_seq END AS reads,
      CASE WHEN k.last_seq IS NULL THEN 'no_room' WHEN m.joined_seq IS NULL THEN 'not_member'
        WHEN u.seq > k.last_seq THEN 'beyond'
        WHEN u.tid IS NULL AND (SELECT true FROM cursors c
          WHERE c.tenant_id = p_tenant AND c.room_id = u.r AND c.user_id = u.n) THEN 'busy'
        ELSE 'ok' END AS status
    FROM (SELECT v.r, v.n COLLATE "C" AS n, v.seq, v.is_read, v.acked0, v.read0, v.tid, v.ord
      FROM unnest(p_rooms, p_users, p_seqs, p_reads, held_acked, held_read, held_lettered, held_tids)
        WITH ORDINALITY v(r, n, seq, is_read, acked0, read0, lettered, tid, ord) WHERE v.lettered IS NOT TRUE) u
    LEFT JOIN LATERAL (SELECT q.last_seq FROM rooms q
      WHERE q.tenant_id = p_tenant AND q.room_id = u.r AND q.deleted_at IS NULL OFFSET 0) k ON true
    LEFT JOIN LATERAL (SELECT q.joined_seq FROM room_members q
      WHERE q.tenant_id = p_tenant AND q.room_id = u.r AND q.user_id = u.n OFFSET 0) m ON true
  ), found AS (
    -- The cursor as the items before it leave it; null where there is none yet.
    SELECT a.*, GREATEST(a.acked0, max(a.acks) FILTER (WHERE a.status = 'ok') OVER earlier) AS acked1,
      GREATEST(a.read0, max(a.reads) FILTER (WHERE a.status = 'ok') OVER earlier) AS read1
    FROM asked a
    WINDOW earlier AS (PARTITION BY a.r, a.n ORDER BY a.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ), told AS MATERIALIZED (
    SELECT f.*, f.status = 'ok' AND (f.acked1 IS NULL OR f.acks > f.acked1 OR f.reads > f.read1) AS advances FROM found f
  ), ends AS MATERIALIZED (
    SELECT t.r, t.n, t.tid, GREATEST(t.acked0, max(t.acks)) AS acked, GREATEST(t.read0, max(t.reads)) AS read
    FROM told t WHERE t.advances GROUP BY t.r, t.n, t.tid, t.acked0, t.read0
  ), made AS (
    INSERT INTO cursors (tenant_id, room_id, user_id, acked_seq, read_seq)
    SELECT p_tenant, e.r, e.n, e.acked, e.read FROM ends e WHERE e.tid IS NULL ORDER BY e.r, e.n
    ON CONFLICT (tenant_id, room_id, user_id) DO NOTHING RETURNING room_id, user_id
  ), moved AS (
    UPDATE cursors c SET acked_seq = e.acked, read_seq = e.read, updated_at = clock_timestamp()
    FROM ends e WHERE c.ctid = e.tid AND (SELECT count(*) FROM made) >= 0
  ), answers AS MATERIALIZED (
    SELECT t.*, t.status = 'ok' AND t.tid IS NULL
      AND (t.r, t.n) NOT IN (SELECT i.room_id, i.user_id FROM made i) AS is_late FROM told t
  )
  SELECT w.ord::integer, CASE WHEN w.is_late THEN 'busy' ELSE w.status END,
    CASE WHEN w.status = 'ok' AND NOT w.is_late THEN w.advances END,
    CASE WHEN w.advances AND NOT w.is_late THEN GREATEST(w.acked1, w.acks) END,
    CASE WHEN w.status = 'beyond' THEN w.last_seq END, NULL::jsonb
  FROM answers w;
  IF true = ANY (held_lettered) THEN
    FOR one IN
      SELECT u.* FROM unnest(p_rooms, p_users, p_seqs, p_reads, held_lettered)
        WITH ORDINALITY u(r, n, seq, is_read, lettered, ord) WHERE u.lettered ORDER BY u.ord
    LOOP
      said := cursor_try_advance(p_tenant, one.r, one.n, one.seq, one.is_read);
      RETURN QUERY SELECT one.ord::integer, said->>'status', (said->>'advanced')::boolean, (said->>'acked')::bigint,
        (said->>'last_seq')::bigint, said->'me';
    END LOOP;
  END IF;
END $function$;
REVOKE ALL ON FUNCTION public.cursors_advance(p_tenant uuid, p_rooms uuid[], p_users text[], p_seqs bigint[], p_reads boolean[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.cursors_advance(p_tenant uuid, p_rooms uuid[], p_users text[], p_seqs bigint[], p_reads boolean[]) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.cursors_analyze()
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  IF (SELECT pg_relation_size(c.oid) / current_setting('block_size')::integer <= GREATEST(2 * c.relpages, 8)
      FROM pg_class c WHERE c.oid = 'public.cursors'::regclass) THEN
    RETURN false;
  END IF;
  ANALYZE cursors;
  RETURN true;
END $function$;
REVOKE ALL ON FUNCTION public.cursors_analyze() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.cursors_analyze() TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.cursors_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  gone bigint;
BEGIN
  DELETE FROM cursors c WHERE c.tenant_id = p_tenant AND c.user_id = p_user AND c.room_id = ANY (ARRAY(
    SELECT x.room_id FROM cursors x WHERE x.tenant_id = p_tenant AND x.user_id = p_user ORDER BY x.room_id LIMIT p_limit));
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('cursors', gone),
    'after', CASE WHEN gone = p_limit THEN jsonb_build_object() END);
END $function$;
REVOKE ALL ON FUNCTION public.cursors_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.cursors_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.dead_letter_id(p_no bigint, p_seq bigint)
 RETURNS uuid
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT (lpad(to_hex(p_no >> 12), 12, '0') || '8' || lpad(to_hex(p_no & 4095), 3, '0')
    || '8' || lpad(to_hex(p_seq), 15, '0'))::uuid
$function$;
REVOKE ALL ON FUNCTION public.dead_letter_id(p_no bigint, p_seq bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.dead_letter_id(p_no bigint, p_seq bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.dead_letter_no(p_id uuid)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT ('x' || left(h, 12) || substr(h, 14, 3))::bit(60)::bigint
  FROM replace(p_id::text, '-', '') h WHERE substr(h, 13, 1) = '8' AND substr(h, 17, 1) = '8'
$function$;
REVOKE ALL ON FUNCTION public.dead_letter_no(p_id uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.dead_letter_no(p_id uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.dead_letter_seq(p_id uuid)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT ('x' || right(replace(p_id::text, '-', ''), 15))::bit(60)::bigint
$function$;
REVOKE ALL ON FUNCTION public.dead_letter_seq(p_id uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.dead_letter_seq(p_id uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.dead_letters_acked(p_tenant uuid, p_room uuid, p_user text, p_acked bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  DELETE FROM dead_letters d
  WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user AND d.to_seq <= p_acked;
  UPDATE dead_letters d SET from_seq = p_acked + 1
  WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user AND d.from_seq <= p_acked;
  UPDATE cursors c SET has_dead_letters = EXISTS (SELECT 1 FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user)
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user;
END $function$;
REVOKE ALL ON FUNCTION public.dead_letters_acked(p_tenant uuid, p_room uuid, p_user text, p_acked bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.dead_letters_acked(p_tenant uuid, p_room uuid, p_user text, p_acked bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.dead_letters_add(p_tenant uuid, p_room uuid, p_user text, p_from bigint, p_to bigint, p_attempts integer, p_error text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  since bigint;
  acked bigint;
  known record;
  low bigint;
BEGIN
  -- Shared, so that room_delete either sees the letters or is seen.
  PERFORM 1 FROM rooms r
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL FOR SHARE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'no_room', 'added', 0); END IF;
  SELECT m.joined_seq INTO since FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user;
  IF since IS NULL THEN RETURN jsonb_build_object('status', 'not_member', 'added', 0); END IF;
  INSERT INTO cursors AS c (tenant_id, room_id, user_id, acked_seq, read_seq, has_dead_letters)
  VALUES (p_tenant, p_room, p_user, since, since, true)
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE SET has_dead_letters = true
  RETURNING GREATEST(c.acked_seq, since) INTO acked;
  low := GREATEST(p_from, acked + 1);
  IF low > p_to THEN RETURN jsonb_build_object('status', 'ok', 'added', 0); END IF;
  -- Those that it overlaps or touches become one with it.
  WITH gone AS (DELETE FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.user_id = p_user
      AND d.from_seq <= p_to + 1 AND d.to_seq >= low - 1 RETURNING d.*)
  SELECT COALESCE(min(g.from_seq), low) AS from_seq, COALESCE(max(g.to_seq), p_to) AS to_seq,
    COALESCE(max(g.attempts), 0) AS attempts, COALESCE(sum(g.to_seq - g.from_seq + 1), 0)::bigint AS n,
    COALESCE(min(g.letter_no), (SELECT d.letter_no FROM dead_letters d WHERE d.tenant_id = p_tenant
      AND d.room_id = p_room AND d.user_id = p_user LIMIT 1), dead_letter_no(overlay(overlay(
      gen_random_uuid()::text PLACING '8' FROM 15) PLACING '8' FROM 20)::uuid)) AS letter_no
  INTO known FROM gone g;
  INSERT INTO dead_letters (tenant_id, room_id, user_id, from_seq, to_seq, letter_no, attempts, last_attempt_at, error)
  VALUES (p_tenant, p_room, p_user, LEAST(low, known.from_seq), GREATEST(p_to, known.to_seq), known.letter_no,
    GREATEST(p_attempts, known.attempts), clock_timestamp(), p_error);
  RETURN jsonb_build_object('status', 'ok',
    'added', GREATEST(p_to, known.to_seq) - LEAST(low, known.from_seq) + 1 - known.n);
END $function$;
REVOKE ALL ON FUNCTION public.dead_letters_add(p_tenant uuid, p_room uuid, p_user text, p_from bigint, p_to bigint, p_attempts integer, p_error text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.dead_letters_add(p_tenant uuid, p_room uuid, p_user text, p_from bigint, p_to bigint, p_attempts integer, p_error text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.dead_letters_drop(p_tenant uuid, p_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  no bigint := dead_letter_no(p_id);
  at bigint := dead_letter_seq(p_id);
  run dead_letters;
BEGIN
  SELECT d.* INTO run FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.letter_no = no AND at BETWEEN d.from_seq AND d.to_seq;
  PERFORM 1 FROM rooms r
    WHERE r.tenant_id = p_tenant AND r.room_id = run.room_id AND r.deleted_at IS NULL FOR SHARE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'not_found'); END IF;
  PERFORM 1 FROM cursors c
    WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id AND c.user_id = run.user_id FOR UPDATE;
  DELETE FROM dead_letters d WHERE d.tenant_id = p_tenant AND d.room_id = run.room_id AND d.user_id = run.user_id
    AND d.letter_no = no AND at BETWEEN d.from_seq AND d.to_seq RETURNING * INTO run;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'not_found'); END IF;
  INSERT INTO dead_letters SELECT run.tenant_id, run.room_id, run.user_id, part.low, part.high, run.letter_no,
    run.attempts, run.last_attempt_at, run.error
  FROM (VALUES (run.from_seq, at - 1), (at + 1, run.to_seq)) part(low, high) WHERE part.low <= part.high;
  RETURN jsonb_build_object('status', 'ok');
END $function$;
REVOKE ALL ON FUNCTION public.dead_letters_drop(p_tenant uuid, p_id uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.dead_letters_drop(p_tenant uuid, p_id uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.dead_letters_page(p_tenant uuid, p_limit integer)
 RETURNS TABLE(id uuid, message_id uuid, user_id text, room_id uuid, attempts integer, last_attempt_at timestamp with time zone, error text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  WITH runs AS (
    SELECT d.room_id, d.user_id, d.to_seq, d.letter_no, d.attempts, d.last_attempt_at, d.error,
      GREATEST(d.from_seq, k.first_seq) AS from_seq, d.to_seq - GREATEST(d.from_seq, k.first_seq) + 1 AS n
    FROM dead_letters d CROSS JOIN LATERAL (SELECT * FROM room_keeps(p_tenant, d.room_id) OFFSET 0) k
    WHERE d.tenant_id = p_tenant AND d.to_seq >= k.first_seq
    ORDER BY d.last_attempt_at DESC, d.room_id, d.user_id, d.from_seq LIMIT p_limit
  ), placed AS (
    SELECT r.*, sum(r.n) OVER (ORDER BY r.last_attempt_at DESC, r.room_id, r.user_id, r.from_seq) - r.n AS before
    FROM runs r
  ), cut AS (
    SELECT p.*, LEAST(p.to_seq, p.from_seq + p_limit - p.before::bigint - 1) AS last FROM placed p
    WHERE p.before < p_limit OFFSET 0
  )
  SELECT dead_letter_id(c.letter_no, m.seq), m.message_id, c.user_id, c.room_id, c.attempts, c.last_attempt_at, c.error
  FROM cut c CROSS JOIN LATERAL (SELECT m.seq, m.message_id FROM messages m
    WHERE m.tenant_id = p_tenant AND m.room_id = c.room_id AND m.seq >= c.from_seq AND m.seq <= c.last) m
  ORDER BY c.last_attempt_at DESC, c.room_id, c.user_id, m.seq
$function$;
REVOKE ALL ON FUNCTION public.dead_letters_page(p_tenant uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.dead_letters_page(p_tenant uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.dead_letters_replay(p_tenant uuid, p_ids uuid[], p_room uuid, p_user text, p_before timestamp with time zone, p_after_room uuid, p_after_user text, p_after_seq bigint, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  numbers bigint[] := ARRAY(SELECT dead_letter_no(i.id) FROM unnest(p_ids) i(id));
  letters jsonb;
BEGIN
  WITH chosen AS (
    SELECT d.room_id, d.user_id, d.from_seq FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND (p_room IS NULL OR d.room_id = p_room) AND (p_user IS NULL OR d.user_id = p_user)
      AND (p_before IS NULL OR d.last_attempt_at < p_before)
      AND d.to_seq >= (SELECT k.first_seq FROM room_keeps(p_tenant, d.room_id) k)
      AND (p_after_room IS NULL OR (d.room_id, d.user_id, d.from_seq) > (p_after_room, p_after_user, p_after_seq))
      AND (p_ids IS NULL OR (d.letter_no = ANY (numbers) AND EXISTS (SELECT 1 FROM unnest(p_ids) i(id)
        WHERE dead_letter_no(i.id) = d.letter_no AND dead_letter_seq(i.id) BETWEEN d.from_seq AND d.to_seq
          AND dead_letter_seq(i.id) >= (SELECT k.first_seq FROM room_keeps(p_tenant, d.room_id) k))))
    ORDER BY d.room_id, d.user_id, d.from_seq LIMIT p_limit FOR UPDATE
  ), tried AS (
    UPDATE dead_letters d SET attempts = d.attempts + 1, last_attempt_at = clock_timestamp() FROM chosen c
    WHERE d.tenant_id = p_tenant AND d.room_id = c.room_id AND d.user_id = c.user_id AND d.from_seq = c.from_seq
    RETURNING d.room_id, d.user_id, d.from_seq, d.to_seq, d.letter_no
  ), sent AS (
    SELECT t.room_id, t.user_id, GREATEST(t.from_seq, k.first_seq) AS from_seq, t.to_seq
    FROM tried t CROSS JOIN LATERAL room_keeps(p_tenant, t.room_id) k WHERE p_ids IS NULL
    UNION ALL
    SELECT DISTINCT t.room_id, t.user_id, dead_letter_seq(i.id), dead_letter_seq(i.id)
    FROM tried t JOIN unnest(p_ids) i(id) ON dead_letter_no(i.id) = t.letter_no
      AND dead_letter_seq(i.id) BETWEEN t.from_seq AND t.to_seq
      AND dead_letter_seq(i.id) >= (SELECT k.first_seq FROM room_keeps(p_tenant, t.room_id) k)
  )
  SELECT jsonb_agg(jsonb_build_object('room_id', s.room_id, 'user_id', s.user_id, 'from_seq', s.from_seq,
    'to_seq', s.to_seq) ORDER BY s.room_id, s.user_id, s.from_seq) INTO letters FROM sent s;
  RETURN jsonb_build_object('status', 'ok', 'letters', COALESCE(letters, '[]'));
END $function$;
REVOKE ALL ON FUNCTION public.dead_letters_replay(p_tenant uuid, p_ids uuid[], p_room uuid, p_user text, p_before timestamp with time zone, p_after_room uuid, p_after_user text, p_after_seq bigint, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.dead_letters_replay(p_tenant uuid, p_ids uuid[], p_room uuid, p_user text, p_before timestamp with time zone, p_after_room uuid, p_after_user text, p_after_seq bigint, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.dead_letters_trimmed(p_tenant uuid, p_room uuid, p_limit integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  first bigint := (SELECT k.first_seq FROM room_keeps(p_tenant, p_room) k);
  member text;
  members bigint := 0;
BEGIN
  FOR member IN SELECT DISTINCT d.user_id FROM dead_letters d
    WHERE d.tenant_id = p_tenant AND d.room_id = p_room AND d.from_seq < first ORDER BY 1 LIMIT p_limit
  LOOP
    PERFORM 1 FROM cursors c
      WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = member FOR UPDATE;
    PERFORM dead_letters_acked(p_tenant, p_room, member, first - 1);
    members := members + 1;
  END LOOP;
  RETURN members;
END $function$;
REVOKE ALL ON FUNCTION public.dead_letters_trimmed(p_tenant uuid, p_room uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.dead_letters_trimmed(p_tenant uuid, p_room uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.erased_json(p_json text, p_user text, p_erased text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT CASE WHEN strpos(p_json, to_json(p_user)::text) = 0 THEN p_json
    ELSE regexp_replace(p_json, '(?<!\\)' || regexp_replace(to_json(p_user)::text, '([^A-Za-z0-9_])', '\\\1', 'g'),
      to_json(p_erased)::text, 'g') END
$function$;
REVOKE ALL ON FUNCTION public.erased_json(p_json text, p_user text, p_erased text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.erased_json(p_json text, p_user text, p_erased text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.erasure_counted(p_tenant uuid, p_erasure uuid, p_of text, p_step text, p_at jsonb, p_next text, p_batch jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  has_more boolean := jsonb_typeof(p_batch->'after') = 'object';
  rows_of jsonb := COALESCE(p_batch->'counts', '{}');
BEGIN
  UPDATE erasures e SET step = CASE WHEN has_more THEN p_step ELSE p_next END,
    step_cursor = CASE WHEN has_more THEN p_batch->'after' END,
    found = e.found + (SELECT COALESCE(sum(c.value::bigint), 0) FROM jsonb_each_text(rows_of) c)
      + CASE WHEN (p_batch->>'waits')::boolean THEN 1 ELSE 0 END,
    counts = e.counts || (SELECT COALESCE(jsonb_object_agg(c.key, c.value::bigint + COALESCE((e.counts->>c.key)::bigint, 0)), '{}')
      FROM jsonb_each_text(rows_of) c WHERE c.value::bigint > 0)
  WHERE e.tenant_id = p_tenant AND e.erasure_id = p_erasure AND e.state = 'erasing' AND e.user_id = p_of
    AND e.step = p_step AND e.step_cursor IS NOT DISTINCT FROM p_at;
  IF NOT FOUND THEN RAISE EXCEPTION 'the erase is elsewhere' USING ERRCODE = 'object_not_in_prerequisite_state'; END IF;
  RETURN p_batch;
END $function$;
REVOKE ALL ON FUNCTION public.erasure_counted(p_tenant uuid, p_erasure uuid, p_of text, p_step text, p_at jsonb, p_next text, p_batch jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.erasure_counted(p_tenant uuid, p_erasure uuid, p_of text, p_step text, p_at jsonb, p_next text, p_batch jsonb) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.erasure_request(p_tenant uuid, p_user text, p_erasure uuid, p_erased text, p_mac bytea, p_mac_key text, p_delay_ms integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  held users;
  known erasures;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE;
  SELECT * INTO held FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user FOR UPDATE;
  SELECT * INTO known FROM erasures e WHERE e.tenant_id = p_tenant AND e.user_id = p_user FOR UPDATE;
  IF known.state IN ('refusing', 'erasing') THEN
    RETURN jsonb_build_object('status', 'ok', 'erasure_id', known.erasure_id, 'state', known.state);
  END IF;
  IF held.user_id IS NULL AND known.erasure_id IS NULL THEN RETURN jsonb_build_object('status', 'no_user'); END IF;
  IF held.legal_hold OR EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.legal_hold
    AND (EXISTS (SELECT 1 FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = r.room_id AND m.user_id = p_user)
      OR EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = r.room_id AND m.sender_id = p_user)))
  THEN RETURN jsonb_build_object('status', 'legal_hold'); END IF;
  IF known.erasure_id IS NULL THEN
    INSERT INTO erasures (tenant_id, erasure_id, user_id, user_mac, mac_key_id, erased_id)
    VALUES (p_tenant, p_erasure, p_user, p_mac, p_mac_key, p_erased) RETURNING * INTO known;
  ELSE
    UPDATE erasures e SET state = 'refusing', error = NULL, user_mac = p_mac, mac_key_id = p_mac_key,
      requested_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE e.tenant_id = p_tenant AND e.erasure_id = known.erasure_id RETURNING * INTO known;
  END IF;
  INSERT INTO jobs (tenant_id, kind, key, payload, run_at)
  VALUES (p_tenant, 'user.erase', known.erasure_id::text, jsonb_build_object('erasure_id', known.erasure_id),
    clock_timestamp() + p_delay_ms * interval '1 ms');
  RETURN jsonb_build_object('status', 'ok', 'erasure_id', known.erasure_id, 'state', known.state,
    'audit', jsonb_build_object('user', p_user));
END $function$;
REVOKE ALL ON FUNCTION public.erasure_request(p_tenant uuid, p_user text, p_erasure uuid, p_erased text, p_mac bytea, p_mac_key text, p_delay_ms integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.erasure_request(p_tenant uuid, p_user text, p_erasure uuid, p_erased text, p_mac bytea, p_mac_key text, p_delay_ms integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.events_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  most CONSTANT integer := LEAST(20, p_limit);
  none CONSTANT jsonb := '{"name": null, "metadata": null, "metadata_text": null, "unique_key": null}';
  behind_room uuid := COALESCE((p_after->>'room')::uuid, '00000000-0000-0000-0000-000000000000');
  behind_rev bigint := COALESCE((p_after->>'rev')::bigint, -1);
  last_room uuid;
  last_rev_of bigint;
  found_rooms uuid[];
  found_revs bigint[];
  found_payloads jsonb[];
  cut uuid;
BEGIN
  SELECT e.room_id, e.rev INTO last_room, last_rev_of FROM room_events e
    WHERE e.tenant_id = p_tenant AND (e.room_id, e.rev) > (behind_room, behind_rev)
    ORDER BY e.room_id, e.rev OFFSET 2 * p_limit - 1 LIMIT 1;
  WITH page AS MATERIALIZED (
    SELECT e.room_id, e.rev, e.type, e.payload FROM room_events e
    WHERE e.tenant_id = p_tenant AND (e.room_id, e.rev) > (behind_room, behind_rev)
    ORDER BY e.room_id, e.rev LIMIT 2 * p_limit
  ), parted AS MATERIALIZED (
    SELECT d.room_id, CASE WHEN r.deleted_at IS NOT NULL THEN r.last_rev + 1 ELSE (SELECT max(x.rev) FROM room_events x
      WHERE x.tenant_id = p_tenant AND x.room_id = d.room_id AND x.payload->>'erased' = p_erased) END AS rev
    FROM (SELECT DISTINCT p.room_id FROM page p WHERE p.type = 'room.updated') d
    JOIN rooms r ON r.tenant_id = p_tenant AND r.room_id = d.room_id WHERE p_erased = ANY (r.described_by)
  ), clean AS (
    -- metadata stands there twice, once as text.
    SELECT p.room_id, p.rev, p.payload AS old, erased_json((CASE WHEN p.type = 'room.updated' AND p.rev < d.rev
      THEN p.payload || none WHEN p.payload->>'metadata_text' IS NOT NULL THEN p.payload || jsonb_build_object(
        'metadata_text', erased_json(p.payload->>'metadata_text', p_user, p_erased))
      ELSE p.payload END)::text, p_user, p_erased)::jsonb AS new
    FROM page p LEFT JOIN parted d ON d.room_id = p.room_id
  )
  SELECT array_agg(c.room_id ORDER BY c.room_id, c.rev), array_agg(c.rev ORDER BY c.room_id, c.rev),
      array_agg(c.new ORDER BY c.room_id, c.rev)
    INTO found_rooms, found_revs, found_payloads FROM clean c WHERE c.new <> c.old;
  SELECT d.room_id INTO cut FROM (SELECT DISTINCT f AS room_id FROM unnest(found_rooms) f) d
    ORDER BY d.room_id OFFSET most - 1 LIMIT 1;
  PERFORM 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = ANY (found_rooms) AND (cut IS NULL OR r.room_id <= cut)
    ORDER BY r.room_id FOR NO KEY UPDATE;
  UPDATE room_events e SET payload = f.payload FROM unnest(found_rooms, found_revs, found_payloads) f(room_id, rev, payload)
  WHERE e.tenant_id = p_tenant AND e.room_id = f.room_id AND e.rev = f.rev AND (cut IS NULL OR f.room_id <= cut);
  UPDATE rooms r SET first_rev = r.last_rev
  WHERE r.tenant_id = p_tenant AND r.room_id = ANY (found_rooms) AND (cut IS NULL OR r.room_id <= cut);
  RETURN jsonb_build_object('counts', jsonb_build_object('events', (SELECT count(*) FROM unnest(found_rooms) f
      WHERE cut IS NULL OR f <= cut)),
    'after', CASE WHEN cut IS NOT NULL THEN jsonb_build_object('room', cut, 'rev', (SELECT max(f.rev)
        FROM unnest(found_rooms, found_revs) f(room_id, rev) WHERE f.room_id = cut))
      WHEN last_room IS NOT NULL THEN jsonb_build_object('room', last_room, 'rev', last_rev_of) END);
END $function$;
REVOKE ALL ON FUNCTION public.events_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.events_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.feed_asked(p_tenant uuid, p_epoch bigint)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  feed tenant_feeds;
  oldest bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
BEGIN
  INSERT INTO tenant_feeds (tenant_id, epoch, began_before) VALUES (p_tenant, p_epoch, oldest)
    ON CONFLICT (tenant_id) DO NOTHING RETURNING * INTO feed;
  IF FOUND THEN
    PERFORM feed_sweep_due(p_tenant);
    RETURN jsonb_build_object('last_no', 0, 'begins', true);
  END IF;
  SELECT * INTO feed FROM tenant_feeds f WHERE f.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF p_epoch < feed.epoch THEN RETURN NULL; END IF;
  IF feed.is_collected AND feed.epoch = p_epoch THEN
    UPDATE tenant_feeds f SET asked_at = clock_timestamp()
      WHERE f.tenant_id = p_tenant AND f.asked_at < clock_timestamp() - interval '1 hour';
    RETURN jsonb_build_object('last_no', feed.last_no, 'begins', false);
  END IF;
  -- One number is left out: who stands at the last one has missed something.
  UPDATE tenant_feeds f SET is_collected = true, epoch = p_epoch, last_no = feed.last_no + 1, gone_no = feed.last_no + 1,
    began_at = clock_timestamp(), began_before = oldest, asked_at = clock_timestamp(), swept_at = clock_timestamp()
  WHERE f.tenant_id = p_tenant;
  PERFORM feed_sweep_due(p_tenant);
  RETURN jsonb_build_object('last_no', feed.last_no + 1, 'begins', true);
END $function$;
REVOKE ALL ON FUNCTION public.feed_asked(p_tenant uuid, p_epoch bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.feed_asked(p_tenant uuid, p_epoch bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.feed_base(p_feed public.tenant_feeds, p_room uuid, p_last_rev bigint, p_written bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  now_at bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  written bigint := (now_at & ~4294967295) | p_written;
  before timestamptz := p_feed.began_at - interval '10 minutes';
  low bigint;
BEGIN
  -- A row has the last 32 bits of who wrote it, which lies before now.
  IF written > now_at THEN written := written - 4294967296; END IF;
  -- A feed that began after now is of another server, whose transactions had got further.
  IF p_feed.began_before <= now_at AND written < p_feed.began_before THEN RETURN p_last_rev; END IF;
  low := COALESCE((SELECT i.last_rev FROM import_rooms i WHERE i.tenant_id = p_feed.tenant_id AND i.room_id = p_room), 0);
  RETURN GREATEST(
    (SELECT w.rev FROM (SELECT m.rev, m.created_at, m.edited_at, m.deleted_at, m.status FROM messages m
        WHERE m.tenant_id = p_feed.tenant_id AND m.room_id = p_room AND m.rev > low ORDER BY m.rev DESC LIMIT 1000) w
      WHERE w.created_at < before AND w.edited_at IS NULL AND w.deleted_at IS NULL
        AND w.status IS DISTINCT FROM 'superseded' ORDER BY w.rev DESC LIMIT 1),
    (SELECT w.rev FROM (SELECT e.rev, e.created_at FROM room_events e
        WHERE e.tenant_id = p_feed.tenant_id AND e.room_id = p_room AND e.rev > low ORDER BY e.rev DESC LIMIT 1000) w
      WHERE w.created_at < before ORDER BY w.rev DESC LIMIT 1),
    0);
END $function$;
REVOKE ALL ON FUNCTION public.feed_base(p_feed public.tenant_feeds, p_room uuid, p_last_rev bigint, p_written bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.feed_base(p_feed public.tenant_feeds, p_room uuid, p_last_rev bigint, p_written bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.feed_collect(p_tenant uuid, p_rooms uuid[])
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  feed tenant_feeds;
  made integer;
BEGIN
  SELECT * INTO feed FROM tenant_feeds f WHERE f.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF feed.is_collected IS NOT TRUE THEN RETURN 0; END IF;
  WITH heads AS MATERIALIZED (
    SELECT r.room_id, r.last_rev, c.collected_rev,
      COALESCE(c.collected_rev, feed_base(feed, r.room_id, r.last_rev, r.written)) AS from_rev
    FROM (SELECT DISTINCT u.room_id FROM unnest(p_rooms) u(room_id)) u
    CROSS JOIN LATERAL (SELECT x.room_id, x.last_rev, x.xmin::text::bigint AS written FROM rooms x
      WHERE x.tenant_id = p_tenant AND x.room_id = u.room_id OFFSET 0) r
    LEFT JOIN LATERAL (SELECT x.collected_rev FROM tenant_feed_rooms x
      WHERE x.tenant_id = p_tenant AND x.room_id = u.room_id OFFSET 0) c ON true
    WHERE NOT EXISTS (SELECT 1 FROM import_rooms i
      WHERE i.tenant_id = p_tenant AND i.room_id = u.room_id AND NOT i.is_done)
  ), gone AS (
    DELETE FROM tenant_feed_rooms c WHERE c.tenant_id = p_tenant AND c.room_id = ANY (p_rooms)
      AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = c.room_id)
    RETURNING c.room_id, c.collected_rev
  ), ranges AS (
    SELECT h.room_id, h.from_rev, h.last_rev AS to_rev FROM heads h WHERE h.last_rev > h.from_rev
    UNION ALL
    SELECT g.room_id, g.collected_rev, g.collected_rev + 1 FROM gone g
  ), marked AS (
    INSERT INTO tenant_feed_rooms (tenant_id, room_id, collected_rev)
    SELECT p_tenant, h.room_id, h.last_rev FROM heads h WHERE h.collected_rev IS DISTINCT FROM h.last_rev ORDER BY h.room_id
    ON CONFLICT (tenant_id, room_id) DO UPDATE SET collected_rev = EXCLUDED.collected_rev
  ), entries AS (
    INSERT INTO tenant_feed (tenant_id, no, room_id, from_rev, to_rev)
    SELECT p_tenant, feed.last_no + row_number() OVER (ORDER BY w.room_id), w.room_id, w.from_rev, w.to_rev
    FROM ranges w
    RETURNING 1
  )
  SELECT count(*) INTO made FROM entries;
  IF made > 0 THEN
    UPDATE tenant_feeds f SET last_no = feed.last_no + made WHERE f.tenant_id = p_tenant;
  END IF;
  RETURN made;
END $function$;
REVOKE ALL ON FUNCTION public.feed_collect(p_tenant uuid, p_rooms uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.feed_collect(p_tenant uuid, p_rooms uuid[]) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.feed_page(p_tenant uuid, p_epoch bigint, p_no bigint, p_rev bigint, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  feed tenant_feeds;
  entry tenant_feed;
  items jsonb := '[]';
  found jsonb;
  low bigint;
  room rooms;
  is_deleted boolean;
  missed bigint;
  at_no bigint := p_no;
  at_rev bigint := COALESCE(p_rev, 0);
  n integer := 0;
  looked integer := 0;
BEGIN
  SELECT * INTO feed FROM tenant_feeds f WHERE f.tenant_id = p_tenant;
  IF feed.is_collected IS NOT TRUE OR feed.epoch <> p_epoch THEN RETURN jsonb_build_object('status', 'off'); END IF;
  IF p_no < feed.gone_no OR p_no > feed.last_no THEN RETURN jsonb_build_object('status', 'gone', 'no', feed.last_no); END IF;
  IF p_no IS NULL THEN
    at_no := feed.last_no;
    at_rev := 0;
  END IF;
  FOR entry IN SELECT * FROM tenant_feed e WHERE e.tenant_id = p_tenant AND e.no > at_no ORDER BY e.no LIMIT 200 LOOP
    EXIT WHEN n >= p_limit;
    low := GREATEST(entry.from_rev, at_rev);
    SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = entry.room_id;
    is_deleted := room.room_id IS NULL OR room.deleted_at IS NOT NULL;
    -- An entry of before is passed over: that in which first_rev lies is still to come, and is read in its stead.
    missed := CASE WHEN room.room_id IS NULL THEN entry.to_rev
      WHEN low < room.first_rev AND room.first_rev <= entry.to_rev THEN room.first_rev END;
    low := GREATEST(low, room.first_rev);
    SELECT jsonb_agg(c.item ORDER BY c.rev), COALESCE(max(c.rev), 0) INTO found, at_rev FROM (
      (SELECT missed AS rev, jsonb_build_object('room_id', entry.room_id, 'rev', missed, 'type',
          CASE WHEN is_deleted THEN 'room.deleted' ELSE 'room.reset' END) AS item WHERE missed IS NOT NULL)
      UNION ALL
      (SELECT m.rev, jsonb_build_object('room_id', m.room_id, 'rev', m.rev, 'message', message_json(m), 'type',
          CASE WHEN m.deleted_at IS NOT NULL THEN 'message.deleted' WHEN m.edited_at IS NOT NULL THEN 'message.updated'
            ELSE 'message' END) AS item
        FROM messages m
        WHERE m.tenant_id = p_tenant AND m.room_id = entry.room_id AND m.rev > low AND m.rev <= entry.to_rev
          AND m.seq >= room.first_seq AND NOT is_deleted ORDER BY m.rev LIMIT p_limit - n)
      UNION ALL
      (SELECT e.rev, jsonb_build_object('room_id', e.room_id, 'rev', e.rev, 'type', e.type, 'payload', e.payload) FROM room_events e
        WHERE e.tenant_id = p_tenant AND e.room_id = entry.room_id AND e.rev > low AND e.rev <= entry.to_rev
          AND (NOT is_deleted OR e.type = 'room.deleted') ORDER BY e.rev LIMIT p_limit - n)
      UNION ALL
      (SELECT s.rev, jsonb_build_object('room_id', entry.room_id, 'rev', s.rev, 'type', s.type, 'payload', s.payload)
        FROM message_states_after(p_tenant, entry.room_id, low, room.first_seq, NULL, p_limit - n) s
        WHERE room.has_states AND s.rev <= entry.to_rev AND NOT is_deleted
        ORDER BY s.rev LIMIT p_limit - n)
      ORDER BY rev LIMIT p_limit - n) c;
    looked := looked + 1;
    IF found IS NOT NULL THEN
      items := items || found;
      n := n + jsonb_array_length(found);
    END IF;
    -- With a page that is full something of the entry may be left.
    EXIT WHEN n >= p_limit AND at_rev < entry.to_rev;
    at_no := entry.no;
    at_rev := 0;
  END LOOP;
  RETURN jsonb_build_object('status', 'ok', 'items', items, 'no', at_no, 'rev', at_rev, 'more', at_no < feed.last_no,
    'stale', feed.asked_at < clock_timestamp() - interval '1 hour');
END $function$;
REVOKE ALL ON FUNCTION public.feed_page(p_tenant uuid, p_epoch bigint, p_no bigint, p_rev bigint, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.feed_page(p_tenant uuid, p_epoch bigint, p_no bigint, p_rev bigint, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.feed_sweep(p_tenant uuid, p_after uuid, p_limit integer)
 RETURNS uuid
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  behind uuid := COALESCE(p_after, '00000000-0000-0000-0000-000000000000');
  through uuid;
  others uuid[];
BEGIN
  SELECT max(w.room_id::text)::uuid, array_agg(w.room_id) FILTER (WHERE w.last_rev IS DISTINCT FROM w.collected_rev)
    INTO through, others
    FROM (SELECT n.room_id, r.last_rev, c.collected_rev FROM (
        (SELECT x.room_id FROM rooms x WHERE x.tenant_id = p_tenant AND x.room_id > behind ORDER BY x.room_id LIMIT p_limit)
        UNION
        (SELECT x.room_id FROM tenant_feed_rooms x WHERE x.tenant_id = p_tenant AND x.room_id > behind
          ORDER BY x.room_id LIMIT p_limit)
        ORDER BY room_id LIMIT p_limit) n
      LEFT JOIN LATERAL (SELECT y.last_rev FROM rooms y
        WHERE y.tenant_id = p_tenant AND y.room_id = n.room_id OFFSET 0) r ON true
      LEFT JOIN LATERAL (SELECT y.collected_rev FROM tenant_feed_rooms y
        WHERE y.tenant_id = p_tenant AND y.room_id = n.room_id OFFSET 0) c ON true) w;
  IF others IS NOT NULL THEN PERFORM feed_collect(p_tenant, others); END IF;
  IF through IS NULL THEN
    UPDATE tenant_feeds f SET swept_at = clock_timestamp() WHERE f.tenant_id = p_tenant;
  END IF;
  RETURN through;
END $function$;
REVOKE ALL ON FUNCTION public.feed_sweep(p_tenant uuid, p_after uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.feed_sweep(p_tenant uuid, p_after uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.feed_sweep_due(p_tenant uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT p_tenant, 'feed', 'feed', '{}' WHERE NOT EXISTS (SELECT 1 FROM jobs j
    WHERE j.tenant_id = p_tenant AND j.kind = 'feed' AND j.state = 'queued' AND j.fence = 0
      AND j.payload = '{}');
  RETURN FOUND;
END $function$;
REVOKE ALL ON FUNCTION public.feed_sweep_due(p_tenant uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.feed_sweep_due(p_tenant uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.feed_trim(p_tenant uuid, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  feed tenant_feeds;
  before timestamptz := clock_timestamp() - interval '7 days';
  reached bigint;
  gone integer;
  forgotten integer := 0;
BEGIN
  SELECT * INTO feed FROM tenant_feeds f WHERE f.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF feed.tenant_id IS NULL THEN RETURN 0; END IF;
  IF feed.is_collected AND feed.asked_at < before THEN
    feed.is_collected := false;
    UPDATE tenant_feeds f SET is_collected = false WHERE f.tenant_id = p_tenant;
  END IF;
  WITH old AS (
    DELETE FROM tenant_feed e USING (SELECT x.no, x.created_at FROM tenant_feed x WHERE x.tenant_id = p_tenant
      ORDER BY x.no LIMIT p_limit) w
    WHERE e.tenant_id = p_tenant AND e.no = w.no
      AND (w.created_at < before OR w.no <= feed.gone_no OR NOT feed.is_collected)
    RETURNING e.no
  )
  SELECT max(o.no), count(*) INTO reached, gone FROM old o;
  UPDATE tenant_feeds f SET gone_no = reached WHERE f.tenant_id = p_tenant AND f.gone_no < reached;
  IF NOT feed.is_collected THEN
    DELETE FROM tenant_feed_rooms c WHERE c.tenant_id = p_tenant AND c.room_id = ANY (ARRAY(
      SELECT x.room_id FROM tenant_feed_rooms x WHERE x.tenant_id = p_tenant ORDER BY x.room_id LIMIT p_limit));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
  END IF;
  RETURN GREATEST(gone, forgotten);
END $function$;
REVOKE ALL ON FUNCTION public.feed_trim(p_tenant uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.feed_trim(p_tenant uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.feeds_collected()
 RETURNS TABLE(tenant_id uuid, is_due boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT f.tenant_id, f.swept_at < clock_timestamp() - interval '1 hour' AND NOT EXISTS (SELECT 1 FROM jobs j
    WHERE j.tenant_id = f.tenant_id AND j.kind = 'feed' AND j.state IN ('queued', 'running') AND j.payload = '{}')
  FROM tenant_feeds f WHERE f.is_collected
$function$;
REVOKE ALL ON FUNCTION public.feeds_collected() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.feeds_collected() TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.held_messages_released(p_tenant uuid, p_limit integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  gone bigint;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE;
  WITH released AS (DELETE FROM held_messages h USING (
    SELECT x.room_id, x.seq, x.rev FROM held_messages x WHERE x.tenant_id = p_tenant
      AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = x.room_id AND r.legal_hold)
      AND NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = x.sender_id AND u.legal_hold)
    LIMIT p_limit) g
  WHERE h.tenant_id = p_tenant AND h.room_id = g.room_id AND h.seq = g.seq AND h.rev = g.rev
  RETURNING h.room_id, h.seq
  ), hushed AS (
    UPDATE runs q SET reasoning = NULL FROM released x JOIN messages m
      ON m.tenant_id = p_tenant AND m.room_id = x.room_id AND m.seq = x.seq AND m.deleted_at IS NOT NULL
    WHERE q.tenant_id = p_tenant AND q.run_id = m.message_id AND q.reasoning IS NOT NULL
  )
  SELECT count(*) INTO gone FROM released;
  RETURN gone;
END $function$;
REVOKE ALL ON FUNCTION public.held_messages_released(p_tenant uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.held_messages_released(p_tenant uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.idempotency_begin(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  known idempotency_keys;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended(
    concat_ws(E'\x01', 'idempotency', p_tenant, p_user, p_route, p_key), 0)) THEN
    RETURN jsonb_build_object('state', 'running');
  END IF;
  SELECT * INTO known FROM idempotency_keys k WHERE k.tenant_id = p_tenant AND k.user_id = p_user
    AND k.route = p_route AND k.key = p_key AND k.expires_at > clock_timestamp();
  IF known.key IS NULL THEN RETURN jsonb_build_object('state', 'new'); END IF;
  IF known.fingerprint <> p_fingerprint THEN RETURN jsonb_build_object('state', 'mismatch'); END IF;
  RETURN jsonb_build_object('state', 'replay', 'result', known.result);
END $function$;
REVOKE ALL ON FUNCTION public.idempotency_begin(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.idempotency_begin(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.idempotency_claim(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  known bytea;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO idempotency_keys AS k (tenant_id, user_id, route, key, fingerprint, result, expires_at)
  VALUES (p_tenant, p_user, p_route, p_key, p_fingerprint, '{}', clock_timestamp() + interval '24 hours')
  ON CONFLICT (tenant_id, user_id, route, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
    result = EXCLUDED.result, created_at = clock_timestamp(), expires_at = EXCLUDED.expires_at
    WHERE k.expires_at <= clock_timestamp();
  IF FOUND THEN RETURN jsonb_build_object('state', 'new'); END IF;
  SELECT k.fingerprint INTO known FROM idempotency_keys k WHERE k.tenant_id = p_tenant AND k.user_id = p_user
    AND k.route = p_route AND k.key = p_key;
  RETURN jsonb_build_object('state', CASE WHEN known = p_fingerprint THEN 'replay' ELSE 'mismatch' END);
END $function$;
REVOKE ALL ON FUNCTION public.idempotency_claim(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.idempotency_claim(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.idempotency_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  called_by text := COALESCE(p_after->>'user', '');
  called text := COALESCE(p_after->>'route', '');
  called_with text := COALESCE(p_after->>'key', '');
  last idempotency_keys;
  segment text := '/' || p_user;
  gone bigint;
  changed bigint;
BEGIN
  IF NOT COALESCE(p_after ? 'user', false) THEN
    DELETE FROM idempotency_keys k USING (SELECT x.route, x.key FROM idempotency_keys x
      WHERE x.tenant_id = p_tenant AND x.user_id = p_user ORDER BY x.route, x.key LIMIT p_limit) g
    WHERE k.tenant_id = p_tenant AND k.user_id = p_user AND k.route = g.route AND k.key = g.key;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN jsonb_build_object('counts', jsonb_build_object('idempotency_keys', gone),
      'after', CASE WHEN gone = p_limit THEN jsonb_build_object() ELSE jsonb_build_object('user', '') END);
  END IF;
  SELECT * INTO last FROM idempotency_keys k
    WHERE k.tenant_id = p_tenant AND (k.user_id, k.route, k.key) > (called_by, called, called_with)
    ORDER BY k.user_id, k.route, k.key OFFSET 2 * p_limit - 1 LIMIT 1;
  DELETE FROM idempotency_keys k
  WHERE k.tenant_id = p_tenant AND (k.user_id, k.route, k.key) > (called_by, called, called_with)
    AND (last.key IS NULL OR (k.user_id, k.route, k.key) <= (last.user_id, last.route, last.key))
    -- A path is as the client wrote it: whatever may be encoded there is read as what it stands for.
    AND (strpos((SELECT string_agg(CASE WHEN part[1] ~ '^%(?!00)[0-9A-Fa-f]{2}$'
          THEN chr(('x' || substr(part[1], 2))::bit(8)::integer) ELSE part[1] END, '')
        FROM regexp_matches(k.route, '%[0-9A-Fa-f]{2}|.', 'g') part) || '/', segment || '/') > 0
      OR strpos(k.result->'room'->>'metadata_text', to_json(p_user)::text) > 0
      OR EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = (k.result->'room'->>'room_id')::uuid
        AND p_erased = ANY (r.described_by)));
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE idempotency_keys k SET result = erased_json(k.result::text, p_user, p_erased)::jsonb
  WHERE k.tenant_id = p_tenant AND (k.user_id, k.route, k.key) > (called_by, called, called_with)
    AND (last.key IS NULL OR (k.user_id, k.route, k.key) <= (last.user_id, last.route, last.key))
    AND strpos(k.result::text, to_json(p_user)::text) > 0
    AND erased_json(k.result::text, p_user, p_erased) <> k.result::text;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('idempotency_keys', gone + changed), 'after',
    CASE WHEN last.key IS NOT NULL THEN jsonb_build_object('user', last.user_id, 'route', last.route, 'key', last.key) END);
END $function$;
REVOKE ALL ON FUNCTION public.idempotency_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.idempotency_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.idempotency_release(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  DELETE FROM idempotency_keys k WHERE k.tenant_id = p_tenant AND k.user_id = p_user AND k.route = p_route
    AND k.key = p_key AND k.fingerprint = p_fingerprint;
  RETURN jsonb_build_object('state', 'new');
END $function$;
REVOKE ALL ON FUNCTION public.idempotency_release(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.idempotency_release(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.idempotency_remember(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea, p_result jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  IF p_result ->> 'status' = 'ok' THEN
    INSERT INTO idempotency_keys (tenant_id, user_id, route, key, fingerprint, result, expires_at)
    VALUES (p_tenant, p_user, p_route, p_key, p_fingerprint, p_result - 'audit', clock_timestamp() + interval '24 hours')
    ON CONFLICT (tenant_id, user_id, route, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
      result = EXCLUDED.result, created_at = clock_timestamp(), expires_at = EXCLUDED.expires_at;
  END IF;
  RETURN p_result;
END $function$;
REVOKE ALL ON FUNCTION public.idempotency_remember(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea, p_result jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.idempotency_remember(p_tenant uuid, p_user text, p_route text, p_key text, p_fingerprint bytea, p_result jsonb) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.import_clashes(p_tenant uuid, p_keys text[], p_rooms uuid[])
 RETURNS TABLE(unique_key text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT r.unique_key FROM rooms r WHERE r.tenant_id = p_tenant AND r.unique_key = ANY (p_keys)
    AND NOT (r.room_id = ANY (p_rooms) AND EXISTS (SELECT 1 FROM import_rooms i
      WHERE i.tenant_id = p_tenant AND i.room_id = r.room_id))
$function$;
REVOKE ALL ON FUNCTION public.import_clashes(p_tenant uuid, p_keys text[], p_rooms uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.import_clashes(p_tenant uuid, p_keys text[], p_rooms uuid[]) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.import_events_add(p_tenant uuid, p_room uuid, p_import uuid, p_rows json)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  added integer;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN 0; END IF;
  PERFORM set_config('app.import', 'on', true);
  INSERT INTO room_events (tenant_id, room_id, rev, type, payload, created_at)
  SELECT p_tenant, p_room, x.rev, x.type, x.payload, x.created_at
  FROM json_to_recordset(p_rows) x(rev bigint, type text, payload jsonb, created_at timestamptz)
  ORDER BY x.rev ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $function$;
REVOKE ALL ON FUNCTION public.import_events_add(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.import_events_add(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.import_is_first(p_tenant uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant)
    AND NOT EXISTS (SELECT 1 FROM import_rooms i WHERE i.tenant_id = p_tenant)
$function$;
REVOKE ALL ON FUNCTION public.import_is_first(p_tenant uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.import_is_first(p_tenant uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.import_members_add(p_tenant uuid, p_room uuid, p_import uuid, p_rows json)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  added integer;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN 0; END IF;
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_at, joined_seq, member_no)
  SELECT p_tenant, p_room, x.user_id, x.role, x.joined_at, x.joined_seq, x.member_no
  FROM json_to_recordset(p_rows) x(user_id text, role text, joined_at timestamptz, joined_seq bigint, member_no bigint)
  ORDER BY x.user_id COLLATE "C" ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $function$;
REVOKE ALL ON FUNCTION public.import_members_add(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.import_members_add(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.import_progress(p_tenant uuid, p_import uuid, p_counts jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  UPDATE imports i SET counts = i.counts || (SELECT COALESCE(jsonb_object_agg(n.key,
      COALESCE((i.counts->>n.key)::bigint, 0) + n.value::bigint), '{}') FROM jsonb_each_text(p_counts) n)
  WHERE i.tenant_id = p_tenant AND i.import_id = p_import AND i.state = 'running';
  RETURN FOUND;
END $function$;
REVOKE ALL ON FUNCTION public.import_progress(p_tenant uuid, p_import uuid, p_counts jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.import_progress(p_tenant uuid, p_import uuid, p_counts jsonb) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.import_room_begin(p_tenant uuid, p_room uuid, p_import uuid, p_row json)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  made import_rooms;
BEGIN
  INSERT INTO import_rooms (tenant_id, room_id, import_id) VALUES (p_tenant, p_room, p_import) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM set_config('app.import', 'on', true);
    INSERT INTO rooms (tenant_id, room_id, type, name, metadata, posting, legal_hold, created_at, updated_at, deleted_at)
    SELECT p_tenant, p_room, x.type, x.name, x.metadata, x.posting, x.legal_hold, x.created_at, x.updated_at,
      clock_timestamp()
    FROM json_to_record(p_row) x(type text, name text, metadata json, posting text, legal_hold boolean,
      created_at timestamptz, updated_at timestamptz)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      DELETE FROM import_rooms i WHERE i.tenant_id = p_tenant AND i.room_id = p_room;
      RETURN jsonb_build_object('status', 'taken');
    END IF;
  END IF;
  SELECT * INTO made FROM import_rooms i WHERE i.tenant_id = p_tenant AND i.room_id = p_room;
  IF made.is_done THEN RETURN jsonb_build_object('status', 'done'); END IF;
  IF made.import_id IS DISTINCT FROM p_import THEN RETURN jsonb_build_object('status', 'taken'); END IF;
  RETURN jsonb_build_object('status', 'ok', 'reached', (SELECT COALESCE(max(m.seq), 0) FROM messages m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room));
END $function$;
REVOKE ALL ON FUNCTION public.import_room_begin(p_tenant uuid, p_room uuid, p_import uuid, p_row json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.import_room_begin(p_tenant uuid, p_room uuid, p_import uuid, p_row json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.import_room_lock(p_tenant uuid, p_room uuid, p_import uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  PERFORM 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  RETURN FOUND AND EXISTS (SELECT 1 FROM import_rooms i
    WHERE i.tenant_id = p_tenant AND i.room_id = p_room AND i.import_id = p_import AND NOT i.is_done);
END $function$;
REVOKE ALL ON FUNCTION public.import_room_lock(p_tenant uuid, p_room uuid, p_import uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.import_room_lock(p_tenant uuid, p_room uuid, p_import uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.import_room_open(p_tenant uuid, p_room uuid, p_import uuid, p_row json)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN jsonb_build_object('status', 'done'); END IF;
  BEGIN
    UPDATE rooms r SET unique_key = x.unique_key, first_seq = x.first_seq, last_seq = x.last_seq, first_rev = x.first_rev,
      last_rev = x.last_rev, members_added = x.members_added, retention_days = x.retention_days,
      last_message_at = x.last_message_at, deleted_at = NULL, member_count = (SELECT count(*) FROM room_members m
        WHERE m.tenant_id = p_tenant AND m.room_id = p_room)
    FROM json_to_record(p_row) x(unique_key text, first_seq bigint, last_seq bigint, first_rev bigint, last_rev bigint,
      members_added bigint, retention_days integer, last_message_at timestamptz)
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING r.* INTO room;
  EXCEPTION WHEN unique_violation THEN
    RETURN jsonb_build_object('status', 'dm_exists');
  END;
  INSERT INTO cursors (tenant_id, room_id, user_id, acked_seq, read_seq)
  SELECT p_tenant, p_room, m.user_id, room.last_seq, room.last_seq FROM room_members m
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND room.last_seq > 0 ON CONFLICT DO NOTHING;
  UPDATE import_rooms i SET is_done = true, last_seq = room.last_seq, last_rev = room.last_rev
  WHERE i.tenant_id = p_tenant AND i.room_id = p_room;
  RETURN jsonb_build_object('status', 'ok');
END $function$;
REVOKE ALL ON FUNCTION public.import_room_open(p_tenant uuid, p_room uuid, p_import uuid, p_row json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.import_room_open(p_tenant uuid, p_room uuid, p_import uuid, p_row json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.imported_rooms(p_tenant uuid, p_rooms uuid[])
 RETURNS TABLE(room_id uuid)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT i.room_id FROM import_rooms i WHERE i.tenant_id = p_tenant AND i.room_id = ANY (p_rooms) AND i.is_done
$function$;
REVOKE ALL ON FUNCTION public.imported_rooms(p_tenant uuid, p_rooms uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.imported_rooms(p_tenant uuid, p_rooms uuid[]) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.jobs_claim(p_kinds text[], p_free integer[], p_per_tenant integer[], p_per_key integer[], p_max_attempts integer[], p_tenant_limits text[], p_tenant_defaults integer[], p_user_limits text[], p_user_defaults integer[], p_lease_ms bigint, p_after_tenant uuid, p_after_kind text, p_scan integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_sort TO 'off'
AS $function$
DECLARE
  ts timestamptz;
  claimed jsonb;
BEGIN
  PERFORM set_config('lock_timeout', '1s', true);
  PERFORM pg_advisory_xact_lock(hashtextextended('chatapi jobs claim', 0));
  ts := clock_timestamp() + interval '1 ms';

  UPDATE jobs j SET state = CASE WHEN l.attempts >= l.most + 3 THEN 'dead' ELSE 'queued' END, fence = j.fence + 1,
    lease_until = NULL, last_error = 'the worker was lost',
    ended_at = CASE WHEN l.attempts >= l.most + 3 THEN ts END
  FROM (SELECT x.tenant_id, x.id, x.attempts, k.most FROM unnest(p_kinds, p_max_attempts) k(kind, most),
      LATERAL (SELECT y.* FROM jobs y WHERE y.state = 'running' AND y.kind = k.kind AND y.lease_until < ts
        ORDER BY y.lease_until LIMIT 1000 FOR UPDATE SKIP LOCKED) x) l
  WHERE j.tenant_id = l.tenant_id AND j.id = l.id;

  WITH RECURSIVE pairs AS (
    (SELECT j.tenant_id, j.kind, 1 AS n FROM jobs j WHERE j.state = 'queued' AND (j.tenant_id, j.kind) >
        (COALESCE(p_after_tenant, '00000000-0000-0000-0000-000000000000'::uuid), COALESCE(p_after_kind, ''))
      ORDER BY j.tenant_id, j.kind LIMIT 1)
    UNION ALL
    SELECT x.tenant_id, x.kind, p.n + 1 FROM pairs p, LATERAL (SELECT j.tenant_id, j.kind FROM jobs j
      WHERE j.state = 'queued' AND (j.tenant_id, j.kind) > (p.tenant_id, p.kind)
      ORDER BY j.tenant_id, j.kind LIMIT 1) x
    WHERE p.n < p_scan
  ), wanted AS MATERIALIZED (
    SELECT p.tenant_id, p.kind, k.free, k.per_key, k.user_limit IS NOT NULL AS by_user, l.per_user,
      LEAST(k.free, LEAST(k.per_tenant, l.per_tenant) - r.n) AS room
    FROM pairs p JOIN unnest(p_kinds, p_free, p_per_tenant, p_per_key, p_tenant_limits, p_tenant_defaults, p_user_limits,
        p_user_defaults) k(kind, free, per_tenant, per_key, tenant_limit, tenant_default, user_limit, user_default)
      ON k.kind = p.kind
    LEFT JOIN LATERAL (SELECT
        CASE WHEN t.limits ? k.tenant_limit THEN (t.limits->>k.tenant_limit)::integer ELSE k.tenant_default END AS per_tenant,
        CASE WHEN t.limits ? k.user_limit THEN (t.limits->>k.user_limit)::integer ELSE k.user_default END AS per_user
      FROM tenants t WHERE t.tenant_id = p.tenant_id AND (k.tenant_limit IS NOT NULL OR k.user_limit IS NOT NULL)
    ) l ON true,
      LATERAL (SELECT count(*)::integer AS n FROM jobs r WHERE r.state = 'running' AND r.tenant_id = p.tenant_id
        AND r.kind = p.kind) r
  ), busy AS MATERIALIZED (
    SELECT w.tenant_id, w.kind, r.payload->>'user_id' AS user_id, r.key FROM wanted w, LATERAL (SELECT x.payload, x.key
      FROM jobs x WHERE x.state = 'running' AND x.tenant_id = w.tenant_id AND x.kind = w.kind) r WHERE w.by_user
  ), busy_users AS MATERIALIZED (
    SELECT b.tenant_id, b.kind, b.user_id, count(*) AS n FROM busy b GROUP BY 1, 2, 3
  ), filled AS MATERIALIZED (
    SELECT w.*,
      ARRAY(SELECT b.key FROM busy b WHERE b.tenant_id = w.tenant_id AND b.kind = w.kind
        GROUP BY 1 HAVING count(*) >= w.per_key) AS full_keys,
      ARRAY(SELECT b.user_id FROM busy_users b WHERE b.tenant_id = w.tenant_id AND b.kind = w.kind
        AND b.n >= w.per_user) AS full_users
    FROM wanted w
  ), seen AS MATERIALIZED (
    SELECT w.tenant_id, w.kind, w.per_key, w.room, w.free, w.per_user, d.id, d.key, d.run_at, d.user_id,
      row_number() OVER (PARTITION BY w.tenant_id, w.kind, d.key ORDER BY d.run_at, d.id) AS in_key
    FROM filled w, LATERAL (
      (SELECT j.id, j.key, j.run_at, NULL AS user_id FROM jobs j WHERE NOT w.by_user AND j.state = 'queued'
        AND j.tenant_id = w.tenant_id AND j.kind = w.kind AND j.run_at <= ts ORDER BY j.run_at, j.id
        LIMIT CASE WHEN w.room <= 0 THEN 1 WHEN w.per_key >= w.room THEN w.room + 1 ELSE 1000 END)
      UNION ALL
      (SELECT x.id, x.key, x.run_at, x.user_id FROM (SELECT j.id, j.key, j.run_at, j.payload->>'user_id' AS user_id
          FROM jobs j WHERE w.by_user AND j.state = 'queued' AND j.tenant_id = w.tenant_id AND j.kind = w.kind
          AND j.run_at <= ts ORDER BY j.run_at, j.id LIMIT CASE WHEN w.room <= 0 THEN 1 ELSE 5000 END) x
        WHERE x.key <> ALL (w.full_keys) AND COALESCE(x.user_id, '') <> ALL (w.full_users)
        ORDER BY x.run_at, x.id LIMIT 1000)
    ) d
  ), by_key AS (
    SELECT s.*, row_number() OVER (PARTITION BY s.tenant_id, s.kind, s.user_id ORDER BY s.run_at, s.id)
      + COALESCE(b.n, 0) AS in_user
    FROM seen s LEFT JOIN busy_users b ON b.tenant_id = s.tenant_id AND b.kind = s.kind AND b.user_id = s.user_id
    WHERE s.room > 0 AND s.in_key + (SELECT count(*) FROM jobs r WHERE r.state = 'running'
      AND r.tenant_id = s.tenant_id AND r.kind = s.kind AND r.key = s.key) <= s.per_key
  ), fit AS (
    SELECT f.*, row_number() OVER (PARTITION BY f.tenant_id, f.kind
      ORDER BY CASE WHEN f.user_id IS NOT NULL THEN f.in_user END, f.run_at, f.id) AS place FROM by_key f
    WHERE f.user_id IS NULL OR f.per_user IS NULL OR f.in_user <= f.per_user
  ), turns AS (
    SELECT f.*, row_number() OVER (PARTITION BY f.kind ORDER BY f.place, random()) AS turn FROM fit f
    WHERE f.place <= f.room
  ), held AS MATERIALIZED (
    SELECT l.* FROM turns t, LATERAL (SELECT x.tenant_id, x.id FROM jobs x WHERE x.tenant_id = t.tenant_id
      AND x.id = t.id AND x.state = 'queued' FOR UPDATE SKIP LOCKED) l
    WHERE t.turn <= t.free
  ), taken AS (
    UPDATE jobs j SET state = 'running', attempts = j.attempts + 1, fence = j.fence + 1,
      lease_until = clock_timestamp() + p_lease_ms * interval '1 ms'
    FROM held h WHERE j.tenant_id = h.tenant_id AND j.id = h.id
    RETURNING j.tenant_id, j.id, j.kind, j.key, j.payload, j.attempts, j.fence, j.last_error, j.created_at, j.run_at
  )
  SELECT jsonb_build_object(
    'jobs', COALESCE((SELECT jsonb_agg(to_jsonb(t) ORDER BY t.run_at, t.id) FROM taken t), '[]'::jsonb),
    'more', (SELECT count(*) FROM seen) > (SELECT count(*) FROM taken)
      OR EXISTS (SELECT 1 FROM filled w WHERE w.by_user AND (w.full_keys <> '{}' OR w.full_users <> '{}')),
    'cursor', (SELECT jsonb_build_object('tenant_id', p.tenant_id, 'kind', p.kind) FROM pairs p WHERE p.n = p_scan))
  INTO claimed;
  RETURN claimed;
END $function$;
REVOKE ALL ON FUNCTION public.jobs_claim(p_kinds text[], p_free integer[], p_per_tenant integer[], p_per_key integer[], p_max_attempts integer[], p_tenant_limits text[], p_tenant_defaults integer[], p_user_limits text[], p_user_defaults integer[], p_lease_ms bigint, p_after_tenant uuid, p_after_kind text, p_scan integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.jobs_claim(p_kinds text[], p_free integer[], p_per_tenant integer[], p_per_key integer[], p_max_attempts integer[], p_tenant_limits text[], p_tenant_defaults integer[], p_user_limits text[], p_user_defaults integer[], p_lease_ms bigint, p_after_tenant uuid, p_after_kind text, p_scan integer) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.jobs_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  behind bigint := COALESCE((p_after->>'job')::bigint, 0);
  token text := to_json(p_user)::text;
  through bigint;
  running bigint;
  gone bigint;
  changed bigint;
BEGIN
  SELECT j.id INTO through FROM jobs j WHERE j.tenant_id = p_tenant AND j.id > behind ORDER BY j.id OFFSET 2 * p_limit - 1 LIMIT 1;
  SELECT min(j.id) INTO running FROM jobs j WHERE j.tenant_id = p_tenant AND j.id > behind
    AND (through IS NULL OR j.id <= through) AND j.state = 'running'
    AND erased_json(j.payload::text, p_user, p_erased) <> j.payload::text;
  DELETE FROM jobs j WHERE j.tenant_id = p_tenant AND j.id > behind AND (through IS NULL OR j.id <= through)
    AND j.state <> 'running' AND j.payload->>'user_id' = p_user;
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE jobs j SET payload = erased_json(j.payload::text, p_user, p_erased)::jsonb,
    key = CASE WHEN j.key = p_user THEN p_erased ELSE j.key END
  WHERE j.tenant_id = p_tenant AND j.id > behind AND (through IS NULL OR j.id <= through) AND j.state <> 'running'
    AND (j.key = p_user OR strpos(j.payload::text, token) > 0 AND erased_json(j.payload::text, p_user, p_erased) <> j.payload::text);
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('jobs', gone + changed), 'waits', running IS NOT NULL,
    'after', CASE WHEN running IS NOT NULL THEN jsonb_build_object('job', running - 1)
      WHEN through IS NOT NULL THEN jsonb_build_object('job', through) END);
END $function$;
REVOKE ALL ON FUNCTION public.jobs_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.jobs_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.json_bytes(j jsonb)
 RETURNS integer
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT octet_length(j::text) - (length(s) - length(replace(s, ' ', ''))) - (
    SELECT COALESCE(sum(octet_length(v::text) - octet_length(regexp_replace(v::text::float8::text, 'e([+-])0', 'e\1'))),
      0)::integer
    FROM jsonb_path_query(j, 'strict $.** ? (@.type() == "number" && (@ >= 1e21 || @ <= -1e21 ||
      (@ > -1e-6 && @ < 1e-6 && @ != 0)))') v)
  FROM (SELECT regexp_replace(j::text, '"(\\.|[^"\\])*"', '', 'g') AS s) q
$function$;
REVOKE ALL ON FUNCTION public.json_bytes(j jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.json_bytes(j jsonb) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.json_merge(p_old json, p_change json)
 RETURNS json
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT COALESCE(json_object_agg(k.key, k.value ORDER BY k.part, k.n), '{}') FROM (
    SELECT o.key, o.value, 1 AS part, o.n FROM json_each(COALESCE(p_old, '{}')) WITH ORDINALITY o(key, value, n)
    WHERE NOT EXISTS (SELECT 1 FROM json_each(p_change) c WHERE c.key = o.key)
    UNION ALL
    SELECT c.key, c.value, CASE WHEN o.n IS NULL THEN 2 ELSE 1 END, COALESCE(o.n, c.n)
    FROM json_each(p_change) WITH ORDINALITY c(key, value, n)
    LEFT JOIN json_each(COALESCE(p_old, '{}')) WITH ORDINALITY o(key, value, n) ON o.key = c.key
    WHERE json_typeof(c.value) <> 'null') k
$function$;
REVOKE ALL ON FUNCTION public.json_merge(p_old json, p_change json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.json_merge(p_old json, p_change json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.limit_reached(p_limit text, p_allowed bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  RAISE EXCEPTION 'a limit of the tenant is reached'
    USING ERRCODE = 'CA001', DETAIL = p_limit, HINT = p_allowed::text;
END $function$;
REVOKE ALL ON FUNCTION public.limit_reached(p_limit text, p_allowed bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.limit_reached(p_limit text, p_allowed bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.log_analyze(p_rows bigint)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  IF (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'public.messages'::regclass) * 2 >= p_rows THEN
    RETURN false;
  END IF;
  ANALYZE rooms, room_members, messages, cursors;
  RETURN true;
END $function$;
REVOKE ALL ON FUNCTION public.log_analyze(p_rows bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.log_analyze(p_rows bigint) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.member_json(m public.room_members)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT jsonb_build_object('user_id', m.user_id, 'role', m.role, 'joined_at', m.joined_at)
$function$;
REVOKE ALL ON FUNCTION public.member_json(m public.room_members) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.member_json(m public.room_members) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.member_me(p_tenant uuid, p_room uuid, p_user text)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT jsonb_build_object('muted_until',
      to_char(s.muted_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'hidden', COALESCE(s.is_hidden, false),
    'favourite', COALESCE(s.is_favourite, false), 'notify', COALESCE(s.notify, 'all'),
    'unread_seq', CASE WHEN c.unread_seq > m.joined_seq THEN c.unread_seq END)
  FROM room_members m
  LEFT JOIN member_settings s ON s.tenant_id = m.tenant_id AND s.room_id = m.room_id AND s.user_id = m.user_id
  LEFT JOIN cursors c ON c.tenant_id = m.tenant_id AND c.room_id = m.room_id AND c.user_id = m.user_id
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user
$function$;
REVOKE ALL ON FUNCTION public.member_me(p_tenant uuid, p_room uuid, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.member_me(p_tenant uuid, p_room uuid, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.member_remove(p_tenant uuid, p_room uuid, p_actor text, p_user text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  actor_role text;
  gone room_members;
  heir text;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  actor_role := room_role(p_tenant, p_room, p_actor);
  IF actor_role IS NULL THEN
    RETURN jsonb_build_object('status', CASE WHEN room.type = 'channel' AND p_actor = p_user THEN 'not_member'
      ELSE 'forbidden' END);
  END IF;
  IF room.type IN ('dm', 'ai') THEN RETURN jsonb_build_object('status', 'fixed'); END IF;
  IF p_actor <> p_user AND actor_role <> 'admin' THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  DELETE FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user
    AND m.role <> 'agent' RETURNING * INTO gone;
  IF gone.user_id IS NULL THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  UPDATE rooms r SET member_count = r.member_count - 1, last_rev = room_log(p_tenant, p_room, r.last_rev,
    'member.left', jsonb_build_array(jsonb_build_object('room_id', p_room, 'user_id', p_user, 'role', gone.role,
      'by', p_actor)))
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  IF gone.role = 'admin' AND NOT EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.role = 'admin') THEN
    UPDATE room_members m SET role = 'admin' WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.member_no = (
      SELECT min(o.member_no) FROM room_members o
      WHERE o.tenant_id = p_tenant AND o.room_id = p_room AND o.role <> 'agent') RETURNING m.user_id INTO heir;
    IF heir IS NOT NULL THEN PERFORM member_role_changed(room, heir, 'admin', p_actor); END IF;
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'promoted', heir) || CASE WHEN p_actor = p_user THEN '{}'
    ELSE jsonb_build_object('audit', jsonb_build_object('user', p_user, 'before', jsonb_build_object('role', gone.role)))
    END;
END $function$;
REVOKE ALL ON FUNCTION public.member_remove(p_tenant uuid, p_room uuid, p_actor text, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.member_remove(p_tenant uuid, p_room uuid, p_actor text, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.member_role_changed(p_room public.rooms, p_user text, p_role text, p_by text)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  UPDATE rooms r SET last_rev = room_log(p_room.tenant_id, p_room.room_id, r.last_rev, 'member.updated',
    jsonb_build_array(jsonb_build_object('room_id', p_room.room_id, 'user_id', p_user, 'role', p_role, 'by', p_by)))
  WHERE r.tenant_id = p_room.tenant_id AND r.room_id = p_room.room_id
$function$;
REVOKE ALL ON FUNCTION public.member_role_changed(p_room public.rooms, p_user text, p_role text, p_by text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.member_role_changed(p_room public.rooms, p_user text, p_role text, p_by text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.member_set_role(p_tenant uuid, p_room uuid, p_actor text, p_user text, p_role text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  member room_members;
  told jsonb := '{}';
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room_role(p_tenant, p_room, p_actor) IS DISTINCT FROM 'admin' THEN
    RETURN jsonb_build_object('status', CASE WHEN room.type IN ('dm', 'ai')
      AND room_role(p_tenant, p_room, p_actor) IS NOT NULL THEN 'fixed' ELSE 'forbidden' END);
  END IF;
  SELECT * INTO member FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user AND m.role <> 'agent';
  IF member.user_id IS NULL THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  IF member.role <> p_role THEN
    IF p_role <> 'admin' AND NOT EXISTS (SELECT 1 FROM room_members m WHERE m.tenant_id = p_tenant
      AND m.room_id = p_room AND m.role = 'admin' AND m.user_id <> p_user) THEN
      RETURN jsonb_build_object('status', 'last_admin');
    END IF;
    IF p_actor <> p_user THEN
      told := jsonb_build_object('audit', jsonb_build_object('user', p_user,
        'before', jsonb_build_object('role', member.role), 'after', jsonb_build_object('role', p_role)));
    END IF;
    UPDATE room_members m SET role = p_role
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user RETURNING * INTO member;
    PERFORM member_role_changed(room, member.user_id, p_role, p_actor);
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'member', member_json(member)) || told;
END $function$;
REVOKE ALL ON FUNCTION public.member_set_role(p_tenant uuid, p_room uuid, p_actor text, p_user text, p_role text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.member_set_role(p_tenant uuid, p_room uuid, p_actor text, p_user text, p_role text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.member_settings_set(p_tenant uuid, p_room uuid, p_user text, p_muted_until timestamp with time zone, p_unmute boolean, p_hidden boolean, p_favourite boolean, p_notify text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL) THEN
    RETURN jsonb_build_object('status', 'no_room');
  END IF;
  -- Who is removed meanwhile has no row that this could be of.
  PERFORM 1 FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user FOR KEY SHARE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  INSERT INTO member_settings AS s (tenant_id, room_id, user_id, muted_until, is_hidden, is_favourite, notify)
  VALUES (p_tenant, p_room, p_user, p_muted_until, COALESCE(p_hidden, false), COALESCE(p_favourite, false),
    COALESCE(p_notify, 'all'))
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE SET
    muted_until = CASE WHEN p_unmute THEN NULL ELSE COALESCE(p_muted_until, s.muted_until) END,
    is_hidden = COALESCE(p_hidden, s.is_hidden), is_favourite = COALESCE(p_favourite, s.is_favourite),
    notify = COALESCE(p_notify, s.notify);
  RETURN jsonb_build_object('status', 'ok', 'me', member_me(p_tenant, p_room, p_user));
END $function$;
REVOKE ALL ON FUNCTION public.member_settings_set(p_tenant uuid, p_room uuid, p_user text, p_muted_until timestamp with time zone, p_unmute boolean, p_hidden boolean, p_favourite boolean, p_notify text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.member_settings_set(p_tenant uuid, p_room uuid, p_user text, p_muted_until timestamp with time zone, p_unmute boolean, p_hidden boolean, p_favourite boolean, p_notify text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.member_unread(p_tenant uuid, p_room uuid, p_user text, p_seq bigint)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  since bigint;
BEGIN
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL;
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  SELECT m.joined_seq INTO since FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user;
  IF since IS NULL THEN RETURN jsonb_build_object('status', 'not_member'); END IF;
  IF p_seq > room.last_seq THEN RETURN jsonb_build_object('status', 'beyond', 'last_seq', room.last_seq); END IF;
  IF p_seq < GREATEST(room.first_seq, since + 1) THEN
    RETURN jsonb_build_object('status', 'before', 'first_seq', GREATEST(room.first_seq, since + 1));
  END IF;
  INSERT INTO cursors AS c (tenant_id, room_id, user_id, acked_seq, read_seq, unread_seq)
  VALUES (p_tenant, p_room, p_user, since, since, p_seq)
  ON CONFLICT (tenant_id, room_id, user_id) DO UPDATE SET unread_seq = p_seq;
  RETURN jsonb_build_object('status', 'ok', 'me', member_me(p_tenant, p_room, p_user));
END $function$;
REVOKE ALL ON FUNCTION public.member_unread(p_tenant uuid, p_room uuid, p_user text, p_seq bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.member_unread(p_tenant uuid, p_room uuid, p_user text, p_seq bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.members_add(p_tenant uuid, p_room uuid, p_actor text, p_users text[], p_role text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room_role(p_tenant, p_room, p_actor) IS NULL AND room.type <> 'channel' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  IF room.type IN ('dm', 'ai') THEN RETURN jsonb_build_object('status', 'fixed'); END IF;
  IF room_role(p_tenant, p_room, p_actor) IS DISTINCT FROM 'admin' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  PERFORM members_insert(room, p_users, p_role, p_actor);
  RETURN jsonb_build_object('status', 'ok', 'members', (
    SELECT jsonb_agg(member_json(m) ORDER BY m.member_no) FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = ANY (p_users)));
END $function$;
REVOKE ALL ON FUNCTION public.members_add(p_tenant uuid, p_room uuid, p_actor text, p_users text[], p_role text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.members_add(p_tenant uuid, p_room uuid, p_actor text, p_users text[], p_role text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.members_insert(p_room public.rooms, p_users text[], p_role text, p_by text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  added text[];
  rev bigint;
BEGIN
  SELECT array_agg(u.user_id ORDER BY u.n) INTO added FROM unnest(p_users) WITH ORDINALITY u(user_id, n)
  WHERE NOT EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = p_room.tenant_id AND m.room_id = p_room.room_id AND m.user_id = u.user_id);
  IF added IS NULL THEN RETURN; END IF;
  PERFORM users_ensure(p_room.tenant_id, added);
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
  SELECT p_room.tenant_id, p_room.room_id, a.user_id, p_role, p_room.last_seq, p_room.members_added + a.n
  FROM unnest(added) WITH ORDINALITY a(user_id, n);
  rev := room_log(p_room.tenant_id, p_room.room_id, p_room.last_rev, 'member.joined',
    (SELECT jsonb_agg(jsonb_build_object('room_id', p_room.room_id, 'user_id', a.user_id, 'role', p_role, 'by', p_by)
      ORDER BY a.n) FROM unnest(added) WITH ORDINALITY a(user_id, n)));
  UPDATE rooms r SET member_count = r.member_count + cardinality(added),
    members_added = r.members_added + cardinality(added), last_rev = rev
  WHERE r.tenant_id = p_room.tenant_id AND r.room_id = p_room.room_id;
END $function$;
REVOKE ALL ON FUNCTION public.members_insert(p_room public.rooms, p_users text[], p_role text, p_by text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.members_insert(p_room public.rooms, p_users text[], p_role text, p_by text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_at(p_tenant uuid, p_room uuid, p_seq bigint)
 RETURNS TABLE(message_id uuid)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT m.message_id FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = p_seq
$function$;
REVOKE ALL ON FUNCTION public.message_at(p_tenant uuid, p_room uuid, p_seq bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_at(p_tenant uuid, p_room uuid, p_seq bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_delete(p_tenant uuid, p_room uuid, p_message uuid, p_user text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  msg messages;
  role text;
  stopped jsonb;
  told jsonb := '{}';
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  role := room_role(p_tenant, p_room, p_user);
  IF role IS NULL THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  SELECT * INTO msg FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.message_id = p_message;
  IF msg.seq IS NULL OR msg.seq < room.first_seq THEN RETURN jsonb_build_object('status', 'no_message'); END IF;
  IF msg.sender_id <> p_user AND role <> 'admin' THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  IF msg.deleted_at IS NOT NULL THEN
    RETURN jsonb_build_object('status', 'unchanged', 'message', message_json(msg));
  END IF;
  IF msg.sender_id <> p_user AND room.type <> 'ai' THEN
    told := jsonb_build_object('audit', jsonb_build_object('user', msg.sender_id));
  END IF;
  PERFORM message_hold(room, msg);
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = p_room AND v.seq = msg.seq;
  UPDATE rooms r SET last_rev = r.last_rev + 1 WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE messages m SET content = '', meta = NULL, deleted_at = clock_timestamp(), rev = room.last_rev + 1
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = msg.seq RETURNING * INTO msg;
  IF room.has_states THEN PERFORM message_states_drop(p_tenant, p_room, ARRAY[msg.seq]); END IF;
  IF room.type <> 'ai' AND room.has_agents IS NULL THEN
    RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg)) || told;
  END IF;
  -- Under a hold it goes with what is held.
  UPDATE runs q SET reasoning = NULL WHERE q.tenant_id = p_tenant AND q.run_id = p_message AND q.reasoning IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM held_messages h
      WHERE h.tenant_id = p_tenant AND h.room_id = p_room AND h.seq = msg.seq);
  WITH ended AS (
    UPDATE runs q SET is_cancelled = true WHERE q.tenant_id = p_tenant AND q.room_id = p_room
      AND q.reply_to_seq = msg.seq AND q.state IN ('queued', 'streaming') RETURNING q.run_id
  )
  SELECT COALESCE(jsonb_agg(e.run_id), '[]') INTO stopped FROM ended e;
  RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg), 'runs', stopped) || told;
END $function$;
REVOKE ALL ON FUNCTION public.message_delete(p_tenant uuid, p_room uuid, p_message uuid, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_delete(p_tenant uuid, p_room uuid, p_message uuid, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_edit(p_tenant uuid, p_room uuid, p_message uuid, p_user text, p_content text, p_meta text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  msg messages;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room_role(p_tenant, p_room, p_user) IS NULL THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  SELECT * INTO msg FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.message_id = p_message;
  IF msg.seq IS NULL OR msg.seq < room.first_seq OR msg.deleted_at IS NOT NULL THEN
    RETURN jsonb_build_object('status', 'no_message');
  END IF;
  IF msg.sender_id <> p_user THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  PERFORM message_hold(room, msg);
  IF (SELECT t.settings->>'message_history' = 'on' FROM tenants t WHERE t.tenant_id = p_tenant) THEN
    INSERT INTO message_versions (tenant_id, room_id, seq, rev, content, meta, said_at)
    VALUES (p_tenant, p_room, msg.seq, msg.rev, msg.content, msg.meta, COALESCE(msg.edited_at, msg.created_at))
    ON CONFLICT DO NOTHING;
  END IF;
  UPDATE rooms r SET last_rev = r.last_rev + 1 WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  UPDATE messages m SET content = COALESCE(p_content, m.content), meta = COALESCE(p_meta::json, m.meta),
    edited_at = clock_timestamp(), rev = room.last_rev + 1
  WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = msg.seq RETURNING * INTO msg;
  RETURN jsonb_build_object('status', 'ok', 'message', message_json(msg));
END $function$;
REVOKE ALL ON FUNCTION public.message_edit(p_tenant uuid, p_room uuid, p_message uuid, p_user text, p_content text, p_meta text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_edit(p_tenant uuid, p_room uuid, p_message uuid, p_user text, p_content text, p_meta text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_hold(p_room public.rooms, p_message public.messages)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  IF p_room.legal_hold OR (SELECT u.legal_hold FROM users u
    WHERE u.tenant_id = p_room.tenant_id AND u.user_id = p_message.sender_id) THEN
    INSERT INTO held_messages (tenant_id, room_id, seq, rev, sender_id, content, meta)
    VALUES (p_room.tenant_id, p_room.room_id, p_message.seq, p_message.rev, p_message.sender_id, p_message.content,
      p_message.meta);
    INSERT INTO held_messages (tenant_id, room_id, seq, rev, sender_id, content, meta)
    SELECT v.tenant_id, v.room_id, v.seq, v.rev, p_message.sender_id, v.content, v.meta FROM message_versions v
    WHERE v.tenant_id = p_room.tenant_id AND v.room_id = p_room.room_id AND v.seq = p_message.seq
    ON CONFLICT DO NOTHING;
  END IF;
END $function$;
REVOKE ALL ON FUNCTION public.message_hold(p_room public.rooms, p_message public.messages) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_hold(p_room public.rooms, p_message public.messages) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_json(m public.messages)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT jsonb_build_object('message_id', m.message_id, 'room_id', m.room_id, 'seq', m.seq, 'rev', m.rev,
    'sender_id', m.sender_id, 'content', m.content, 'meta', m.meta::text, 'client_message_id', m.client_message_id,
    'created_at', m.created_at, 'edited_at', m.edited_at, 'deleted_at', m.deleted_at)
    || COALESCE((SELECT jsonb_build_object('states', s.states::jsonb) FROM message_states(m.tenant_id, m.room_id, m.seq) s), '{}')
$function$;
REVOKE ALL ON FUNCTION public.message_json(m public.messages) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_json(m public.messages) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_receipts(p_tenant uuid, p_room uuid, p_seq bigint, p_sender text, p_after bigint, p_limit integer)
 RETURNS TABLE(member_no bigint, user_id text, has_it boolean, has_read boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT m.member_no, m.user_id, COALESCE(c.acked_seq >= p_seq, false), COALESCE(c.read_seq >= p_seq, false)
  FROM (SELECT x.member_no, x.user_id FROM room_members x WHERE x.tenant_id = p_tenant AND x.room_id = p_room AND x.member_no > 0
      AND x.member_no > p_after AND x.joined_seq < p_seq AND x.user_id <> p_sender AND x.role <> 'agent'
    ORDER BY x.member_no LIMIT p_limit) m
  LEFT JOIN LATERAL (SELECT y.acked_seq, y.read_seq FROM cursors y
    WHERE y.tenant_id = p_tenant AND y.room_id = p_room AND y.user_id = m.user_id OFFSET 0) c ON true
  ORDER BY m.member_no
$function$;
REVOKE ALL ON FUNCTION public.message_receipts(p_tenant uuid, p_room uuid, p_seq bigint, p_sender text, p_after bigint, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_receipts(p_tenant uuid, p_room uuid, p_seq bigint, p_sender text, p_after bigint, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_states(p_tenant uuid, p_room uuid, p_seq bigint)
 RETURNS TABLE(states text)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT '{"rev":' || c.rev || ',"shown":{"reactions":' || c.counts::text || ',"reactions_rev":' || c.rev || '}}'
  FROM message_reaction_counts c WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.seq = p_seq
$function$;
REVOKE ALL ON FUNCTION public.message_states(p_tenant uuid, p_room uuid, p_seq bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_states(p_tenant uuid, p_room uuid, p_seq bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_states_after(p_tenant uuid, p_room uuid, p_rev bigint, p_first_seq bigint, p_through_seq bigint, p_limit bigint)
 RETURNS TABLE(rev bigint, seq bigint, type text, payload jsonb)
 LANGUAGE sql
 STABLE
AS $function$
  (SELECT c.rev, c.seq, 'reaction.updated',
    jsonb_build_object('message_id', c.message_id, 'seq', c.seq, 'reactions', c.counts)
  FROM message_reaction_counts c WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.rev > p_rev
    AND c.seq >= p_first_seq AND (p_through_seq IS NULL OR c.seq <= p_through_seq) ORDER BY c.rev LIMIT p_limit)
  UNION ALL
  (SELECT p.rev, p.seq, CASE WHEN p.pinned_at IS NULL THEN 'message.unpinned' ELSE 'message.pinned' END,
    jsonb_build_object('message_id', p.message_id, 'seq', p.seq)
      || CASE WHEN p.pinned_at IS NULL THEN '{}' ELSE jsonb_build_object('pinned_by', p.pinned_by, 'pinned_at', p.pinned_at) END
  FROM room_pins p WHERE p.tenant_id = p_tenant AND p.room_id = p_room AND p.rev > p_rev AND p.seq >= p_first_seq
  ORDER BY p.rev LIMIT p_limit)
$function$;
REVOKE ALL ON FUNCTION public.message_states_after(p_tenant uuid, p_room uuid, p_rev bigint, p_first_seq bigint, p_through_seq bigint, p_limit bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_states_after(p_tenant uuid, p_room uuid, p_rev bigint, p_first_seq bigint, p_through_seq bigint, p_limit bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_states_drop(p_tenant uuid, p_room uuid, p_seqs bigint[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  DELETE FROM message_reactions x WHERE x.tenant_id = p_tenant AND x.room_id = p_room AND x.seq = ANY (p_seqs);
  DELETE FROM message_reaction_counts c WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.seq = ANY (p_seqs);
  DELETE FROM room_pins p WHERE p.tenant_id = p_tenant AND p.room_id = p_room AND p.seq = ANY (p_seqs);
$function$;
REVOKE ALL ON FUNCTION public.message_states_drop(p_tenant uuid, p_room uuid, p_seqs bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_states_drop(p_tenant uuid, p_room uuid, p_seqs bigint[]) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_text_at(p_tenant uuid, p_room uuid, p_seq bigint)
 RETURNS TABLE(content text)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT m.content FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = p_seq AND m.deleted_at IS NULL
    AND m.seq >= (SELECT k.first_seq FROM room_keeps(p_tenant, p_room) k)
$function$;
REVOKE ALL ON FUNCTION public.message_text_at(p_tenant uuid, p_room uuid, p_seq bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_text_at(p_tenant uuid, p_room uuid, p_seq bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.message_versions_released(p_tenant uuid, p_limit integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  gone bigint;
BEGIN
  IF (SELECT t.settings->>'message_history' = 'on' FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE) THEN RETURN 0; END IF;
  DELETE FROM message_versions v USING (SELECT x.room_id, x.seq, x.rev FROM message_versions x
    WHERE x.tenant_id = p_tenant
      AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = x.room_id AND r.legal_hold)
      AND NOT EXISTS (SELECT 1 FROM messages m JOIN users u ON u.tenant_id = p_tenant AND u.user_id = m.sender_id AND u.legal_hold
        WHERE m.tenant_id = p_tenant AND m.room_id = x.room_id AND m.seq = x.seq)
    LIMIT p_limit) g
  WHERE v.tenant_id = p_tenant AND v.room_id = g.room_id AND v.seq = g.seq AND v.rev = g.rev;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $function$;
REVOKE ALL ON FUNCTION public.message_versions_released(p_tenant uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.message_versions_released(p_tenant uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.messages_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  behind_room uuid := COALESCE((p_after->>'room')::uuid, '00000000-0000-0000-0000-000000000000');
  behind_seq bigint := COALESCE((p_after->>'seq')::bigint, 0);
  page bigint := 10 * p_limit;
  found uuid;
  seqs bigint[];
  told bigint[];
  room rooms;
  gone bigint;
BEGIN
  IF p_after IS NULL OR p_after ? 'held' THEN
    DELETE FROM held_messages h USING (SELECT x.room_id, x.seq, x.rev FROM held_messages x
      WHERE x.tenant_id = p_tenant AND x.sender_id = p_user LIMIT p_limit) g
    WHERE h.tenant_id = p_tenant AND h.room_id = g.room_id AND h.seq = g.seq AND h.rev = g.rev;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN jsonb_build_object('counts', jsonb_build_object('held_messages', gone),
      'after', CASE WHEN gone = p_limit THEN jsonb_build_object('held', true) ELSE jsonb_build_object() END);
  END IF;
  SELECT w.room_id INTO found FROM (SELECT m.room_id, m.seq, m.sender_id FROM messages m
    WHERE m.tenant_id = p_tenant AND (m.room_id, m.seq) > (behind_room, behind_seq)
    ORDER BY m.room_id, m.seq LIMIT page) w WHERE w.sender_id = p_user ORDER BY w.room_id, w.seq LIMIT 1;
  IF found IS NULL THEN
    RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', (
      SELECT jsonb_build_object('room', m.room_id, 'seq', m.seq) FROM messages m
      WHERE m.tenant_id = p_tenant AND (m.room_id, m.seq) > (behind_room, behind_seq)
      ORDER BY m.room_id, m.seq OFFSET page - 1 LIMIT 1));
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = found FOR NO KEY UPDATE;
  IF found > behind_room THEN behind_seq := 0; END IF;
  SELECT array_agg(w.seq ORDER BY w.seq) INTO seqs FROM (SELECT x.seq FROM (
      SELECT m.seq, m.sender_id FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = found AND m.seq > behind_seq
      ORDER BY m.seq LIMIT page) x
    WHERE x.sender_id = p_user ORDER BY x.seq LIMIT p_limit) w;
  IF seqs IS NULL THEN
    -- It has gone while the room was waited for.
    RETURN jsonb_build_object('counts', jsonb_build_object(), 'after', jsonb_build_object('room', found, 'seq', behind_seq));
  END IF;
  IF room.deleted_at IS NULL THEN
    SELECT COALESCE(array_agg(s ORDER BY s), '{}') INTO told FROM unnest(seqs) s WHERE s >= room.first_seq;
  END IF;
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = found AND v.seq = ANY (seqs);
  UPDATE messages m SET sender_id = p_erased, content = '', meta = NULL, client_message_id = NULL, body_hash = NULL,
    deleted_at = COALESCE(m.deleted_at, clock_timestamp()),
    rev = COALESCE(room.last_rev + array_position(told, m.seq), m.rev)
  WHERE m.tenant_id = p_tenant AND m.room_id = found AND m.seq = ANY (seqs);
  IF room.has_states THEN PERFORM message_states_drop(p_tenant, found, seqs); END IF;
  UPDATE rooms r SET last_rev = r.last_rev + cardinality(told)
  WHERE r.tenant_id = p_tenant AND r.room_id = found AND cardinality(told) > 0;
  RETURN jsonb_build_object('counts', jsonb_build_object('messages', cardinality(seqs)), 'rooms', jsonb_build_array(found),
    'after', jsonb_build_object('room', found, 'seq', seqs[cardinality(seqs)]));
END $function$;
REVOKE ALL ON FUNCTION public.messages_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.messages_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

-- Owned by chatapi_append.
CREATE OR REPLACE FUNCTION public.messages_import(p_tenant uuid, p_room uuid, p_import uuid, p_rows json)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  reached bigint;
  added integer;
BEGIN
  PERFORM 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  IF NOT FOUND OR NOT EXISTS (SELECT 1 FROM import_rooms i WHERE i.tenant_id = p_tenant AND i.room_id = p_room
      AND i.import_id = p_import AND NOT i.is_done) THEN
    RETURN 0;
  END IF;
  SELECT COALESCE(max(m.seq), 0) INTO reached FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room;
  INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, meta, client_message_id, body_hash,
    kind, status, reply_to_seq, created_at, edited_at, deleted_at)
  SELECT p_tenant, p_room, x.seq, x.message_id, x.rev, x.sender_id, x.content, x.meta, x.client_message_id,
    decode(x.body_hash, 'hex'), x.role, x.status, x.reply_to_seq, x.created_at, x.edited_at, x.deleted_at
  FROM json_to_recordset(p_rows) x(seq bigint, message_id uuid, rev bigint, sender_id text, content text, meta json,
    client_message_id text, body_hash text, role text, status text, reply_to_seq bigint, created_at timestamptz,
    edited_at timestamptz, deleted_at timestamptz)
  WHERE x.seq > reached ORDER BY x.seq;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $function$;
REVOKE ALL ON FUNCTION public.messages_import(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.messages_import(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.messages_trimmed(p_tenant uuid, p_room uuid, p_after bigint, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  first bigint := (SELECT k.first_seq FROM room_keeps(p_tenant, p_room) k);
  low bigint;
  gone bigint;
BEGIN
  SELECT m.seq INTO low FROM messages m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq > p_after AND m.seq < first ORDER BY m.seq LIMIT 1;
  IF low IS NULL THEN RETURN jsonb_build_object('deleted', 0, 'through', p_after); END IF;
  IF (SELECT k.has_states FROM room_keeps(p_tenant, p_room) k) THEN
    PERFORM message_states_drop(p_tenant, p_room, ARRAY(SELECT s FROM generate_series(low, LEAST(first, low + p_limit) - 1) s));
  END IF;
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = p_room AND v.seq >= low
    AND v.seq < LEAST(first, low + p_limit);
  DELETE FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq >= low
    AND m.seq < LEAST(first, low + p_limit);
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN jsonb_build_object('deleted', gone, 'through', LEAST(first, low + p_limit) - 1);
END $function$;
REVOKE ALL ON FUNCTION public.messages_trimmed(p_tenant uuid, p_room uuid, p_after bigint, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.messages_trimmed(p_tenant uuid, p_room uuid, p_after bigint, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.notification_create(p_tenant uuid, p_id uuid, p_topic text, p_payload text, p_users text[], p_room uuid, p_subscribers boolean, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  made timestamptz(3);
BEGIN
  IF p_room IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rooms r
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL) THEN
    RETURN jsonb_build_object('status', 'no_room');
  END IF;
  PERFORM users_ensure(p_tenant, p_users);
  INSERT INTO notifications (tenant_id, notification_id, topic, payload, user_ids, room_id, topic_subscribers)
  VALUES (p_tenant, p_id, p_topic, p_payload::json, p_users, p_room, p_subscribers) RETURNING created_at INTO made;
  INSERT INTO jobs (tenant_id, kind, key, payload)
  VALUES (p_tenant, 'notification.fan_out', p_id::text, jsonb_build_object('notification_id', p_id));
  PERFORM notification_spread(p_tenant, p_id, p_limit);
  RETURN jsonb_build_object('status', 'ok', 'notification_id', p_id, 'created_at', made);
END $function$;
REVOKE ALL ON FUNCTION public.notification_create(p_tenant uuid, p_id uuid, p_topic text, p_payload text, p_users text[], p_room uuid, p_subscribers boolean, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.notification_create(p_tenant uuid, p_id uuid, p_topic text, p_payload text, p_users text[], p_room uuid, p_subscribers boolean, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.notification_read(p_tenant uuid, p_user text, p_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  UPDATE notification_deliveries d SET read_at = COALESCE(d.read_at, clock_timestamp()),
    delivered_at = COALESCE(d.delivered_at, clock_timestamp()), dead_at = NULL, dead_letter_id = NULL, error = NULL
  WHERE d.tenant_id = p_tenant AND d.user_id = p_user AND d.notification_id = p_id;
  RETURN jsonb_build_object('status', CASE WHEN FOUND THEN 'ok' ELSE 'no_notification' END);
END $function$;
REVOKE ALL ON FUNCTION public.notification_read(p_tenant uuid, p_user text, p_id uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.notification_read(p_tenant uuid, p_user text, p_id uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.notification_spread(p_tenant uuid, p_id uuid, p_limit integer)
 RETURNS json
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  n notifications;
  batch text[];
  open text[];
BEGIN
  SELECT x.* INTO n FROM notifications x WHERE x.tenant_id = p_tenant AND x.notification_id = p_id;
  IF n.notification_id IS NULL THEN RETURN NULL; END IF;
  SELECT array_agg(b.user_id ORDER BY b.user_id) INTO batch FROM (
    SELECT c.user_id FROM (
      (SELECT u.user_id FROM unnest(n.user_ids) u(user_id) WHERE u.user_id > n.fanned_to ORDER BY 1 LIMIT p_limit)
      UNION
      (SELECT m.user_id FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = n.room_id
        AND m.user_id > n.fanned_to AND m.role <> 'agent' AND m.joined_at <= n.created_at
        ORDER BY m.user_id LIMIT p_limit)
      UNION
      (SELECT s.user_id FROM subscriptions s WHERE n.topic_subscribers AND s.tenant_id = p_tenant
        AND s.topic = n.topic AND s.user_id > n.fanned_to AND s.created_at <= n.created_at
        ORDER BY s.user_id LIMIT p_limit)
    ) c ORDER BY c.user_id LIMIT p_limit) b;
  INSERT INTO notification_deliveries (tenant_id, user_id, notification_id, waits_since)
  SELECT p_tenant, u.user_id, p_id, n.created_at FROM unnest(batch) u(user_id) ON CONFLICT DO NOTHING;
  SELECT array_agg(u.user_id) INTO open FROM unnest(batch) u(user_id), LATERAL (SELECT 1 FROM notification_deliveries d
    WHERE d.tenant_id = p_tenant AND d.user_id = u.user_id AND d.notification_id = p_id AND d.delivered_at IS NULL
    OFFSET 0) d;
  RETURN json_build_object('topic', n.topic, 'payload', n.payload, 'created_at', n.created_at,
    'user_ids', COALESCE(open, '{}'), 'last', batch[cardinality(batch)],
    'more', COALESCE(cardinality(batch), 0) = p_limit);
END $function$;
REVOKE ALL ON FUNCTION public.notification_spread(p_tenant uuid, p_id uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.notification_spread(p_tenant uuid, p_id uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.notifications_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  behind uuid := COALESCE((p_after->>'notification')::uuid, '00000000-0000-0000-0000-000000000000');
  through uuid;
  deliveries bigint;
  ended bigint;
  gone bigint;
  changed bigint;
BEGIN
  IF NOT COALESCE(p_after ? 'notification', false) THEN
    DELETE FROM notification_deliveries d WHERE d.tenant_id = p_tenant AND d.user_id = p_user
      AND d.notification_id = ANY (ARRAY(SELECT x.notification_id FROM notification_deliveries x
        WHERE x.tenant_id = p_tenant AND x.user_id = p_user ORDER BY x.notification_id LIMIT p_limit));
    GET DIAGNOSTICS deliveries = ROW_COUNT;
    DELETE FROM subscriptions s WHERE s.tenant_id = p_tenant AND s.subscription_id = ANY (ARRAY(
      SELECT x.subscription_id FROM subscriptions x WHERE x.tenant_id = p_tenant AND x.user_id = p_user
      ORDER BY x.subscription_id LIMIT p_limit));
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN jsonb_build_object('counts', jsonb_build_object('notifications', deliveries, 'subscriptions', ended),
      'after', CASE WHEN GREATEST(deliveries, ended) = p_limit THEN jsonb_build_object()
        ELSE jsonb_build_object('notification', behind) END);
  END IF;
  SELECT n.notification_id INTO through FROM notifications n WHERE n.tenant_id = p_tenant AND n.notification_id > behind
    ORDER BY n.notification_id OFFSET 2 * p_limit - 1 LIMIT 1;
  DELETE FROM notifications n WHERE n.tenant_id = p_tenant AND n.notification_id > behind
    AND (through IS NULL OR n.notification_id <= through)
    AND n.user_ids = ARRAY[p_user] AND n.room_id IS NULL AND NOT n.topic_subscribers;
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE notifications n SET user_ids = array_remove(n.user_ids, p_user),
    fanned_to = CASE WHEN n.fanned_to = p_user THEN '' ELSE n.fanned_to END,
    payload = erased_json(n.payload::text, p_user, p_erased)::json
  WHERE n.tenant_id = p_tenant AND n.notification_id > behind AND (through IS NULL OR n.notification_id <= through)
    AND (p_user = ANY (n.user_ids) OR n.fanned_to = p_user OR strpos(n.payload::text, to_json(p_user)::text) > 0)
    AND (n.user_ids, n.fanned_to, n.payload::text) IS DISTINCT FROM (array_remove(n.user_ids, p_user),
      CASE WHEN n.fanned_to = p_user THEN '' ELSE n.fanned_to END, erased_json(n.payload::text, p_user, p_erased));
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('notifications', gone, 'targets', changed),
    'after', CASE WHEN through IS NOT NULL THEN jsonb_build_object('notification', through) END);
END $function$;
REVOKE ALL ON FUNCTION public.notifications_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.notifications_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.pin_set(p_room public.rooms, p_rev bigint, p_at timestamp with time zone, p_message uuid, p_user text, p_role text, p_key text, p_on boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  most CONSTANT integer := 50;
  msg record;
  old room_pins;
BEGIN
  IF p_room.settings->>'pin' = 'admins' AND p_role <> 'admin' AND p_room.type <> 'dm' THEN
    RETURN jsonb_build_object('status', 'admins');
  END IF;
  SELECT m.seq, m.deleted_at INTO msg FROM messages m WHERE m.tenant_id = p_room.tenant_id AND m.room_id = p_room.room_id
    AND m.message_id = p_message AND m.seq >= p_room.first_seq;
  IF msg.seq IS NULL OR (p_on AND msg.deleted_at IS NOT NULL) THEN
    RETURN jsonb_build_object('status', 'no_message');
  END IF;
  SELECT * INTO old FROM room_pins p
    WHERE p.tenant_id = p_room.tenant_id AND p.room_id = p_room.room_id AND p.seq = msg.seq;
  IF p_on = (old.pinned_at IS NOT NULL) THEN
    RETURN jsonb_build_object('status', 'unchanged', 'seq', msg.seq, 'rev', old.rev, 'pinned_at', old.pinned_at);
  END IF;
  IF p_on AND (SELECT count(*) FROM room_pins p WHERE p.tenant_id = p_room.tenant_id AND p.room_id = p_room.room_id
      AND p.pinned_at IS NOT NULL AND p.seq >= p_room.first_seq) >= most THEN
    RETURN jsonb_build_object('status', 'full');
  END IF;
  INSERT INTO room_pins (tenant_id, room_id, seq, message_id, rev, pinned_by, pinned_at)
  VALUES (p_room.tenant_id, p_room.room_id, msg.seq, p_message, p_rev, CASE WHEN p_on THEN p_user END,
    CASE WHEN p_on THEN p_at END)
  ON CONFLICT (tenant_id, room_id, seq) DO UPDATE
    SET rev = EXCLUDED.rev, pinned_by = EXCLUDED.pinned_by, pinned_at = EXCLUDED.pinned_at;
  RETURN jsonb_build_object('status', 'new', 'seq', msg.seq, 'rev', p_rev, 'pinned_at', CASE WHEN p_on THEN p_at END);
END $function$;
REVOKE ALL ON FUNCTION public.pin_set(p_room public.rooms, p_rev bigint, p_at timestamp with time zone, p_message uuid, p_user text, p_role text, p_key text, p_on boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.pin_set(p_room public.rooms, p_rev bigint, p_at timestamp with time zone, p_message uuid, p_user text, p_role text, p_key text, p_on boolean) TO "chatapi_append";
GRANT EXECUTE ON FUNCTION public.pin_set(p_room public.rooms, p_rev bigint, p_at timestamp with time zone, p_message uuid, p_user text, p_role text, p_key text, p_on boolean) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.presets_import(p_tenant uuid, p_rows json)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  made integer;
BEGIN
  INSERT INTO presets (tenant_id, name, system_prompt, model, temperature, max_tokens, context_messages, options, created_at,
    updated_at)
  SELECT p_tenant, x.name, x.system_prompt, x.model, x.temperature, x.max_tokens, x.context_messages, x.options,
    x.created_at, x.updated_at
  FROM json_to_recordset(p_rows) x(name text, system_prompt text, model text, temperature double precision,
    max_tokens integer, context_messages integer, options jsonb, created_at timestamptz, updated_at timestamptz)
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END $function$;
REVOKE ALL ON FUNCTION public.presets_import(p_tenant uuid, p_rows json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.presets_import(p_tenant uuid, p_rows json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.raise_epoch(p_seen bigint DEFAULT NULL::bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  now_epoch bigint;
  since timestamptz := clock_timestamp();
BEGIN
  UPDATE instance i SET epoch = GREATEST(i.epoch + 1, floor(extract(epoch FROM since))::bigint)
  WHERE p_seen IS NULL OR i.epoch = p_seen RETURNING i.epoch INTO now_epoch;
  IF now_epoch IS NOT NULL THEN
    PERFORM pg_sleep(extract(epoch FROM date_trunc('second', since) + interval '1 second' - clock_timestamp()));
    RETURN now_epoch;
  END IF;
  SELECT i.epoch INTO now_epoch FROM instance i;
  RETURN now_epoch;
END $function$;
REVOKE ALL ON FUNCTION public.raise_epoch(p_seen bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.raise_epoch(p_seen bigint) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.reaction_count(p_counts jsonb, p_key text)
 RETURNS bigint
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  RETURN COALESCE((SELECT (e->>'count')::bigint FROM jsonb_array_elements(p_counts) e WHERE e->>'key' = p_key), 0);
END $function$;
REVOKE ALL ON FUNCTION public.reaction_count(p_counts jsonb, p_key text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.reaction_count(p_counts jsonb, p_key text) TO "chatapi_append";
GRANT EXECUTE ON FUNCTION public.reaction_count(p_counts jsonb, p_key text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.reaction_counts_with(p_counts jsonb, p_key text, p_user text)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  RETURN (SELECT CASE WHEN p_counts @> jsonb_build_array(jsonb_build_object('key', p_key)) THEN (
    SELECT jsonb_agg(CASE WHEN e->>'key' = p_key THEN jsonb_build_object('key', p_key, 'count', (e->>'count')::bigint + 1,
      'users', CASE WHEN jsonb_array_length(e->'users') < 3 THEN e->'users' || to_jsonb(p_user) ELSE e->'users' END)
      ELSE e END ORDER BY n)
    FROM jsonb_array_elements(p_counts) WITH ORDINALITY a(e, n))
  ELSE p_counts || jsonb_build_array(jsonb_build_object('key', p_key, 'count', 1, 'users', jsonb_build_array(p_user))) END);
END $function$;
REVOKE ALL ON FUNCTION public.reaction_counts_with(p_counts jsonb, p_key text, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.reaction_counts_with(p_counts jsonb, p_key text, p_user text) TO "chatapi_append";
GRANT EXECUTE ON FUNCTION public.reaction_counts_with(p_counts jsonb, p_key text, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.reaction_counts_without(p_counts jsonb, p_tenant uuid, p_room uuid, p_seq bigint, p_key text, p_user text)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  RETURN (SELECT COALESCE(jsonb_agg(CASE WHEN e->>'key' = p_key THEN jsonb_build_object('key', p_key,
    'count', (e->>'count')::bigint - 1, 'users', CASE WHEN e->'users' ? p_user THEN (
      SELECT COALESCE(jsonb_agg(o.user_id ORDER BY o.rev), '[]') FROM (SELECT x.user_id, x.rev FROM message_reactions x
        WHERE x.tenant_id = p_tenant AND x.room_id = p_room AND x.seq = p_seq AND x.key = p_key AND x.user_id <> p_user
        ORDER BY x.rev LIMIT 3) o) ELSE e->'users' END)
    ELSE e END ORDER BY n), '[]')
  FROM jsonb_array_elements(p_counts) WITH ORDINALITY a(e, n)
  WHERE e->>'key' <> p_key OR (e->>'count')::bigint > 1);
END $function$;
REVOKE ALL ON FUNCTION public.reaction_counts_without(p_counts jsonb, p_tenant uuid, p_room uuid, p_seq bigint, p_key text, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.reaction_counts_without(p_counts jsonb, p_tenant uuid, p_room uuid, p_seq bigint, p_key text, p_user text) TO "chatapi_append";
GRANT EXECUTE ON FUNCTION public.reaction_counts_without(p_counts jsonb, p_tenant uuid, p_room uuid, p_seq bigint, p_key text, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.reaction_set(p_room public.rooms, p_rev bigint, p_at timestamp with time zone, p_message uuid, p_user text, p_role text, p_key text, p_on boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  most CONSTANT integer := 30;
  mode text := COALESCE(p_room.settings->>'reactions', 'distinct');
  msg record;
  old message_reaction_counts;
  shown jsonb;
  others text[] := '{}';
  other text;
BEGIN
  IF mode = 'off' THEN RETURN jsonb_build_object('status', 'off'); END IF;
  SELECT m.seq, m.deleted_at INTO msg FROM messages m WHERE m.tenant_id = p_room.tenant_id AND m.room_id = p_room.room_id
    AND m.message_id = p_message AND m.seq >= p_room.first_seq;
  IF msg.seq IS NULL OR (p_on AND msg.deleted_at IS NOT NULL) THEN
    RETURN jsonb_build_object('status', 'no_message');
  END IF;
  SELECT * INTO old FROM message_reaction_counts c
    WHERE c.tenant_id = p_room.tenant_id AND c.room_id = p_room.room_id AND c.seq = msg.seq;
  shown := COALESCE(old.counts, '[]');
  IF p_on = EXISTS (SELECT FROM message_reactions x WHERE x.tenant_id = p_room.tenant_id AND x.user_id = p_user
      AND x.room_id = p_room.room_id AND x.seq = msg.seq AND x.key = p_key) THEN
    RETURN jsonb_build_object('status', 'unchanged', 'seq', msg.seq, 'rev', old.rev, 'key', p_key, 'reactions', shown,
      'count', reaction_count(shown, p_key));
  END IF;
  IF p_on THEN
    IF mode = 'unique' THEN
      SELECT COALESCE(array_agg(x.key ORDER BY x.rev, x.key), '{}') INTO others FROM message_reactions x
        WHERE x.tenant_id = p_room.tenant_id AND x.user_id = p_user AND x.room_id = p_room.room_id AND x.seq = msg.seq;
      FOREACH other IN ARRAY others LOOP
        shown := reaction_counts_without(shown, p_room.tenant_id, p_room.room_id, msg.seq, other, p_user);
      END LOOP;
    END IF;
    shown := reaction_counts_with(shown, p_key, p_user);
    IF jsonb_array_length(shown) > most THEN RETURN jsonb_build_object('status', 'full'); END IF;
    DELETE FROM message_reactions x WHERE x.tenant_id = p_room.tenant_id AND x.user_id = p_user
      AND x.room_id = p_room.room_id AND x.seq = msg.seq AND x.key = ANY (others);
    INSERT INTO message_reactions (tenant_id, room_id, seq, user_id, key, rev, created_at)
    VALUES (p_room.tenant_id, p_room.room_id, msg.seq, p_user, p_key, p_rev, p_at);
  ELSE
    shown := reaction_counts_without(shown, p_room.tenant_id, p_room.room_id, msg.seq, p_key, p_user);
    DELETE FROM message_reactions x WHERE x.tenant_id = p_room.tenant_id AND x.user_id = p_user
      AND x.room_id = p_room.room_id AND x.seq = msg.seq AND x.key = p_key;
  END IF;
  INSERT INTO message_reaction_counts (tenant_id, room_id, seq, message_id, rev, counts)
  VALUES (p_room.tenant_id, p_room.room_id, msg.seq, p_message, p_rev, shown)
  ON CONFLICT (tenant_id, room_id, seq) DO UPDATE SET rev = EXCLUDED.rev, counts = EXCLUDED.counts;
  RETURN jsonb_build_object('status', 'new', 'seq', msg.seq, 'rev', p_rev, 'key', p_key, 'reactions', shown,
    'count', reaction_count(shown, p_key), 'replaced', (SELECT COALESCE(jsonb_agg(jsonb_build_object('key', o,
      'count', reaction_count(shown, o)) ORDER BY n), '[]') FROM unnest(others) WITH ORDINALITY u(o, n)));
END $function$;
REVOKE ALL ON FUNCTION public.reaction_set(p_room public.rooms, p_rev bigint, p_at timestamp with time zone, p_message uuid, p_user text, p_role text, p_key text, p_on boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.reaction_set(p_room public.rooms, p_rev bigint, p_at timestamp with time zone, p_message uuid, p_user text, p_role text, p_key text, p_on boolean) TO "chatapi_append";
GRANT EXECUTE ON FUNCTION public.reaction_set(p_room public.rooms, p_rev bigint, p_at timestamp with time zone, p_message uuid, p_user text, p_role text, p_key text, p_on boolean) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.reactions_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  found uuid;
  room rooms;
  given record;
  pinned bigint;
  shown jsonb;
  key text;
  is_told boolean;
  gone bigint := 0;
BEGIN
  SELECT x.room_id INTO found FROM message_reactions x WHERE x.tenant_id = p_tenant AND x.user_id = p_user
    ORDER BY x.room_id LIMIT 1;
  IF found IS NULL THEN
    SELECT p.room_id INTO found FROM room_pins p WHERE p.tenant_id = p_tenant AND p.pinned_by = p_user
      ORDER BY p.room_id LIMIT 1;
    IF found IS NULL THEN RETURN jsonb_build_object('counts', jsonb_build_object('pins', 0), 'after', NULL); END IF;
    SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = found FOR NO KEY UPDATE;
    FOR pinned IN SELECT p.seq FROM room_pins p
      WHERE p.tenant_id = p_tenant AND p.room_id = found AND p.pinned_by = p_user ORDER BY p.seq
    LOOP
      is_told := room.deleted_at IS NULL AND pinned >= room.first_seq;
      IF is_told THEN room.last_rev := room.last_rev + 1; END IF;
      UPDATE room_pins p SET pinned_by = p_erased, rev = CASE WHEN is_told THEN room.last_rev ELSE p.rev END
      WHERE p.tenant_id = p_tenant AND p.room_id = found AND p.seq = pinned;
      gone := gone + 1;
    END LOOP;
    UPDATE rooms r SET last_rev = room.last_rev WHERE r.tenant_id = p_tenant AND r.room_id = found;
    RETURN jsonb_build_object('counts', jsonb_build_object('pins', gone), 'rooms', jsonb_build_array(found),
      'after', jsonb_build_object());
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = found FOR NO KEY UPDATE;
  FOR given IN
    SELECT x.seq, array_agg(x.key ORDER BY x.key) AS keys FROM (SELECT m.seq, m.key FROM message_reactions m
      WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.room_id = found ORDER BY m.seq, m.key LIMIT p_limit) x
    GROUP BY x.seq ORDER BY x.seq
  LOOP
    SELECT c.counts INTO shown FROM message_reaction_counts c
      WHERE c.tenant_id = p_tenant AND c.room_id = found AND c.seq = given.seq;
    FOREACH key IN ARRAY given.keys LOOP
      shown := reaction_counts_without(shown, p_tenant, found, given.seq, key, p_user);
    END LOOP;
    DELETE FROM message_reactions x WHERE x.tenant_id = p_tenant AND x.user_id = p_user AND x.room_id = found
      AND x.seq = given.seq AND x.key = ANY (given.keys);
    is_told := room.deleted_at IS NULL AND given.seq >= room.first_seq;
    IF is_told THEN room.last_rev := room.last_rev + 1; END IF;
    UPDATE message_reaction_counts c SET counts = shown, rev = CASE WHEN is_told THEN room.last_rev ELSE c.rev END
    WHERE c.tenant_id = p_tenant AND c.room_id = found AND c.seq = given.seq;
    gone := gone + cardinality(given.keys);
  END LOOP;
  UPDATE rooms r SET last_rev = room.last_rev WHERE r.tenant_id = p_tenant AND r.room_id = found;
  RETURN jsonb_build_object('counts', jsonb_build_object('reactions', gone), 'rooms', jsonb_build_array(found),
    'after', jsonb_build_object());
END $function$;
REVOKE ALL ON FUNCTION public.reactions_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.reactions_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.read_marks(p_tenant uuid, p_room uuid, p_most bigint)
 RETURNS TABLE(user_id text, read_seq bigint)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT m.user_id, c.read_seq
  FROM (SELECT m.user_id, m.joined_seq FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room ORDER BY m.user_id LIMIT p_most) m
  CROSS JOIN LATERAL (SELECT c.read_seq FROM cursors c
    WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = m.user_id OFFSET 0) c
  WHERE c.read_seq > m.joined_seq
$function$;
REVOKE ALL ON FUNCTION public.read_marks(p_tenant uuid, p_room uuid, p_most bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.read_marks(p_tenant uuid, p_room uuid, p_most bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.retention_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload) VALUES (NEW.tenant_id, 'retention', 'retention', '{}');
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.retention_changed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.retention_changed() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.retention_goes_on(p_tenant uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT NOT EXISTS (SELECT 1 FROM jobs j WHERE j.tenant_id = p_tenant AND j.kind = 'retention' AND j.state = 'queued')
    AND (EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = p_tenant AND t.settings ? 'retention_days')
      OR EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.retention_days IS NOT NULL)
      OR EXISTS (SELECT 1 FROM held_messages h WHERE h.tenant_id = p_tenant)
      OR (EXISTS (SELECT 1 FROM message_versions v WHERE v.tenant_id = p_tenant)
        AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = p_tenant AND t.settings->>'message_history' = 'on')))
$function$;
REVOKE ALL ON FUNCTION public.retention_goes_on(p_tenant uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.retention_goes_on(p_tenant uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_access(p_tenant uuid, p_room uuid, p_user text)
 RETURNS TABLE(type text, role text, allowed boolean, first_seq bigint, last_seq bigint, last_rev bigint, has_states boolean)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT r.type, m.role, m.role IS NOT NULL OR r.type = 'channel', r.first_seq, r.last_seq, r.last_rev, r.has_states
  FROM rooms r LEFT JOIN room_members m
    ON m.tenant_id = r.tenant_id AND m.room_id = r.room_id AND m.user_id = p_user
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL
$function$;
REVOKE ALL ON FUNCTION public.room_access(p_tenant uuid, p_room uuid, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_access(p_tenant uuid, p_room uuid, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_create(p_tenant uuid, p_room uuid, p_type text, p_unique_key text, p_name text, p_metadata json, p_posting text, p_users text[], p_roles text[], p_by text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  existing uuid;
BEGIN
  INSERT INTO rooms (tenant_id, room_id, type, unique_key, name, metadata, posting, member_count, members_added,
    described_by)
  VALUES (p_tenant, p_room, p_type, p_unique_key, p_name, p_metadata, p_posting, cardinality(p_users),
    cardinality(p_users), CASE WHEN p_name IS NULL AND p_metadata IS NULL THEN '{}' WHEN p_by IS NOT NULL THEN ARRAY[p_by] END)
  ON CONFLICT (tenant_id, unique_key) WHERE unique_key IS NOT NULL DO NOTHING RETURNING * INTO room;
  IF room.room_id IS NULL THEN
    SELECT r.room_id INTO existing FROM rooms r WHERE r.tenant_id = p_tenant AND r.unique_key = p_unique_key;
    RETURN jsonb_build_object('status', 'exists', 'room_id', existing);
  END IF;
  PERFORM users_ensure(p_tenant, p_users);
  INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
  SELECT p_tenant, p_room, m.user_id, m.role, 0, m.n FROM unnest(p_users, p_roles) WITH ORDINALITY m(user_id, role, n);
  RETURN jsonb_build_object('status', 'ok', 'room', room_json(room));
END $function$;
REVOKE ALL ON FUNCTION public.room_create(p_tenant uuid, p_room uuid, p_type text, p_unique_key text, p_name text, p_metadata json, p_posting text, p_users text[], p_roles text[], p_by text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_create(p_tenant uuid, p_room uuid, p_type text, p_unique_key text, p_name text, p_metadata json, p_posting text, p_users text[], p_roles text[], p_by text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_cut(p_tenant uuid, p_room uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  most CONSTANT bigint := 50000;
  room rooms;
  days integer;
  before timestamptz;
  low bigint;
  high bigint;
  middle bigint;
  stop bigint;
  events_through bigint;
  has_more boolean := false;
BEGIN
  SELECT (t.settings->>'retention_days')::integer INTO days FROM tenants t WHERE t.tenant_id = p_tenant FOR SHARE;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  IF room.room_id IS NULL OR EXISTS (SELECT 1 FROM import_rooms i
    WHERE i.tenant_id = p_tenant AND i.room_id = p_room AND NOT i.is_done) THEN
    RETURN jsonb_build_object('status', 'no_room');
  END IF;
  IF room.legal_hold THEN RETURN jsonb_build_object('status', 'held'); END IF;
  before := clock_timestamp() - make_interval(days => COALESCE(room.retention_days, days));
  IF before IS NULL THEN RETURN jsonb_build_object('status', 'unchanged'); END IF;
  low := room.first_seq;
  high := room.last_seq + 1;
  WHILE low < high LOOP
    middle := (low + high) / 2;
    IF (SELECT m.created_at FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq = middle) < before
      THEN low := middle + 1;
      ELSE high := middle;
    END IF;
  END LOOP;
  IF low > room.first_seq AND EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = p_tenant AND u.legal_hold) THEN
    has_more := low > room.first_seq + most;
    low := LEAST(low, room.first_seq + most);
    SELECT m.seq INTO stop FROM messages m
      WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq >= room.first_seq AND m.seq < low
        AND m.sender_id IN (SELECT u.user_id FROM users u WHERE u.tenant_id = p_tenant AND u.legal_hold)
      ORDER BY m.seq LIMIT 1;
    low := COALESCE(stop, low);
  END IF;
  -- Of a room in which a held user has written nothing goes that may tell what it was about.
  IF stop IS NULL THEN
    SELECT max(e.rev) INTO events_through FROM room_events e
      WHERE e.tenant_id = p_tenant AND e.room_id = p_room AND e.rev > room.first_rev AND e.created_at < before;
  END IF;
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF low <= room.first_seq THEN
    IF events_through > room.first_rev THEN
      UPDATE rooms r SET first_rev = events_through WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
    END IF;
    RETURN jsonb_build_object('status', CASE WHEN stop IS NULL THEN 'unchanged' ELSE 'held' END);
  END IF;
  UPDATE rooms r SET first_seq = low, first_rev = GREATEST(r.first_rev, events_through),
    last_rev = r.last_rev + CASE WHEN r.deleted_at IS NULL THEN 1 ELSE 0 END
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  IF room.deleted_at IS NULL THEN
    PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.trimmed',
      jsonb_build_array(jsonb_build_object('first_seq', low)));
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'first_seq', low, 'more', has_more AND stop IS NULL);
END $function$;
REVOKE ALL ON FUNCTION public.room_cut(p_tenant uuid, p_room uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_cut(p_tenant uuid, p_room uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_delete(p_tenant uuid, p_room uuid, p_user text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room.type IN ('dm', 'ai') OR room_role(p_tenant, p_room, p_user) IS DISTINCT FROM 'admin' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  UPDATE rooms r SET deleted_at = clock_timestamp(), updated_at = clock_timestamp(), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
  DELETE FROM dead_letters d WHERE d.tenant_id = p_tenant AND d.room_id = p_room;
  PERFORM room_log(p_tenant, p_room, room.last_rev, 'room.deleted',
    jsonb_build_array(jsonb_build_object('room_id', p_room, 'by', p_user)));
  RETURN jsonb_build_object('status', 'ok', 'audit', jsonb_build_object());
END $function$;
REVOKE ALL ON FUNCTION public.room_delete(p_tenant uuid, p_room uuid, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_delete(p_tenant uuid, p_room uuid, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_events_after(p_tenant uuid, p_room uuid, p_rev bigint)
 RETURNS TABLE(rev bigint, type text, payload jsonb)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT e.rev, e.type, e.payload FROM room_events e
  WHERE e.tenant_id = p_tenant AND e.room_id = p_room AND e.rev > p_rev
$function$;
REVOKE ALL ON FUNCTION public.room_events_after(p_tenant uuid, p_room uuid, p_rev bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_events_after(p_tenant uuid, p_room uuid, p_rev bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_events_trimmed(p_tenant uuid, p_room uuid, p_limit integer)
 RETURNS bigint
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  WITH gone AS (
    DELETE FROM room_events e WHERE e.tenant_id = p_tenant AND e.room_id = p_room AND e.rev = ANY (ARRAY(
      SELECT x.rev FROM room_events x WHERE x.tenant_id = p_tenant AND x.room_id = p_room
        AND x.rev <= (SELECT k.first_rev FROM room_keeps(p_tenant, p_room) k) ORDER BY x.rev LIMIT p_limit))
    RETURNING 1)
  SELECT count(*) FROM gone
$function$;
REVOKE ALL ON FUNCTION public.room_events_trimmed(p_tenant uuid, p_room uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_events_trimmed(p_tenant uuid, p_room uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_join(p_tenant uuid, p_room uuid, p_user text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF room.type <> 'channel' THEN RETURN jsonb_build_object('status', 'forbidden'); END IF;
  PERFORM members_insert(room, ARRAY[p_user], CASE WHEN EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.role = 'admin') THEN 'member' ELSE 'admin' END, p_user);
  RETURN jsonb_build_object('status', 'ok', 'member', (
    SELECT member_json(m) FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user));
END $function$;
REVOKE ALL ON FUNCTION public.room_join(p_tenant uuid, p_room uuid, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_join(p_tenant uuid, p_room uuid, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_json(r public.rooms)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT jsonb_build_object('room_id', r.room_id, 'type', r.type, 'unique_key', r.unique_key, 'name', r.name,
    'metadata', r.metadata, 'metadata_text', r.metadata::text, 'posting', r.posting, 'settings', r.settings, 'first_seq', r.first_seq,
    'last_seq', r.last_seq, 'last_rev', r.last_rev, 'member_count', r.member_count, 'created_at', r.created_at,
    'updated_at', r.updated_at)
$function$;
REVOKE ALL ON FUNCTION public.room_json(r public.rooms) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_json(r public.rooms) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_keeps(p_tenant uuid, p_room uuid)
 RETURNS TABLE(first_seq bigint, first_rev bigint, has_states boolean)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT r.first_seq, r.first_rev, r.has_states FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room
$function$;
REVOKE ALL ON FUNCTION public.room_keeps(p_tenant uuid, p_room uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_keeps(p_tenant uuid, p_room uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_lock(p_tenant uuid, p_room uuid)
 RETURNS public.rooms
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT * FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room AND r.deleted_at IS NULL FOR NO KEY UPDATE
$function$;
REVOKE ALL ON FUNCTION public.room_lock(p_tenant uuid, p_room uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_lock(p_tenant uuid, p_room uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_log(p_tenant uuid, p_room uuid, p_rev bigint, p_type text, p_payloads jsonb)
 RETURNS bigint
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  WITH e AS (SELECT value, ordinality FROM jsonb_array_elements(p_payloads) WITH ORDINALITY), i AS (
    INSERT INTO room_events (tenant_id, room_id, rev, type, payload)
    SELECT p_tenant, p_room, p_rev + e.ordinality, p_type, e.value FROM e ORDER BY e.ordinality)
  SELECT p_rev + count(*) FROM e
$function$;
REVOKE ALL ON FUNCTION public.room_log(p_tenant uuid, p_room uuid, p_rev bigint, p_type text, p_payloads jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_log(p_tenant uuid, p_room uuid, p_rev bigint, p_type text, p_payloads jsonb) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_members_check(p_tenant uuid, p_type text, p_count integer)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  allowed bigint := (SELECT (t.limits->>'members_per_room')::bigint FROM tenants t WHERE t.tenant_id = p_tenant);
BEGIN
  IF p_type <> 'ai' AND p_count > allowed THEN PERFORM limit_reached('members_per_room', allowed); END IF;
END $function$;
REVOKE ALL ON FUNCTION public.room_members_check(p_tenant uuid, p_type text, p_count integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_members_check(p_tenant uuid, p_type text, p_count integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_part(p_tenant uuid, p_room uuid, p_user text, p_erased text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  gone room_members;
  heir text;
  has_other_admin boolean;
  is_closed boolean;
  is_described boolean;
  is_mentioned boolean;
  did jsonb := '{}';
BEGIN
  SELECT * INTO room FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  IF room.room_id IS NULL THEN RETURN did; END IF;
  DELETE FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user
    RETURNING * INTO gone;
  has_other_admin := EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.role = 'admin');
  is_closed := gone.user_id IS NOT NULL AND room.type = 'dm';
  is_described := p_user = ANY (room.described_by) OR is_closed OR (gone.role = 'admin' AND NOT has_other_admin
    AND (room.described_by IS NULL OR '' = ANY (room.described_by)));
  is_mentioned := erased_json(room.metadata::text, p_user, p_erased) <> room.metadata::text;
  IF gone.user_id IS NOT NULL THEN did := jsonb_build_object('memberships', 1); END IF;
  IF is_closed THEN
    PERFORM users_ensure(p_tenant, ARRAY[p_erased]);
    INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_at, joined_seq, member_no)
    VALUES (p_tenant, p_room, p_erased, gone.role, gone.joined_at, gone.joined_seq, gone.member_no);
  ELSIF gone.user_id IS NOT NULL THEN
    UPDATE rooms r SET member_count = r.member_count - 1 WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
    IF room.deleted_at IS NULL THEN
      UPDATE rooms r SET last_rev = room_log(p_tenant, p_room, r.last_rev, 'member.left', jsonb_build_array(
        jsonb_build_object('room_id', p_room, 'user_id', p_user, 'role', gone.role, 'by', p_user)))
      WHERE r.tenant_id = p_tenant AND r.room_id = p_room;
    END IF;
    IF gone.role = 'admin' AND NOT has_other_admin THEN
      UPDATE room_members m SET role = 'admin' WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.member_no = (
        SELECT min(o.member_no) FROM room_members o
        WHERE o.tenant_id = p_tenant AND o.room_id = p_room AND o.role <> 'agent') RETURNING m.user_id INTO heir;
      IF heir IS NOT NULL AND room.deleted_at IS NULL THEN PERFORM member_role_changed(room, heir, 'admin', p_user); END IF;
    END IF;
  END IF;
  IF is_described OR is_mentioned THEN
    UPDATE rooms r SET name = CASE WHEN is_described THEN NULL ELSE r.name END,
      metadata = CASE WHEN is_described THEN NULL ELSE erased_json(r.metadata::text, p_user, p_erased)::json END,
      described_by = CASE WHEN is_described THEN array_append(ARRAY(SELECT d FROM unnest(r.described_by) d
        WHERE starts_with(d, 'erased_')), p_erased) ELSE r.described_by END,
      unique_key = CASE WHEN is_closed THEN NULL ELSE r.unique_key END,
      posting = CASE WHEN is_closed THEN 'admins' ELSE r.posting END,
      last_rev = r.last_rev + CASE WHEN r.deleted_at IS NULL THEN 1 ELSE 0 END, updated_at = clock_timestamp()
    WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
    IF room.deleted_at IS NULL THEN
      PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated',
        jsonb_build_array(room_json(room) || CASE WHEN is_described THEN jsonb_build_object('erased', p_erased) ELSE '{}' END));
    END IF;
    did := did || jsonb_build_object('descriptions', 1);
  END IF;
  RETURN did;
END $function$;
REVOKE ALL ON FUNCTION public.room_part(p_tenant uuid, p_room uuid, p_user text, p_erased text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_part(p_tenant uuid, p_room uuid, p_user text, p_erased text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_retain(p_tenant uuid, p_room uuid, p_changes jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  was rooms;
  room rooms;
  before jsonb := '{}';
  after jsonb := '{}';
  told jsonb := '{}';
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant AND t.deleting_since IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'deleting'); END IF;
  SELECT * INTO was FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = p_room FOR NO KEY UPDATE;
  IF was.room_id IS NULL OR EXISTS (SELECT 1 FROM import_rooms i
    WHERE i.tenant_id = p_tenant AND i.room_id = p_room AND NOT i.is_done) THEN
    RETURN jsonb_build_object('status', 'no_room');
  END IF;
  UPDATE rooms r SET
    retention_days = CASE WHEN p_changes ? 'retention_days' THEN (p_changes->>'retention_days')::integer
      ELSE r.retention_days END,
    legal_hold = COALESCE((p_changes->>'legal_hold')::boolean, r.legal_hold)
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  IF room.retention_days IS DISTINCT FROM was.retention_days THEN
    before := jsonb_build_object('retention_days', was.retention_days);
    after := jsonb_build_object('retention_days', room.retention_days);
  END IF;
  IF room.legal_hold <> was.legal_hold THEN
    before := before || jsonb_build_object('legal_hold', was.legal_hold);
    after := after || jsonb_build_object('legal_hold', room.legal_hold);
  END IF;
  IF after <> '{}' THEN
    told := jsonb_build_object('audit', jsonb_build_object('before', before, 'after', after));
  END IF;
  RETURN jsonb_build_object('status', 'ok', 'retention_days', room.retention_days, 'legal_hold', room.legal_hold) || told;
END $function$;
REVOKE ALL ON FUNCTION public.room_retain(p_tenant uuid, p_room uuid, p_changes jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_retain(p_tenant uuid, p_room uuid, p_changes jsonb) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_role(p_tenant uuid, p_room uuid, p_user text)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT m.role FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.user_id = p_user
$function$;
REVOKE ALL ON FUNCTION public.room_role(p_tenant uuid, p_room uuid, p_user text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_role(p_tenant uuid, p_room uuid, p_user text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_trim(p_tenant uuid, p_room uuid, p_first_seq bigint)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  first bigint;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  IF LEAST(p_first_seq, room.last_seq + 1) <= room.first_seq THEN
    RETURN jsonb_build_object('status', 'unchanged', 'first_seq', room.first_seq);
  END IF;
  first := room.first_seq;
  UPDATE rooms r SET first_seq = LEAST(p_first_seq, r.last_seq + 1), last_rev = r.last_rev + 1
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  DELETE FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq < room.first_seq;
  IF room.has_states THEN
    PERFORM message_states_drop(p_tenant, p_room, ARRAY(SELECT s FROM generate_series(first, room.first_seq - 1) s));
  END IF;
  DELETE FROM message_versions v WHERE v.tenant_id = p_tenant AND v.room_id = p_room AND v.seq < room.first_seq;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.trimmed',
    jsonb_build_array(jsonb_build_object('first_seq', room.first_seq)));
  RETURN jsonb_build_object('status', 'ok', 'first_seq', room.first_seq, 'rev', room.last_rev);
END $function$;
REVOKE ALL ON FUNCTION public.room_trim(p_tenant uuid, p_room uuid, p_first_seq bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_trim(p_tenant uuid, p_room uuid, p_first_seq bigint) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.room_update(p_tenant uuid, p_room uuid, p_user text, p_name text, p_metadata json, p_posting text, p_settings jsonb, p_max_bytes integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  room rooms;
  role text;
  merged json;
BEGIN
  room := room_lock(p_tenant, p_room);
  IF room.room_id IS NULL THEN RETURN jsonb_build_object('status', 'no_room'); END IF;
  role := room_role(p_tenant, p_room, p_user);
  IF role IS NULL OR (role <> 'admin' AND room.type <> 'dm') OR room.type = 'ai' THEN
    RETURN jsonb_build_object('status', 'forbidden');
  END IF;
  IF p_posting IS NOT NULL AND room.type = 'dm' THEN RETURN jsonb_build_object('status', 'dm_posting'); END IF;
  merged := CASE WHEN p_metadata IS NULL THEN room.metadata ELSE json_merge(room.metadata, p_metadata) END;
  IF p_metadata IS NOT NULL AND json_bytes(merged::jsonb) > p_max_bytes THEN
    RETURN jsonb_build_object('status', 'too_large');
  END IF;
  UPDATE rooms r SET name = COALESCE(p_name, r.name), metadata = merged, posting = COALESCE(p_posting, r.posting),
    settings = CASE WHEN p_settings IS NULL THEN r.settings ELSE COALESCE(r.settings, '{}') || p_settings END,
    described_by = CASE WHEN p_name IS NULL AND p_metadata IS NULL OR p_user = ANY (r.described_by) THEN r.described_by
      ELSE array_append(COALESCE(r.described_by, ARRAY['']), p_user) END,
    last_rev = r.last_rev + 1, updated_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = p_room RETURNING * INTO room;
  PERFORM room_log(p_tenant, p_room, room.last_rev - 1, 'room.updated', jsonb_build_array(room_json(room)));
  RETURN jsonb_build_object('status', 'ok', 'room', room_json(room));
END $function$;
REVOKE ALL ON FUNCTION public.room_update(p_tenant uuid, p_room uuid, p_user text, p_name text, p_metadata json, p_posting text, p_settings jsonb, p_max_bytes integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.room_update(p_tenant uuid, p_room uuid, p_user text, p_name text, p_metadata json, p_posting text, p_settings jsonb, p_max_bytes integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.rooms_close(p_tenant uuid, p_after uuid, p_limit integer)
 RETURNS uuid
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  page uuid[];
BEGIN
  page := ARRAY(SELECT r.room_id FROM rooms r WHERE r.tenant_id = p_tenant AND (p_after IS NULL OR r.room_id > p_after)
    ORDER BY r.room_id LIMIT p_limit);
  PERFORM 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = ANY (page) AND r.deleted_at IS NULL
  ORDER BY r.room_id FOR NO KEY UPDATE;
  UPDATE rooms r SET deleted_at = clock_timestamp()
  WHERE r.tenant_id = p_tenant AND r.room_id = ANY (page) AND r.deleted_at IS NULL;
  RETURN page[array_upper(page, 1)];
END $function$;
REVOKE ALL ON FUNCTION public.rooms_close(p_tenant uuid, p_after uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.rooms_close(p_tenant uuid, p_after uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.rooms_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  most CONSTANT integer := LEAST(20, p_limit);
  behind uuid := COALESCE((p_after->>'room')::uuid, '00000000-0000-0000-0000-000000000000');
  found uuid[];
  changed uuid[] := '{}';
  memberships bigint := 0;
  descriptions bigint := 0;
  did jsonb;
  room uuid;
BEGIN
  SELECT array_agg(w.room_id ORDER BY w.room_id) INTO found FROM (
    SELECT p.room_id FROM (SELECT r.room_id, r.described_by, r.metadata FROM rooms r
      WHERE r.tenant_id = p_tenant AND r.room_id > behind ORDER BY r.room_id LIMIT 2 * p_limit) p
    WHERE p_user = ANY (p.described_by) OR strpos(p.metadata::text, to_json(p_user)::text) > 0
      OR EXISTS (SELECT 1 FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = p.room_id AND m.user_id = p_user)
    ORDER BY p.room_id LIMIT most) w;
  FOREACH room IN ARRAY COALESCE(found, '{}') LOOP
    did := room_part(p_tenant, room, p_user, p_erased);
    CONTINUE WHEN did = '{}';
    memberships := memberships + COALESCE((did->>'memberships')::bigint, 0);
    descriptions := descriptions + COALESCE((did->>'descriptions')::bigint, 0);
    changed := changed || room;
  END LOOP;
  RETURN jsonb_build_object('rooms', changed,
    'counts', jsonb_build_object('memberships', memberships, 'descriptions', descriptions),
    'after', CASE WHEN cardinality(found) = most THEN jsonb_build_object('room', found[most])
      ELSE (SELECT jsonb_build_object('room', r.room_id) FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id > behind
        ORDER BY r.room_id OFFSET 2 * p_limit - 1 LIMIT 1) END);
END $function$;
REVOKE ALL ON FUNCTION public.rooms_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.rooms_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.rooms_to_cut(p_tenant uuid, p_after uuid, p_limit integer)
 RETURNS TABLE(room_id uuid, is_due boolean, has_rest boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  SELECT r.room_id,
    NOT r.legal_hold AND r.before IS NOT NULL AND (
      EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = r.room_id AND m.seq = r.first_seq
        AND m.created_at < r.before)
      OR EXISTS (SELECT 1 FROM (SELECT e.created_at FROM room_events e
        WHERE e.tenant_id = p_tenant AND e.room_id = r.room_id AND e.rev > r.first_rev ORDER BY e.rev LIMIT 1) o
        WHERE o.created_at < r.before)),
    EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = r.room_id AND m.seq < r.first_seq)
      OR EXISTS (SELECT 1 FROM room_events e
        WHERE e.tenant_id = p_tenant AND e.room_id = r.room_id AND e.rev <= r.first_rev)
  FROM (SELECT x.*, clock_timestamp() - make_interval(days => COALESCE(x.retention_days,
      (SELECT (t.settings->>'retention_days')::integer FROM tenants t WHERE t.tenant_id = p_tenant))) AS before
    FROM rooms x WHERE x.tenant_id = p_tenant AND (p_after IS NULL OR x.room_id > p_after)
      AND (x.deleted_at IS NULL OR NOT EXISTS (SELECT 1 FROM import_rooms i
        WHERE i.tenant_id = p_tenant AND i.room_id = x.room_id AND NOT i.is_done))
    ORDER BY x.room_id LIMIT p_limit) r
$function$;
REVOKE ALL ON FUNCTION public.rooms_to_cut(p_tenant uuid, p_after uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.rooms_to_cut(p_tenant uuid, p_after uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.run_begin(p_tenant uuid, p_run uuid, p_options text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  run runs;
  chat chats;
  agent room_agents;
  spent jsonb;
  outcome text;
BEGIN
  SELECT * INTO run FROM runs q WHERE q.tenant_id = p_tenant AND q.run_id = p_run FOR UPDATE;
  IF run.run_id IS NULL THEN RETURN jsonb_build_object('status', 'gone'); END IF;
  SELECT * INTO chat FROM chats c WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id;
  IF run.agent_id IS NOT NULL THEN
    SELECT * INTO agent FROM room_agents a WHERE a.tenant_id = p_tenant AND a.room_id = run.room_id AND a.agent_id = run.agent_id;
  END IF;
  IF run.state NOT IN ('queued', 'streaming') THEN
    RETURN jsonb_build_object('status', CASE WHEN chat.deleted_at IS NULL THEN 'ended' ELSE 'gone' END);
  END IF;
  outcome := CASE WHEN run.state = 'streaming' THEN 'lost'
    WHEN run.is_cancelled OR run.reply_to_seq < (SELECT k.first_seq FROM room_keeps(p_tenant, run.room_id) k)
      OR EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.room_id = run.room_id
      AND m.seq = run.reply_to_seq AND m.deleted_at IS NOT NULL) THEN 'cancelled' ELSE 'started' END;
  IF outcome = 'started' AND run.refused IS NULL THEN spent := budget_spent(p_tenant, run.user_id, run.room_id); END IF;
  IF spent IS NOT NULL THEN outcome := 'spent'; END IF;
  -- One that is refused stays queued until its refusal is stored: a crash in between asks once more.
  UPDATE runs q SET state = CASE WHEN outcome = 'spent' THEN q.state ELSE 'streaming' END, fence = q.fence + 1,
    started_at = COALESCE(q.started_at, clock_timestamp()), options = COALESCE(p_options::json, q.options)
  WHERE q.tenant_id = p_tenant AND q.run_id = p_run;
  UPDATE chats c SET active_at = clock_timestamp() WHERE c.tenant_id = p_tenant AND c.room_id = run.room_id;
  IF run.agent_id IS NOT NULL THEN
    RETURN jsonb_build_object('status', outcome, 'fence', run.fence + 1, 'user_id', run.user_id, 'preset', COALESCE(agent.preset, ''),
      'cleared_seq', COALESCE((SELECT m.joined_seq FROM room_members m WHERE m.tenant_id = p_tenant AND m.room_id = run.room_id
        AND m.user_id = run.agent_id), 0), 'auto_title', false, 'agent', jsonb_build_object('agent_id', run.agent_id,
        'name', agent.name, 'refused', run.refused, 'paused_at', agent.paused_at, 'paused_until', agent.paused_until,
        'limits', (SELECT t.limits FROM tenants t WHERE t.tenant_id = p_tenant))) || COALESCE(spent, '{}');
  END IF;
  RETURN jsonb_build_object('status', outcome, 'fence', run.fence + 1, 'user_id', chat.user_id, 'preset', chat.preset,
    'cleared_seq', chat.cleared_seq, 'auto_title', chat.auto_title) || COALESCE(spent, '{}');
END $function$;
REVOKE ALL ON FUNCTION public.run_begin(p_tenant uuid, p_run uuid, p_options text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.run_begin(p_tenant uuid, p_run uuid, p_options text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.run_charged()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  used bigint := NEW.total_tokens;
BEGIN
  IF used IS NULL THEN
    SELECT ceil(sum(octet_length(k.text)) / 4.0)::bigint INTO used FROM run_chunks k
      WHERE k.tenant_id = NEW.tenant_id AND k.run_id = NEW.run_id;
    used := used + (SELECT c.context_tokens FROM charges c WHERE c.tenant_id = NEW.tenant_id AND c.charge_id = NEW.run_id);
  END IF;
  used := COALESCE(used, 0);
  UPDATE charges c SET tokens = used, ended_at = NEW.ended_at, cost = COALESCE(NEW.cost, (LEAST(used, c.context_tokens) * c.price_input
      + GREATEST(0, used - c.context_tokens) * c.price_output) / 1000000)
    WHERE c.tenant_id = NEW.tenant_id AND c.charge_id = NEW.run_id AND c.ended_at IS NULL;
  IF NOT FOUND AND used > 0 THEN
    INSERT INTO charges (tenant_id, charge_id, day, user_id, room_id, context_tokens, reserved, tokens, cost, ended_at)
    VALUES (NEW.tenant_id, NEW.run_id, (clock_timestamp() AT TIME ZONE 'UTC')::date, NEW.user_id, NEW.room_id,
      COALESCE(NEW.prompt_tokens, 0), used, used, COALESCE(NEW.cost, 0), NEW.ended_at)
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.run_charged() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.run_charged() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.run_chunks_write(p_tenants uuid[], p_runs uuid[], p_fences bigint[], p_firsts integer[], p_texts text[], p_ends text[])
 RETURNS TABLE(run_id uuid, is_lost boolean)
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
#variable_conflict use_column
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  RETURN QUERY
  WITH given AS (
    SELECT w.*, q.state = 'streaming' AND q.fence = w.fence AS ours, q.is_cancelled
    FROM unnest(p_tenants, p_runs, p_fences, p_firsts, p_texts, p_ends) w(t, r, fence, first_index, text, ends)
    LEFT JOIN runs q ON q.tenant_id = w.t AND q.run_id = w.r
  ), stored AS (
    INSERT INTO run_chunks (tenant_id, run_id, first_index, text, ends)
    SELECT g.t, g.r, g.first_index, g.text, g.ends::integer[] FROM given g WHERE g.ours AND g.text <> ''
    ON CONFLICT DO NOTHING
  )
  SELECT g.r, g.ours IS NOT TRUE FROM given g WHERE g.ours IS NOT TRUE OR g.is_cancelled;
END $function$;
REVOKE ALL ON FUNCTION public.run_chunks_write(p_tenants uuid[], p_runs uuid[], p_fences bigint[], p_firsts integer[], p_texts text[], p_ends text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.run_chunks_write(p_tenants uuid[], p_runs uuid[], p_fences bigint[], p_firsts integer[], p_texts text[], p_ends text[]) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.runs_cancel(p_tenant uuid, p_limit integer)
 RETURNS bigint
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  WITH ended AS (
    UPDATE runs q SET state = 'cancelled', is_cancelled = true, ended_at = clock_timestamp()
    WHERE q.tenant_id = p_tenant AND q.run_id = ANY (ARRAY(SELECT u.run_id FROM runs u
      WHERE u.tenant_id = p_tenant AND u.state IN ('queued', 'streaming') ORDER BY u.room_id LIMIT p_limit))
      AND q.state IN ('queued', 'streaming')
    RETURNING 1)
  SELECT count(*) FROM ended
$function$;
REVOKE ALL ON FUNCTION public.runs_cancel(p_tenant uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.runs_cancel(p_tenant uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.runs_import(p_tenant uuid, p_room uuid, p_import uuid, p_rows json)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  added integer;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN 0; END IF;
  INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, state, answer_seq, token_count, channel, model,
    finish_reason, prompt_tokens, completion_tokens, total_tokens, estimated, error_code, error_message, options,
    created_at, started_at, ended_at, is_counted, reasoning)
  SELECT p_tenant, x.run_id, p_room, x.user_id, x.reply_to_seq, x.state, x.answer_seq, x.token_count, x.channel, x.model,
    x.finish_reason, x.prompt_tokens, x.completion_tokens, x.total_tokens, x.estimated, x.error_code, x.error_message,
    x.options, x.created_at, x.started_at, x.ended_at, true, x.reasoning
  FROM json_to_recordset(p_rows) x(run_id uuid, user_id text, reply_to_seq bigint, state text, answer_seq bigint,
    token_count integer, channel text, model text, finish_reason text, prompt_tokens bigint, completion_tokens bigint,
    total_tokens bigint, estimated boolean, error_code text, error_message text, options json, created_at timestamptz,
    started_at timestamptz, ended_at timestamptz, reasoning text)
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $function$;
REVOKE ALL ON FUNCTION public.runs_import(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.runs_import(p_tenant uuid, p_room uuid, p_import uuid, p_rows json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.runs_trimmed(p_tenant uuid, p_room uuid, p_limit integer)
 RETURNS bigint
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
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
$function$;
REVOKE ALL ON FUNCTION public.runs_trimmed(p_tenant uuid, p_room uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.runs_trimmed(p_tenant uuid, p_room uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.stats_counts(p_tenant uuid, p_cap integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_sort TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
DECLARE
  lo uuid := COALESCE(p_tenant, '00000000-0000-0000-0000-000000000000');
  hi uuid := COALESCE(p_tenant, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  jobs_now jsonb;
  runs_now jsonb;
  dead_messages bigint;
  dead_rows bigint;
  dead_notifications bigint;
  dead_webhooks bigint;
  full_counts text[];
BEGIN
  WITH queued AS MATERIALIZED (
    SELECT j.kind FROM jobs j WHERE j.state = 'queued' AND j.tenant_id BETWEEN lo AND hi
    ORDER BY j.tenant_id, j.kind, j.run_at, j.id LIMIT p_cap
  ), running AS MATERIALIZED (
    SELECT j.kind FROM jobs j WHERE j.state = 'running' AND j.tenant_id BETWEEN lo AND hi
    ORDER BY j.tenant_id, j.kind, j.key LIMIT p_cap
  ), dead AS MATERIALIZED (
    SELECT j.kind FROM jobs j WHERE j.state = 'dead' AND j.tenant_id BETWEEN lo AND hi
    ORDER BY j.tenant_id, j.kind, j.ended_at, j.id LIMIT p_cap
  ), kinds AS (
    SELECT k.kind, count(*) FILTER (WHERE k.state = 'queued') AS queued,
      count(*) FILTER (WHERE k.state = 'running') AS running, count(*) FILTER (WHERE k.state = 'dead') AS dead
    FROM (SELECT kind, 'queued' AS state FROM queued UNION ALL SELECT kind, 'running' FROM running
      UNION ALL SELECT kind, 'dead' FROM dead) k
    GROUP BY k.kind
  )
  SELECT COALESCE(jsonb_agg(to_jsonb(kinds) ORDER BY kinds.kind), '[]'),
    array_remove(ARRAY[CASE WHEN sum(kinds.queued) >= p_cap THEN 'jobs.queued' END,
      CASE WHEN sum(kinds.running) >= p_cap THEN 'jobs.running' END,
      CASE WHEN sum(kinds.dead) >= p_cap THEN 'jobs.dead' END], NULL)
  INTO jobs_now, full_counts FROM kinds;

  SELECT jsonb_build_object('queued', count(*) FILTER (WHERE r.state = 'queued'),
      'streaming', count(*) FILTER (WHERE r.state = 'streaming')),
    full_counts || CASE WHEN count(*) >= p_cap THEN ARRAY['runs'] ELSE '{}' END
  INTO runs_now, full_counts
  FROM (SELECT x.state FROM runs x WHERE x.state IN ('queued', 'streaming') AND x.tenant_id BETWEEN lo AND hi
    ORDER BY x.tenant_id LIMIT p_cap) r;

  -- A row is a run of messages.
  SELECT COALESCE(sum(d.n), 0), count(*) INTO dead_messages, dead_rows
  FROM (SELECT x.to_seq - x.from_seq + 1 AS n FROM dead_letters x WHERE x.tenant_id BETWEEN lo AND hi
    ORDER BY x.tenant_id LIMIT p_cap) d;
  SELECT count(*) INTO dead_notifications
  FROM (SELECT FROM notification_deliveries x WHERE x.dead_at IS NOT NULL AND x.tenant_id BETWEEN lo AND hi
    ORDER BY x.tenant_id, x.dead_at LIMIT p_cap) d;
  SELECT count(*) INTO dead_webhooks
  FROM (SELECT FROM webhook_deliveries x WHERE x.state = 'dead' AND x.tenant_id BETWEEN lo AND hi
    ORDER BY x.tenant_id LIMIT p_cap) d;

  RETURN jsonb_build_object('jobs', jobs_now, 'runs', runs_now,
    'dead_letters', jsonb_build_object('message', dead_messages, 'notification', dead_notifications, 'webhook', dead_webhooks),
    'capped', to_jsonb(full_counts || array_remove(ARRAY[
      CASE WHEN dead_rows >= p_cap THEN 'dead_letters.message' END,
      CASE WHEN dead_notifications >= p_cap THEN 'dead_letters.notification' END,
      CASE WHEN dead_webhooks >= p_cap THEN 'dead_letters.webhook' END], NULL)));
END $function$;
REVOKE ALL ON FUNCTION public.stats_counts(p_tenant uuid, p_cap integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.stats_counts(p_tenant uuid, p_cap integer) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.stats_minutes_add(p_rows json)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO stats_minutes AS m
    (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens, p50_ms, p99_ms)
  SELECT l.tenant_id, date_trunc('minute', clock_timestamp()), l.connections, l.online, l.messages_sent, l.deliveries, l.refused,
    l.tokens, l.p50_ms, l.p99_ms
  FROM (SELECT r.* FROM json_to_recordset(p_rows) r (tenant_id uuid, connections integer, online integer, messages_sent bigint,
      deliveries bigint, refused bigint, tokens bigint, p50_ms real, p99_ms real)
    JOIN tenants t ON t.tenant_id = r.tenant_id ORDER BY t.tenant_id FOR KEY SHARE OF t) l
  ON CONFLICT (tenant_id, minute) DO UPDATE SET connections = m.connections + EXCLUDED.connections,
    online = GREATEST(m.online, EXCLUDED.online), messages_sent = m.messages_sent + EXCLUDED.messages_sent,
    deliveries = m.deliveries + EXCLUDED.deliveries, refused = m.refused + EXCLUDED.refused,
    tokens = m.tokens + EXCLUDED.tokens, p50_ms = GREATEST(m.p50_ms, EXCLUDED.p50_ms),
    p99_ms = GREATEST(m.p99_ms, EXCLUDED.p99_ms);
END $function$;
REVOKE ALL ON FUNCTION public.stats_minutes_add(p_rows json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.stats_minutes_add(p_rows json) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.subscriptions_import(p_tenant uuid, p_rows json)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  made integer;
BEGIN
  INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic, created_at)
  SELECT p_tenant, x.subscription_id, x.user_id, x.topic, x.created_at
  FROM json_to_recordset(p_rows) x(subscription_id uuid, user_id text, topic text, created_at timestamptz)
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END $function$;
REVOKE ALL ON FUNCTION public.subscriptions_import(p_tenant uuid, p_rows json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.subscriptions_import(p_tenant uuid, p_rows json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.tenant_counts_add()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  counts tenant_counts;
  limits jsonb;
BEGIN
  DELETE FROM tenant_count_deltas d WHERE d.tenant_id = NEW.tenant_id AND d.delta_no = NEW.delta_no;
  INSERT INTO tenant_counts AS c (tenant_id, users, rooms) VALUES (NEW.tenant_id, NEW.users, NEW.rooms)
  ON CONFLICT (tenant_id) DO UPDATE SET users = c.users + EXCLUDED.users, rooms = c.rooms + EXCLUDED.rooms
  RETURNING * INTO counts;
  SELECT t.limits INTO limits FROM tenants t WHERE t.tenant_id = NEW.tenant_id;
  IF NEW.users > 0 AND counts.users > (limits->>'users')::bigint THEN
    PERFORM limit_reached('users', (limits->>'users')::bigint);
  END IF;
  IF NEW.rooms > 0 AND counts.rooms > (limits->>'rooms')::bigint THEN
    PERFORM limit_reached('rooms', (limits->>'rooms')::bigint);
  END IF;
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.tenant_counts_add() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.tenant_counts_add() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.tenant_deletion_begin(p_tenant uuid, p_deletion uuid, p_confirm text, p_request text, p_address text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  tenant tenants;
  deletion tenant_deletions;
BEGIN
  SELECT * INTO tenant FROM tenants t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF tenant.tenant_id IS NULL THEN RETURN jsonb_build_object('status', 'no_tenant'); END IF;
  IF tenant.name <> p_confirm THEN RETURN jsonb_build_object('status', 'wrong_name'); END IF;
  IF EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.legal_hold)
    OR EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = p_tenant AND u.legal_hold)
  THEN RETURN jsonb_build_object('status', 'held'); END IF;
  SELECT * INTO deletion FROM tenant_deletions d WHERE d.tenant_id = p_tenant FOR UPDATE;
  IF tenant.deleting_since IS NOT NULL AND deletion.state IN ('waiting', 'deleting') THEN
    RETURN jsonb_build_object('status', 'ok', 'deletion_id', deletion.deletion_id, 'state', deletion.state);
  END IF;
  UPDATE tenants t SET status = 'suspended', deleting_since = COALESCE(t.deleting_since, clock_timestamp()),
    updated_at = clock_timestamp() WHERE t.tenant_id = p_tenant;
  UPDATE webhooks w SET url = NULL, secret = NULL, previous_secret = NULL, updated_at = clock_timestamp()
  WHERE w.tenant_id = p_tenant AND w.url IS NOT NULL;
  IF deletion.state = 'failed' THEN
    UPDATE tenant_deletions d SET state = 'waiting', error = NULL WHERE d.tenant_id = p_tenant RETURNING * INTO deletion;
    DELETE FROM jobs j WHERE j.tenant_id = p_tenant AND j.kind = 'tenant.delete' AND j.state = 'dead';
  ELSE
    -- A tenant of the same id was deleted before: only the first start makes one with an id that is given.
    INSERT INTO tenant_deletions AS d (tenant_id, deletion_id, request_id, address)
    VALUES (p_tenant, p_deletion, p_request, p_address)
    ON CONFLICT (tenant_id) DO UPDATE SET deletion_id = EXCLUDED.deletion_id, state = 'waiting', deleted = '{}', error = NULL,
      request_id = EXCLUDED.request_id, address = EXCLUDED.address, started_at = EXCLUDED.started_at, finished_at = NULL
    RETURNING * INTO deletion;
  END IF;
  INSERT INTO jobs (tenant_id, kind, key, payload, run_at)
  VALUES (p_tenant, 'tenant.delete', 'delete', jsonb_build_object('deletion_id', deletion.deletion_id),
    deletion.started_at + interval '15 s');
  RETURN jsonb_build_object('status', 'ok', 'deletion_id', deletion.deletion_id, 'state', deletion.state,
    'audit', jsonb_build_object());
END $function$;
REVOKE ALL ON FUNCTION public.tenant_deletion_begin(p_tenant uuid, p_deletion uuid, p_confirm text, p_request text, p_address text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.tenant_deletion_begin(p_tenant uuid, p_deletion uuid, p_confirm text, p_request text, p_address text) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.tenant_deletion_proceed(p_tenant uuid, p_deletion uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  quiet CONSTANT interval := interval '15 s';
  deletion tenant_deletions;
BEGIN
  SELECT * INTO deletion FROM tenant_deletions d
  WHERE d.tenant_id = p_tenant AND d.deletion_id = p_deletion AND d.state IN ('waiting', 'deleting') FOR UPDATE;
  IF deletion.tenant_id IS NULL THEN RETURN jsonb_build_object('state', 'over'); END IF;
  IF deletion.started_at > clock_timestamp() - quiet THEN
    RETURN jsonb_build_object('state', 'waiting',
      'wait_ms', ceil(extract(epoch FROM deletion.started_at + quiet - clock_timestamp()) * 1000));
  END IF;
  IF deletion.state = 'waiting' THEN
    UPDATE tenant_deletions d SET state = 'deleting' WHERE d.tenant_id = p_tenant;
  END IF;
  RETURN jsonb_build_object('state', 'deleting');
END $function$;
REVOKE ALL ON FUNCTION public.tenant_deletion_proceed(p_tenant uuid, p_deletion uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.tenant_deletion_proceed(p_tenant uuid, p_deletion uuid) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.tenant_room_deleted()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO tenant_count_deltas (tenant_id, rooms)
  SELECT t.tenant_id, CASE WHEN NEW.deleted_at IS NULL THEN 1 ELSE -1 END FROM tenants t
  WHERE t.tenant_id = NEW.tenant_id AND t.deleting_since IS NULL;
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.tenant_room_deleted() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.tenant_room_deleted() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.tenant_room_grown()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  PERFORM room_members_check(NEW.tenant_id, NEW.type, NEW.member_count);
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.tenant_room_grown() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.tenant_room_grown() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.tenant_rooms_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO tenant_count_deltas (tenant_id, rooms)
  SELECT c.tenant_id, count(*) * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
  FROM changed c JOIN tenants t USING (tenant_id) WHERE c.deleted_at IS NULL AND t.deleting_since IS NULL
  GROUP BY c.tenant_id;
  IF TG_OP = 'INSERT' THEN
    PERFORM room_members_check(c.tenant_id, c.type, c.member_count) FROM changed c;
  END IF;
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.tenant_rooms_changed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.tenant_rooms_changed() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.tenant_users_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO tenant_count_deltas (tenant_id, users)
  SELECT c.tenant_id, count(*) * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
  FROM changed c JOIN tenants t USING (tenant_id)
  WHERE NOT starts_with(c.user_id, 'agent_') AND NOT starts_with(c.user_id, 'erased_') AND t.deleting_since IS NULL
  GROUP BY c.tenant_id;
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.tenant_users_changed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.tenant_users_changed() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.transfer_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  found uuid[];
  given_up uuid[];
BEGIN
  SELECT array_agg(x.export_id) INTO found FROM (
    SELECT e.export_id FROM exports e
    WHERE e.tenant_id = p_tenant AND (e.state IN ('running', 'ready') OR e.user_id = p_user)
    ORDER BY e.export_id LIMIT p_limit FOR NO KEY UPDATE) x;
  DELETE FROM exports e WHERE e.tenant_id = p_tenant AND e.export_id = ANY (found) AND e.user_id = p_user;
  UPDATE exports e SET state = 'expired', expires_at = clock_timestamp()
  WHERE e.tenant_id = p_tenant AND e.export_id = ANY (found);
  SELECT array_agg(x.import_id) INTO given_up FROM (
    SELECT i.import_id FROM imports i
    WHERE i.tenant_id = p_tenant AND (i.state IN ('uploading', 'valid', 'invalid')
      OR i.state IN ('done', 'failed') AND i.faults <> '[]')
    ORDER BY i.import_id LIMIT p_limit FOR NO KEY UPDATE) x;
  UPDATE imports i SET faults = '[]',
    state = CASE WHEN i.state = 'done' THEN i.state ELSE 'failed' END,
    error = CASE WHEN i.state IN ('done', 'failed') THEN i.error
      ELSE 'A person was erased whom the file may name: send it again without them' END,
    finished_at = COALESCE(i.finished_at, clock_timestamp())
  WHERE i.tenant_id = p_tenant AND i.import_id = ANY (given_up);
  RETURN jsonb_build_object(
    'counts', jsonb_build_object('exports', COALESCE(cardinality(found), 0), 'imports', COALESCE(cardinality(given_up), 0)),
    'after', CASE WHEN p_limit IN (cardinality(found), cardinality(given_up)) THEN jsonb_build_object() END,
    'waits', EXISTS (SELECT 1 FROM imports i WHERE i.tenant_id = p_tenant AND i.state IN ('validating', 'running')));
END $function$;
REVOKE ALL ON FUNCTION public.transfer_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.transfer_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_call_ended()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
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
END $function$;
REVOKE ALL ON FUNCTION public.usage_call_ended() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_call_ended() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_complete(p_tenant uuid, p_before timestamp with time zone)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  INSERT INTO usage_state AS s (tenant_id, complete_to)
  SELECT t.tenant_id, p_before FROM tenants t WHERE t.tenant_id = p_tenant AND t.deleting_since IS NULL
  ON CONFLICT (tenant_id) DO UPDATE SET complete_to = GREATEST(s.complete_to, EXCLUDED.complete_to)
$function$;
REVOKE ALL ON FUNCTION public.usage_complete(p_tenant uuid, p_before timestamp with time zone) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_complete(p_tenant uuid, p_before timestamp with time zone) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_count_rooms(p_tenant uuid, p_after uuid, p_rooms integer, p_messages integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
 SET enable_seqscan TO 'off'
AS $function$
DECLARE
  due uuid[];
  due_to bigint[];
  reached uuid;
  is_whole boolean;
  held uuid[];
  held_from bigint[];
  held_to bigint[];
  counted bigint;
BEGIN
  WITH walked AS MATERIALIZED (
    SELECT r.room_id, r.last_seq, COALESCE(u.counted_seq, 0) AS counted
    FROM (SELECT x.room_id, x.last_seq FROM rooms x WHERE x.tenant_id = p_tenant AND x.room_id > p_after
      ORDER BY x.room_id LIMIT p_rooms) r
    LEFT JOIN usage_rooms u ON u.tenant_id = p_tenant AND u.room_id = r.room_id
  ), missing AS (
    SELECT w.room_id, w.last_seq, w.counted,
      sum(w.last_seq - w.counted) OVER (ORDER BY w.room_id ROWS UNBOUNDED PRECEDING) - (w.last_seq - w.counted) AS before
    FROM walked w WHERE w.last_seq > w.counted
  ), taken AS (
    SELECT m.room_id, LEAST(m.last_seq, m.counted + p_messages - m.before)::bigint AS upto FROM missing m
    WHERE m.before < p_messages
  )
  SELECT array_agg(t.room_id ORDER BY t.room_id), array_agg(t.upto ORDER BY t.room_id),
      (SELECT w.room_id FROM walked w ORDER BY w.room_id DESC OFFSET 0 LIMIT (SELECT CASE WHEN count(*) = p_rooms THEN 1
        ELSE 0 END FROM walked)),
      COALESCE((SELECT sum(m.last_seq - m.counted) FROM missing m), 0) <= p_messages
    INTO due, due_to, reached, is_whole FROM taken t;
  IF due IS NULL THEN RETURN jsonb_build_object('after', reached, 'counted', 0); END IF;
  INSERT INTO usage_rooms (tenant_id, room_id) SELECT p_tenant, r.room_id FROM rooms r
  WHERE r.tenant_id = p_tenant AND r.room_id = ANY (due) ORDER BY r.room_id ON CONFLICT DO NOTHING;
  SELECT array_agg(l.room_id), array_agg(l.counted_seq), array_agg(d.upto) INTO held, held_from, held_to
  FROM (SELECT u.room_id, u.counted_seq FROM usage_rooms u WHERE u.tenant_id = p_tenant AND u.room_id = ANY (due)
    ORDER BY u.room_id FOR NO KEY UPDATE) l JOIN unnest(due, due_to) d(room_id, upto) USING (room_id)
  WHERE d.upto > l.counted_seq;
  WITH fresh AS MATERIALIZED (
    SELECT h.room_id, m.sender_id, (m.created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n,
      sum(octet_length(m.content) + COALESCE(octet_length(m.meta::text), 0))::bigint AS bytes
    FROM unnest(held, held_from, held_to) h(room_id, above, upto)
    CROSS JOIN LATERAL (SELECT y.sender_id, y.created_at, y.content, y.meta FROM messages y WHERE y.tenant_id = p_tenant
      AND y.room_id = h.room_id AND y.seq > h.above AND y.seq <= h.upto OFFSET 0) m
    GROUP BY 1, 2, 3
  ), passed AS (
    UPDATE usage_rooms u SET counted_seq = h.upto FROM unnest(held, held_to) h(room_id, upto)
    WHERE u.tenant_id = p_tenant AND u.room_id = h.room_id
  ), by_user AS (
    INSERT INTO usage_users AS u (tenant_id, user_id, day, messages_sent)
    SELECT p_tenant, f.sender_id, f.day, sum(f.n) FROM fresh f GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent
  ), by_room AS (
    INSERT INTO usage_chats AS u (tenant_id, room_id, day, messages_sent)
    SELECT p_tenant, f.room_id, f.day, sum(f.n) FROM fresh f GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, room_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent
  ), by_day AS (
    INSERT INTO usage_days AS u (tenant_id, day, part, messages_sent, storage_delta)
    SELECT p_tenant, f.day, pg_backend_pid(), sum(f.n), sum(f.bytes) FROM fresh f GROUP BY 2 ORDER BY 2
    ON CONFLICT (tenant_id, day, part) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent,
      storage_delta = u.storage_delta + EXCLUDED.storage_delta
  )
  SELECT COALESCE(sum(f.n), 0) INTO counted FROM fresh f;
  RETURN jsonb_build_object('after', CASE WHEN is_whole THEN reached ELSE p_after END, 'counted', counted);
END $function$;
REVOKE ALL ON FUNCTION public.usage_count_rooms(p_tenant uuid, p_after uuid, p_rooms integer, p_messages integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_count_rooms(p_tenant uuid, p_after uuid, p_rooms integer, p_messages integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_count_runs(p_tenant uuid, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  ended runs[];
BEGIN
  WITH marked AS (
    UPDATE runs q SET is_counted = true
    WHERE q.tenant_id = p_tenant AND q.run_id = ANY (ARRAY(
      SELECT r.run_id FROM runs r WHERE r.tenant_id = p_tenant AND r.ended_at IS NOT NULL AND r.is_counted IS NULL
      ORDER BY r.run_id LIMIT p_limit FOR NO KEY UPDATE))
    RETURNING q.*
  )
  SELECT array_agg(m::runs) INTO ended FROM marked m;
  IF ended IS NULL THEN RETURN 0; END IF;
  PERFORM usage_runs_add(p_tenant, ended);
  RETURN cardinality(ended);
END $function$;
REVOKE ALL ON FUNCTION public.usage_count_runs(p_tenant uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_count_runs(p_tenant uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  moved bigint;
BEGIN
  WITH gone AS (
    DELETE FROM usage_users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user AND u.day = ANY (ARRAY(
      SELECT x.day FROM usage_users x WHERE x.tenant_id = p_tenant AND x.user_id = p_user ORDER BY x.day LIMIT p_limit))
    RETURNING *
  ), added AS (
    INSERT INTO usage_users AS u (tenant_id, user_id, day, messages_sent, runs, prompt_tokens, completion_tokens,
      estimated_tokens, cost)
    SELECT p_tenant, p_erased, g.day, g.messages_sent, g.runs, g.prompt_tokens, g.completion_tokens, g.estimated_tokens,
      g.cost
    FROM gone g ORDER BY g.day
    ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent,
      runs = u.runs + EXCLUDED.runs, prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
      completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
      estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost
  )
  SELECT count(*) INTO moved FROM gone;
  RETURN jsonb_build_object('counts', jsonb_build_object('usage_days', moved),
    'after', CASE WHEN moved = p_limit THEN jsonb_build_object() END);
END $function$;
REVOKE ALL ON FUNCTION public.usage_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_flush(p_tenants uuid[], p_deliveries bigint[], p_posts bigint[], p_peaks integer[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  INSERT INTO usage_days AS u (tenant_id, day, part, deliveries, webhook_posts, peak_connections)
  SELECT f.tenant_id, (clock_timestamp() AT TIME ZONE 'UTC')::date, pg_backend_pid(), f.deliveries, f.posts, f.peak
  FROM unnest(p_tenants, p_deliveries, p_posts, p_peaks) f(tenant_id, deliveries, posts, peak)
  JOIN tenants t USING (tenant_id) ORDER BY f.tenant_id
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET deliveries = u.deliveries + EXCLUDED.deliveries,
    webhook_posts = u.webhook_posts + EXCLUDED.webhook_posts,
    peak_connections = GREATEST(u.peak_connections, EXCLUDED.peak_connections);
$function$;
REVOKE ALL ON FUNCTION public.usage_flush(p_tenants uuid[], p_deliveries bigint[], p_posts bigint[], p_peaks integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_flush(p_tenants uuid[], p_deliveries bigint[], p_posts bigint[], p_peaks integer[]) TO "chatapi_system";

CREATE OR REPLACE FUNCTION public.usage_message_edited()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  counted bigint;
  today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  sent date := (NEW.created_at AT TIME ZONE 'UTC')::date;
  grown bigint := octet_length(NEW.content) + COALESCE(octet_length(NEW.meta::text), 0)
    - octet_length(OLD.content) - COALESCE(octet_length(OLD.meta::text), 0);
BEGIN
  SELECT u.counted_seq INTO counted FROM usage_rooms u
  WHERE u.tenant_id = NEW.tenant_id AND u.room_id = NEW.room_id FOR NO KEY UPDATE;
  IF counted IS NULL THEN
    PERFORM usage_rooms_hold(NEW.tenant_id, ARRAY[NEW.room_id]);
    SELECT u.counted_seq INTO counted FROM usage_rooms u WHERE u.tenant_id = NEW.tenant_id AND u.room_id = NEW.room_id;
    -- The room is gone.
    IF counted IS NULL THEN RETURN NULL; END IF;
  END IF;
  IF NEW.seq > counted THEN
    IF sent = today THEN RETURN NULL; END IF;
    INSERT INTO usage_days AS u (tenant_id, day, part, storage_delta)
    VALUES (NEW.tenant_id, sent, pg_backend_pid(), -grown)
    ON CONFLICT (tenant_id, day, part) DO UPDATE SET storage_delta = u.storage_delta + EXCLUDED.storage_delta;
  END IF;
  INSERT INTO usage_days AS u (tenant_id, day, part, storage_delta)
  VALUES (NEW.tenant_id, today, pg_backend_pid(), grown)
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET storage_delta = u.storage_delta + EXCLUDED.storage_delta;
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.usage_message_edited() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_message_edited() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_messages_deleted()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  changed record;
BEGIN
  FOR changed IN
    SELECT g.tenant_id, array_agg(DISTINCT g.room_id) AS rooms FROM gone g JOIN tenants t USING (tenant_id)
    WHERE t.deleting_since IS NULL GROUP BY 1 ORDER BY 1
  LOOP
    PERFORM usage_rooms_hold(changed.tenant_id, changed.rooms);
    WITH sizes AS MATERIALIZED (
      SELECT g.room_id, g.sender_id, (g.created_at AT TIME ZONE 'UTC')::date AS day, u.counted_seq < g.seq AS is_fresh,
        octet_length(g.content) + COALESCE(octet_length(g.meta::text), 0) AS bytes
      FROM gone g LEFT JOIN usage_rooms u ON u.tenant_id = g.tenant_id AND u.room_id = g.room_id
      WHERE g.tenant_id = changed.tenant_id
    ), by_user AS (
      INSERT INTO usage_users AS u (tenant_id, user_id, day, messages_sent)
      SELECT changed.tenant_id, s.sender_id, s.day, count(*) FROM sizes s WHERE s.is_fresh GROUP BY 2, 3 ORDER BY 2, 3
      ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent
    ), by_room AS (
      INSERT INTO usage_chats AS u (tenant_id, room_id, day, messages_sent)
      SELECT changed.tenant_id, s.room_id, s.day, count(*) FROM sizes s WHERE s.is_fresh GROUP BY 2, 3 ORDER BY 2, 3
      ON CONFLICT (tenant_id, room_id, day) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent
    ), deltas AS (
      SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day, 0 AS n, -sum(s.bytes) AS delta FROM sizes s
      UNION ALL
      SELECT s.day, count(*), sum(s.bytes) FROM sizes s WHERE s.is_fresh GROUP BY 1
    )
    INSERT INTO usage_days AS u (tenant_id, day, part, messages_sent, storage_delta)
    SELECT changed.tenant_id, d.day, pg_backend_pid(), sum(d.n), sum(d.delta) FROM deltas d GROUP BY 2
    HAVING sum(d.n) <> 0 OR sum(d.delta) <> 0 ORDER BY 2
    ON CONFLICT (tenant_id, day, part) DO UPDATE SET messages_sent = u.messages_sent + EXCLUDED.messages_sent,
      storage_delta = u.storage_delta + EXCLUDED.storage_delta;
  END LOOP;
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.usage_messages_deleted() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_messages_deleted() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_room_imported(p_tenant uuid, p_room uuid, p_import uuid, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  counted bigint;
  reached bigint;
  bytes bigint;
  n integer;
BEGIN
  IF NOT import_room_lock(p_tenant, p_room, p_import) THEN RETURN 0; END IF;
  PERFORM usage_rooms_hold(p_tenant, ARRAY[p_room]);
  SELECT u.counted_seq INTO counted FROM usage_rooms u WHERE u.tenant_id = p_tenant AND u.room_id = p_room;
  SELECT count(*), max(f.seq), sum(octet_length(f.content) + COALESCE(octet_length(f.meta::text), 0))
    INTO n, reached, bytes FROM (SELECT m.seq, m.content, m.meta FROM messages m
      WHERE m.tenant_id = p_tenant AND m.room_id = p_room AND m.seq > counted ORDER BY m.seq LIMIT p_limit) f;
  IF n = 0 THEN RETURN 0; END IF;
  UPDATE usage_rooms u SET counted_seq = reached WHERE u.tenant_id = p_tenant AND u.room_id = p_room;
  INSERT INTO usage_days AS u (tenant_id, day, part, storage_delta)
  VALUES (p_tenant, (clock_timestamp() AT TIME ZONE 'UTC')::date, pg_backend_pid(), bytes)
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET storage_delta = u.storage_delta + EXCLUDED.storage_delta;
  RETURN n;
END $function$;
REVOKE ALL ON FUNCTION public.usage_room_imported(p_tenant uuid, p_room uuid, p_import uuid, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_room_imported(p_tenant uuid, p_room uuid, p_import uuid, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_rooms_hold(p_tenant uuid, p_rooms uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO usage_rooms (tenant_id, room_id) SELECT p_tenant, r.room_id FROM rooms r
  WHERE r.tenant_id = p_tenant AND r.room_id = ANY (p_rooms) ORDER BY r.room_id ON CONFLICT DO NOTHING;
  PERFORM 1 FROM usage_rooms u WHERE u.tenant_id = p_tenant AND u.room_id = ANY (p_rooms)
  ORDER BY u.room_id FOR NO KEY UPDATE;
END $function$;
REVOKE ALL ON FUNCTION public.usage_rooms_hold(p_tenant uuid, p_rooms uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_rooms_hold(p_tenant uuid, p_rooms uuid[]) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_runs_add(p_tenant uuid, p_runs public.runs[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  WITH ended AS MATERIALIZED (
    SELECT q.user_id, q.room_id, COALESCE(q.channel, '') AS channel, COALESCE(c.preset, '') AS preset,
      (q.ended_at AT TIME ZONE 'UTC')::date AS day, COALESCE(q.prompt_tokens, 0) AS prompt,
      COALESCE(q.completion_tokens, 0) AS completion, CASE WHEN q.estimated THEN COALESCE(q.total_tokens, 0) ELSE 0 END AS guess,
      COALESCE(q.cost, 0) AS cost
    FROM unnest(p_runs) q LEFT JOIN chats c ON c.tenant_id = p_tenant AND c.room_id = q.room_id
  ), by_user AS (
    INSERT INTO usage_users AS u (tenant_id, user_id, day, runs, prompt_tokens, completion_tokens, estimated_tokens,
      cost)
    SELECT p_tenant, e.user_id, e.day, count(*), sum(e.prompt), sum(e.completion), sum(e.guess), sum(e.cost) FROM ended e
    GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, user_id, day) DO UPDATE SET runs = u.runs + EXCLUDED.runs,
      prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
      completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
      estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost
  ), by_room AS (
    INSERT INTO usage_chats AS u (tenant_id, room_id, day, runs, prompt_tokens, completion_tokens, estimated_tokens,
      cost)
    SELECT p_tenant, e.room_id, e.day, count(*), sum(e.prompt), sum(e.completion), sum(e.guess), sum(e.cost) FROM ended e
    GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, room_id, day) DO UPDATE SET runs = u.runs + EXCLUDED.runs,
      prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
      completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
      estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost
  ), by_model AS (
    INSERT INTO usage_models AS u (tenant_id, channel, preset, day, runs, prompt_tokens, completion_tokens,
      estimated_tokens, cost)
    SELECT p_tenant, e.channel, e.preset, e.day, count(*), sum(e.prompt), sum(e.completion), sum(e.guess), sum(e.cost) FROM ended e
    GROUP BY 2, 3, 4 ORDER BY 2, 3, 4
    ON CONFLICT (tenant_id, channel, preset, day) DO UPDATE SET runs = u.runs + EXCLUDED.runs,
      prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
      completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
      estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost
  )
  INSERT INTO usage_days AS u (tenant_id, day, part, runs, prompt_tokens, completion_tokens, estimated_tokens, cost)
  SELECT p_tenant, e.day, pg_backend_pid(), count(*), sum(e.prompt), sum(e.completion), sum(e.guess), sum(e.cost) FROM ended e
  GROUP BY 2 ORDER BY 2
  ON CONFLICT (tenant_id, day, part) DO UPDATE SET runs = u.runs + EXCLUDED.runs,
    prompt_tokens = u.prompt_tokens + EXCLUDED.prompt_tokens,
    completion_tokens = u.completion_tokens + EXCLUDED.completion_tokens,
    estimated_tokens = u.estimated_tokens + EXCLUDED.estimated_tokens, cost = u.cost + EXCLUDED.cost;
END $function$;
REVOKE ALL ON FUNCTION public.usage_runs_add(p_tenant uuid, p_runs public.runs[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_runs_add(p_tenant uuid, p_runs public.runs[]) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.usage_runs_deleted()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  changed record;
BEGIN
  FOR changed IN
    SELECT g.tenant_id, array_agg(g::runs) AS ended FROM gone g JOIN tenants t USING (tenant_id)
    WHERE g.ended_at IS NOT NULL AND g.is_counted IS NULL AND t.deleting_since IS NULL GROUP BY 1 ORDER BY 1
  LOOP
    PERFORM usage_runs_add(changed.tenant_id, changed.ended);
  END LOOP;
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.usage_runs_deleted() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.usage_runs_deleted() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.user_hold(p_tenant uuid, p_user text, p_hold boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  was boolean;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant AND t.deleting_since IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN jsonb_build_object('status', 'deleting'); END IF;
  SELECT u.legal_hold INTO was FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user FOR NO KEY UPDATE;
  IF was IS NULL THEN RETURN jsonb_build_object('status', 'no_user'); END IF;
  IF was = p_hold THEN RETURN jsonb_build_object('status', 'ok', 'legal_hold', was); END IF;
  UPDATE users u SET legal_hold = p_hold WHERE u.tenant_id = p_tenant AND u.user_id = p_user;
  RETURN jsonb_build_object('status', 'ok', 'legal_hold', p_hold, 'audit', jsonb_build_object('user', p_user,
    'before', jsonb_build_object('legal_hold', was), 'after', jsonb_build_object('legal_hold', p_hold)));
END $function$;
REVOKE ALL ON FUNCTION public.user_hold(p_tenant uuid, p_user text, p_hold boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.user_hold(p_tenant uuid, p_user text, p_hold boolean) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.users_ensure(p_tenant uuid, p_users text[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
  INSERT INTO users (tenant_id, user_id) SELECT p_tenant, u FROM unnest(p_users) u ORDER BY u COLLATE "C"
  ON CONFLICT DO NOTHING
$function$;
REVOKE ALL ON FUNCTION public.users_ensure(p_tenant uuid, p_users text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.users_ensure(p_tenant uuid, p_users text[]) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.users_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  gone bigint;
BEGIN
  PERFORM 1 FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user FOR UPDATE;
  DELETE FROM users u WHERE u.tenant_id = p_tenant AND u.user_id = p_user
    AND NOT EXISTS (SELECT 1 FROM room_members m WHERE m.tenant_id = p_tenant AND m.user_id = p_user);
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('users', gone), 'after', NULL);
END $function$;
REVOKE ALL ON FUNCTION public.users_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.users_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.users_import(p_tenant uuid, p_rows json)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  made integer;
BEGIN
  INSERT INTO users (tenant_id, user_id, profile, created_at, last_seen_at, first_socket_at, legal_hold)
  SELECT p_tenant, x.user_id, x.profile, x.created_at, x.last_seen_at, x.first_socket_at, x.legal_hold
  FROM json_to_recordset(p_rows) x(user_id text, profile jsonb, created_at timestamptz, last_seen_at timestamptz,
    first_socket_at timestamptz, legal_hold boolean)
  ORDER BY x.user_id COLLATE "C" ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END $function$;
REVOKE ALL ON FUNCTION public.users_import(p_tenant uuid, p_rows json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.users_import(p_tenant uuid, p_rows json) TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.webhook_budget_warned()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT NEW.tenant_id, 'webhook.plan', 'budget ' || n.name, jsonb_build_object('event', 'budget.warning', 'budget',
    jsonb_strip_nulls(jsonb_build_object('limit', n.name, 'day', NEW.day,
      'user_id', CASE WHEN NEW.scope = 'user' THEN NEW.subject END,
      'room_id', CASE WHEN NEW.scope = 'chat' THEN NEW.subject END,
      'used', CASE WHEN n.name = 'cost_per_day' THEN NEW.cost ELSE NEW.tokens END, 'most', (t.limits->>n.name)::numeric)))
  FROM unnest(NEW.warned) n(name) JOIN webhooks w ON w.tenant_id = NEW.tenant_id JOIN tenants t ON t.tenant_id = NEW.tenant_id
  WHERE n.name <> ALL (OLD.warned) AND w.url IS NOT NULL AND w.disabled_at IS NULL AND 'budget.warning' = ANY (w.events);
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.webhook_budget_warned() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.webhook_budget_warned() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.webhook_room_created()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT m.tenant_id, 'webhook.plan', m.room_id::text,
    jsonb_build_object('event', 'room.created', 'room_id', m.room_id)
  FROM made m JOIN webhooks w ON w.tenant_id = m.tenant_id
  WHERE w.url IS NOT NULL AND w.disabled_at IS NULL AND 'room.created' = ANY (w.events)
    AND current_setting('app.import', true) IS DISTINCT FROM 'on';
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.webhook_room_created() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.webhook_room_created() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.webhook_room_events()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
  INSERT INTO jobs (tenant_id, kind, key, payload)
  SELECT m.tenant_id, 'webhook.plan', m.room_id::text,
    jsonb_build_object('event', m.type, 'room_id', m.room_id, 'revs', jsonb_agg(m.rev ORDER BY m.rev))
  FROM made m JOIN webhooks w ON w.tenant_id = m.tenant_id
  WHERE w.url IS NOT NULL AND w.disabled_at IS NULL AND m.type IN ('member.joined', 'member.left')
    AND m.type = ANY (w.events) AND current_setting('app.import', true) IS DISTINCT FROM 'on'
  GROUP BY m.tenant_id, m.room_id, m.type;
  RETURN NULL;
END $function$;
REVOKE ALL ON FUNCTION public.webhook_room_events() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.webhook_room_events() TO "chatapi_tenant";

CREATE OR REPLACE FUNCTION public.webhooks_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
DECLARE
  behind uuid := COALESCE((p_after->>'delivery')::uuid, '00000000-0000-0000-0000-000000000000');
  through uuid;
  gone bigint;
  cut bigint;
BEGIN
  SELECT d.delivery_id INTO through FROM webhook_deliveries d WHERE d.tenant_id = p_tenant AND d.delivery_id > behind
    ORDER BY d.delivery_id OFFSET p_limit - 1 LIMIT 1;
  DELETE FROM webhook_deliveries d WHERE d.tenant_id = p_tenant AND d.delivery_id > behind
    AND (through IS NULL OR d.delivery_id <= through)
    AND (p_user = ANY (d.user_ids) OR strpos(d.body, to_json(p_user)::text) > 0
      OR EXISTS (SELECT 1 FROM rooms r WHERE r.tenant_id = p_tenant AND r.room_id = d.room_id
        AND p_erased = ANY (r.described_by))
      OR EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = p_tenant AND m.message_id = d.subject_id
        AND m.sender_id IN (p_user, p_erased)));
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE webhook_deliveries d SET answer = NULL, error = CASE WHEN strpos(d.error, p_user) > 0 THEN 'failed' ELSE d.error END
  WHERE d.tenant_id = p_tenant AND d.delivery_id > behind AND (through IS NULL OR d.delivery_id <= through)
    AND (strpos(d.answer, p_user) > 0 OR strpos(d.error, p_user) > 0 AND d.error <> 'failed');
  GET DIAGNOSTICS cut = ROW_COUNT;
  RETURN jsonb_build_object('counts', jsonb_build_object('webhook_deliveries', gone, 'webhook_answers', cut),
    'after', CASE WHEN through IS NOT NULL THEN jsonb_build_object('delivery', through) END);
END $function$;
REVOKE ALL ON FUNCTION public.webhooks_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.webhooks_erase(p_tenant uuid, p_user text, p_erased text, p_after jsonb, p_limit integer) TO "chatapi_tenant";
