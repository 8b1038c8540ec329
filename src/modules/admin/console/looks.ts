import { Injectable } from '@nestjs/common';
import { encodeId } from '../../../common/ids';
import { Audit } from '../../../platform/audit';
import type { Caller } from '../../../platform/auth';
import { Effects } from '../../../platform/idempotency';

/** That somebody looks at what users have written. */
@Injectable()
export class Looks {
  constructor(
    private readonly effects: Effects,
    private readonly audit: Audit,
  ) {}

  /** Before a room's messages are read. */
  room(caller: Caller, tenantId: string, roomId: string): Promise<void> {
    return this.effects.announce(caller, tenantId, 'room.read_content', { target: encodeId('room', roomId) });
  }

  /** Before a user's messages are read. */
  user(caller: Caller, tenantId: string, userId: string): Promise<void> {
    return this.effects.announce(caller, tenantId, 'user.read_content', { user: userId });
  }

  /** None are. */
  none(caller: Caller): void {
    this.audit.nothing(caller);
  }
}
