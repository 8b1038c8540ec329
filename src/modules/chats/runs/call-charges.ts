import { Injectable } from '@nestjs/common';
import { newUuid } from '../../../common/ids';
import { type AnswerBound, CallCharges, type ChargedCall, type ModelUsage } from '../../models';
import { RunsRepository } from './runs.repository';

/** Each call that is no run's has a charge of its own, which ends with the call; one whose server died ends within an hour. */
@Injectable()
export class OwnCallCharges extends CallCharges {
  constructor(private readonly runs: RunsRepository) {
    super();
  }

  async charged<T extends { readonly usage: ModelUsage | undefined }>(
    call: ChargedCall,
    work: (bound: AnswerBound | undefined) => Promise<T>,
  ): Promise<T> {
    const { tenantId, signal } = call;
    const chargeId = newUuid();
    const bound = await this.runs.reserve({ ...call, chargeId, chatId: null }, signal);
    let used: { readonly tokens: number; readonly cost: number | undefined } | null = null;
    try {
      const done = await work(bound);
      used = { tokens: done.usage?.totalTokens ?? 0, cost: done.usage?.cost };
      return done;
    } finally {
      await this.runs.endCall(tenantId, chargeId, used, signal);
    }
  }
}
