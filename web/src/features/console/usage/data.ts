import { bodyOf, type components, useApi } from '../../../api/client';
import { bytes } from '../live/format';
import { useTenant } from '../tenant';
import { type CursorList, PAGE_ROWS, useCursorList } from '../work/cursor';

export type Usage = components['schemas']['TenantUsageDto'];
export type Item = components['schemas']['TenantUsageItemDto'];
export type GroupBy = Usage['group_by'];

export interface Span {
  readonly from?: string;
  readonly to?: string;
}

export function useUsage(groupBy: GroupBy, span: Span): CursorList<Item, Usage> {
  const api = useApi();
  const [tenantId = ''] = useTenant();
  return useCursorList(['usage', tenantId, groupBy, span], (cursor) => {
    const query = {
      ...{ tenant_id: tenantId, group_by: groupBy, limit: PAGE_ROWS, ...span },
      ...(cursor !== undefined && { cursor }),
    };
    return bodyOf(api.GET('/admin/usage', { params: { query } }));
  });
}

const NUMBER = new Intl.NumberFormat();
const whole = (value: number): string => NUMBER.format(value);

/** A figure of an item. */
export interface Measure {
  readonly name: string;
  readonly title: string;
  readonly value: (item: Item) => number | undefined;
  readonly format: (value: number) => string;
}

/** In the order of the columns; an item has those that can be told of its kind. */
export const MEASURES: readonly Measure[] = [
  { name: 'messages', title: 'Messages', value: ({ messages }) => messages, format: whole },
  { name: 'runs', title: 'Answers', value: ({ runs }) => runs, format: whole },
  { name: 'prompt_tokens', title: 'Prompt tokens', value: ({ prompt_tokens: count }) => count, format: whole },
  { name: 'completion_tokens', title: 'Answer tokens', value: ({ completion_tokens: count }) => count, format: whole },
  { name: 'estimated_tokens', title: 'Estimated', value: ({ estimated_tokens: n }) => n, format: whole },
  { name: 'deliveries', title: 'Deliveries', value: ({ deliveries }) => deliveries, format: whole },
  { name: 'webhook_posts', title: 'Webhook posts', value: ({ webhook_posts: count }) => count, format: whole },
  { name: 'storage_bytes', title: 'Stored', value: ({ storage_bytes: count }) => count, format: bytes },
  { name: 'peak_connections', title: 'Peak connections', value: ({ peak_connections: n }) => n, format: whole },
];

const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'short', month: 'short', day: 'numeric', timeZone: 'UTC' });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });

/** @param day of UTC, 2026-11-29 */
export function dayWords(day: string, hasYear = false): string {
  return (hasYear ? DATE : DAY).format(new Date(day));
}

/** What an item is about, in words. */
export function nameOf(item: Item): string {
  if (item.channel === null) return '(ended before it had a channel)';
  if (item.preset === null) return '(of chats that are gone)';
  return item.day ?? item.user_id ?? item.room_id ?? item.channel ?? item.preset ?? '–';
}
