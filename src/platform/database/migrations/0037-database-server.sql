-- Which PostgreSQL the server saw last: another one that took over may have less (docs/adr/0039).
ALTER TABLE instance ADD COLUMN database_server jsonb;
