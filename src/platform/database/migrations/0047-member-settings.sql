-- What a member has set for themselves in a room, and from where on they have marked it unread.
CREATE TABLE member_settings (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  muted_until timestamptz(3),
  is_hidden boolean NOT NULL DEFAULT false,
  is_favourite boolean NOT NULL DEFAULT false,
  notify text NOT NULL DEFAULT 'all' CHECK (notify IN ('all', 'mentions', 'none')),
  PRIMARY KEY (tenant_id, room_id, user_id),
  FOREIGN KEY (tenant_id, room_id, user_id) REFERENCES room_members ON DELETE CASCADE
);
ALTER TABLE member_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON member_settings TO :"tenant" USING (:own_rows) WITH CHECK (:own_rows);
GRANT SELECT, INSERT, UPDATE, DELETE ON member_settings TO :"tenant";

ALTER TABLE cursors ADD COLUMN unread_seq bigint;
