import { listsOrigin, normalOrigin, originFault } from './text';

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
