-- What a model thought, where its preset has it kept with the answer (docs/adr/0022); null: nothing is.
ALTER TABLE runs ADD COLUMN reasoning text;
