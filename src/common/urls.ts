import { domainToUnicode } from 'node:url';

/**
 * Scheme, host, perhaps a port of 1 to 65535, and the rest, without blanks, control and format characters and
 * backslashes; in the host no escapes.
 */
const PLAIN =
  /^https?:\/\/(?:\[[0-9a-f:.]+\]|[^\s\p{Cc}\p{Cf}\p{Cs}\\/?#@:[\]%]+)(?::[1-9]\d{0,4})?(?:[/?#][^\s\p{Cc}\p{Cf}\p{Cs}\\]*)?$/iu;
const MAX_HOST = 253;
const MAX_LABEL = 63;

/**
 * An http or https URL that means to every program what it means to us, without credentials; undefined for all others. `URL`
 * alone mends what it is given: it makes a host `unix` of `http://unix:/tmp/x:/` (a socket's path to other libraries),
 * `a` of `http:///a` and of `http:a`, and drops blanks, tabs and an empty port.
 */
export function httpUrl(text: string): URL | undefined {
  if (!PLAIN.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const labels = url.hostname.replace(/\.$/, '').split('.');
  const isName = url.hostname.length <= MAX_HOST && labels.every(({ length }) => length > 0 && length <= MAX_LABEL);
  // Newer versions of Node take Punycode that stands for nothing.
  const isReadable = !/(?:^|\.)xn--/.test(domainToUnicode(url.hostname));
  return isName && isReadable ? url : undefined;
}

const REDIS_SHAPE =
  'must be redis://user:password@host:port/database each, or rediss://, comma-separated; user, password, port and database may be left out, and /?#@,% in a password are written as %2F and so on';

/**
 * What is wrong with the address of a Redis, in words that follow the name of a setting and repeat nothing of it; undefined:
 * nothing.
 */
export function redisFault(item: string): string | undefined {
  if (!URL.canParse(item)) return REDIS_SHAPE;
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(item);
  const isRedis = /^rediss?:$/.test(protocol) && hostname !== '' && /^(\/\d{0,4})?$/.test(pathname);
  if (!isRedis || search !== '' || hash !== '') return REDIS_SHAPE;
  try {
    decodeURIComponent(username);
    decodeURIComponent(password);
    return undefined;
  } catch {
    return REDIS_SHAPE;
  }
}

/** Schemes whose pages are no app, or whose URLs have no host that names their owner. */
const NO_APP = new Set(['ws', 'wss', 'ftp', 'blob', 'data', 'javascript', 'about', 'filesystem', 'view-source']);
/** Stands for the label of a wildcard while the URL is parsed. */
const LABEL = 'wildcard-label';
const ANY_LABEL = '[a-z0-9_-]+';
/** Lists come with each request and stay the same for long. */
const matchersOf = new WeakMap<readonly string[], (string | RegExp)[]>();

/** What is wrong with an item of a list of origins, in words that follow its name; undefined: nothing. */
export function originFault(item: string): string | undefined {
  const read = readOrigin(item);
  return 'fault' in read ? read.fault : undefined;
}

/**
 * An item of a list of origins as browsers write it in `Origin`, which is `URL.origin`: lower case, punycode, no default
 * port, no slash at the end. `https://*.example.com` stands for any one label in place of the star. `null` and `file://`
 * are the same: pages that have no origin, such as local files. An item that is none stays as it is.
 */
export function normalOrigin(item: string): string {
  const read = readOrigin(item);
  return 'fault' in read ? item : read.origin;
}

/** What lets the origins of a list in: texts that an `Origin` is equal to, or patterns that it matches as a whole. */
export function originMatchers(items: readonly string[]): (string | RegExp)[] {
  return items.map(normalOrigin).flatMap((origin): (string | RegExp)[] => {
    if (origin === 'null') return ['null', 'file://'];
    const [scheme, rest] = origin.split('://*.', 2);
    if (rest === undefined) return [origin];
    return [new RegExp(`^${escaped(scheme ?? '')}://${ANY_LABEL}\\.${escaped(rest)}$`)];
  });
}

/** Whether a list lets an `Origin` in. Clients that are no browsers may write it in capitals. */
export function listsOrigin(items: readonly string[], origin: string): boolean {
  const wanted = origin.toLowerCase();
  let matchers = matchersOf.get(items);
  if (matchers === undefined) matchersOf.set(items, (matchers = originMatchers(items)));
  return matchers.some((item) => (typeof item === 'string' ? item === wanted : item.test(wanted)));
}

function readOrigin(item: string): { readonly origin: string } | { readonly fault: string } {
  const text = item.trim();
  if (/^null$/i.test(text) || /^file:\/{2,3}$/i.test(text)) return { origin: 'null' };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { fault: 'must be an origin such as https://app.example.com' };
  if (scheme === 'file' || NO_APP.has(scheme)) return { fault: `must not begin with ${scheme}://` };
  return scheme === 'http' || scheme === 'https' ? readWebOrigin(text) : readAppOrigin(text, scheme);
}

function readWebOrigin(text: string): { readonly origin: string } | { readonly fault: string } {
  const isWild = /^https?:\/\/\*\./i.test(text);
  const plain = isWild ? text.replace('*.', `${LABEL}.`) : text;
  if (plain.includes('*')) return { fault: 'may have a * only as the whole first label, as in https://*.example.com' };
  const url = URL.canParse(plain) ? new URL(plain) : undefined;
  if (url === undefined) return { fault: 'must be an origin such as https://app.example.com' };
  if (url.username !== '' || url.password !== '') return { fault: 'must not hold a user or password' };
  if (url.pathname !== '/' || /[?#\\]/.test(plain)) return { fault: 'must end after the host and port' };
  if (!isWild) return { origin: url.origin };
  const host = url.hostname.slice(LABEL.length + 1);
  if (host === '' || /^[\d.]+$/.test(host)) return { fault: 'may have a * in front of a name only' };
  return { origin: url.origin.replace(`${LABEL}.`, '*.') };
}

/** Web views and extensions: `capacitor://localhost`, `chrome-extension://<id>`, `app://.`; they write no port and no path. */
function readAppOrigin(text: string, scheme: string): { readonly origin: string } | { readonly fault: string } {
  const host = text.slice(scheme.length + 3).replace(/\/$/, '');
  if (!/^[a-z0-9._-]+(:\d{1,5})?$/i.test(host)) return { fault: `must be ${scheme}:// and a host` };
  return { origin: `${scheme}://${host.toLowerCase()}` };
}

function escaped(text: string): string {
  return text.replace(/[.+*?^${}()|[\]\\]/g, '\\$&');
}
