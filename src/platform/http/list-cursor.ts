/**
 * Long lists are read on from a key, not by an offset: a page costs the same wherever it is, and what is added or removed
 * meanwhile neither doubles nor hides an item. Clients get the key of the last item that they have, opaque to them:
 * base64url of a JSON array.
 */
import { invalid } from '../../common/errors';
import { isUuid } from '../../common/ids';
import { DEFAULT_LIMIT } from '../../common/limits';
import { isStorableText } from '../../common/text';
import type { CursorQueryDto } from './dto/page.dto';

/** What a part of a key can be. */
interface KeyParts {
  /** Dashed. */
  readonly uuid: string;
  readonly text: string;
  /** From 0 to 2^53 - 1. */
  readonly integer: number;
  /** As `toISOString` writes it: exact to the millisecond. */
  readonly time: string;
}

type KeyPart = keyof KeyParts;
type Key<P extends readonly KeyPart[]> = { readonly [I in keyof P]: KeyParts[P[I]] };

const FITS: Readonly<Record<KeyPart, (value: unknown) => boolean>> = {
  uuid: (value) => typeof value === 'string' && isUuid(value),
  text: (value) => typeof value === 'string' && isStorableText(value),
  integer: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
  time: (value) => typeof value === 'string' && isIsoTime(value),
};

/** Which part of a list is asked for. */
export interface AskedPage<K> {
  /** Most items, 1 to 100. Read one row more: it tells whether there is a page after this one. */
  readonly limit: number;
  /** Key of the last item that the client has; undefined: from the beginning. */
  readonly after: K | undefined;
}

/** One page of a list, as it is answered. */
export interface ListPage<T> {
  readonly items: T[];
  /** The cursor of the page after this one; null: this is the last one. */
  readonly next: string | null;
}

/**
 * What a query asks for. Throws 400 for a cursor that no list with such keys has given.
 * @param parts what the keys of the list consist of, in its order
 * @param field what the query calls the cursor
 */
export function askedPage<const P extends readonly KeyPart[]>(
  query: CursorQueryDto,
  parts: P,
  field = 'cursor',
): AskedPage<Key<P>> {
  return {
    limit: query.limit ?? DEFAULT_LIMIT,
    after: query.cursor === undefined ? undefined : keyOf(query.cursor, parts, field),
  };
}

/**
 * The page that rows make.
 * @param rows in the list's order, after the given key, at most one more than `limit`
 */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  keyOfRow: (row: R) => readonly (string | number)[],
  view: (row: R) => T,
): ListPage<T> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { items: shown.map(view), next: last === undefined ? null : cursorOf(keyOfRow(last)) };
}

/** Names a place in a list: `askedPage` reads it back. */
export function cursorOf(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function keyOf<P extends readonly KeyPart[]>(cursor: string, parts: P, field: string): Key<P> {
  const key = decoded(cursor);
  const fits = Array.isArray(key) && key.length === parts.length && parts.every((part, i) => FITS[part](key[i]));
  if (!fits) throw invalid(field, `${field} must be the \`next\` of an earlier answer of this list`);
  return key as unknown as Key<P>;
}

function isIsoTime(value: string): boolean {
  const time = new Date(value);
  return !Number.isNaN(time.getTime()) && time.toISOString() === value;
}

function decoded(cursor: string): unknown {
  const bytes = Buffer.from(cursor, 'base64url');
  // Node passes over what is no base64url; here it is a fault.
  if (bytes.toString('base64url') !== cursor) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
