-- A room is one tenant's: without it the planner expects one row of a room (docs/adr/0027). In force from the next ANALYZE on.
CREATE STATISTICS messages_room (dependencies) ON tenant_id, room_id FROM messages;
ANALYZE messages;
