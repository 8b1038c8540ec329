-- What servers on one database have to know of each other (docs/adr/0025). `schema_migrations.min_release`: the oldest release
-- that runs on the schema since that migration; null: it is not known, as of all that were run before this one. `instance`:
-- fingerprints of the secrets that the servers have to share.
ALTER TABLE schema_migrations ADD COLUMN min_release text;
ALTER TABLE instance ADD COLUMN jwt_fingerprint text, ADD COLUMN encryption_fingerprint text;
