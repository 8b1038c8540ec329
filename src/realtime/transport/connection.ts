import type { Caller } from '../../platform/auth';

/** Where a socket comes from, for operators. */
export interface ConnectionOrigin {
  /** The client's; behind a proxy (TRUST_PROXY) what the proxy saw. */
  readonly address: string;
  /** The header User-Agent, at most 200 characters; null: there was none. */
  readonly agent: string | null;
}

/** What every frame is while the server handles it: an object with a type. */
export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A frame that is serialised and framed for the wire; shared by all connections that get it. */
export type WireFrame = Buffer;

/**
 * One open socket as the rest of the server sees it.
 *
 * `send` queues a durable frame for the end of the turn; when too much waits, the connection closes itself (4009).
 * `sendEphemeral` may drop or merge: a later frame with the same key replaces one that still waits. `sendPiece` merges
 * too: pieces of one stream that wait become one.
 */
export interface Connection {
  /** `conn_…`, told to the client in `hello`. */
  readonly id: string;
  readonly caller: Caller;
  readonly tenantId: string;
  readonly userId: string;
  /** False from the moment a close was decided; nothing is sent any more. */
  readonly isOpen: boolean;
  sendFrame(frame: WireFrame): void;
  sendEphemeral(key: string, frame: WireFrame): void;
  /** Queues a piece of a stream, `key` naming it; the last one is durable, and what waits of the stream goes before it. */
  sendPiece(key: string, piece: StreamPiece): void;
  /** Queues a batch that may still grow until the end of this turn (one per channel and turn). */
  sendBatch(batch: FrameBatch): void;
  close(code: number, reason: string): void;
  /** Runs once when the connection is over, for whatever reason. One function for all connections costs no memory each. */
  onClose(handler: (connection: Connection) => void): void;
}

/** A part of a text that is being written, as the members of its room are told. */
export type StreamPart =
  | { readonly type: 'start'; readonly senderId: string }
  /** `index`: of the last token in `text`. */
  | { readonly type: 'delta'; readonly text: string; readonly index: number }
  | { readonly type: 'end'; readonly seq: number; readonly status: string; readonly finishReason: string | null }
  | { readonly type: 'error'; readonly code: string; readonly message: string };

/** A part of a stream on its way to connections. */
export interface StreamPiece {
  readonly frame: WireFrame;
  readonly part: StreamPart;
  /** Frames another delta of the same stream: what several that waited became. */
  readonly reframe: (part: StreamPart) => WireFrame;
}

/** What one turn brings to one channel: grows until the flush or until it is sealed; joined into one buffer once. */
export interface FrameBatch {
  /** Bytes so far. */
  readonly bytes: number;
  /** Frames so far, for the metrics; 1 where it is not said. */
  readonly frames?: number;
  /** The joined bytes; called by the flush only. */
  joined(): Buffer;
  /** The same in pieces that other connections are sent, too: they are written as they are. */
  readonly shared?: readonly Buffer[];
}

/** A connection as its handlers get it: they also see how the socket keeps up, in both directions. */
export interface AcceptedConnection extends Connection {
  /** Whether the server sends what was missed by itself; not with `?sync=manual`. */
  readonly syncsByItself: boolean;
  /** Bytes that the client has not taken yet: those of this turn and those in the socket. */
  readonly waiting: number;
  /** Queues frames like `send`, but they never count towards 4009: a sender of history paces it by `waiting`. */
  sendHistory(frames: WireFrame | FrameBatch): void;
  /** Calls back once: when at most so many bytes wait, at once if that is so already, or when the connection is over. */
  onceBelow(bytes: number, handler: () => void): void;
  /** Stops reading. What one read (64 KB) has brought already is still handed over. */
  pause(): void;
  resume(): void;
  onClose(handler: (connection: AcceptedConnection) => void): void;
}

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
