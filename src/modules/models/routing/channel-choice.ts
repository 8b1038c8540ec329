import { Inject, Injectable, Optional } from '@nestjs/common';
import { type Channel, ChannelDirectory } from '../channels/channel-directory';
import { SharedChannels } from '../channels/environment';
import { ECHO } from '../providers/registry';

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

interface Ranked {
  /** Lower comes first. */
  readonly priority: number;
  /** Among equals the share of the requests that come here first; 0: only after the others. */
  readonly weight: number;
}

/**
 * The order in which channels are tried: by priority, and by chance among equals, in proportion to their weights.
 * @param random from 0 to below 1
 */
export function inOrder<T extends Ranked>(channels: readonly T[], random: () => number): T[] {
  return channels
    .map((channel) => ({ channel, lot: lotOf(channel.weight, random()) }))
    .sort((a, b) => a.channel.priority - b.channel.priority || (a.lot < b.lot ? -1 : a.lot > b.lot ? 1 : 0))
    .map(({ channel }) => channel);
}

/** Drawn from the exponential distribution: the smallest of several is each with a chance in proportion to its weight. */
function lotOf(weight: number, random: number): number {
  return weight === 0 ? Infinity : -Math.log(1 - random) / weight;
}
