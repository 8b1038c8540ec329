import type { IncomingMessage } from 'node:http';
import { credentialOf, readUpgrade, type UpgradeCredential } from './upgrade-checks';

function from(url: string, headers: Record<string, string>): IncomingMessage {
  return { url, method: 'GET', headers, socket: {} } as IncomingMessage;
}

function credential(url: string, headers: Record<string, string> = {}, allowKeyInQuery = true): UpgradeCredential {
  return credentialOf(readUpgrade(from(url, headers), 'id', false), allowKeyInQuery);
}

function addressOf(headers: Record<string, string>, trustProxy: boolean): string {
  const socket = { remoteAddress: '198.51.100.1' };
  return readUpgrade({ url: '/ws', headers, socket } as IncomingMessage, 'id', trustProxy).ip;
}

const KEY = { 'x-api-key': 'key', 'x-user-id': 'alice' };

describe('the credential of an upgrade', () => {
  it.each<[string, string, Record<string, string>, object]>([
    ['headers', '/ws', KEY, { headers: KEY }],
    ['the URL', '/ws?api_key=key&user_id=alice', {}, { headers: KEY }],
    ['escapes in the URL', '/ws?api_key=key&user_id=a%2Bb', {}, { headers: { 'x-user-id': 'a+b' } }],
    ['headers before the URL', '/ws?api_key=other&user_id=bob', KEY, { headers: KEY }],
    ['a token before a key', '/ws?token=t&user_id=bob', KEY, { headers: { authorization: 'Bearer t' } }],
    ['an empty token is none', '/ws?token=', KEY, { headers: KEY }],
    [
      'Bearer before all',
      '/ws?token=t',
      { ...KEY, authorization: 'Bearer b' },
      { headers: { authorization: 'Bearer b' } },
    ],
    ['a ticket', '/ws?token=wst_t', {}, { ticket: 'wst_t' }],
    ['a ticket as Bearer', '/ws', { authorization: 'bearer wst_t' }, { ticket: 'wst_t' }],
    ['the origin goes along', '/ws?token=t', { origin: 'https://a' }, { headers: { origin: 'https://a' } }],
  ])('%s', (_name, url, headers, expected) => {
    expect(credential(url, headers)).toMatchObject(expected);
  });

  it('is no key of the URL beside a token', () => {
    expect(credential('/ws?token=t&api_key=key').headers['x-api-key']).toBeUndefined();
  });

  it('is refused as a key in the URL where that is not allowed; everything else is not', () => {
    expect(() => credential('/ws?api_key=key&user_id=alice', {}, false)).toThrow('no API key in the URL');
    expect(credential('/ws?api_key=key', KEY, false)).toMatchObject({ headers: KEY });
    expect(credential('/ws?token=t&api_key=key', {}, false)).toMatchObject({ headers: { authorization: 'Bearer t' } });
  });

  it('never counts as part of the path', () => {
    const request = readUpgrade(from('/ws?token=t&close_codes=1', {}), 'id', false);
    expect(request).toMatchObject({ path: '/ws', wantsCloseCodes: true });
  });
});

describe('S6: the address of an upgrade', () => {
  it.each([
    ['1.2.3.4', false, '198.51.100.1'],
    ['1.2.3.4', true, '1.2.3.4'],
    ['9.9.9.9, 1.2.3.4', true, '1.2.3.4'],
    ['2001:db8::1', true, '2001:db8::1'],
    ['', true, '198.51.100.1'],
    ['1.2.3.4,', true, '198.51.100.1'],
  ])('X-Forwarded-For: %s, trusted: %s → %s', (forwarded, trusted, expected) => {
    expect(addressOf({ 'x-forwarded-for': forwarded }, trusted)).toBe(expected);
  });

  it('is that of the connection without the header', () => {
    expect([addressOf({}, true), addressOf({}, false)]).toEqual(['198.51.100.1', '198.51.100.1']);
  });
});
