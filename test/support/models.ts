import type { Answer, Api, Bodies } from './http/api';

/** As the Conversations API answers. */
export interface Enveloped<T> {
  readonly success: true;
  readonly data: T;
}

export type ChannelBody = Bodies['ChannelDto'];

export type PresetBody = Bodies['PresetDto'];

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
