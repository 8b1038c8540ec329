import secureJsonParse from 'secure-json-parse';
import { MAX_JSON_DEPTH, nestsDeeperThan } from '../../common/text';

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
