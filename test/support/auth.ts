import { createHmac } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Api, Bodies } from './http/api';

/** The signing secret of apps that are started with `env: { JWT_SECRET }`, so that tests can forge tokens. */
export const JWT_SECRET = 'jwt-secret-of-the-tests-0123456789abcdef';

export type TokenBody = Bodies['TokenCreatedDto'];

/** Mints a user token with an API key. */
export async function mintToken(key: Api, userId: string, expiresIn?: number): Promise<TokenBody> {
  const { status, body } = await key.post<TokenBody>('/tokens', {
    user_id: userId,
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
  });
  if (status !== 201) throw new Error(`minting a token answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** The server as a browser sees it that holds this token. */
export function bearer(anonymous: Api, token: string): Api {
  return anonymous.with({ authorization: `Bearer ${token}` });
}

/** The claims of a token, unchecked. */
export function claimsOf(token: string): jwt.JwtPayload {
  const claims = jwt.decode(token.replace(/^wst_/, ''));
  if (claims === null || typeof claims === 'string') throw new Error('not a JWT with claims');
  return claims;
}

/** Ways to get a token wrong, each made from a good one. */
export function forgeries(good: string): Record<string, string> {
  const claims = claimsOf(good);
  const now = Math.floor(Date.now() / 1000);
  const sign = (changes: object, secret = JWT_SECRET, algorithm: jwt.Algorithm = 'HS256'): string =>
    jwt.sign(withoutUndefined({ ...claims, ...changes }), secret, { algorithm });
  const [header = '', payload = '', signature = ''] = good.split('.');
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  return {
    'another secret': sign({}, 'another-secret-0123456789-0123456789'),
    'another algorithm': sign({}, JWT_SECRET, 'HS512'),
    'algorithm none': `${none}.${payload}.`,
    'algorithm none with the signature': `${none}.${payload}.${signature}`,
    'a changed payload': `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: 'eve' })).toString('base64url')}.${signature}`,
    'no signature': `${header}.${payload}.`,
    expired: sign({ iat: now - 10, exp: now - 1 }),
    'no expiry': sign({ exp: undefined }),
    'the use of a ticket': sign({ use: 'ticket' }),
    'no user': sign({ sub: undefined }),
    'no key': sign({ kid: undefined }),
    'a key that is none': sign({ kid: '00000000-0000-4000-8000-000000000000' }),
    'another tenant': sign({ tid: '00000000-0000-4000-8000-000000000000' }),
    'no JWT': 'abc',
  };
}

/** A token with this payload, whatever it is, signed with the secret of the tests. */
export function signed(payload: unknown, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const parts = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${parts}.${createHmac('sha256', JWT_SECRET).update(parts).digest('base64url')}`;
}

function withoutUndefined(claims: object): object {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
