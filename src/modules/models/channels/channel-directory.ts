import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ModelsConfig } from '../../../config';
import { type OutboundPost, outboundPost } from '../../../platform/outbound';
import { type SecretBox, Secrets } from '../../../platform/secrets';
import { CONNECT_MS, type Timeouts } from '../answer/answer';
import type { ModelPrices } from '../contract';
import type { Endpoint } from '../providers/chat-model';
import { authHeaderOf, chatModelOf, ECHO, OPENAI_COMPATIBLE } from '../providers/registry';
import {
  type ChannelParams,
  ChannelsRepository,
  paramsOf,
  type SealedChannel,
  timeoutsOf,
} from './channels.repository';

/** A way to a model, the environment's or a tenant's. */
export interface Channel {
  /** Names the channel in the version that is in force: what is remembered of it is forgotten when it is changed. */
  readonly key: string;
  /** The channel in all its versions. */
  readonly id: string;
  readonly name: string;
  /** Every tenant's. */
  readonly isShared: boolean;
  readonly provider: string;
  readonly baseUrl: string;
  readonly model: string;
  /** Its own names for models, by the names that presets use. */
  readonly models: Readonly<Record<string, string>>;
  readonly priority: number;
  readonly weight: number;
  readonly enabled: boolean;
  readonly maxTokens: number | null;
  readonly temperature: number | null;
  /** Tokens that its models read; null: as is known of them. */
  readonly contextTokens: number | null;
  /** Null: they are not known. */
  readonly prices: ModelPrices | null;
  /** Its models are shown images. */
  readonly vision: boolean;
  /** Of models that cost something else. */
  readonly modelPrices: Readonly<Record<string, ModelPrices>>;
  readonly timeouts: Timeouts;
  readonly params: ChannelParams;
  /** Throws when its key cannot be opened. */
  readonly endpoint: () => Endpoint;
}

/** A long answer has some 100 KB of text, each token in an event of a few hundred bytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** How channels connect: a tenant's obey the address rules, the environment's lead wherever the operator says. */
@Injectable()
export class ChannelConnections {
  readonly ofTenants: OutboundPost;
  readonly ofEnvironment: OutboundPost;

  constructor({ allowPrivate }: ModelsConfig) {
    const bounds = { connectMs: CONNECT_MS, maxBytes: MAX_ANSWER_BYTES, maxErrorBytes: MAX_ERROR_BYTES };
    this.ofTenants = outboundPost({ ...bounds, allowPrivate });
    this.ofEnvironment = outboundPost({ ...bounds, allowPrivate: true });
  }
}

/** The keys of tenants' channels, sealed at rest; each can be opened as that channel's only. */
@Injectable()
export class ChannelKeys {
  private readonly box: SecretBox;

  constructor(
    secrets: Secrets,
    private readonly channels: ChannelsRepository,
  ) {
    this.box = secrets.box();
  }

  seal(tenantId: string, channelId: string, key: string | null): string | null {
    return key === null ? null : this.box.sealSecret(key, contextOf(tenantId, channelId));
  }

  /** Throws when the key that sealed it is not known any more. */
  open(tenantId: string, channelId: string, sealed: string | null): string | undefined {
    return sealed === null ? undefined : this.box.openSecret(sealed, contextOf(tenantId, channelId));
  }

  /** How many of a tenant's are sealed with keys that are not ours. */
  async countUnreadableKeys(tenantId: string): Promise<number> {
    const channels = await this.channels.all(tenantId);
    return channels.filter(({ api_key }) => api_key !== null && !this.box.knows(api_key)).length;
  }
}

function contextOf(tenantId: string, channelId: string): string {
  return `channel ${tenantId} ${channelId}`;
}

const MAX_TENANTS = 1000;
/** What another node changed is seen after so long. */
const MAX_AGE_MS = 2000;

/** The channels of tenants, as they were at most 2 s ago. */
@Injectable()
export class ChannelDirectory {
  private readonly tenants = new LRUCache<string, Promise<readonly Channel[]>>({ max: MAX_TENANTS, ttl: MAX_AGE_MS });

  constructor(
    private readonly repository: ChannelsRepository,
    private readonly keys: ChannelKeys,
    private readonly connections: ChannelConnections,
    private readonly config: ModelsConfig,
  ) {}

