import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ModelsConfig } from '../../../config';
import type { Timeouts } from '../answer/timed';
import type { Endpoint } from '../providers/chat-model';
import { ChannelKeys } from './channel-keys';
import { type ChannelParams, paramsOf, timeoutsOf } from './channel-options';
import { ChannelsRepository, type SealedChannel } from './channels.repository';
import { ChannelConnections } from './connections';

const MAX_TENANTS = 1000;
/** What another node changed is seen after so long. */
const MAX_AGE_MS = 2000;

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
  readonly timeouts: Timeouts;
  readonly params: ChannelParams;
  /** Throws when its key cannot be opened. */
  readonly endpoint: () => Endpoint;
}

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
    // A failure is not kept. Whoever asks while it is found out shares it.
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
      timeouts: timeoutsOf(this.config, options, row.timeout_ms),
      params: paramsOf(options.params),
      endpoint: () => ({
        baseUrl: row.base_url,
        apiKey: this.keys.open(tenantId, row.channel_id, row.api_key),
        authHeader: options.authHeader ?? 'authorization',
        post: this.connections.ofTenants,
      }),
    };
  }
}
