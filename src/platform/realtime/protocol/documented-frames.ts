/**
 * The client frames of contract §4. Those that are `built` must have an operation, or the server does not start; the
 * others come with their feature, and may have none.
 */
export const CLIENT_FRAMES = {
  send_message: 'built',
  ack: 'built',
  read: 'built',
  'typing.start': 'built',
  'typing.stop': 'built',
  subscribe: 'built',
  unsubscribe: 'built',
  sync: 'built',
  'notification.ack': 'built',
  ping: 'built',
} as const satisfies Record<string, 'built' | 'later'>;

export type ClientFrameName = keyof typeof CLIENT_FRAMES;
