/**
 * The tables. Every key and foreign key begins with tenant_id. `rooms` has fillfactor 50 and no index on what the
 * append changes, so that its update stays on the page (HOT).
 */
export const TABLES = `
CREATE TABLE instance (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  instance_id uuid NOT NULL DEFAULT gen_random_uuid(),
  epoch bigint NOT NULL DEFAULT 1,
  role_prefix text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  bootstrapped_at timestamptz(3),
  checked_at timestamptz(3)
);

CREATE TABLE tenants (
  tenant_id uuid PRIMARY KEY,
  name text NOT NULL,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  settings jsonb NOT NULL DEFAULT '{}',
  limits jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX tenants_updated ON tenants (updated_at);

CREATE TABLE api_keys (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  key_id uuid NOT NULL,
  name text NOT NULL,
  prefix text NOT NULL,
  hash bytea NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, key_id)
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE INDEX api_keys_updated ON api_keys (updated_at);

CREATE TABLE users (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  user_id text COLLATE "C" NOT NULL,
  profile jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  last_seen_at timestamptz(3),
  PRIMARY KEY (tenant_id, user_id)
);

CREATE TABLE rooms (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  room_id uuid NOT NULL,
  type text NOT NULL CHECK (type IN ('dm', 'group', 'channel', 'ai')),
  unique_key text COLLATE "C",
  name text,
  metadata jsonb,
  posting text NOT NULL DEFAULT 'members' CHECK (posting IN ('members', 'admins')),
  first_seq bigint NOT NULL DEFAULT 1,
  last_seq bigint NOT NULL DEFAULT 0,
  last_rev bigint NOT NULL DEFAULT 0,
  member_count integer NOT NULL DEFAULT 0,
  members_added bigint NOT NULL DEFAULT 0,
  last_message_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  deleted_at timestamptz(3),
  PRIMARY KEY (tenant_id, room_id)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX rooms_unique_key ON rooms (tenant_id, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX rooms_channels ON rooms (tenant_id, created_at, room_id) WHERE type = 'channel' AND deleted_at IS NULL;

CREATE TABLE room_members (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'member', 'agent')),
  joined_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  joined_seq bigint NOT NULL,
  member_no bigint NOT NULL,
  PRIMARY KEY (tenant_id, room_id, user_id),
  UNIQUE (tenant_id, room_id, member_no),
  FOREIGN KEY (tenant_id, room_id) REFERENCES rooms ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX room_members_user ON room_members (tenant_id, user_id);

CREATE TABLE cursors (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  acked_seq bigint NOT NULL DEFAULT 0,
  read_seq bigint NOT NULL DEFAULT 0,
  updated_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, room_id, user_id),
  CHECK (read_seq <= acked_seq)
) WITH (fillfactor = 70);
CREATE INDEX cursors_user ON cursors (tenant_id, user_id, room_id);

CREATE TABLE messages (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  seq bigint NOT NULL,
  message_id uuid NOT NULL,
  rev bigint NOT NULL,
  sender_id text COLLATE "C" NOT NULL,
  content text NOT NULL,
  meta json,
  client_message_id text COLLATE "C",
  body_hash bytea,
  kind text NOT NULL DEFAULT 'user' CHECK (kind IN ('user', 'assistant', 'system')),
  status text,
  reply_to_seq bigint,
  created_at timestamptz(3) NOT NULL,
  edited_at timestamptz(3),
  deleted_at timestamptz(3),
  PRIMARY KEY (tenant_id, room_id, seq),
  FOREIGN KEY (tenant_id, room_id) REFERENCES rooms ON DELETE CASCADE
);
CREATE UNIQUE INDEX messages_id ON messages (tenant_id, room_id, message_id);
CREATE INDEX messages_rev ON messages (tenant_id, room_id, rev);
CREATE UNIQUE INDEX messages_client_id ON messages (tenant_id, room_id, sender_id, client_message_id)
  WHERE client_message_id IS NOT NULL;

CREATE TABLE room_events (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  rev bigint NOT NULL,
  type text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, room_id, rev),
  FOREIGN KEY (tenant_id, room_id) REFERENCES rooms ON DELETE CASCADE
);

CREATE TABLE jobs (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  key text COLLATE "C" NOT NULL,
  payload jsonb NOT NULL,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'dead')),
  run_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  attempts integer NOT NULL DEFAULT 0,
  fence bigint NOT NULL DEFAULT 0,
  lease_until timestamptz(3),
  last_error text,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'queued';

CREATE TABLE idempotency_keys (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  user_id text COLLATE "C" NOT NULL,
  route text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  fingerprint bytea NOT NULL,
  result jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant_id, user_id, route, key)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
`;

/** Tables that hold a tenant's data: forced row-level security on each. */
export const TENANT_TABLES = [
  'tenants',
  'api_keys',
  'users',
  'rooms',
  'room_members',
  'cursors',
  'messages',
  'room_events',
  'jobs',
  'idempotency_keys',
] as const;

/** What the system role may touch across tenants: key look-up, bootstrap, stats, jobs, purges. */
export const SYSTEM_GRANTS: Readonly<Record<string, string>> = {
  tenants: 'SELECT, INSERT, UPDATE, DELETE',
  api_keys: 'SELECT, INSERT, UPDATE',
  rooms: 'SELECT',
  jobs: 'SELECT, INSERT, UPDATE, DELETE',
  idempotency_keys: 'SELECT, DELETE',
};

/** What the owner of the append function needs, and nothing more. */
export const APPEND_GRANTS: Readonly<Record<string, string>> = {
  rooms: 'SELECT, UPDATE',
  room_members: 'SELECT',
  messages: 'SELECT, INSERT',
  jobs: 'INSERT',
};
