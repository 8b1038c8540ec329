-- The id of one message's letter: a UUIDv8 of the letters' number (60 bits) and the message's seq.
--
-- execute: tenant
CREATE FUNCTION dead_letter_id(p_no bigint, p_seq bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public AS $f$
  SELECT (lpad(to_hex(p_no >> 12), 12, '0') || '8' || lpad(to_hex(p_no & 4095), 3, '0')
    || '8' || lpad(to_hex(p_seq), 15, '0'))::uuid
$f$;
