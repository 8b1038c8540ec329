import { Injectable } from '@nestjs/common';
import { CallCharges } from '../contract';
import { pricesOf } from '../routing/channel-choice';
import { type ChannelTest, ModelsService, TEST_CALL } from '../routing/models.service';
import type { Channel } from './channel-directory';

/** Tests of channels: calls like any other, which the tenant's budgets pay. */
@Injectable()
export class ChannelTests {
  constructor(
    private readonly models: ModelsService,
    private readonly charges: CallCharges,
  ) {}

  /** @throws 429 QUOTA_EXCEEDED when a budget of the tenant is spent */
  run(tenantId: string, channel: Channel): Promise<ChannelTest> {
    const call = { ...TEST_CALL, tenantId, userId: null, prices: pricesOf(channel, channel.model) };
    const { signal } = new AbortController();
    return this.charges.charged({ ...call, signal }, () => this.models.testChannel(tenantId, channel, signal));
  }
}
