/**
 * The number that each topic has between nodes, 1 to 255. Nodes of two releases run side by side, so a number is never
 * changed, and never given to another topic: a node skips what it does not know.
 */
export const BUS_TOPICS: Readonly<Record<string, number>> = {
  'room-hints': 1,
  'join-hints': 2,
  'chat-hints': 3,
  'run-stops': 4,
  'notification-hints': 5,
  'notification-replays': 6,
  'redelivery-hints': 7,
  presence: 8,
  'jobs-wake': 9,
  asks: 10,
  answers: 11,
  'node-samples': 12,
  'agent-rooms': 13,
  'stream-asks': 14,
  'streams-so-far': 15,
  'user-frames': 16,
};
