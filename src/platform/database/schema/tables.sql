-- Facts of the installation: one row, and what has been done to the schema.
GRANT USAGE ON SCHEMA public TO :"tenant", :"system", :"append";

-- `directory`: what the data directory looked like at the last start. `key_canaries`: what the start compares the
-- encryption key with. `lc_ctype` says whether extensions know more letters than ASCII has. `functions_release`: whose
-- functions are in force; `min_release`: the oldest release that may run on this schema (docs/adr/0025). `jwt_fingerprint`,
-- `encryption_fingerprint`: of the secrets that servers on this database share; what they were cannot be found from them.
-- `database_server`: which PostgreSQL the servers saw last, and each one's mark to know its log by (docs/adr/0039).
CREATE TABLE instance (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  instance_id uuid NOT NULL DEFAULT gen_random_uuid(),
  epoch bigint NOT NULL DEFAULT 1,
  role_prefix text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  bootstrapped_at timestamptz(3),
  checked_at timestamptz(3),
  directory jsonb,
  key_canaries text[] NOT NULL DEFAULT '{}',
  lc_ctype text,
  functions_release text,
  min_release text,
  jwt_fingerprint text,
  encryption_fingerprint text,
  database_server jsonb,
  cluster_nonce text,
  cluster_seen_at timestamptz(3)
);
GRANT SELECT ON instance TO :"tenant";
GRANT SELECT, UPDATE ON instance TO :"system";

-- `min_release`: the oldest release that runs on the schema since this migration.
CREATE TABLE schema_migrations (
  id serial PRIMARY KEY,
  timestamp bigint NOT NULL,
  name character varying NOT NULL,
  min_release text
);

-- The functions that are ours, as the migrator made them: `hash` is that of the file.
CREATE TABLE schema_functions (
  signature text COLLATE "C" PRIMARY KEY,
  hash text NOT NULL
);
