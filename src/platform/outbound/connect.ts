import http, { type ClientRequest } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isAllowedAddress } from './addresses';
import type { Resolve } from './resolve';

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
