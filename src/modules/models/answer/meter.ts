import type { ModelMessage, ModelUsage } from '../contract';
import { usageOf } from './token-count';

/** What an answer has used so far, however it ends. */
export class Meter {
  /** The model has begun, so it costs. */
  hasBegun = false;
  /** UTF-8 of its text, and of what it thought. */
  textBytes = 0;
  reasoningBytes = 0;

  constructor(private readonly messages: readonly ModelMessage[]) {}

  /** Of an answer that has ended. */
  whole(reported: {
    readonly promptTokens: number | undefined;
    readonly completionTokens: number | undefined;
  }): ModelUsage {
    return usageOf(this.messages, this.textBytes + this.reasoningBytes, reported);
  }

  /** Of one that came to no end; undefined where no model had begun. */
  get spent(): ModelUsage | undefined {
    return this.hasBegun ? this.whole({ promptTokens: undefined, completionTokens: undefined }) : undefined;
  }
}

/** The tokens of several answers to one question. */
export function sumOf(usages: readonly ModelUsage[]): ModelUsage | undefined {
  if (usages.length === 0) return undefined;
  const promptTokens = usages.reduce((sum, usage) => sum + usage.promptTokens, 0);
  const completionTokens = usages.reduce((sum, usage) => sum + usage.completionTokens, 0);
  const estimated = usages.some((usage) => usage.estimated);
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, estimated };
}
