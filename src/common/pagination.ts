/** Pages as every list has them: `limit` default 50, max 100; `offset` default 0. */
export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 100;

export interface PageRequest {
  readonly limit: number;
  readonly offset: number;
}

export interface PageInfo {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly has_more: boolean;
}

/** Fills in the defaults; the bounds were checked with the query DTO. */
export function pageRequest(query: { limit?: number; offset?: number }): PageRequest {
  return { limit: query.limit ?? DEFAULT_LIMIT, offset: query.offset ?? 0 };
}

/** The metadata that goes beside a page of `returned` items. */
export function pageInfo(page: PageRequest, returned: number, total: number): PageInfo {
  return { total, offset: page.offset, limit: page.limit, has_more: page.offset + returned < total };
}
