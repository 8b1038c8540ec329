import { encodeId } from '../../../common/ids';
import { isoTime } from '../../../common/time';
import type { Frame } from '../../../realtime';

/** The `notification` frame. @param notification with its UUID */
export function notificationFrame(notification: {
  readonly notification_id: string;
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly created_at: Date | string;
}): Frame {
  const { notification_id, topic, payload, created_at } = notification;
  return {
    type: 'notification',
    notification_id: encodeId('notification', notification_id),
    topic,
    payload,
    created_at: isoTime(created_at),
  };
}
