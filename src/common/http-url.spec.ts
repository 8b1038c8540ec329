import { httpUrl } from './http-url';

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
