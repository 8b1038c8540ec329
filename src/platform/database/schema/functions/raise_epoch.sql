-- Raises the installation's epoch and returns the one in force. p_seen: the epoch that the caller found wrong; where
-- another one is in force already nothing is changed (compare and set); null: whatever it is. Of one backup that is
-- restored twice the epochs differ: the clock stands between them, and a second is used up before its epoch is known.
--
-- Locks: the row of instance.
--
-- execute: system
CREATE FUNCTION raise_epoch(p_seen bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  now_epoch bigint;
  since timestamptz := clock_timestamp();
BEGIN
  UPDATE instance i SET epoch = GREATEST(i.epoch + 1, floor(extract(epoch FROM since))::bigint)
  WHERE p_seen IS NULL OR i.epoch = p_seen RETURNING i.epoch INTO now_epoch;
  IF now_epoch IS NOT NULL THEN
    PERFORM pg_sleep(extract(epoch FROM date_trunc('second', since) + interval '1 second' - clock_timestamp()));
    RETURN now_epoch;
  END IF;
  SELECT i.epoch INTO now_epoch FROM instance i;
  RETURN now_epoch;
END $f$;
