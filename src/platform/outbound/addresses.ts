import ipaddr from 'ipaddr.js';

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
