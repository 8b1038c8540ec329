-- A chat by the id that its user's own client gives it (docs/adr/0022): one chat per user and id.
ALTER TABLE chats ADD COLUMN external_id text COLLATE "C";
CREATE UNIQUE INDEX chats_external ON chats (tenant_id, user_id, external_id)
  WHERE external_id IS NOT NULL AND deleted_at IS NULL;
