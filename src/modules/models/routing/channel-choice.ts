import { Inject, Injectable, Optional } from '@nestjs/common';
import { type Channel, ChannelDirectory } from '../channels/channel-directory';
import { SharedChannels } from '../channels/environment';
import { ECHO } from '../providers/registry';
import { inOrder } from './order';

/** Which channels a tenant's request may go to, in the order in which they are tried. */
@Injectable()
export class ChannelChoice {
  constructor(
    @Inject(ChannelDirectory) private readonly directory: { of(tenantId: string): Promise<readonly Channel[]> },
    private readonly shared: SharedChannels,
    /** From 0 to below 1. */
    @Optional() private readonly random: () => number = Math.random,
  ) {}

  /**
   * The tenant's own, then the environment's; those that are not enabled are left out, and it may be that none is left.
   * An echo stands in only where there is nothing else, not even something disabled: whoever has a model must not get
   * an echo for an answer.
   */
  async of(tenantId: string): Promise<readonly Channel[]> {
    const { environment, echo } = this.shared;
    const own = await this.directory.of(tenantId);
    const models = own.filter(({ provider }) => provider !== ECHO.provider);
    if (models.length > 0 || environment !== undefined)
      return [...this.ordered(models), ...(environment === undefined ? [] : [environment])];
    return own.length > 0 ? this.ordered(own) : [echo];
  }

  private ordered(channels: readonly Channel[]): Channel[] {
    const enabled = channels.filter((channel) => channel.enabled);
    return inOrder(enabled, this.random);
  }
}
