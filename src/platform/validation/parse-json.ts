import secureJsonParse from 'secure-json-parse';
import { jsonBytes, MAX_JSON_DEPTH, nestsDeeperThan } from '../../common/text';

/** Largest body or frame as UTF-8 JSON in which nothing is escaped that need not be, in bytes (contract §1). */
const MAX_JSON_BYTES = 256 * 1024;
/**
 * Largest body or frame as it is sent, in bytes. Many libraries write whatever is no ASCII as escapes: `é` becomes
 * `\u00e9`, an emoji two of them. That makes three bytes of one, and what is legal must not depend on it.
 */
export const MAX_SENT_JSON_BYTES = 3 * MAX_JSON_BYTES;

/** Whether a value is larger than a body or frame may be; `sentBytes`: how it came. Costs something beyond 256 KB only. */
export function isTooLarge(value: unknown, sentBytes: number): boolean {
  return sentBytes > MAX_JSON_BYTES && jsonBytes(value) > MAX_JSON_BYTES;
}

/** Why a JSON text is refused, as a sentence without a subject, e.g. `is not valid JSON`. */
export class JsonRefused extends Error {}

/**
 * Parses a JSON text from outside: at most `maxDepth` levels, no byte order mark, no key that could reach a prototype
 * (`__proto__`, `constructor.prototype`). Depth is measured before the parse: deeper values overflow the stack of
 * whatever walks them later. Throws JsonRefused.
 */
export function parseJson(text: string, maxDepth = MAX_JSON_DEPTH): unknown {
  // Shorter texts cannot nest deeper.
  if (text.length > maxDepth && nestsDeeperThan(text, maxDepth))
    throw new JsonRefused(`nests deeper than ${maxDepth} levels`);
  if (text.charCodeAt(0) === 0xfeff) throw new JsonRefused('begins with a byte order mark');
  try {
    return secureJsonParse.parse(text, undefined, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    throw new JsonRefused('is not valid JSON, or holds a forbidden key such as __proto__');
  }
}
