import { Injectable } from '@nestjs/common';
import { encodeId } from '../../../common/ids';
import { type Caller, type LimitName, limitOf, type TenantPolicy } from '../../../platform/auth';
import { RequestsLeft } from '../../../platform/rate-limit';
import { Connections, SocketEndpoints } from '../../../realtime';
import { TenantsService } from '../../tenants';
import type { LimitLeftDto, WhoamiDto } from '../dto/whoami.dto';

type LimitsLeft = Partial<Record<LimitName, LimitLeftDto>>;

/** Tells a caller what they are. */
@Injectable()
export class WhoamiService {
  constructor(
    private readonly requests: RequestsLeft,
    private readonly connections: Connections,
    private readonly endpoints: SocketEndpoints,
    private readonly tenants: TenantsService,
  ) {}

  async describe(caller: Caller): Promise<WhoamiDto> {
    const { tenant, keyId, endsAtMs } = caller;
    return {
      credential: caller.kind,
      tenant_id: tenant === undefined ? null : encodeId('tenant', tenant.tenantId),
      user_id: caller.optionalUserId ?? null,
      key_id: keyId === undefined ? null : encodeId('key', keyId),
      scopes: [...caller.scopes],
      expires_at: endsAtMs === undefined ? null : new Date(endsAtMs).toISOString(),
      limits: tenant === undefined ? {} : await this.limitsLeft(tenant, caller.optionalUserId),
    };
  }

  /** Of the limits whose use is known without counting rows. */
  private async limitsLeft(tenant: TenantPolicy, userId: string | undefined): Promise<LimitsLeft> {
    const limits: LimitsLeft = {};
    for (const [name, family] of [
      ['requests_per_second', 'rooms'],
      ['ai_requests_per_minute', 'ai'],
    ] as const)
      limits[name] = { limit: limitOf(tenant, name), left: await this.requests.requestsLeft(tenant, family) };
    const note = (name: LimitName, taken: number): void => {
      const limit = limitOf(tenant, name);
      limits[name] = { limit, left: limit === null ? null : Math.max(0, limit - taken) };
    };
    for (const endpoint of this.endpoints.all()) {
      note(endpoint.tenantLimit, await this.connections.placesTaken(tenant.tenantId, endpoint));
      if (endpoint.userLimit !== undefined && userId !== undefined)
        note(endpoint.userLimit, await this.connections.placesTaken(tenant.tenantId, endpoint, userId));
    }
    const { users, rooms } = await this.tenants.counts(tenant.tenantId);
    note('users', users);
    note('rooms', rooms);
    return limits;
  }
}
