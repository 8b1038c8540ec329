import { Injectable } from '@nestjs/common';
import { invalid } from '../../common/errors';
import { encodeId } from '../../common/ids';
import type { Caller } from '../../platform/auth';
import { TenantsService } from '../tenants';
import { Counts } from './counts';
import { RANGES, type StatsDto, type StatsHistoryDto, type StatsHistoryQueryDto } from './dto/stats.dto';
import { StatsRepository } from './stats.repository';
import { Sampler } from './sampler';
import { pointView, sampleView } from './views';

type Range = (typeof RANGES)[number];

const HOUR = 3600;
const SECONDS: Readonly<Record<Range, number>> = { '1h': HOUR, '24h': 24 * HOUR, '7d': 7 * 24 * HOUR };
/** So that a chart has at most 500 points. */
const DEFAULT_STEPS: Readonly<Record<Range, number>> = { '1h': 60, '24h': 300, '7d': HOUR };
const MOST_POINTS = 1500;

/** Whose stats a call is about, and what they say. */
@Injectable()
export class StatsService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly sampler: Sampler,
    private readonly counts: Counts,
    private readonly history: StatsRepository,
  ) {}

  /** The tenant's UUID; undefined: the whole installation, which only the master key sees. Throws 404. */
  async scope(caller: Caller, tenant: string | undefined): Promise<string | undefined> {
    return caller.kind === 'master' && tenant === undefined ? undefined : this.tenants.scoped(caller, tenant);
  }

  async now(caller: Caller, tenant: string | undefined): Promise<StatsDto> {
    const tenantId = await this.scope(caller, tenant);
    if (tenantId !== undefined) {
      const counts = await this.counts.of(tenantId);
      return sampleView({ ...this.sampler.tenantNow(tenantId), counts });
    }
    // Those are asked for every ten seconds in any case: nobody waits for a database that does not answer.
    const counts = this.counts.latest() ?? (await this.counts.of());
    return sampleView({ ...this.sampler.latest, counts });
  }

  async past(caller: Caller, query: StatsHistoryQueryDto): Promise<StatsHistoryDto> {
    const { tenant_id, range = '1h', step = DEFAULT_STEPS[range] } = query;
    const seconds = SECONDS[range];
    if (seconds / step > MOST_POINTS)
      throw invalid('step', `step ${step} makes more than ${MOST_POINTS} points of ${range}; take a longer one`);
    const tenantId = await this.scope(caller, tenant_id);
    const rows = await (tenantId === undefined
      ? this.history.ofServer(seconds, step)
      : this.history.ofTenant(tenantId, seconds, step));
    return {
      tenant_id: tenantId === undefined ? null : encodeId('tenant', tenantId),
      range,
      step,
      points: rows.map(pointView),
    };
  }
}
