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
 * An http or https URL that means to everybody what it means to us, without credentials; undefined for all others. `URL`
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
