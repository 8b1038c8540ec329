#!/bin/sh
# Runs once, when the volume of the database is empty. The server logs in as a role that is no superuser: row-level
# security does not apply to superusers. CREATEROLE, for the roles that its statements run as; owner, for the schema.
set -eu

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set password="$CHATAPI_DB_PASSWORD" <<'SQL'
CREATE ROLE chatapi LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE chatapi OWNER chatapi ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT, TEMPORARY ON DATABASE chatapi FROM PUBLIC;
SQL
