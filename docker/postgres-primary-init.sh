#!/bin/sh
# Runs once, when the volume of the primary is empty, after postgres-init.sh. Commits wait for a standby from the next start
# on: ALTER SYSTEM is read there, and nothing here waits for a standby that cannot be there yet.
set -eu

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (standby1)';
SQL
# The superuser may replicate; who may come in for that stands in a line of its own.
echo 'host replication all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
