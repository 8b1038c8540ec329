export interface Ranked {
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
