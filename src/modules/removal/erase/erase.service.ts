import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { notFound } from '../../../common/errors';
import { decodeId, encodeId, newUuid } from '../../../common/ids';
import { ERASED_PREFIX, userIdFault } from '../../../common/text';
import type { Caller } from '../../../platform/auth';
import { Effects } from '../../../platform/idempotency';
import { Jobs } from '../../../platform/jobs';
import { Secrets } from '../../../platform/secrets';
import { TenantsService } from '../../tenants';
import { erasureRequest } from '../removal.functions';
import type { ErasureDto, ErasureStartedDto } from './erase.dto';
import { ErasedUsers } from './erased-users';
import { ErasuresRepository } from './erasures.repository';

/** Until nothing is under way any more that was begun before calls were refused: 2 s on other nodes, and a send that waits. */
const DELAY_MS = 5000;
const RANDOM_BYTES = 12;

/** Takes requests to erase a user, and says how far one is. */
@Injectable()
export class EraseService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly effects: Effects,
    private readonly erasures: ErasuresRepository,
    private readonly refused: ErasedUsers,
    private readonly jobs: Jobs,
    private readonly secrets: Secrets,
  ) {}

  /** @throws 404 no such tenant or user, 409 a legal hold */
  async erase(caller: Caller, tenant: string, userId: string): Promise<ErasureStartedDto> {
    const tenantId = await this.tenants.managed(caller, tenant);
    if (userIdFault(userId) !== undefined) throw notFound('User');
    const keyId = this.secrets.personKeyId;
    const { erasure_id, state } = await this.effects.call(
      caller,
      erasureRequest,
      {
        p_user: userId,
        p_erasure: newUuid(),
        p_erased: ERASED_PREFIX + randomBytes(RANDOM_BYTES).toString('hex'),
        p_mac: this.secrets.personMac(tenantId, userId, keyId) ?? Buffer.alloc(0),
        p_mac_key: keyId,
        p_delay_ms: DELAY_MS,
      },
      { tenantId, audit: { action: 'user.erase' } },
    );
    this.jobs.wake();
    // What cannot be read now the next round reads.
    await this.refused.refresh().catch(() => undefined);
    return { erasure_id: encodeId('erasure', erasure_id), state };
  }

  /** @throws 404 */
  async find(caller: Caller, tenant: string, erasureId: string): Promise<ErasureDto> {
    const tenantId = await this.tenants.managed(caller, tenant);
    const id = decodeId('erasure', erasureId);
    const row = id === undefined ? undefined : await this.erasures.find(tenantId, id);
    if (row === undefined) throw notFound('Erasure');
    const { state, counts, requested_at, finished_at, error } = row;
    return {
      erasure_id: erasureId,
      state,
      counts,
      requested_at: requested_at.toISOString(),
      finished_at: finished_at?.toISOString() ?? null,
      error,
    };
  }
}
