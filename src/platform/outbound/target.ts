import { isIP } from 'node:net';

/** Where a URL leads, before any name is resolved. */
export interface Target {
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
