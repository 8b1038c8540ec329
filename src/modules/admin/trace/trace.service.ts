import { Injectable } from '@nestjs/common';
import { notFound } from '../../../common/errors';
import { decodeId } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { askedPage, pageOf } from '../../../platform/http';
import { MemberFacts, type MemberLetter } from '../../delivery';
import { type MessageTrace, MessageTraces } from '../../messages';
import { type ListedMember, type ListedRoom, RoomLists, roomUuid } from '../../rooms';
import { TenantsService } from '../../tenants';
import { type MessageWebhook, WebhooksService } from '../../webhooks';
import type {
  TraceBatchDto,
  TraceCommitDto,
  TraceConnectionDto,
  TraceDto,
  TraceLetterDto,
  TraceQueryDto,
  TraceRecipientDto,
} from '../dto/trace.dto';
import { TraceConnections } from './connections';
import { marksOf } from './marks';

/** So many members a webhook's call names at most; of further calls the ids are not known here. */
const MEMBERS_OF_A_CALL = 1000;

/** A message, and which connections are open now. */
interface Traced {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly message: MessageTrace;
  readonly open: ReadonlyMap<string, TraceConnectionDto[]>;
}

/** Puts together what is known of the way of a message. */
@Injectable()
export class TraceService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly rooms: RoomLists,
    private readonly messages: MessageTraces,
    private readonly facts: MemberFacts,
    private readonly webhooks: WebhooksService,
    private readonly connections: TraceConnections,
  ) {}

  /** Throws 404 where the tenant, or the room, has no such message. */
  async trace(caller: Caller, roomId: string, messageId: string, query: TraceQueryDto): Promise<TraceDto> {
    const { limit, after } = askedPage(query, ['integer']);
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const uuid = roomUuid(roomId);
    const room = await this.rooms.find(tenantId, uuid);
    if (room === undefined) throw notFound('Room');
    const message = await this.messages.trace(tenantId, uuid, decodeId('message', messageId) ?? NO_MESSAGE);
    if (message === undefined) throw notFound('Message');
    const members = await this.rooms.membersAfter(tenantId, uuid, after?.[0] ?? 0, limit + 1);
    // Who joined after the message stands behind all who joined before.
    const before = members.filter(({ joined_seq }) => joined_seq < message.seq);
    const page = pageOf(
      before,
      limit,
      ({ member_no }) => [member_no],
      (member) => member,
    );
    const webhooks = await this.webhooks.ofMessage(tenantId, messageId);
    const people = page.items.filter(({ role }) => role !== 'agent');
    const userIds = people.map(({ user_id }) => user_id);
    const { open, isWhole } = await this.connections.of({ tenantId, userIds, roomId: uuid, seq: message.seq });
    return {
      message_id: messageId,
      room_id: roomId,
      sender_id: message.senderId,
      accepted_at: message.acceptedAt?.toISOString() ?? null,
      committed: commitView(message),
      webhooks: webhooks.map(({ delivery }) => delivery),
      recipients: await this.recipients({ tenantId, roomId: uuid, message, open }, people, webhooks),
      next: page.next,
      unknown: unknownOf(message, room, webhooks, isWhole),
    };
  }

  private async recipients(
    { tenantId, roomId, message: { seq, senderId }, open }: Traced,
    members: readonly ListedMember[],
    webhooks: readonly MessageWebhook[],
  ): Promise<TraceRecipientDto[]> {
    const ids = members.map(({ user_id }) => user_id);
    const [cursors, letters] = await Promise.all([
      this.facts.cursorsIn(tenantId, roomId, ids),
      this.facts.lettersOf(tenantId, roomId, seq, ids),
    ]);
    return members.map(({ user_id, joined_seq }) => ({
      user_id,
      is_sender: user_id === senderId,
      connections: open.get(user_id) ?? [],
      ...marksOf(seq, joined_seq, cursors.get(user_id)),
      dead_letter: letterView(letters.get(user_id)),
      webhook_ids: webhooks
        .filter(({ userIds }) => userIds?.includes(user_id) === true)
        .map(({ delivery }) => delivery.webhook_id),
    }));
  }
}

/** Below every id. */
const NO_MESSAGE = '00000000-0000-0000-0000-000000000000';

function commitView({ seq, rev, committedAt, batch }: MessageTrace): TraceCommitDto {
  return { seq, rev: rev ?? null, at: committedAt.toISOString(), batch: batch === undefined ? null : batchView(batch) };
}

function batchView({ messages, waitedMs, tookMs }: NonNullable<MessageTrace['batch']>): TraceBatchDto {
  return { messages, waited_ms: Math.round(waitedMs), took_ms: Math.round(tookMs) };
}

function letterView(letter: MemberLetter | undefined): TraceLetterDto | null {
  if (letter === undefined) return null;
  const { id, attempts, lastAttemptAt, error } = letter;
  return { id, attempts, last_attempt_at: lastAttemptAt.toISOString(), error };
}

function unknownOf(
  { acceptedAt, rev, batch }: MessageTrace,
  room: ListedRoom,
  webhooks: readonly MessageWebhook[],
  isWhole: boolean,
): string[] {
  const isPosted = webhooks.some(
    ({ delivery: { type, state } }) => type === 'message.offline' && state === 'delivered',
  );
  const facts: [boolean, string][] = [
    [acceptedAt === undefined, 'when it was accepted: its id was made before it was said, or elsewhere'],
    [rev === undefined, 'the revision of its commit: it was changed since'],
    [batch === undefined, 'its batch: this server does not remember it, or two were committed in one millisecond'],
    [true, 'connections that have closed since, and when those that are open were sent it'],
    [!isWhole, 'connections of a server that did not answer'],
    [true, 'who was a member then and has left since'],
    [true, 'when it was acknowledged or read by members that have gone on since'],
    [true, 'webhooks that wait to be planned, and those that are no longer in the log'],
    [isPosted, 'whom a webhook named that was delivered'],
    [room.member_count > MEMBERS_OF_A_CALL, 'webhooks about other members than the first 1,000'],
  ];
  return facts.flatMap(([isSo, words]) => (isSo ? [words] : []));
}
