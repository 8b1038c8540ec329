import type { LoggedMessage } from '../../messages';
import { estimateTokens, type ModelMessage, type ModelUsage, type Preset } from '../../models';

/** About as many tokens as an answer's context may have; the message that is answered always goes along. */
export const CONTEXT_TOKENS = 16_000;

function tokensOf(text: string): number {
  return estimateTokens(Buffer.byteLength(text));
}

/**
 * What the model is told: the preset's system prompt, and of the chat's messages the newest that fit.
 * @param messages in order, the one that is answered last
 */
export function contextOf(preset: Preset, messages: readonly LoggedMessage[], most = CONTEXT_TOKENS): ModelMessage[] {
  const told: ModelMessage[] = [];
  let room = most - tokensOf(preset.systemPrompt);
  for (const message of [...messages].reverse()) {
    room -= tokensOf(message.content);
    if (room < 0 && told.length > 0) break;
    told.push({ role: message.kind === 'user' ? 'user' : 'assistant', content: message.content });
  }
  told.reverse();
  return preset.systemPrompt === '' ? told : [{ role: 'system', content: preset.systemPrompt }, ...told];
}

/** What an answer cost where the model did not say: both sides counted. */
export function countUsage(told: readonly ModelMessage[], answer: string): ModelUsage {
  const promptTokens = told.reduce((sum, message) => sum + tokensOf(message.content), 0);
  const completionTokens = tokensOf(answer);
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, estimated: true };
}
