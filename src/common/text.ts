/** What a string may hold, how long it is, what a JSON object is and how large: the rules of contract §1. */

/** A string that PostgreSQL and UTF-8 can hold: no NUL, no lone surrogate. */
export function isStorableText(value: string): boolean {
  return !value.includes('\u0000') && value.isWellFormed();
}

/** Length in Unicode code points; an emoji of four bytes counts one. */
export function codePoints(value: string): number {
  let n = value.length;
  for (let i = 0; i < value.length - 1; i++) {
    const unit = value.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      n--;
      i++;
    }
  }
  return n;
}

/** Blanks, controls, and what no font shows: joiners, marks of direction, fillers, the empty braille cell. */
const INVISIBLE = /^[\s\p{Z}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\uFFF9-\uFFFB]*$/u;

/** Whether a text shows nothing to its reader. */
export function isBlank(value: string): boolean {
  const first = value.charCodeAt(0);
  // Nearly every text begins with a character that can be seen.
  return !(first > 0x20 && first < 0x7f) && INVISIBLE.test(value);
}

let segmenter: Intl.Segmenter | undefined;

/** The first `most` characters as people count them (grapheme clusters); the same text where it has no more. */
export function firstGraphemes(text: string, most: number): string {
  // A grapheme has at least one unit; a line feed after a carriage return is the only ASCII one with two.
  if (text.length <= most) return text;
  if (/^[\t\n\x20-\x7e]+$/.test(text.slice(0, most + 1))) return text.slice(0, most);
  segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  let count = 0;
  for (const { index } of segmenter.segment(text)) if (count++ === most) return text.slice(0, index);
  return text;
}

/** How a message begins, as lists show it. */
export interface Preview {
  readonly text: string;
  /** There is more of it. */
  readonly truncated: boolean;
}

const PREVIEW_GRAPHEMES = 280;

/** So many code points of a message are enough to make its preview; one that has fewer is whole. */
export const PREVIEW_READ = 4096;

/** @param beginning the first PREVIEW_READ code points of a message */
export function preview(beginning: string): Preview {
  const text = firstGraphemes(beginning, PREVIEW_GRAPHEMES);
  return { text, truncated: text.length < beginning.length || codePoints(beginning) >= PREVIEW_READ };
}

/**
 * The same well-formed text in one piece, for what is kept long: V8 keeps a text that was put together as the tree of
 * its parts, and one that was cut out of a longer one together with that.
 */
export function flat(value: string): string {
  return Buffer.from(value).toString();
}

/** Deepest nesting of arrays and objects that a request may hold. */
export const MAX_JSON_DEPTH = 32;

/** Digits that every double keeps: a number that has no more, and no exponent, comes back as it was sent. */
const SAFE_DIGITS = 15;

/**
 * What a look at a JSON text tells without a parse, and without recursion: `deep` where brackets outside of strings nest
 * deeper than `max`; `numbers` where a number is so long, or has an exponent, that a double may not hold it.
 */
export function glanceAt(json: string, max: number): 'deep' | 'numbers' | undefined {
  let depth = 0;
  let inString = false;
  let digits = 0;
  let isLong = false;
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
      continue;
    }
    if (c >= 0x30 && c <= 0x39) {
      if (++digits > SAFE_DIGITS) isLong = true;
      continue;
    }
    if (digits > 0 && c !== 0x2e) {
      // `true` and `false` have an e too, but no digit before it.
      if (c === 0x65 || c === 0x45) isLong = true;
      digits = 0;
    }
    if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > max) return 'deep';
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return isLong ? 'numbers' : undefined;
}

const TOKEN = /"(?:\\.|[^"\\])*"|-?\d[\d.eE+-]*|[{}[\]:,]/g;

/**
 * Path of the first number in a valid JSON text that is another one once it is a double, e.g. 9007199254740993 or 1e400;
 * undefined where all come back as they were sent.
 */
export function findInexactNumber(json: string): string | undefined {
  /** Names of the fields, and indexes of the items, that lead to where the look is. */
  const path: (string | number)[] = [];
  let isName = false;
  for (const [token] of json.matchAll(TOKEN)) {
    const last = path.length - 1;
    const here = path[last];
    if (token === '{' || token === '[') {
      isName = token === '{';
      path.push(isName ? '' : 0);
    } else if (token === '}' || token === ']') path.pop();
    else if (token === ',') {
      isName = typeof here === 'string';
      if (typeof here === 'number') path[last] = here + 1;
    } else if (token === ':') isName = false;
    else if (token.startsWith('"')) {
      if (isName) path[last] = JSON.parse(token) as string;
    } else if (!isExact(token)) return pathText(path);
  }
  return undefined;
}

function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

function isExact(literal: string): boolean {
  return decimal(literal) === decimal(String(Number(literal)));
}

/** The same text for the same number: its significant digits and where the point stands among them. */
function decimal(literal: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return literal.startsWith('I') || literal.startsWith('-I') ? literal : '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/**
 * Path of the first thing anywhere in a parsed JSON value that cannot be stored as it was sent: a string, key or
 * value, with NUL or a lone surrogate, or a number too large for a double (it would come back as null). undefined
 * when there is none.
 */
export function findUnstorable(value: unknown, path = ''): string | undefined {
  if (typeof value === 'string') return isStorableText(value) ? undefined : path;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    if (!isStorableText(key)) return path;
    const found = findUnstorable(child, Array.isArray(value) ? `${path}[${key}]` : path ? `${path}.${key}` : key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Size of a value as UTF-8 JSON, in bytes. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

/** JSON with object keys sorted at every level: the same value gives the same text. For fingerprints only. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : child,
  );
}

/** What a user id may look like: 1–128 printable ASCII characters without spaces and commas. */
export const USER_ID_PATTERN = '^[\\x21-\\x2b\\x2d-\\x7e]{1,128}$';
const USER_ID = new RegExp(USER_ID_PATTERN);

/** User ids that belong to the server's own agents. */
export const AGENT_PREFIX = 'agent_';

/** What stands for users who were erased. */
export const ERASED_PREFIX = 'erased_';

/** What a text begins with that no user id may begin with; undefined: nothing of that kind. */
export function reservedPrefixOf(value: string): string | undefined {
  return [AGENT_PREFIX, ERASED_PREFIX].find((prefix) => value.startsWith(prefix));
}

/** Why a user id is refused, or undefined when it is fine. */
export function userIdFault(value: string): string | undefined {
  if (!USER_ID.test(value)) return 'must be 1-128 printable ASCII characters without spaces and commas';
  const reserved = reservedPrefixOf(value);
  if (reserved !== undefined) return `must not begin with ${reserved}`;
  return undefined;
}

/**
 * What stands for a client's address where addresses are counted: IPv4 as it is, of IPv6 the /64 that a household or a
 * server has for itself, since one client may use any address of it.
 */
export function addressGroup(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  if (!ip.includes(':')) return ip;
  const [head = '', tail] = (ip.split('%', 1)[0] ?? '').toLowerCase().split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined) while (groups.length + after.length < 8) groups.push('0');
  const network = [...groups, ...after].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}

/** An object of a document that nobody has checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** An object as JSON knows it: neither null nor an array. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
