/** What can be posted to a webhook (contract §8). */
export const WEBHOOK_EVENTS = [
  'message.offline',
  'notification.offline',
  'message.created',
  'room.created',
  'member.joined',
  'member.left',
] as const;

export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** Those of a webhook that names none. */
export const DEFAULT_WEBHOOK_EVENTS: readonly WebhookEvent[] = ['message.offline', 'notification.offline'];
