import { Injectable } from '@nestjs/common';
import { notFound } from '../../../common/errors';
import { answer, schemaFunction, value } from '../../../platform/database';
import { eraseFunction, EraseStep, type EraseWork } from '../../../platform/tenant-data';

/** The next targets of a notification; their deliveries are stored. */
export interface SpreadBatch {
  readonly topic: string;
  readonly payload: Record<string, unknown>;
  readonly created_at: string;
  /** Users of the batch that do not have it yet. */
  readonly user_ids: readonly string[];
  /** The last user id of the batch; null when no target was left. */
  readonly last: string | null;
  readonly more: boolean;
}

/** Stores it with a job that tells its targets, `p_limit` at a time. `p_payload` is JSON text, kept byte for byte. */
export const notificationCreate = schemaFunction(
  'notification_create',
  {
    p_id: 'uuid',
    p_topic: 'text',
    p_payload: 'text',
    p_users: 'text[]',
    p_room: 'uuid?',
    p_subscribers: 'boolean',
    p_limit: 'integer',
  },
  answer<{ readonly notification_id: string; readonly created_at: string }>({ no_room: () => notFound('Room') }),
);

/** Marks it read, and so delivered. */
export const notificationRead = schemaFunction(
  'notification_read',
  { p_user: 'text', p_id: 'uuid' },
  answer({ no_notification: () => notFound('Notification') }),
);

/** Stores the deliveries of the next targets; null where there is no such notification. */
export const notificationSpread = schemaFunction(
  'notification_spread',
  { p_id: 'uuid', p_limit: 'integer' },
  value<SpreadBatch | null>('json'),
);

/** Takes a user out of notifications and subscriptions. */
@Injectable()
@EraseStep('notifications')
export class NotificationsErase implements EraseWork {
  readonly batch = eraseFunction('notifications_erase');
}
