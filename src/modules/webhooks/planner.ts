import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { decodeId, encodeId } from '../../common/ids';
import { exponential, type Job, JobHandler, type JobRunner, PostponeJob } from '../../platform/jobs';
import { Presence } from '../../realtime';
import { DeliveryService } from '../delivery';
import { type MessageDto, MessageFacts } from '../messages';
import { NotificationFacts } from '../notifications';
import { type MemberEvent, type RoomDto, RoomFacts, type RoomMember } from '../rooms';
import { type NewDelivery, WebhookDeliveriesRepository } from './deliveries.repository';
import { WebhookEndpoints } from './endpoints';
import { type ChangedStatePayload, PLAN, type PlanPayload } from './webhooks.jobs';

/** Members per call (contract §8). */
const PAGE = 1000;
/** Until who is offline is asked again, where it is not known. */
const ASK_AGAIN_MS = 30_000;

/** Some of a room's members. */
interface OfflinePage {
  /** Where it begins in the order of joining: the same members in each run of the job. */
  readonly page: number;
  /** Members without a connection that wait for this message. */
  readonly userIdsOf: (message: MessageDto) => readonly string[];
}

/** Which members of a room have no connection and have not acknowledged, a page at a time. */
@Injectable()
export class OfflineMembers {
  constructor(
    private readonly rooms: RoomFacts,
    private readonly delivery: DeliveryService,
    private readonly presence: Presence,
  ) {}

  /**
   * Those of the users that have no connection. Throws PostponeJob as long as that is not known, for some two minutes at
   * most: a webhook cannot be taken back. Who has acknowledged is left out all the same.
   */
  async among(tenantId: string, userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const { userIds: offline, isSure } = await this.presence.offline(tenantId, userIds);
    if (!isSure) throw new PostponeJob('who is offline is not known yet', ASK_AGAIN_MS);
    return new Set(offline);
  }

  async *pages(tenantId: string, roomId: string): AsyncGenerator<OfflinePage> {
    for (let after = 0; ;) {
      const members = await this.rooms.membersAfter(tenantId, roomId, after, PAGE);
      const ids = members.map((member) => member.user_id);
      const without = await this.among(tenantId, ids);
      const offline = members.filter((member) => without.has(member.user_id));
      const acked = await this.delivery.ackedBy(
        tenantId,
        roomId,
        offline.map((member) => member.user_id),
      );
      yield {
        page: after,
        userIdsOf: (message) =>
          offline
            .filter(
              (member) =>
                Math.max(member.joined_seq, acked.get(member.user_id) ?? 0) < message.seq &&
                member.user_id !== message.sender_id &&
                isWanted(member, message),
            )
            .map((member) => member.user_id),
      };
      const last = members.at(-1);
      if (last === undefined || members.length < PAGE) return;
      after = last.member_no;
    }
  }
}

/** Whether a member wants to be told of a message while they are away. */
function isWanted({ user_id, notify }: RoomMember, { meta }: MessageDto): boolean {
  if (notify !== 'mentions') return notify === 'all';
  const mentions = meta?.['mentions'];
  return Array.isArray(mentions) && mentions.includes(user_id);
}

/** Messages, or events, per transaction. */
const BATCH = 20;

/** A delivery before it is written. */
interface Post extends Omit<NewDelivery, 'type' | 'body'> {
  readonly data: object;
}

/** What the body of an event says, read in batches. */
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
      case 'budget.warning':
        yield budgetWarning(tenantId, payload);
        return;
      case 'room.created':
      case 'member.joined':
      case 'member.left':
      case 'message.created':
      case 'reaction.updated':
      case 'message.pinned':
      case 'message.offline':
        yield* this.inRoom(tenantId, payload);
        return;
    }
  }

  private async *inRoom(tenantId: string, payload: PlanPayload): AsyncGenerator<readonly Post[]> {
    const { event, room_id: roomId = '', seqs = [], revs = [], changes = [] } = payload;
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
    for (let i = 0; i < changes.length; i += BATCH)
      yield changes.slice(i, i + BATCH).map((change) => stateChanged(event, room, roomId, change));
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
    const { event, notification_id: id = '', user_ids = [], is_unsure: isUnsure = false } = payload;
    const found = await this.notifications.waiting(tenantId, id, user_ids);
    const [first] = user_ids;
    if (found === undefined || first === undefined) return [];
    const { notification } = found;
    const offline = isUnsure ? await this.offline.among(tenantId, found.userIds) : undefined;
    const userIds = found.userIds.filter((userId) => offline?.has(userId) ?? true);
    if (userIds.length === 0) return [];
    const data = { notification, user_ids: userIds };
    return [{ deliveryId: deliveryId(event, id, first), subjectId: id, userIds, data }];
  }
}

