#!/bin/sh
# The standby: a copy of the primary when its volume is empty, then PostgreSQL, which follows.
#
# When the primary is lost:  docker compose --profile cluster exec postgres-standby pg_ctl promote
# and DATABASE_URL leads the nodes here. Nobody confirms the new primary's commits until it has a standby of its own, so it
# waits: make one, or take `synchronous_standby_names` out (ALTER SYSTEM RESET, pg_reload_conf) and live without meanwhile.
set -eu

DATA=/var/lib/postgresql/data
if [ ! -s "$DATA/PG_VERSION" ]; then
  # What an attempt before has left.
  find "$DATA" -mindepth 1 -delete
  # --write-recovery-conf: it starts as a standby of where it comes from, by this name and password.
  pg_basebackup --pgdata="$DATA" --wal-method=stream --checkpoint=fast --write-recovery-conf \
    --dbname="host=postgres-primary user=postgres application_name=standby1"
fi
chmod 700 "$DATA"
exec postgres -D "$DATA" -c hot_standby=on
