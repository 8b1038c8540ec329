-- recorded as: ModelOptions1765411200000
-- What channels and presets are given beyond their columns.
ALTER TABLE model_channels ADD COLUMN options jsonb NOT NULL DEFAULT '{}';
ALTER TABLE presets ADD COLUMN options jsonb NOT NULL DEFAULT '{}';
