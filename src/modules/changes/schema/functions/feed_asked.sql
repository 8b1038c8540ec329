-- A back end has asked: its tenant's changes are collected from now on, and for seven days more. Collecting begins where it did not
-- go on, or went on in another epoch: positions of before are then gone, and a look at all rooms is due. Answers with where the
-- feed stands (`last_no`) and whether it begins here (`begins`); null: the feed is of a later epoch than the caller's.
--
-- Locks: the feed.
--
-- execute: tenant
CREATE FUNCTION feed_asked(p_tenant uuid, p_epoch bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  feed tenant_feeds;
  oldest bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
BEGIN
  INSERT INTO tenant_feeds (tenant_id, epoch, began_before) VALUES (p_tenant, p_epoch, oldest)
    ON CONFLICT (tenant_id) DO NOTHING RETURNING * INTO feed;
  IF FOUND THEN
    PERFORM feed_sweep_due(p_tenant);
    RETURN jsonb_build_object('last_no', 0, 'begins', true);
  END IF;
  SELECT * INTO feed FROM tenant_feeds f WHERE f.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF p_epoch < feed.epoch THEN RETURN NULL; END IF;
  IF feed.is_collected AND feed.epoch = p_epoch THEN
    UPDATE tenant_feeds f SET asked_at = clock_timestamp()
      WHERE f.tenant_id = p_tenant AND f.asked_at < clock_timestamp() - interval '1 hour';
    RETURN jsonb_build_object('last_no', feed.last_no, 'begins', false);
  END IF;
  -- One number is left out: who stands at the last one has missed something.
  UPDATE tenant_feeds f SET is_collected = true, epoch = p_epoch, last_no = feed.last_no + 1, gone_no = feed.last_no + 1,
    began_at = clock_timestamp(), began_before = oldest, asked_at = clock_timestamp(), swept_at = clock_timestamp()
  WHERE f.tenant_id = p_tenant;
  PERFORM feed_sweep_due(p_tenant);
  RETURN jsonb_build_object('last_no', feed.last_no + 1, 'begins', true);
END $f$;
