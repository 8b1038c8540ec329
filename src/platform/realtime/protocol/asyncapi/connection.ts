import type { SocketDoor } from '../../contract';
import { UPGRADE_QUERY } from '../../transport';

const ref = (name: string): { $ref: string } => ({ $ref: `#/components/securitySchemes/${name}` });
const text = (description: string): object => ({ type: 'string', description });

/** How a connection proves who opens it; one of them is enough. */
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
export function upgradeBinding({ document }: SocketDoor): object {
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
