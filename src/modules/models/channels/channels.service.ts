import { Injectable } from '@nestjs/common';
import { AppError, notFound } from '../../../common/errors';
import { decodeId, encodeId, newUuid } from '../../../common/ids';
import type { PageRequest } from '../../../common/limits';
import { type AuditFields, shownUrl } from '../../../platform/audit';
import type { Caller } from '../../../platform/auth';
import { Effects } from '../../../platform/idempotency';
import type {
  ChannelDto,
  ChannelPageDto,
  ChannelTestDto,
  CreateChannelDto,
  EnvironmentChannelDto,
  PatchChannelDto,
} from '../dto/channel.dto';
import { camelPageInfo } from '../views';
import { ChannelDirectory, ChannelKeys } from './channel-directory';
import { ChannelTests } from './channel-tests';
import { ChannelViews } from './channels.views';
import { type ChannelRow, ChannelsRepository, type ChannelValues, isTaken } from './channels.repository';

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
    private readonly tests: ChannelTests,
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
    const result = await this.effects.transaction<Created, 'channel.create'>(
      caller,
      'create channel',
      async (tx) => {
        const channel = { ...values, tenant_id: tenantId, channel_id: id, api_key: apiKey };
        const row = await this.repository.create(tx, channel, MAX_CHANNELS);
        return typeof row === 'string' ? { status: row } : { status: 'ok', channel: row };
      },
      {
        audit: {
          action: 'channel.create',
          entry: (made) =>
            made.status === 'ok' ? { ...targetOf(made.channel), after: audited(made.channel) } : undefined,
        },
      },
    );
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

  async test({ tenantId }: Caller, id: string): Promise<ChannelTestDto> {
    const uuid = decodeId('channel', id);
    // As it is now, and not as this node knew it two seconds ago.
    this.directory.forget(tenantId);
    const channel = (await this.directory.of(tenantId)).find((each) => each.id === uuid);
    if (channel === undefined) throw notFound('Channel');
    return this.views.tested(await this.tests.run(tenantId, channel));
  }

  async change(caller: Caller, id: string, body: PatchChannelDto): Promise<ChannelDto> {
    const { tenantId } = caller;
    const uuid = decodeId('channel', id);
    if (uuid === undefined) throw notFound('Channel');
    const apiKey = body.apiKey === undefined ? undefined : this.keys.seal(tenantId, uuid, body.apiKey);
    const change = (before: ChannelValues): ChannelValues => this.views.merged(before, body);
    const call = this.effects.transaction(
      caller,
      'change channel',
      async (tx) => ({ status: 'ok', changed: await this.repository.change(tx, tenantId, uuid, change, apiKey) }),
      {
        audit: {
          action: 'channel.update',
          entry: ({ changed }) =>
            changed && {
              ...targetOf(changed.after),
              before: audited(changed.before),
              after: audited(changed.after, apiKey !== undefined),
            },
        },
      },
    );
    const { changed } = await call.catch((error: unknown) => {
      throw isTaken(error) ? nameTaken(body.name ?? '') : error;
    });
    if (changed === undefined) throw notFound('Channel');
    this.directory.forget(tenantId);
    return this.views.view(changed.after);
  }

  async delete(caller: Caller, id: string): Promise<void> {
    const { tenantId } = caller;
    const uuid = decodeId('channel', id);
    if (uuid === undefined) throw notFound('Channel');
    const { gone } = await this.effects.transaction(
      caller,
      'delete channel',
      async (tx) => ({ status: 'ok', gone: await this.repository.delete(tx, tenantId, uuid) }),
      {
        audit: {
          action: 'channel.delete',
          entry: ({ gone }) => gone && { ...targetOf(gone), before: audited(gone) },
        },
      },
    );
    if (gone === undefined) throw notFound('Channel');
    this.directory.forget(tenantId);
  }
}

function targetOf({ channel_id }: ChannelRow): { readonly target: string } {
  return { target: encodeId('channel', channel_id) };
}

/** @param isNewKey its key is another one than before */
function audited(row: ChannelRow, isNewKey = false): AuditFields<'channel.update'> {
  const { channel_id: _, has_api_key, created_at: _created, updated_at: _updated, base_url, ...values } = row;
  return { ...values, base_url: shownUrl(base_url), api_key: has_api_key ? (isNewKey ? 'new' : 'old') : null };
}

function nameTaken(name: string): AppError {
  return new AppError('CONFLICT', `There is a channel "${name}" already`, { field: 'name' });
}
