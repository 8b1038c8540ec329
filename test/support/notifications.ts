import type { TestTenant } from './app';
import type { Bodies } from './http/api';
import { until } from './poll';
import { bodyOf } from './rooms';

export type InboxBody = Bodies['InboxPageDto'];

/** A notification that nobody could object to. */
export const NOTIFICATION_DEFAULTS = { topic: 'test', payload: { n: 1 }, targets: { user_ids: ['bob'] } };

/** Sends a notification; what is not given is as in NOTIFICATION_DEFAULTS. */
export async function notify(tenant: TestTenant, fields: object = {}): Promise<Bodies['NotifiedDto']> {
  const body = { ...NOTIFICATION_DEFAULTS, ...fields };
  return bodyOf(await tenant.key.post<Bodies['NotifiedDto']>('/notify', body), 202);
}

export async function inboxOf(tenant: TestTenant, userId: string, query = ''): Promise<InboxBody> {
  return bodyOf(await tenant.as(userId).get<InboxBody>(`/notifications${query}`));
}

/** The newest page of a user's inbox, once all of it is delivered. */
export function whenDelivered(tenant: TestTenant, userId: string): Promise<InboxBody> {
  return until(
    () => inboxOf(tenant, userId, '?limit=100'),
    ({ notifications }) => notifications.every(({ delivered_at }) => delivered_at !== null),
  );
}
