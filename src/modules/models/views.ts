import { pageInfo, type PageRequest } from '../../common/limits';

/** As the Conversations API tells times; from a row, or from what a function of the schema returned. */
export function epochMs(time: Date | string): number {
  return new Date(time).getTime();
}

/** The metadata beside a page, as the Conversations API spells it. */
export interface CamelPageInfo {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly hasMore: boolean;
}

export function camelPageInfo(page: PageRequest, returned: number, total: number): CamelPageInfo {
  const { has_more: hasMore, ...rest } = pageInfo(page, returned, total);
  return { ...rest, hasMore };
}

/** What is sent, else what was there; null takes it away. */
export function later<T>(before: T | undefined, sent: T | null | undefined): T | undefined {
  return sent === undefined ? before : (sent ?? undefined);
}
