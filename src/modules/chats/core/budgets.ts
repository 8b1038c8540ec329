import { Injectable } from '@nestjs/common';
import { AppError } from '../../../common/errors';
import { limitOf, type TenantPolicy } from '../../../platform/auth';
import { RunsRepository } from './runs.repository';

/** Tokens that a tenant and its users may spend per day (UTC). Asked only where there is a limit. */
@Injectable()
export class Budgets {
  constructor(private readonly runs: RunsRepository) {}

  /**
   * Throws QUOTA_EXCEEDED where nothing is left. An answer that is under way counts when it has ended, so a budget may be
   * overdrawn by those that were begun before it was spent.
   */
  async check(tenant: TenantPolicy, userId: string): Promise<void> {
    const perTenant = limitOf(tenant, 'tokens_per_day');
    const perUser = limitOf(tenant, 'tokens_per_user_per_day');
    if (perTenant === null && perUser === null) return;
    const spent = await this.runs.spent(tenant.tenantId, userId);
    if (perTenant !== null && spent.tenant >= perTenant) throw exceeded('tokens_per_day', spent.seconds_left);
    if (perUser !== null && spent.user >= perUser) throw exceeded('tokens_per_user_per_day', spent.seconds_left);
  }
}

function exceeded(limit: string, seconds: number): AppError {
  return new AppError('QUOTA_EXCEEDED', `The budget of tokens for today is spent (${limit})`, {
    details: { limit },
    retryAfterSeconds: Math.max(1, seconds),
  });
}
