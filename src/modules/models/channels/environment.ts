import type { ModelsConfig } from '../../../config';
import type { OutboundPost } from '../../../platform/outbound';
import { ECHO, OPENAI_COMPATIBLE } from '../providers/registry';
import type { Channel } from './channel-directory';

const TIMEOUT_MS = 300_000;
const COMMON = { priority: 0, weight: 1, enabled: true, maxTokens: null, temperature: null, timeoutMs: TIMEOUT_MS };

/** The channel that every tenant has after its own; undefined where the environment names no provider. */
export function environmentChannel(config: ModelsConfig, post: OutboundPost): Channel | undefined {
  const { openaiApiKey: apiKey, openaiBaseUrl, openaiModel: model } = config;
  if (apiKey === undefined && openaiBaseUrl === undefined) return undefined;
  const baseUrl = openaiBaseUrl ?? OPENAI_COMPATIBLE.defaultBaseUrl;
  const endpoint = { baseUrl, apiKey, post };
  const { provider } = OPENAI_COMPATIBLE;
  return { ...COMMON, key: 'environment', name: 'environment', provider, model, endpoint: () => endpoint };
}

/** What answers where there is no channel at all. */
export function echoChannel(post: OutboundPost): Channel {
  const endpoint = { baseUrl: '', apiKey: undefined, post };
  const { provider, defaultModel: model } = ECHO;
  return { ...COMMON, key: 'echo', name: 'echo', provider, model, endpoint: () => endpoint };
}
