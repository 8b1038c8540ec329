import { Injectable } from '@nestjs/common';
import { limitOf, type TenantPolicy } from '../../../platform/auth';
import { budgetMessage, budgetSpent, type Spent } from '../chats.functions';
import type { RunFailure } from '../contract';
import { RunsRepository } from '../runs/runs.repository';

/**
 * Tokens that a tenant and its users may spend per day (UTC). Asked on every way a run begins: here before a message is
 * stored, by `chat_answer_again` before an answer is written anew, by `run_begin` when a run's turn comes.
 */
@Injectable()
export class Budgets {
  constructor(private readonly runs: RunsRepository) {}

  /**
   * Throws QUOTA_EXCEEDED where nothing is left. An answer that is under way counts when it has ended, so a budget may be
   * overdrawn by those that were begun before it was spent.
   */
  async check(tenant: TenantPolicy, userId: string): Promise<void> {
    if (limitOf(tenant, 'tokens_per_day') === null && limitOf(tenant, 'tokens_per_user_per_day') === null) return;
    const spent = await this.runs.budgetSpent(tenant.tenantId, userId);
    if (spent !== null) throw budgetSpent(spent);
  }
}

/** Of a run that was refused when its turn came. */
export function budgetFailure({ limit }: Pick<Spent, 'limit'>): RunFailure {
  return { code: 'QUOTA_EXCEEDED', message: budgetMessage(limit) };
}
