/** What a client does when a connection has closed: the table of docs/protocol.md. */
export type AfterClose = 'return' | 'renew' | 'end';

interface CloseCode {
  readonly why: string;
  readonly then: AfterClose;
}

const CODES: Readonly<Record<number, CloseCode>> = {
  1000: { why: 'closed by this page', then: 'return' },
  1001: { why: 'the server goes away', then: 'return' },
  1002: { why: 'the client violated the WebSocket protocol', then: 'end' },
  1003: { why: 'a binary message; frames are JSON text', then: 'end' },
  1005: { why: 'closed without a code', then: 'return' },
  1006: { why: 'the network broke', then: 'return' },
  1007: { why: 'text that is not UTF-8', then: 'end' },
  1009: { why: 'a frame of more than 768 KB', then: 'end' },
  1011: { why: 'a fault of the server', then: 'return' },
  1012: { why: 'the server restarts', then: 'return' },
  1013: { why: 'the server cannot serve now', then: 'return' },
  4000: { why: 'nothing was heard for 60 seconds', then: 'return' },
  4001: { why: 'a bad request', then: 'end' },
  4003: { why: 'the credential is bad, revoked or expired', then: 'renew' },
  4004: { why: 'not allowed, not found, or the tenant is suspended', then: 'end' },
  4008: { why: 'too fast for 10 seconds', then: 'return' },
  4009: { why: 'too slow: 1 MB waited to be read', then: 'return' },
  4029: { why: 'too many connections', then: 'return' },
};

/** A code that nobody knows is a passing one. */
export function closeCode(code: number): CloseCode {
  return CODES[code] ?? { why: 'closed', then: 'return' };
}
