import { ERROR_CATALOGUE } from '../../../../common/errors';

/** Close codes, what they mean, and what the client does next (contract §4). */
export const CLOSE_CODES: readonly (readonly [code: number, meaning: string, next: string])[] = [
  [1001, 'The server goes away.', 'Reconnect.'],
  [1002, 'A violation of RFC 6455.', "Don't reconnect: mend the client."],
  [1003, 'A binary message; frames are JSON text.', "Don't reconnect: mend the client."],
  [1007, 'Text that is not UTF-8.', "Don't reconnect: mend the client."],
  [1009, 'A frame of more than 256 KB.', "Don't send it again."],
  [1011, 'A fault of the server.', 'Reconnect, with backoff.'],
  [1012, 'The server restarts; `server.shutdown` came before.', 'Reconnect after `reconnect_after_ms`.'],
  [1013, 'The server cannot serve now.', 'Try later, with backoff.'],
  [4000, 'No sign of life for 60 s.', 'Reconnect.'],
  [4001, 'A bad request.', "Don't reconnect."],
  [4003, 'The credential is bad, revoked or expired.', 'Get a new one, then reconnect.'],
  [4004, 'Not allowed, or not found.', "Don't reconnect."],
  [4008, 'Too fast for 10 s.', 'Reconnect after `retry_after_ms` of the last `error` frame.'],
  [4009, 'Too slow: 1 MB waited to be read.', 'Reconnect and sync.'],
  [4029, 'Too many connections.', 'Close others, or try later.'],
];

const INTRODUCTION = `Messages, acknowledgements, presence and typing of ChatAPI, live.

Every frame is a JSON object with a \`type\`, in one text message. Your frames may be flat, \`{"type":"ack","room_id":"…","seq":1}\`, or nested, \`{"type":"ack","data":{"room_id":"…","seq":1}}\`; the server's are flat. Any frame of yours may carry a \`request_id\` of at most 64 characters: its reply, or its error, carries it back. Unknown fields are refused; frames and fields that you do not know yet must be ignored.

Frames of one connection are handled in the order in which you sent them, and their replies come in that order; send the next one without waiting. A message is answered (\`message.accepted\`) after its durable commit. Every room numbers its messages 1, 2, 3 … (\`seq\`) and its changes (\`rev\`).

**What you missed** comes first: room by room, the most recently active first, the messages after the last one that your user acknowledged, then \`sync.complete\`, from where the room is live. At most the newest 500 messages of a room and 5,000 in all; \`sync.truncated\` says between which seqs the others are, for GET. A message comes as it is now; a deleted one with empty content and \`deleted_at\`. In rooms of at most 100 members \`read.update\` tells how far each has read: take the highest seq. A device that keeps its own positions connects with \`?sync=manual\` and asks with \`sync\`, at any time and again; while a room is synced, what is live in it waits for the end.

**Limits.** A frame has at most 256 KB. A connection sends 10 \`send_message\` a second (a tenant's setting) and 100 other frames; what is beyond is refused with \`RATE_LIMIT_EXCEEDED\` and not done, and who goes on for 10 seconds is closed with 4008. Let your client answer pings: after 60 seconds of silence the server closes with 4000.

**Who you are** is settled by the HTTP request that opens the socket: \`X-API-Key\` with \`X-User-Id\`, \`Authorization: Bearer\` with a user token, \`?token=\` with a user token or a ticket from \`POST /ws/token\` (for browsers), or \`?api_key=&user_id=\`. A refused one gets an HTTP answer in the shape of all errors, which a browser cannot read: with \`?close_codes=1\` the socket opens, gets an \`error\` frame, and closes with the code of the table.`;

/** What stands at the top of the document. */
export function description(): string {
  const errors = Object.entries(ERROR_CATALOGUE).map(([code, { retryable, closeCode, meaning }]) => [
    `\`${code}\``,
    retryable ? 'yes' : 'no',
    String(closeCode),
    meaning,
  ]);
  const closes = CLOSE_CODES.map(([code, meaning, next]) => [String(code), meaning, next]);
  return [
    INTRODUCTION,
    '## Errors',
    'The `code` of an `error` frame. A retry may help where it says yes, after `retry_after_ms` if that is given; the close code is that of an upgrade which is refused for this reason.',
    table(['Code', 'Retry', 'Close code', 'Meaning'], errors),
    '## Close codes',
    table(['Code', 'Meaning', 'Then'], closes),
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
