/** The client frames of `/ws` (contract §4), in its order: each must have an operation, or the server does not start. */
export const CLIENT_FRAMES = [
  'send_message',
  'ack',
  'read',
  'typing.start',
  'typing.stop',
  'subscribe',
  'unsubscribe',
  'sync',
  'notification.ack',
  'ping',
] as const;
