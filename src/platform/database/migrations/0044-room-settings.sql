-- What a room's members may do beside sending (docs/adr/0043). `settings`: null, and what it does not name: the defaults.
-- `has_states`: null where no state of a message was ever set, so that reads of such a room ask nothing more.
ALTER TABLE rooms ADD COLUMN settings jsonb;
ALTER TABLE rooms ADD COLUMN has_states boolean;
