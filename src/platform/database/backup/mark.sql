-- The mark of a restore that has begun.
CREATE TABLE IF NOT EXISTS public.restoring (
  backup_id uuid NOT NULL,
  state text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
