import { Injectable } from '@nestjs/common';
import { rateLimited } from '../../common/errors';
import type { TenantPolicy } from '../auth';
import { Counters, type CounterState } from '../cluster';
import { tenantWindow } from './window';

/** The window of the AI APIs, for messages to a model that come by another door. */
@Injectable()
export class AiWindow {
  constructor(private readonly counters: Counters) {}

  /** Counts one call; throws RATE_LIMIT_EXCEEDED when there is none left. */
  async take(tenant: TenantPolicy): Promise<void> {
    const { key, limit, windowMs } = tenantWindow('ai', tenant);
    if (limit !== null) refuseBeyond(limit, await this.counters.increment(key, windowMs));
  }
}

/** 429 for a call beyond its window's limit. */
export function refuseBeyond(
  limit: number,
  { count, resetAtMs }: CounterState,
  code: 'RATE_LIMIT_EXCEEDED' | 'RATE_LIMITED' = 'RATE_LIMIT_EXCEEDED',
): void {
  if (count <= limit) return;
  throw rateLimited(Math.max(1, Math.ceil((resetAtMs - Date.now()) / 1000)), code);
}