  /** All of a tenant, also those that are not enabled. */
  of(tenantId: string): Promise<readonly Channel[]> {
    const known = this.tenants.get(tenantId);
    if (known !== undefined) return known;
    const asked = this.repository.all(tenantId).then((rows) => rows.map((row) => this.channelOf(tenantId, row)));
    this.tenants.set(tenantId, asked);
    // A failure is not kept. A caller that asks while it is found out shares it.
    asked.catch(() => this.tenants.peek(tenantId) === asked && this.tenants.delete(tenantId));
    return asked;
  }

  /** After a change: what is read from now on is new. */
  forget(tenantId: string): void {
    this.tenants.delete(tenantId);
  }

  private channelOf(tenantId: string, row: SealedChannel): Channel {
    const { options } = row;
    return {
      key: `${row.channel_id} ${row.updated_at.getTime()}`,
      id: row.channel_id,
      name: row.name,
      isShared: false,
      provider: row.provider,
      baseUrl: row.base_url,
      model: row.model,
      models: options.models ?? {},
      priority: row.priority,
      weight: row.weight,
      enabled: row.enabled,
      maxTokens: row.max_tokens,
      temperature: row.temperature,
      contextTokens: options.contextTokens ?? null,
      prices: options.prices ?? null,
      vision: options.vision ?? false,
      modelPrices: options.modelPrices ?? {},
      timeouts: timeoutsOf(this.config, options, row.timeout_ms),
      params: paramsOf(options.params),
      endpoint: () => ({
        baseUrl: row.base_url,
        apiKey: this.keys.open(tenantId, row.channel_id, row.api_key),
        authHeader: options.authHeader ?? authHeaderOf(row.provider),
        post: this.connections.ofTenants,
      }),
    };
  }
}

/** Names the environment's channel in answers, and where its faults are kept. */
export const ENVIRONMENT = 'environment';

const COMMON = {
  priority: 0,
  weight: 1,
  enabled: true,
  maxTokens: null,
  temperature: null,
  contextTokens: null,
  modelPrices: {},
};

/** How the environment names its provider. */
interface NamedProvider extends Pick<Endpoint, 'baseUrl' | 'apiKey' | 'authHeader'> {
  readonly provider: string;
  readonly model: string;
  readonly prices: ModelPrices | undefined;
  readonly vision: boolean;
}

/** Undefined where it names none. */
function namedProvider(config: ModelsConfig): NamedProvider | undefined {
  const chatModel = config.provider === undefined ? undefined : chatModelOf(config.provider);
  if (chatModel !== undefined) {
    const { provider, defaultBaseUrl, defaultModel, defaultAuthHeader: authHeader } = chatModel;
    const { apiKey, prices, vision, baseUrl = defaultBaseUrl, model = defaultModel } = config;
    return { provider, baseUrl, model, apiKey, authHeader, prices, vision };
  }
  const { openaiApiKey: apiKey, openaiBaseUrl, openaiModel: model, openaiAuthHeader: authHeader } = config;
  const { openaiPrices: prices, openaiVision: vision } = config;
  if (apiKey === undefined && openaiBaseUrl === undefined) return undefined;
  const { provider, defaultBaseUrl } = OPENAI_COMPATIBLE;
  return { provider, baseUrl: openaiBaseUrl ?? defaultBaseUrl, model, apiKey, authHeader, prices, vision };
}

/** The channel that every tenant has after its own; undefined where the environment names no provider. */
export function environmentChannel(config: ModelsConfig, post: OutboundPost): Channel | undefined {
  const named = namedProvider(config);
  if (named === undefined) return undefined;
  const { provider, model, baseUrl, apiKey, authHeader, prices, vision } = named;
  return {
    ...COMMON,
    ...{ id: ENVIRONMENT, key: ENVIRONMENT, name: ENVIRONMENT, isShared: true, provider, model, models: {}, baseUrl },
    prices: prices ?? null,
    vision,
    timeouts: timeoutsOf(config, {}),
    params: paramsOf(),
    endpoint: () => ({ baseUrl, apiKey, authHeader, post }),
  };
}

/** What answers where there is no channel at all. */
function echoChannel(config: ModelsConfig, post: OutboundPost): Channel {
  const { provider, defaultModel: model } = ECHO;
  return {
    ...COMMON,
    ...{ id: 'echo', key: 'echo', name: 'echo', isShared: false, provider, model, models: {}, baseUrl: '' },
    prices: { input: 0, output: 0 },
    vision: false,
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
