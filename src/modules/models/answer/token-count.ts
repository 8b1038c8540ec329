import type { ModelMessage, ModelUsage } from '../contract';

/** Of English text about this many bytes are a token; other scripts have longer characters, and more tokens for them. */
const BYTES_PER_TOKEN = 4;

/** An estimate where the provider reports nothing: the bytes of the UTF-8 text by four, rounded up. */
export function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

export interface ReportedTokens {
  readonly promptTokens: number | undefined;
  readonly completionTokens: number | undefined;
}

/**
 * As the provider reported it; what it left out is estimated, and then the whole is called so. A 0 for what was there is
 * left out too: some providers send zeros for what they do not count.
 */
export function usageOf(messages: readonly ModelMessage[], answerBytes: number, reported: ReportedTokens): ModelUsage {
  const asked = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  const counted = {
    prompt: reported.promptTokens === 0 && asked > 0 ? undefined : reported.promptTokens,
    completion: reported.completionTokens === 0 && answerBytes > 0 ? undefined : reported.completionTokens,
  };
  const promptTokens = counted.prompt ?? estimateTokens(asked);
  const completionTokens = counted.completion ?? estimateTokens(answerBytes);
  const estimated = counted.prompt === undefined || counted.completion === undefined;
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, estimated };
}
