-- What chats_followed asks for runs of all tenants: whose chat a run is, and how many of its tokens are stored. No text.
GRANT SELECT (room_id) ON runs TO :"system";
GRANT SELECT (ends) ON run_chunks TO :"system";
