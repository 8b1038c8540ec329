import type { Answer, Api } from './http/api';

/** As the Conversations API answers. */
export interface Enveloped<T> {
  readonly success: true;
  readonly data: T;
}

export interface ChannelBody {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly baseUrl: string;
  readonly hasApiKey: boolean;
  readonly model: string;
  readonly priority: number;
  readonly weight: number;
  readonly enabled: boolean;
  readonly maxTokens: number | null;
  readonly temperature: number | null;
  readonly timeoutMs: number;
  readonly timeouts: { readonly firstMs: number; readonly idleMs: number; readonly totalMs: number };
  readonly params: Readonly<Record<string, unknown>>;
  readonly models: Readonly<Record<string, string>>;
  readonly authHeader: string;
  readonly contextTokens: number | null;
  readonly lastFaults: readonly Readonly<Record<string, unknown>>[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface PresetBody {
  readonly name: string;
  readonly systemPrompt: string;
  readonly model: string | null;
  readonly temperature: number | null;
  readonly maxTokens: number | null;
  readonly topP: number | null;
  readonly stop: readonly string[] | null;
  readonly reasoningEffort: string | null;
  readonly responseFormat: object | null;
  readonly seed: number | null;
  readonly contextMessages: number;
  readonly contextTokens: number | null;
  readonly createdAt: number | null;
  readonly updatedAt: number | null;
}

/** What a success of the Conversations API holds; throws for another status. */
export function dataOf<T>({ status, body }: Answer<Enveloped<T>>, expected = 200): T {
  if (status !== expected) throw new Error(`expected ${expected}, got ${status} ${JSON.stringify(body)}`);
  if (!body.success) throw new Error(`no envelope: ${JSON.stringify(body)}`);
  return body.data;
}

/** A channel of the key's tenant; by default one that leads to nobody. */
export async function createChannel(key: Api, fields: Record<string, unknown> = {}): Promise<ChannelBody> {
  const body = { name: 'main', provider: 'openai-compatible', ...fields };
  return dataOf(await key.post<Enveloped<ChannelBody>>('/api/channels', body), 201);
}

export async function createPreset(key: Api, fields: Record<string, unknown> = {}): Promise<PresetBody> {
  const body = { name: 'support', systemPrompt: 'Be brief.', ...fields };
  return dataOf(await key.post<Enveloped<PresetBody>>('/api/presets', body), 201);
}
