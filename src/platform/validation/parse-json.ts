import secureJsonParse from 'secure-json-parse';
import { AppError } from '../../common/errors';
import { findInexactNumber, glanceAt, jsonBytes, MAX_JSON_DEPTH } from '../../common/text';

const MAX_SHOWN = 100;
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
export class JsonRefused extends Error {
  constructor(
    message: string,
    /** Path of what is refused, where it is one value. */
    readonly field?: string,
    /** What the text holds, where it is JSON and one value alone is refused. */
    readonly value?: unknown,
  ) {
    super(message);
  }
}

/** 400 for a text, e.g. `The body`, that names the field where there is one. */
export function refused(what: string, { message, field }: JsonRefused): AppError {
  const about = field === undefined || field === '' ? {} : { field };
  return new AppError('VALIDATION_ERROR', `${what} ${message}`, about);
}

/**
 * Parses a JSON text from outside: at most `maxDepth` levels, no byte order mark, no key that could reach a prototype
 * (`__proto__`, `constructor.prototype`), no number that would come back as another one. Depth is measured before the
 * parse: deeper values overflow the stack of whatever walks them later. Throws JsonRefused.
 */
export function parseJson(text: string, maxDepth = MAX_JSON_DEPTH): unknown {
  const glance = glanceAt(text, maxDepth);
  if (glance === 'deep') throw new JsonRefused(`nests deeper than ${maxDepth} levels`);
  if (text.charCodeAt(0) === 0xfeff) throw new JsonRefused('begins with a byte order mark');
  const value = parsed(text);
  if (glance === 'numbers') refuseInexact(text, value);
  return value;
}

function parsed(text: string): unknown {
  try {
    return secureJsonParse.parse(text, undefined, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    throw new JsonRefused('is not valid JSON, or holds a forbidden key such as __proto__');
  }
}

/** Two bodies that differ in such a number alone would count as the same, and a client would get back another id. */
function refuseInexact(text: string, value: unknown): void {
  const field = findInexactNumber(text)?.slice(0, MAX_SHOWN).toWellFormed();
  if (field === undefined) return;
  const where = field === '' ? '' : ` at ${field}`;
  throw new JsonRefused(
    `holds a number${where} that would come back as another one; send it as a string`,
    field,
    value,
  );
}
