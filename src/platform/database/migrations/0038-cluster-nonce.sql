-- By which the servers on one database know that they have the same Redis: its nonce, and when one of them found it there last.
ALTER TABLE instance ADD COLUMN cluster_nonce text, ADD COLUMN cluster_seen_at timestamptz(3);
