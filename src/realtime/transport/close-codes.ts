/** Why a socket is closed (contract §4); what RFC 6455 forbids (1002, 1007, 1009) is closed by ws itself. */
export const CloseCode = {
  /** The server stops; come back after `reconnect_after_ms`. */
  restart: 1012,
  /** A binary frame. */
  unsupported: 1003,
  internal: 1011,
  tryLater: 1013,
  noHeartbeat: 4000,
  badRequest: 4001,
  credential: 4003,
  notAllowed: 4004,
  tooFast: 4008,
  tooSlow: 4009,
  tooMany: 4029,
} as const;

/** How long a closed socket may take to go before it is cut, in milliseconds. */
export const CLOSE_GRACE_MS = 2000;

/** The codes with which ws answers a violation of the protocol, by the code of its error. */
const VIOLATIONS: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
};

/** The code that ws has sent when it reports this error. */
export function violationCode(error: Error & { readonly code?: string }): number {
  return VIOLATIONS[error.code ?? ''] ?? 1002;
}

const KNOWN = new Set<number>([1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, ...Object.values(CloseCode)]);

/** The label of a close in the metrics: clients choose codes freely, labels are bounded. */
export function closeLabel(code: number): string {
  return KNOWN.has(code) ? String(code) : 'other';
}
