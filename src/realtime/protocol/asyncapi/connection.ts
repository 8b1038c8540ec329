import { ERROR_CATALOGUE } from '../../../common/errors';
import { type SocketEndpoint, UPGRADE_QUERY } from '../../transport';

/** Close codes, what they mean, and what the client does next (contract §4). */
export const CLOSE_CODES: readonly (readonly [code: number, meaning: string, next: string])[] = [
  [1001, 'The server goes away.', 'Reconnect.'],
  [1002, 'A violation of RFC 6455.', "Don't reconnect: mend the client."],
  [1003, 'A binary message; frames are JSON text.', "Don't reconnect: mend the client."],
  [1007, 'Text that is not UTF-8.', "Don't reconnect: mend the client."],
  [1009, 'A frame of more than 768 KB.', "Don't send it again."],
  [1011, 'A fault of the server.', 'Reconnect, with backoff.'],
  [
    1012,
    'The server restarts; `server.shutdown` (`server_shutdown`) came before.',
    'Reconnect after `reconnect_after_ms`.',
  ],
  [1013, 'The server cannot serve now.', 'Try later, with backoff.'],
  [4000, 'No sign of life for 60 s.', 'Reconnect.'],
  [4001, 'A bad request.', "Don't reconnect."],
  [4003, 'The credential is bad, revoked or expired.', 'Get a new one, then reconnect.'],
  [4004, 'Not allowed, not found, or the tenant is suspended.', "Don't reconnect."],
  [4008, 'Too fast for 10 s.', 'Reconnect after `retry_after_ms` of the last `error` frame.'],
  [4009, 'Too slow: 1 MB waited to be read.', 'Reconnect and sync.'],
  [4029, 'Too many connections.', 'Close others, or try later.'],
];

const WHO = `**Who you are** is settled by the HTTP request that opens the socket: \`X-API-Key\` with \`X-User-Id\`, \`Authorization: Bearer\` with a user token, \`?token=\` with a user token or a ticket from \`POST /ws/token\` (for browsers), or \`?api_key=&user_id=\`. A refused one gets an HTTP answer in the shape of all errors, which a browser cannot read: with \`?close_codes=1\` the socket opens, gets an \`error\` frame, and closes with the code of the table.`;

/** What stands at the top of the document. */
export function description(endpoints: readonly SocketEndpoint[]): string {
  const errors = Object.entries(ERROR_CATALOGUE).map(([code, { retryable, closeCode, meaning }]) => [
    `\`${code}\``,
    retryable ? 'yes' : 'no',
    String(closeCode),
    meaning,
  ]);
  const closes = CLOSE_CODES.map(([code, meaning, next]) => [String(code), meaning, next]);
  return [
    'Chats, live: one socket per front door, with the same credentials, limits, errors and close codes.',
    ...endpoints.flatMap(({ path, document }) => [`## ${path}`, document.introduction]),
    '## Both',
    WHO,
    '## Errors',
    'The code of an `error` frame (`code`; on /ws/chat `error_code`). A retry may help where it says yes, after `retry_after_ms` if that is given; the close code is that of an upgrade which is refused for this reason.',
    table(['Code', 'Retry', 'Close code', 'Meaning'], errors),
    '## Close codes',
    table(['Code', 'Meaning', 'Then'], closes),
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const ref = (name: string): { $ref: string } => ({ $ref: `#/components/securitySchemes/${name}` });
const text = (description: string): object => ({ type: 'string', description });

/** The credentials that open a connection; one of them is enough. */
export const SECURITY_SCHEMES = {
  apiKey: {
    type: 'httpApiKey',
    in: 'header',
    name: 'X-API-Key',
    description: "The tenant's API key, together with the header X-User-Id. For servers.",
  },
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A user token from POST /tokens, as a header.',
  },
  token: {
    type: 'httpApiKey',
    in: 'query',
    name: 'token',
    description: 'A user token, or a socket ticket (`wst_…`, once, 60 s) from POST /ws/token. For browsers.',
  },
  apiKeyInUrl: {
    type: 'httpApiKey',
    in: 'query',
    name: 'api_key',
    description: 'The API key, together with `user_id`. Refused where ALLOW_API_KEY_IN_QUERY is false.',
  },
};

const security = Object.keys(SECURITY_SCHEMES).map(ref);
const host = { default: '127.0.0.1:8080', description: 'Where the server listens.' };

export const SERVERS = {
  plain: { host: '{host}', protocol: 'ws', description: 'As it runs.', variables: { host }, security },
  tls: { host: '{host}', protocol: 'wss', description: 'Behind a proxy with TLS.', variables: { host }, security },
};

/** The upgrade request, as the WebSocket binding describes it. */
export function upgradeBinding({ document }: SocketEndpoint): object {
  return {
    method: 'GET',
    query: { type: 'object', properties: { ...UPGRADE_QUERY, ...document.query } },
    headers: { type: 'object', properties: { ...HEADERS, ...document.headers } },
    bindingVersion: '0.1.0',
  };
}

const HEADERS = {
  'X-API-Key': text('An API key.'),
  'X-User-Id': text('The user that the connection acts as, with X-API-Key.'),
  Authorization: text('`Bearer <user token>`.'),
};
