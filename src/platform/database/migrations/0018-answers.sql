-- recorded as: Answers1765065600000
-- What the model is asked with beyond the preset, as the request said it, in its order.
ALTER TABLE runs ADD COLUMN options json;
