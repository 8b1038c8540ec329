import { Injectable } from '@nestjs/common';
import { invalid } from '../../common/errors';
import { encodeId } from '../../common/ids';
import { isoTime } from '../../common/time';
import type { Caller } from '../../platform/auth';
import { askedPage, type ListPage, pageOf } from '../../platform/http';
import { TenantsService } from '../tenants';
import type { TenantUsageDto, UsageGroup, TenantUsageItemDto, TenantUsageQueryDto } from './dto/usage.dto';
import { UsagePasses } from './usage-counter';
import { type DayRow, type GroupRow, type Range, UsageRepository, type UsageState } from './usage.repository';

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;
const DEFAULT_DAYS = 30;
/** Figures that are older are brought up to date before they are shown, as far as that is little work. */
const FRESH_MS = 10_000;
const STEPS_OF_A_CALL = 6;
const APPROXIMATE = ['deliveries', 'webhook_posts', 'peak_connections'];

interface Days {
  readonly from: string;
  readonly to: string;
}

/** What a tenant has used. */
@Injectable()
export class UsageService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly repository: UsageRepository,
    private readonly passes: UsagePasses,
  ) {}

  /** Throws 404 for another tenant, 400 for days that are none or too many. */
  async usage(caller: Caller, query: TenantUsageQueryDto): Promise<TenantUsageDto> {
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    let state = await this.repository.state(tenantId);
    const days = daysOf(query, state.today);
    const group = query.group_by ?? 'day';
    const read = this.reader(tenantId, group, query, days);
    if (isStale(state) && (await this.passes.pass(tenantId, STEPS_OF_A_CALL)))
      state = await this.repository.state(tenantId);
    const { complete_to } = state;
    return {
      tenant_id: encodeId('tenant', tenantId),
      ...{ from: days.from, to: days.to, group_by: group },
      ...(await read()),
      complete_to: complete_to === null ? null : isoTime(complete_to),
      approximate: APPROXIMATE,
    };
  }

  /** How the page is read. Throws at once for a cursor of another list. */
  private reader(
    tenantId: string,
    group: UsageGroup,
    query: TenantUsageQueryDto,
    days: Days,
  ): () => Promise<ListPage<TenantUsageItemDto>> {
    if (group === 'day') return this.dayReader(tenantId, query, days);
    const { limit, after } = askedPage(query, [group === 'chat' ? 'uuid' : 'text']);
    const range: Range<string> = { ...days, after: after?.[0], limit: limit + 1 };
    const rows = (): Promise<GroupRow[]> =>
      group === 'user'
        ? this.repository.users(tenantId, range)
        : group === 'chat'
          ? this.repository.chats(tenantId, range)
          : this.repository.models(tenantId, group, range);
    return async () =>
      pageOf(
        await rows(),
        limit,
        ({ key }) => [key],
        (row) => groupView(group, row),
      );
  }

  private dayReader(
    tenantId: string,
    query: TenantUsageQueryDto,
    days: Days,
  ): () => Promise<ListPage<TenantUsageItemDto>> {
    const { limit, after: [after] = [] } = askedPage(query, ['text']);
    if (after !== undefined && !isDay(after)) throw invalid('cursor', 'cursor must be the `next` of an answer by days');
    const isThrough = after !== undefined && after >= days.to;
    const from = after === undefined || after < days.from || isThrough ? days.from : moved(after, 1);
    return async () =>
      pageOf(
        isThrough ? [] : await this.repository.days(tenantId, { from, to: days.to, limit: limit + 1 }),
        limit,
        ({ day }) => [day],
        dayView,
      );
  }
}

function isStale({ now, complete_to }: UsageState): boolean {
  return complete_to === null || now.getTime() - complete_to.getTime() > FRESH_MS;
}

function daysOf(query: TenantUsageQueryDto, today: string): Days {
  for (const field of ['from', 'to'] as const) {
    const day = query[field];
    if (day !== undefined && !isDay(day)) throw invalid(field, `${field} must be a day that exists, from year 1970 on`);
  }
  const to = query.to ?? today;
  const from = query.from ?? moved(to, 1 - DEFAULT_DAYS);
  if (from > to) throw invalid('from', 'from must not be after to (default today)');
  if (startOf(to) - startOf(from) >= MOST_DAYS * DAY_MS)
    throw invalid('from', `from and to must be at most ${MOST_DAYS} days`);
  return { from, to };
}

function isDay(text: string): boolean {
  const ms = startOf(text);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && ms >= 0 && dayOf(ms) === text;
}

function moved(day: string, days: number): string {
  return dayOf(startOf(day) + days * DAY_MS);
}

function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

function dayOf(ms: number): string {
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 10);
}

function dayView({ day, messages_sent, ...figures }: DayRow): TenantUsageItemDto {
  return { day, messages: messages_sent, ...figures };
}

function groupView(group: Exclude<UsageGroup, 'day'>, { key, messages_sent, ...tokens }: GroupRow): TenantUsageItemDto {
  const figures = { ...(messages_sent !== undefined && { messages: messages_sent }), ...tokens };
  if (group === 'user') return { user_id: key, ...figures };
  if (group === 'chat') return { room_id: encodeId('room', key), ...figures };
  return { [group]: key === '' ? null : key, ...figures };
}
