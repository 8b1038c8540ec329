import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { decodeId } from '../../common/ids';
import { type MessageDto, MessageFacts } from '../messages';
import { NotificationFacts } from '../notifications';
import { type MemberEvent, RoomFacts } from '../rooms';
import type { NewDelivery } from './deliveries.repository';
import { OfflineMembers } from './offline-members';
import type { PlanPayload } from './webhooks.jobs';

/** Messages, or events, per transaction. */
const BATCH = 20;

/** A delivery before it is written. */
export interface Post extends Omit<NewDelivery, 'type' | 'body'> {
  readonly data: object;
}

/** What there is to be said of an event, in batches. */
@Injectable()
export class EventFacts {
  constructor(
    private readonly rooms: RoomFacts,
    private readonly messages: MessageFacts,
    private readonly notifications: NotificationFacts,
    private readonly offline: OfflineMembers,
  ) {}

  async *of(tenantId: string, payload: PlanPayload): AsyncGenerator<readonly Post[]> {
    switch (payload.event) {
      case 'notification.offline':
        yield await this.notification(tenantId, payload);
        return;
      case 'room.created':
      case 'member.joined':
      case 'member.left':
      case 'message.created':
      case 'message.offline':
        yield* this.inRoom(tenantId, payload);
        return;
    }
  }

  private async *inRoom(tenantId: string, payload: PlanPayload): AsyncGenerator<readonly Post[]> {
    const { event, room_id: roomId = '', seqs = [], revs = [] } = payload;
    const room = await this.rooms.room(tenantId, roomId);
    if (room === undefined) return;
    if (event === 'room.created') yield [{ deliveryId: deliveryId(event, roomId), roomId, data: { room } }];
    for (let i = 0; i < revs.length; i += BATCH) {
      const events = await this.rooms.memberEvents(tenantId, roomId, revs.slice(i, i + BATCH));
      yield events.map((each) => ({
        deliveryId: deliveryId(event, roomId, each.rev),
        roomId,
        userIds: [each.user_id],
        data: { room, member: memberOf(each), by: each.by },
      }));
    }
    for (let i = 0; i < seqs.length; i += BATCH) {
      const messages = await this.messages.ofSeqs(tenantId, roomId, seqs.slice(i, i + BATCH));
      if (event === 'message.created')
        yield messages.map((message) => ({ ...about(event, roomId, message, 0), data: { message, room } }));
      else
        for await (const { page, userIdsOf } of this.offline.pages(tenantId, roomId))
          yield messages.flatMap((message) => {
            const userIds = userIdsOf(message);
            const data = { message, room, user_ids: userIds };
            return userIds.length === 0 ? [] : [{ ...about(event, roomId, message, page), userIds, data }];
          });
    }
  }

  private async notification(tenantId: string, payload: PlanPayload): Promise<readonly Post[]> {
    const { event, notification_id: id = '', user_ids = [] } = payload;
    const found = await this.notifications.waiting(tenantId, id, user_ids);
    const [first] = user_ids;
    if (found === undefined || found.userIds.length === 0 || first === undefined) return [];
    const { notification, userIds } = found;
    const data = { notification, user_ids: userIds };
    return [{ deliveryId: deliveryId(event, id, first), subjectId: id, userIds, data }];
  }
}

function about(event: string, roomId: string, message: MessageDto, page: number): Omit<Post, 'data'> {
  const subjectId = decodeId('message', message.message_id);
  return { deliveryId: deliveryId(event, message.message_id, page), roomId, subjectId };
}

function memberOf({ user_id, role }: MemberEvent): object {
  return { user_id, role };
}

/**
 * The UUID (version 5) of what is posted, made from what it is about: whoever plans the same thing again, after a crash,
 * comes to the same id.
 */
function deliveryId(...about: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(JSON.stringify(about)).digest('hex');
  const variant = ((parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}
