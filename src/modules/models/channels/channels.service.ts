import { Injectable } from '@nestjs/common';
import { AppError, notFound } from '../../../common/errors';
import { decodeId, newUuid } from '../../../common/ids';
import type { PageRequest } from '../../../common/limits';
import type { Caller } from '../../../platform/auth';
import { Effects } from '../../../platform/idempotency';
import type {
  ChannelDto,
  ChannelPageDto,
  CreateChannelDto,
  EnvironmentChannelDto,
  PatchChannelDto,
} from '../dto/channel.dto';
import { camelPageInfo } from '../views';
import { ChannelDirectory, ChannelKeys } from './channel-directory';
import { ChannelViews } from './channels.views';
import { type ChannelRow, ChannelsRepository } from './channels.repository';

const MAX_CHANNELS = 50;

type Created =
  { readonly status: 'ok'; readonly channel: ChannelRow } | { readonly status: 'full' } | { readonly status: 'taken' };

/** A tenant's own ways to models. */
@Injectable()
export class ChannelsService {
  constructor(
    private readonly repository: ChannelsRepository,
    private readonly directory: ChannelDirectory,
    private readonly keys: ChannelKeys,
    private readonly effects: Effects,
    private readonly views: ChannelViews,
  ) {}

  /** @throws 404 where the environment names no provider */
  environment(): EnvironmentChannelDto {
    return this.views.environment();
  }

  async create(caller: Caller, body: CreateChannelDto): Promise<ChannelDto> {
    const { tenantId } = caller;
    const values = this.views.valuesOf(body);
    const id = newUuid();
    const apiKey = this.keys.seal(tenantId, id, body.apiKey ?? null);
    const result = await this.effects.transaction<Created>(caller, 'create channel', async (tx) => {
      const channel = { ...values, tenant_id: tenantId, channel_id: id, api_key: apiKey };
      const row = await this.repository.create(tx, channel, MAX_CHANNELS);
      return typeof row === 'string' ? { status: row } : { status: 'ok', channel: row };
    });
    if (result.status === 'full') throw new AppError('CONFLICT', `A tenant has at most ${MAX_CHANNELS} channels`);
    if (result.status === 'taken') throw nameTaken(values.name);
    this.directory.forget(tenantId);
    return this.views.view(result.channel);
  }

  async list({ tenantId }: Caller, page: PageRequest): Promise<ChannelPageDto> {
    const [rows, total] = await Promise.all([this.repository.list(tenantId, page), this.repository.count(tenantId)]);
    return { channels: rows.map((row) => this.views.view(row)), ...camelPageInfo(page, rows.length, total) };
  }

  async get({ tenantId }: Caller, id: string): Promise<ChannelDto> {
    const uuid = decodeId('channel', id);
    const row = uuid === undefined ? undefined : await this.repository.find(tenantId, uuid);
    if (row === undefined) throw notFound('Channel');
    return this.views.view(row);
  }

  async change({ tenantId }: Caller, id: string, body: PatchChannelDto): Promise<ChannelDto> {
    const uuid = decodeId('channel', id);
    if (uuid === undefined) throw notFound('Channel');
    const apiKey = body.apiKey === undefined ? undefined : this.keys.seal(tenantId, uuid, body.apiKey);
    const row = await this.repository.change(tenantId, uuid, (before) => this.views.merged(before, body), apiKey);
    if (row === undefined) throw notFound('Channel');
    if (row === 'taken') throw nameTaken(body.name ?? '');
    this.directory.forget(tenantId);
    return this.views.view(row);
  }

  async delete({ tenantId }: Caller, id: string): Promise<void> {
    const uuid = decodeId('channel', id);
    if (uuid === undefined || !(await this.repository.delete(tenantId, uuid))) throw notFound('Channel');
    this.directory.forget(tenantId);
  }
}

function nameTaken(name: string): AppError {
  return new AppError('CONFLICT', `There is a channel "${name}" already`, { field: 'name' });
}
