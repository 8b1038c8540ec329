-- What administrators list rooms by: their type, and how their names begin. The append writes none of these columns: its update
-- of a room stays on the page.
CREATE INDEX rooms_type ON rooms (tenant_id, type, room_id) WHERE deleted_at IS NULL;
CREATE INDEX rooms_name ON rooms (tenant_id, type, (lower(name) COLLATE "C"), room_id)
  WHERE deleted_at IS NULL AND name IS NOT NULL;
