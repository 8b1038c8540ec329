import { type AppError, ERROR_CATALOGUE } from '../../common/errors';
import { encodeId } from '../../common/ids';
import { limitOf } from '../../platform/auth';
import type { Frame } from './connection';
import type { EndpointDocument, SocketEndpoint } from './endpoint';
import { MAX_FRAME_BYTES } from './wire';

/** Where the Rooms API takes sockets. */
export const SOCKET_PATH = '/ws';

/** All frames of one connection that are no messages, per second (contract §4). */
export const OTHER_FRAMES_PER_SECOND = 100;

/** The client frames of `/ws` (contract §4), in its order: each must have an operation, or the server does not start. */
export const CLIENT_FRAMES = [
  'send_message',
  'react',
  'ack',
  'read',
  'typing.start',
  'typing.stop',
  'subscribe',
  'unsubscribe',
  'sync',
  'notification.ack',
  'ping',
] as const;

const INTRODUCTION = `Messages, acknowledgements, presence and typing of ChatAPI, live.

Every frame is a JSON object with a \`type\`, in one text message. Your frames may be flat, \`{"type":"ack","room_id":"…","seq":1}\`, or nested, \`{"type":"ack","data":{"room_id":"…","seq":1}}\`; the server's are flat. Any frame of yours may carry a \`request_id\` of at most 64 characters: its reply, or its error, carries it back. Unknown fields are refused; frames and fields that you do not know yet must be ignored.

Frames of one connection are handled in the order in which you sent them, and their replies come in that order; send the next one without waiting. A message is answered (\`message.accepted\`) after its durable commit. Every room numbers its messages 1, 2, 3 … (\`seq\`) and its changes (\`rev\`).

**What you missed** comes first: room by room, the most recently active first, the messages after the last one that your user acknowledged, then \`sync.complete\`, from where the room is live. At most the newest 500 messages of a room and 5,000 in all; \`sync.truncated\` says between which seqs the others are, for GET. A message comes as it is now; a deleted one with empty content and \`deleted_at\`. In rooms of at most 100 members \`read.update\` tells how far each has read: take the highest seq. A device that keeps its own positions connects with \`?sync=manual\` and asks with \`sync\`, at any time and again; while a room is synced, what is live in it waits for the end.

**Limits.** A frame has at most 256 KB as UTF-8 JSON: beyond it is refused with \`PAYLOAD_TOO_LARGE\`. Escapes such as \`\\u00e9\` count as the characters that they stand for, so it may be sent as up to 768 KB (\`hello.limits.frame_bytes\`); beyond that the connection closes with 1009. In the URL, parameters that are not documented are refused; names that begin with \`_\` or \`utm_\` are ignored. A connection sends 10 \`send_message\` a second (a tenant's setting) and 100 other frames; what is beyond is refused with \`RATE_LIMIT_EXCEEDED\` and not done, and who goes on for 10 seconds is closed with 4008. Let your client answer pings: after 60 seconds of silence the server closes with 4000.`;

/** How AsyncAPI describes the Rooms API's socket. */
const ROOMS_DOCUMENT: EndpointDocument = {
  channel: 'socket',
  introduction: INTRODUCTION,
  typeField: 'type',
  everyFrame: {},
  query: {
    sync: {
      type: 'string',
      enum: ['auto', 'manual'],
      default: 'auto',
      description: '`manual`: the server sends no history by itself, since this device keeps its own positions.',
    },
  },
  headers: {},
};

/** A refusal as a client sees it on the socket; the same codes and words as on REST. */
export function errorFrame(error: AppError, requestId: string | undefined, retryAfterMs?: number): Frame {
  const retryMs = retryAfterMs ?? (error.retryAfterSeconds === undefined ? undefined : error.retryAfterSeconds * 1000);
  return {
    type: 'error',
    code: error.code,
    message: error.message,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    // A conflict that says when to come back is a first call still running.
    retryable: ERROR_CATALOGUE[error.code].retryable || (error.code === 'CONFLICT' && retryMs !== undefined),
    ...(retryMs === undefined ? {} : { retry_after_ms: retryMs }),
    ...(error.field === undefined ? {} : { field: error.field }),
  };
}

/** The Rooms API's socket (contract §4). */
export const ROOMS_ENDPOINT: SocketEndpoint = {
  path: SOCKET_PATH,
  tenantLimit: 'ws_connections',
  userLimit: 'ws_connections_per_user',
  access: 'user',
  clientFrames: CLIENT_FRAMES,
  hello: ({ connectionId, caller, epoch, heartbeatMs }) => ({
    type: 'hello',
    connection_id: connectionId,
    user_id: caller.userId,
    tenant_id: encodeId('tenant', caller.tenantId),
    epoch,
    heartbeat_ms: heartbeatMs,
    limits: {
      ws_messages_per_second: caller.tenant === undefined ? null : limitOf(caller.tenant, 'ws_messages_per_second'),
      other_frames_per_second: OTHER_FRAMES_PER_SECOND,
      frame_bytes: MAX_FRAME_BYTES,
    },
  }),
  error: errorFrame,
  reply: (type, requestId, fields) => ({
    type,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...fields,
  }),
  shutdown: (ms) => ({ type: 'server.shutdown', reconnect_after_ms: ms }),
  document: ROOMS_DOCUMENT,
};
