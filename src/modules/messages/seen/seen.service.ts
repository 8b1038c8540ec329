import { Injectable } from '@nestjs/common';
import { featureOff, notAMember, notFound } from '../../../common/errors';
import { decodeId } from '../../../common/ids';
import { isoTime } from '../../../common/time';
import { type Caller, settingOf } from '../../../platform/auth';
import { askedPage, type CursorQueryDto, pageOf } from '../../../platform/http';
import { DeliveryService } from '../../delivery';
import { roomUuid, visible } from '../../rooms';
import type { MessageVersionPageDto, ReceiptPageDto } from '../dto/seen.dto';
import { type FoundRoom, MessagesRepository } from '../messages.repository';
import type { MessageRow } from '../views';

/** Who has seen a message, and what it said before. */
@Injectable()
export class SeenService {
  constructor(
    private readonly repository: MessagesRepository,
    private readonly delivery: DeliveryService,
  ) {}

  /** A page of members, in the order of joining. @throws 400, 403, 404 */
  async receipts(caller: Caller, roomId: string, messageId: string, query: CursorQueryDto): Promise<ReceiptPageDto> {
    const { limit, after } = askedPage(query, ['integer']);
    const { role, row } = await this.find(caller, roomId, messageId);
    const rule = settingOf(caller.tenant, 'read_receipts');
    if (rule === 'off') throw featureOff('read_receipts', 'This tenant has switched read receipts off');
    if (role === null) throw notAMember();
    if (rule === 'admins' && role !== 'admin')
      throw featureOff('read_receipts', "Only the room's admins may ask who has read a message");
    const of = { roomId: row.room_id, seq: row.seq, senderId: row.sender_id };
    const rows = await this.delivery.receipts(caller.tenantId, of, after?.[0] ?? 0, limit + 1);
    const { items, next } = pageOf(
      rows,
      limit,
      ({ member_no }) => [member_no],
      ({ user_id, has_it, has_read }) => ({ user_id, delivered: has_it, read: has_read }),
    );
    return { receipts: items, next };
  }

  /** A page of what the message said before, the oldest first. @throws 400, 403, 404 */
  async history(
    caller: Caller,
    roomId: string,
    messageId: string,
    query: CursorQueryDto,
  ): Promise<MessageVersionPageDto> {
    const { limit, after } = askedPage(query, ['integer']);
    const { row } = await this.find(caller, roomId, messageId);
    if (settingOf(caller.tenant, 'message_history') === 'off')
      throw featureOff('message_history', 'This tenant keeps nothing of what messages said before they were edited');
    const rows = await this.repository.versions(caller.tenantId, row.room_id, row.seq, after?.[0] ?? 0, limit + 1);
    const { items, next } = pageOf(
      rows,
      limit,
      ({ rev }) => [rev],
      ({ rev, content, meta, said_at }) => ({ rev, content, meta, created_at: isoTime(said_at) }),
    );
    return { versions: items, next };
  }

  private async find(
    { tenantId, userId }: Caller,
    roomId: string,
    messageId: string,
  ): Promise<Pick<FoundRoom, 'role'> & { readonly row: MessageRow }> {
    const message = decodeId('message', messageId) ?? null;
    const { role, row } = visible(await this.repository.find(tenantId, roomUuid(roomId), userId, message));
    if (!row) throw notFound('Message');
    return { role, row };
  }
}
