import type { ChatModel } from './chat-model';
import { Echo } from './echo';
import { OpenAiCompatible } from './openai-compatible';

export const ECHO = new Echo();
export const OPENAI_COMPATIBLE = new OpenAiCompatible();

/** Every provider that a channel can have. A new one is a file beside this one and its name here. */
const CHAT_MODELS: readonly ChatModel[] = [OPENAI_COMPATIBLE, ECHO];

const BY_PROVIDER: ReadonlyMap<string, ChatModel> = new Map(CHAT_MODELS.map((model) => [model.provider, model]));

export const PROVIDERS: readonly string[] = [...BY_PROVIDER.keys()];

/** Undefined for a provider that this version does not know. */
export function chatModelOf(provider: string): ChatModel | undefined {
  return BY_PROVIDER.get(provider);
}
