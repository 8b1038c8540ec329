import { Injectable } from '@nestjs/common';
import { ModelsConfig } from '../../../config';
import type { OutboundPost } from '../../../platform/outbound';
import { ECHO, OPENAI_COMPATIBLE } from '../providers/registry';
import type { Channel } from './channel-directory';
import { paramsOf, timeoutsOf } from './channel-options';
import { ChannelConnections } from './connections';

/** Names the environment's channel in answers, and where its faults are kept. */
export const ENVIRONMENT = 'environment';

const COMMON = { priority: 0, weight: 1, enabled: true, maxTokens: null, temperature: null, contextTokens: null };

/** The channel that every tenant has after its own; undefined where the environment names no provider. */
export function environmentChannel(config: ModelsConfig, post: OutboundPost): Channel | undefined {
  const { openaiApiKey: apiKey, openaiBaseUrl, openaiModel: model, openaiAuthHeader: authHeader } = config;
  if (apiKey === undefined && openaiBaseUrl === undefined) return undefined;
  const baseUrl = openaiBaseUrl ?? OPENAI_COMPATIBLE.defaultBaseUrl;
  const { provider } = OPENAI_COMPATIBLE;
  return {
    ...COMMON,
    ...{ id: ENVIRONMENT, key: ENVIRONMENT, name: ENVIRONMENT, isShared: true, provider, model, models: {}, baseUrl },
    timeouts: timeoutsOf(config, {}),
    params: paramsOf(),
    endpoint: () => ({ baseUrl, apiKey, authHeader, post }),
  };
}

/** What answers where there is no channel at all. */
export function echoChannel(config: ModelsConfig, post: OutboundPost): Channel {
  const { provider, defaultModel: model } = ECHO;
  return {
    ...COMMON,
    ...{ id: 'echo', key: 'echo', name: 'echo', isShared: false, provider, model, models: {}, baseUrl: '' },
    timeouts: timeoutsOf(config, {}),
    params: paramsOf(),
    endpoint: () => ({ baseUrl: '', apiKey: undefined, authHeader: 'authorization', post }),
  };
}

/** The channels that do not belong to a tenant. */
@Injectable()
export class SharedChannels {
  readonly environment: Channel | undefined;
  readonly echo: Channel;

  constructor(config: ModelsConfig, { ofEnvironment }: ChannelConnections) {
    this.environment = environmentChannel(config, ofEnvironment);
    this.echo = echoChannel(config, ofEnvironment);
  }
}
