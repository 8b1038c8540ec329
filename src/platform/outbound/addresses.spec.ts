import { isAllowedAddress, targetOf } from './connect';

const PUBLIC = ['93.184.216.34', '8.8.8.8', '2606:2800:220:1:248:1893:25c8:1946', '::ffff:8.8.8.8'];
const PRIVATE = [
  ...['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '127.0.0.1', '127.255.255.254', '100.64.0.1'],
  ...[
    '::1',
    'fd00::1',
    'fc00::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::ffff:c0a8:101',
    '::127.0.0.1',
  ],
];
const NEVER = [
  ...['0.0.0.0', '0.1.2.3', '169.254.169.254', '224.0.0.1', '255.255.255.255', '240.0.0.1', '192.0.0.8'],
  ...['198.18.0.1', '192.0.2.1', '198.51.100.7', '203.0.113.9', '192.88.99.1', '::ffff:169.254.169.254'],
  ...['::', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '2001:db8::1', '2002:7f00:1::', '2001:0:1::1'],
  ...['64:ff9b::7f00:1', '64:ff9b:1::a00:1', '::7f00:1', '100::1', '', 'localhost', '127.0.0.1 '],
];

describe('addresses that may be connected to', () => {
  it.each(PUBLIC)('%s is public', (address) => {
    expect([isAllowedAddress(address, false), isAllowedAddress(address, true)]).toEqual([true, true]);
  });

  it.each(PRIVATE)('%s is private: only where that is allowed', (address) => {
    expect([isAllowedAddress(address, false), isAllowedAddress(address, true)]).toEqual([false, true]);
  });

  it.each(NEVER)('%s is never connected to', (address) => {
    expect([isAllowedAddress(address, false), isAllowedAddress(address, true)]).toEqual([false, false]);
  });
});

describe('hosts of URLs', () => {
  const LOCAL = [
    ...['127.0.0.1', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '017700000001'],
    ...['0x7f.0x0.0x0.0x1', '%31%32%37.0.0.1', '①②⑦.0.0.1', '127。0。0。1', '127.0.0.1.', '0', '0.0.0.0'],
    ...['[::1]', '[::ffff:127.0.0.1]', '[0:0:0:0:0:ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]'],
  ];

  it.each(LOCAL)('%s is an address in another spelling, and refused', (host) => {
    const { address } = targetOf(new URL(`http://${host}/`));
    expect(address).toBeDefined();
    expect(isAllowedAddress(address ?? '', false)).toBe(false);
  });

  it('a name is none, and has to be resolved', () => {
    expect(targetOf(new URL('https://example.com:8443/a?b'))).toMatchObject({
      host: 'example.com',
      address: undefined,
    });
  });
});
