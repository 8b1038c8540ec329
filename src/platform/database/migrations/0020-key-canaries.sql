-- recorded as: KeyCanaries1765238400000
-- What the start compares the encryption key with; and whether extensions know more letters than ASCII has.
ALTER TABLE instance ADD COLUMN key_canaries text[] NOT NULL DEFAULT '{}', ADD COLUMN lc_ctype text;
UPDATE instance SET lc_ctype = (SELECT datctype FROM pg_database WHERE datname = current_database());
