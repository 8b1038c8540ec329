import ipaddr from 'ipaddr.js';
import { lookup, Resolver } from 'node:dns/promises';
import http, { type ClientRequest } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { invalid } from '../../common/errors';
import { httpUrl } from '../../common/urls';

/** Finds the addresses of a name. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Per server of the system and try. */
const TIMEOUT_MS = 3000;
const TRIES = 2;

/**
 * Asks the name servers, and not the system's own look-up: that would hold one of four threads for as long as a hostile
 * name server likes, and what only the hosts file knows is private anyway.
 */
export const resolvePublic: Resolve = async (host, signal) => {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const [first] = answers;
    if (found.length === 0 && first.status === 'rejected') throw first.reason as Error;
    return found;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

/** Where private targets are allowed: names of this host and its network count. */
export const resolveAny: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/** What a private network may be made of, and this host. Never the cloud's metadata (link-local). */
const PRIVATE_RANGES: ReadonlySet<string> = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat']);

/** Addresses that the Internet routes. All others, tunnels and translations among them, may end anywhere. */
const GLOBAL_V6 = ipaddr.parseCIDR('2000::/3');

/**
 * Whether a connection to this address may be made.
 * @param address an IPv4 address in four decimal parts, or an IPv6 address without brackets
 * @param allowPrivate also to private networks and to this host
 */
export function isAllowedAddress(address: string, allowPrivate: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  // What is mapped into IPv6 is the IPv4 address that it is.
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (allowPrivate && PRIVATE_RANGES.has(range)) return true;
  return range === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(GLOBAL_V6));
}

/** Why there is no answer. The message names neither addresses nor headers: it is shown to the tenant. */
export class OutboundError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OutboundError';
  }
}

/** The addresses of a URL's host, all of them checked. Throws OutboundError where one may not be connected to. */
export async function checkedAddresses(
  url: URL,
  resolve: Resolve,
  allowPrivate: boolean,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { host, address } = targetOf(url);
  const addresses = address === undefined ? await resolve(host, signal) : [address];
  if (addresses.length === 0) throw new OutboundError('the name has no address');
  if (!addresses.every((each) => isAllowedAddress(each, allowPrivate)))
    throw new OutboundError('the address is private or reserved');
  return addresses;
}

/** Begins a POST over a connection of its own, to one of the checked addresses. */
export function openPost(
  url: URL,
  addresses: readonly string[],
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  signal: AbortSignal,
): ClientRequest {
  const { host, address } = targetOf(url);
  const isTls = url.protocol === 'https:';
  return (isTls ? https : http).request({
    method: 'POST',
    host,
    port: url.port,
    path: url.pathname + url.search,
    headers: { host: url.host, 'content-length': Buffer.byteLength(body), ...headers },
    // A connection of its own, which nothing that was checked otherwise can have opened.
    agent: false,
    lookup: checked(addresses),
    ...(isTls && address === undefined ? { servername: host } : {}),
    signal,
  });
}

/** The work, or the error of the signal's end, whichever comes first. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new OutboundError('given up'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** What went wrong, by its code: messages of the system hold addresses. */
export function outboundReasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === undefined ? 'the connection failed' : `the connection failed (${code})`;
}

/** Stands in for the system's look-up: the addresses are those that were checked. */
function checked(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    const [first] = found;
    if (options.all === true) callback(null, found);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
}

/** Where a URL leads, before any name is resolved. */
interface Target {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  /** The host, where it is an address and no name. */
  readonly address: string | undefined;
}

/** URL has brought every spelling of an IPv4 address (decimal, octal, hexadecimal, short) into four decimal parts. */
export function targetOf(url: URL): Target {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, address: isIP(host) === 0 ? undefined : host };
}

/**
 * The URL that a tenant gave, as it will be asked for: http or https, without credentials and fragment. Throws 400 that
 * names the field, also where its host is an address that may not be connected to; a name is checked whenever it is
 * resolved.
 */
export function publicUrl(text: string, field: string, allowPrivate: boolean): URL {
  const url = httpUrl(text);
  if (url === undefined)
    throw invalid(
      field,
      `${field} must be an http or https URL such as https://example.com:8443/path: without credentials, blanks, backslashes and escapes in the host`,
    );
  const { address } = targetOf(url);
  if (address !== undefined && !isAllowedAddress(address, allowPrivate))
    throw invalid(field, `${field} must not lead to a private or reserved address`);
  url.hash = '';
  return url;
}
