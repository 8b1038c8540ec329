/** What was counted within some time, or per second. */
export interface Sums {
  readonly messages: number;
  readonly deliveries: number;
  readonly refused: number;
  readonly tokens: number;
}

export const NOTHING: Sums = { messages: 0, deliveries: 0, refused: 0, tokens: 0 };

/** `a`, and `factor` times `b`. */
export function plus(a: Sums, b: Sums, factor = 1): Sums {
  return {
    messages: a.messages + factor * b.messages,
    deliveries: a.deliveries + factor * b.deliveries,
    refused: a.refused + factor * b.refused,
    tokens: a.tokens + factor * b.tokens,
  };
}
