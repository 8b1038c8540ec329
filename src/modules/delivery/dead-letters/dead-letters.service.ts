import { Injectable } from '@nestjs/common';
import { AppError, invalid, notFound } from '../../../common/errors';
import { decodeId, encodeId } from '../../../common/ids';
import { DEFAULT_LIMIT } from '../../../common/limits';
import { Audit } from '../../../platform/audit';
import type { Caller } from '../../../platform/auth';
import { type EffectResult, Effects } from '../../../platform/idempotency';
import { TenantsService } from '../../tenants';
import type {
  DeadLetterFilterDto,
  DeadLettersDto,
  DeadLettersQueryDto,
  ReplayDeadLettersDto,
  ReplayedDto,
} from '../dto/dead-letter.dto';
import { type DeadLetterKind, DeadLetterRegistry, type DeadLetterSelection } from './sources';

/** Lists, replays and drops dead letters of all kinds. */
@Injectable()
export class DeadLettersService {
  constructor(
    private readonly registry: DeadLetterRegistry,
    private readonly tenants: TenantsService,
    private readonly effects: Effects,
    private readonly audit: Audit,
  ) {}

  async list(caller: Caller, query: DeadLettersQueryDto): Promise<DeadLettersDto> {
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const limit = query.limit ?? DEFAULT_LIMIT;
    const [failed_messages, failed_notifications, failed_webhooks] = await Promise.all([
      this.registry.list('message', tenantId, limit),
      this.registry.list('notification', tenantId, limit),
      this.registry.list('webhook', tenantId, limit),
    ]);
    return { failed_messages, failed_notifications, failed_webhooks };
  }

  /** Sends them once more; they stay listed until they are acknowledged or dropped. */
  async replay(caller: Caller, tenant: string | undefined, body: ReplayDeadLettersDto): Promise<ReplayedDto> {
    const tenantId = await this.tenants.scoped(caller, tenant);
    const { kind, selection } = selectionOf(body);
    const { replayed } = await this.effects.harmless<EffectResult & ReplayedDto>(caller, tenantId, async () => {
      if (selection === undefined) {
        this.audit.nothing(caller);
        return { status: 'ok', replayed: 0 };
      }
      await this.effects.announce(caller, tenantId, 'dead_letters.replay', {
        user: selection.userId,
        details: {
          asked: true,
          ids: selection.ids?.length,
          kind,
          room: selection.roomId && encodeId('room', selection.roomId),
          before: selection.before?.toISOString(),
        },
      });
      let count = 0;
      for (const [, source] of this.registry.all(kind)) count += await source.replay(tenantId, selection);
      return { status: 'ok', replayed: count };
    });
    return { replayed };
  }

  /** Forgets one. The message itself stays, and is sent on the next connect as long as it is not acknowledged. */
  async drop(caller: Caller, tenant: string | undefined, id: string): Promise<void> {
    const tenantId = await this.tenants.scoped(caller, tenant);
    const uuid = decodeId('deadLetter', id);
    if (uuid === undefined) throw notFound('Dead letter');
    const { status } = await this.effects.transaction<EffectResult, 'dead_letter.drop'>(
      caller,
      'drop dead letter',
      async (tx) => {
        for (const [, source] of this.registry.all())
          if (await source.drop(tx, tenantId, uuid)) return { status: 'ok' };
        return { status: 'not_found' };
      },
      { tenantId, audit: { action: 'dead_letter.drop', entry: () => ({ target: encodeId('deadLetter', uuid) }) } },
    );
    if (status !== 'ok') throw notFound('Dead letter');
  }
}

/** No selection: it names nothing that can exist. */
function selectionOf({ ids, filter }: ReplayDeadLettersDto): {
  readonly kind?: DeadLetterKind;
  readonly selection?: DeadLetterSelection;
} {
  if (ids !== undefined && filter !== undefined) throw invalid('filter', 'Give either ids or filter, not both');
  if (ids !== undefined) {
    const uuids = ids.flatMap((id) => decodeId('deadLetter', id) ?? []);
    return uuids.length === 0 ? {} : { selection: { ids: uuids } };
  }
  if (filter === undefined)
    throw new AppError('VALIDATION_ERROR', 'Give ids, or a filter ({} means all)', { field: 'ids' });
  return filtered(filter);
}

function filtered({ kind, room_id, user_id, before }: DeadLetterFilterDto): ReturnType<typeof selectionOf> {
  const roomId = decodeId('room', room_id);
  if (room_id !== undefined && roomId === undefined) return {};
  return {
    ...(kind === undefined ? {} : { kind }),
    selection: {
      ...(roomId === undefined ? {} : { roomId }),
      ...(user_id === undefined ? {} : { userId: user_id }),
      ...(before === undefined ? {} : { before: new Date(before) }),
    },
  };
}
