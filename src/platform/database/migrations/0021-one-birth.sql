-- recorded as: OneBirth1765324800000
-- What is made has one time: each call of clock_timestamp gives another, and a chat, made of two rows, could be changed
-- before it was created. Metadata keeps the order of its keys.
ALTER TABLE rooms ALTER COLUMN created_at SET DEFAULT statement_timestamp(),
  ALTER COLUMN updated_at SET DEFAULT statement_timestamp(),
  ALTER COLUMN metadata TYPE json USING metadata::json;
ALTER TABLE chats ALTER COLUMN created_at SET DEFAULT statement_timestamp(),
  ALTER COLUMN active_at SET DEFAULT statement_timestamp();
ALTER TABLE presets ALTER COLUMN created_at SET DEFAULT statement_timestamp(),
  ALTER COLUMN updated_at SET DEFAULT statement_timestamp();
ALTER TABLE model_channels ALTER COLUMN created_at SET DEFAULT statement_timestamp(),
  ALTER COLUMN updated_at SET DEFAULT statement_timestamp();
CREATE INDEX runs_silent ON runs (tenant_id, room_id) WHERE token_count = 0 AND answer_seq IS NOT NULL;
