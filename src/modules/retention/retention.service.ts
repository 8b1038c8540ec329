import { Injectable } from '@nestjs/common';
import { invalid, notFound } from '../../common/errors';
import { userIdFault } from '../../common/text';
import type { Caller } from '../../platform/auth';
import { Effects } from '../../platform/idempotency';
import { roomRetain, roomUuid } from '../rooms';
import { TenantsService, userHold } from '../tenants';
import type { HoldUserDto, RetainRoomDto, RoomRetentionDto, UserHoldDto } from './retention.dto';

/** What administrators say of how long something is kept. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly effects: Effects,
  ) {}

  /** @param tenant its id as the query has it, if it has @throws 400, 404 */
  async room(
    caller: Caller,
    tenant: string | undefined,
    roomId: string,
    changes: RetainRoomDto,
  ): Promise<RoomRetentionDto> {
    const tenantId = await this.tenants.scoped(caller, tenant);
    if (changes.retention_days === undefined && changes.legal_hold === undefined)
      throw invalid('retention_days', 'Send at least one of retention_days, legal_hold');
    const { retention_days, legal_hold } = await this.effects.call(
      caller,
      roomRetain,
      { p_room: roomUuid(roomId), p_changes: changes },
      { tenantId, audit: { action: 'room.retention', target: roomId } },
    );
    return { room_id: roomId, retention_days, legal_hold };
  }

  /** @param tenant its id as the query has it, if it has @throws 400, 404 */
  async user(
    caller: Caller,
    tenant: string | undefined,
    userId: string,
    { legal_hold: wanted }: HoldUserDto,
  ): Promise<UserHoldDto> {
    const tenantId = await this.tenants.scoped(caller, tenant);
    if (wanted === undefined) throw invalid('legal_hold', 'legal_hold is required');
    if (userIdFault(userId) !== undefined) throw notFound('User');
    const args = { p_user: userId, p_hold: wanted };
    const { legal_hold } = await this.effects.call(caller, userHold, args, {
      tenantId,
      audit: { action: 'user.hold' },
    });
    return { user_id: userId, legal_hold };
  }
}