function stateChanged(event: string, room: RoomDto, roomId: string, change: ChangedStatePayload): Post {
  const { message_id: id, seq, rev, user_id, on, key, count } = change;
  const message = { message_id: encodeId('message', id), seq, rev, user_id };
  return {
    deliveryId: deliveryId(event, roomId, rev),
    roomId,
    subjectId: id,
    userIds: [user_id],
    data: key === undefined ? { room, pin: message } : { room, reaction: { ...message, key, on, count } },
  };
}

function budgetWarning(tenantId: string, { event, budget }: PlanPayload): readonly Post[] {
  if (budget === undefined) return [];
  const { limit, day, user_id: userId, room_id: roomId, used, most } = budget;
  const ofUser = userId === undefined ? {} : { user_id: userId };
  const ofChat = roomId === undefined ? {} : { room_id: encodeId('room', roomId) };
  return [
    {
      deliveryId: deliveryId(event, tenantId, day, limit, userId ?? roomId ?? ''),
      roomId,
      userIds: userId === undefined ? undefined : [userId],
      data: { limit, day, used, most, ...ofUser, ...ofChat },
    },
  ];
}

/** UUIDs of what may be posted of a message; of `message.offline` that about the room's first 1,000 members. @param messageId `msg_…` */
export function deliveriesOf(messageId: string): string[] {
  return (['message.created', 'message.offline'] as const).map((event) => deliveryId(event, messageId, 0));
}

function about(event: string, roomId: string, message: MessageDto, page: number): Omit<Post, 'data'> {
  const subjectId = decodeId('message', message.message_id);
  return { deliveryId: deliveryId(event, message.message_id, page), roomId, subjectId };
}

function memberOf({ user_id, role }: MemberEvent): object {
  return { user_id, role };
}

/**
 * The UUID (version 5) of what is posted, made from what it is about: the job that plans the same thing again, after a crash,
 * comes to the same id.
 */
function deliveryId(...about: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(JSON.stringify(about)).digest('hex');
  const variant = ((parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Turns what happened into deliveries: reads it, writes what is to be posted and its job.
 *
 * Killed in between, it begins anew: ids are made of what the deliveries are about, and what exists stays as it is.
 */
@Injectable()
@JobHandler({
  kind: PLAN,
  schedule: exponential(1000, 2, 60_000, 8),
  maxAttempts: 20,
  // Of one room one after the other.
  concurrency: 1,
  perTenant: 4,
  slots: 16,
})
export class Planner implements JobRunner<PlanPayload> {
  constructor(
    private readonly deliveries: WebhookDeliveriesRepository,
    private readonly endpoints: WebhookEndpoints,
    private readonly facts: EventFacts,
  ) {}

  async run({ tenantId, payload, createdAt }: Job<PlanPayload>, signal: AbortSignal): Promise<void> {
    const endpoint = await this.endpoints.findEndpoint(tenantId);
    const { event } = payload;
    if (endpoint === undefined || endpoint.disabledAt !== null || !endpoint.events.includes(event)) return;
    for await (const posts of this.facts.of(tenantId, payload)) {
      signal.throwIfAborted();
      const timestamp = createdAt.toISOString();
      await this.deliveries.plan(
        tenantId,
        posts.map(({ data, ...post }) => ({
          ...post,
          type: event,
          body: JSON.stringify({ type: event, timestamp, data }),
        })),
      );
    }
  }
}
