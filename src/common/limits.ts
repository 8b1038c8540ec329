/** The contract's limits that several APIs share (contract §3). Characters are Unicode code points. */

/** Characters of a message's content. */
export const MAX_CONTENT = 32_768;
/** Bytes of a message's `meta`, as JSON. */
export const MAX_META_BYTES = 16 * 1024;
/** Characters. */
export const MAX_CLIENT_MESSAGE_ID = 64;
/** Characters of the key of a reaction. */
export const MAX_REACTION_KEY = 64;
/** Characters of the id that a user's own client gives a chat. */
export const MAX_EXTERNAL_CHAT_ID = 64;
/** Bytes of the metadata of a room or a chat, as JSON. */
export const MAX_METADATA_BYTES = 8 * 1024;
/** Characters of the name of a room, a chat's title among them. */
export const MAX_ROOM_NAME = 200;
/** Characters of the name of a preset. */
export const MAX_PRESET_NAME = 128;
/** Longest overlap of the old and the new secret of a rotation: 30 days, in seconds. */
export const MAX_OVERLAP_SECONDS = 30 * 86_400;
/** Bytes that wait for a reader that does not read, on a socket or a stream, before it is cut; it may reconnect. */
export const MAX_WAITING_BYTES = 1024 * 1024;

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
