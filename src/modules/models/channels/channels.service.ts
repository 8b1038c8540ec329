import { Injectable } from '@nestjs/common';
import { AppError, invalid, notFound } from '../../../common/errors';
import { decodeId, encodeId, newUuid } from '../../../common/ids';
import type { PageRequest } from '../../../common/pagination';
import { ModelsConfig } from '../../../config';
import type { Caller } from '../../../platform/auth';
import { type EffectResult, Effects } from '../../../platform/idempotency';
import { publicUrl } from '../../../platform/outbound';
import type { ChannelDto, ChannelPageDto, CreateChannelDto, PatchChannelDto } from '../dto/channel.dto';
import { chatModelOf } from '../providers/registry';
import { camelPageInfo, epochMs } from '../views';
import { ChannelDirectory } from './channel-directory';
import { ChannelKeys } from './channel-keys';
import { type ChannelRow, ChannelsRepository, type ChannelValues } from './channels.repository';

const MAX_CHANNELS = 50;
const DEFAULT_TIMEOUT_MS = 300_000;

interface Created extends EffectResult {
  readonly channel: ChannelRow;
}

/** A tenant's own ways to models. */
@Injectable()
export class ChannelsService {
  constructor(
    private readonly repository: ChannelsRepository,
    private readonly directory: ChannelDirectory,
    private readonly keys: ChannelKeys,
    private readonly effects: Effects,
    private readonly config: ModelsConfig,
  ) {}

  async create(caller: Caller, body: CreateChannelDto): Promise<ChannelDto> {
    const { tenantId } = caller;
    const values = this.valuesOf(body);
    const id = newUuid();
    const { status, channel } = await this.effects.call<Created>(caller, 'channel_create', [
      ...[tenantId, id, MAX_CHANNELS, values.name, values.provider, values.base_url],
      ...[this.keys.seal(tenantId, id, body.apiKey ?? null), values.model, values.priority, values.weight],
      ...[values.enabled, values.max_tokens, values.temperature, values.timeout_ms],
    ]);
    if (status === 'full') throw new AppError('CONFLICT', `A tenant has at most ${MAX_CHANNELS} channels`);
    if (status === 'taken') throw nameTaken(values.name);
    this.directory.forget(tenantId);
    return channelView(channel);
  }

  async list({ tenantId }: Caller, page: PageRequest): Promise<ChannelPageDto> {
    const [rows, total] = await Promise.all([this.repository.list(tenantId, page), this.repository.count(tenantId)]);
    return { channels: rows.map(channelView), ...camelPageInfo(page, rows.length, total) };
  }

  async get({ tenantId }: Caller, id: string): Promise<ChannelDto> {
    const uuid = decodeId('channel', id);
    const row = uuid === undefined ? undefined : await this.repository.find(tenantId, uuid);
    if (row === undefined) throw notFound('Channel');
    return channelView(row);
  }

  async change({ tenantId }: Caller, id: string, body: PatchChannelDto): Promise<ChannelDto> {
    const uuid = decodeId('channel', id);
    if (uuid === undefined) throw notFound('Channel');
    const apiKey = body.apiKey === undefined ? undefined : this.keys.seal(tenantId, uuid, body.apiKey);
    const row = await this.repository.change(tenantId, uuid, (before) => this.merged(before, body), apiKey);
    if (row === undefined) throw notFound('Channel');
    if (row === 'taken') throw nameTaken(body.name ?? '');
    this.directory.forget(tenantId);
    return channelView(row);
  }

  async delete({ tenantId }: Caller, id: string): Promise<void> {
    const uuid = decodeId('channel', id);
    if (uuid === undefined || !(await this.repository.delete(tenantId, uuid))) throw notFound('Channel');
    this.directory.forget(tenantId);
  }

  private valuesOf(body: CreateChannelDto): ChannelValues {
    const model = chatModelOf(body.provider);
    return {
      name: body.name,
      provider: body.provider,
      base_url: body.baseUrl === undefined ? (model?.defaultBaseUrl ?? '') : this.urlOf(body.baseUrl),
      model: body.model ?? model?.defaultModel ?? '',
      priority: body.priority ?? 0,
      weight: body.weight ?? 1,
      enabled: body.enabled ?? true,
      max_tokens: body.maxTokens ?? null,
      temperature: body.temperature ?? null,
      timeout_ms: body.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    };
  }

  private merged(before: ChannelValues, body: PatchChannelDto): ChannelValues {
    return {
      name: body.name ?? before.name,
      provider: body.provider ?? before.provider,
      base_url: body.baseUrl === undefined ? before.base_url : this.urlOf(body.baseUrl),
      model: body.model ?? before.model,
      priority: body.priority ?? before.priority,
      weight: body.weight ?? before.weight,
      enabled: body.enabled ?? before.enabled,
      max_tokens: body.maxTokens === undefined ? before.max_tokens : body.maxTokens,
      temperature: body.temperature === undefined ? before.temperature : body.temperature,
      timeout_ms: body.timeoutMs ?? before.timeout_ms,
    };
  }

  private urlOf(text: string): string {
    const url = publicUrl(text, 'baseUrl', this.config.allowPrivate);
    // Paths are put behind it.
    if (url.search !== '') throw invalid('baseUrl', 'baseUrl must not have a query');
    return url.href.replace(/\/+$/, '');
  }
}

function nameTaken(name: string): AppError {
  return new AppError('CONFLICT', `There is a channel "${name}" already`, { field: 'name' });
}

function channelView(row: ChannelRow): ChannelDto {
  return {
    id: encodeId('channel', row.channel_id),
    name: row.name,
    provider: row.provider,
    baseUrl: row.base_url,
    hasApiKey: row.has_api_key,
    model: row.model,
    priority: row.priority,
    weight: row.weight,
    enabled: row.enabled,
    maxTokens: row.max_tokens,
    temperature: row.temperature,
    timeoutMs: row.timeout_ms,
    createdAt: epochMs(row.created_at),
    updatedAt: epochMs(row.updated_at),
  };
}
