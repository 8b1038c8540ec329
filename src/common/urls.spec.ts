import { httpUrl, listsOrigin, normalOrigin, originFault } from './urls';

const GOOD: readonly (readonly [text: string, href: string])[] = [
  ['https://example.com', 'https://example.com/'],
  ['HTTPS://Example.COM:8443/Path?a=b&c=%20#part', 'https://example.com:8443/Path?a=b&c=%20#part'],
  ['http://localhost:11434/v1', 'http://localhost:11434/v1'],
  ['http://my_service:80/', 'http://my_service/'],
  ['http://10.0.0.1:65535', 'http://10.0.0.1:65535/'],
  ['http://[2606:2800::1]:8080/x', 'http://[2606:2800::1]:8080/x'],
  ['http://[::ffff:8.8.8.8]/', 'http://[::ffff:808:808]/'],
  ['https://münchen.example/straße', 'https://xn--mnchen-3ya.example/stra%C3%9Fe'],
  ['https://example.com./', 'https://example.com./'],
  ['https://example.com?a=b@c:d', 'https://example.com/?a=b@c:d'],
  ['https://example.com/a:b@c/[d]', 'https://example.com/a:b@c/[d]'],
];
/** What `URL` takes, most of it, and others read otherwise. */
const BAD: readonly string[] = [
  ...['', 'x', 'example.com', '//example.com', 'https:', 'https://', 'http:example.com', 'http:/example.com'],
  ...['ftp://example.com', 'file:///etc/passwd', 'javascript:alert(1)', 'data:text/plain,x', 'ws://example.com'],
  ...['unix:/tmp/x', 'http+unix://%2Ftmp%2Fx/', 'http://unix:/tmp/x:/', 'https://unix:/tmp/x:/', 'http://unix:/'],
  ...[
    'http:///example.com',
    'http:////example.com',
    'http://:80/',
    'http://?a',
    'http://#a',
    'http://./',
    'http://../',
  ],
  ...['http://a..b/', `http://${'a'.repeat(64)}.example/`, `http://${'a.'.repeat(127)}example/`],
  ...['https://user:pass@example.com', 'https://user@example.com', 'https://@example.com', 'https://:@example.com'],
  ...['https://example.com:80@evil.example/', 'https://example.com%40evil.example/', 'https://a@b@example.com/'],
  ...['http://example.com:', 'http://example.com:/', 'http://example.com:0/', 'http://example.com:65536/'],
  ...['http://example.com:-1/', 'http://example.com:+80/', 'http://example.com:080/', 'http://example.com:8 0/'],
  ...['http://example.com:80:80/', 'http://example.com:http/', 'http://example.com:8０/', 'http://example.com:999999/'],
  ...[
    'http://[fe80::1%25eth0]/',
    'http://[fe80::1%eth0]/',
    'http://[::1',
    'http://::1/',
    'http://[]/',
    'http://[::1]x/',
  ],
  ...['http://[v1.a]/', 'http://[::g]/', 'http://[127.0.0.1]/'],
  ...[' https://example.com', 'https://example.com ', 'https://exa mple.com/', 'https://example.com/a b'],
  ...['https://exam\tple.com/', 'https://example.com/\n', '\nhttps://example.com', 'https://example.com/a\rb'],
  ...['https://example.com/\0', 'https://exam\u0007ple.com', 'https://example.com/\u007f', 'https://example.com\u00a0'],
  ...[
    'https://exam\u200bple.com',
    'https://exam\u00adple.com',
    'https://\u202eexample.com',
    'https://example.com/\ud800',
  ],
  ...[
    'https:\\\\example.com',
    'https://example.com\\@evil.example/',
    'https:/\\example.com',
    'https://example.com/a\\b',
  ],
  ...['https://%65xample.com/', 'https://example%2ecom/', 'https://exam<ple.com/', 'https://exam|ple.com/'],
  ...['https://1.2.3.4.5/', 'https://256.1.1.1/', 'https://0x100000000/', 'https://xn--a/'],
];

describe('S33: URLs that a person or a tenant gives', () => {
  it.each(GOOD)('S33: %j is %s', (text, href) => {
    expect(httpUrl(text)?.href).toBe(href);
  });

  it.each(BAD)('S33: %j is none', (text) => {
    expect(httpUrl(text)?.href).toBeUndefined();
  });
});

describe('S11: an item of a list of origins', () => {
  it.each([
    ['https://a.test', 'https://a.test'],
    ['HTTPS://A.Test', 'https://a.test'],
    ['https://a.test:443', 'https://a.test'],
    ['http://a.test:80/', 'http://a.test'],
    ['http://a.test:443', 'http://a.test:443'],
    ['https://münchen.test', 'https://xn--mnchen-3ya.test'],
    ['https://[::1]:3000', 'https://[::1]:3000'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['https://*.A.test:443/', 'https://*.a.test'],
    ['https://*.münchen.test:8443', 'https://*.xn--mnchen-3ya.test:8443'],
    ['http://*.localhost:3000', 'http://*.localhost:3000'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['Ionic://LOCALHOST/', 'ionic://localhost'],
    ['app://.', 'app://.'],
    ['app://obsidian.md', 'app://obsidian.md'],
    ['tauri://localhost', 'tauri://localhost'],
    ['chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai', 'chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai'],
    ['moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc', 'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc'],
    ['null', 'null'],
    ['file://', 'null'],
    ['file:///', 'null'],
  ])('S11: %s is %s', (item, expected) => {
    expect([originFault(item), normalOrigin(item), normalOrigin(expected)]).toEqual([undefined, expected, expected]);
    if (!expected.includes('*')) expect(listsOrigin([item], expected)).toBe(true);
  });

  it.each([
    '',
    '*',
    'a.test',
    'https://',
    'https://*',
    'https://*.',
    'https://a.*.test',
    'https://*a.test',
    'https://*.*.test',
    'https://**.test',
    'https://*.127.0.0.1',
    'https://a.test/path',
    'https://a.test?x',
    'https://a.test#x',
    'https://user@a.test',
    'https://a.test https://b.test',
    'https://a.test,https://b.test',
    'https://a.test:99999',
    'capacitor://',
    'capacitor://local host',
    'capacitor://*.test',
    'capacitor://localhost/path',
    'file:///etc/passwd',
    'ftp://a.test',
    'wss://a.test',
    'javascript://alert',
    'data:text/html,x',
  ])('S11: %j is refused', (item) => {
    expect(originFault(item)).toEqual(expect.stringMatching(/^(must|may) /));
    expect(listsOrigin([item], 'https://a.test')).toBe(false);
  });

  it('S11: a star is one label', () => {
    const list = ['https://*.a.test'];
    for (const origin of ['https://x.a.test', 'https://X-1.a.test', 'https://xn--mnchen-3ya.a.test'])
      expect([origin, listsOrigin(list, origin)]).toEqual([origin, true]);
    for (const origin of [
      'https://a.test',
      'https://x.y.a.test',
      'https://.a.test',
      'https://xa.test',
      'https://x.a.test.b',
    ])
      expect([origin, listsOrigin(list, origin)]).toEqual([origin, false]);
  });
});
