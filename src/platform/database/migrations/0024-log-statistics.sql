-- A room is one tenant's: without it the planner expects one row of a room (docs/adr/0027). In force from the next ANALYZE on.
-- In the transaction of all migrations, where ANALYZE may run (VACUUM may not): it reads a sample of 30,000 rows, its lock lets
-- reads and writes pass, and what it found is there when the schema is. A start that is cut short has not done it either.
CREATE STATISTICS messages_room (dependencies) ON tenant_id, room_id FROM messages;
ANALYZE messages;
