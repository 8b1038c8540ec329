import { OutboundSender } from '../../src/platform/outbound';
import { ForeignServer } from '../support/foreign-server';

const OPTIONS = { allowPrivate: false, timeoutMs: 1000, maxBytes: 1000 };

describe('the sender of requests to foreign addresses', () => {
  let server: ForeignServer;

  beforeEach(async () => {
    server = await ForeignServer.start();
  });
  afterEach(() => server.stop());

  function post(host: string, options: Partial<ConstructorParameters<typeof OutboundSender>[0]> = {}) {
    const signal = new AbortController().signal;
    const request = { url: `http://${host}:${server.port}/a?b=c`, headers: {}, body: '{}', signal };
    return new OutboundSender({ ...OPTIONS, ...options }).post(request);
  }

  it('connects to the address that was checked, under the name that was asked for', async () => {
    const resolve = (): Promise<string[]> => Promise.resolve(['127.0.0.1']);
    const { status, body } = await post('hooks.example', { allowPrivate: true, resolve });
    expect([status, body.toString()]).toEqual([200, 'ok']);
    expect(server.asked).toEqual([`POST hooks.example:${server.port}/a?b=c`]);
  });

  it('resolves a name once: one that changes its mind leads nowhere else', async () => {
    let asks = 0;
    // Nobody listens where it leads when it is checked; whenever it is asked again, it leads to the server.
    const resolve = (): Promise<string[]> => Promise.resolve([asks++ === 0 ? '127.0.0.9' : '127.0.0.1']);
    await expect(post('rebinding.example', { allowPrivate: true, resolve })).rejects.toThrow('ECONNREFUSED');
    expect([asks, server.asked]).toEqual([1, []]);
  });

  it('refuses a name of which one address is private', async () => {
    const resolve = (): Promise<string[]> => Promise.resolve(['93.184.216.34', '10.0.0.1']);
    await expect(post('mixed.example', { resolve })).rejects.toThrow('private or reserved');
  });

  it.each(['127.0.0.1', '2130706433', '0177.0.0.1', '0x7f.1', '[::ffff:127.0.0.1]', '[::1]', '0'])(
    'connects to no private address: %s',
    async (host) => {
      await expect(post(host)).rejects.toThrow('private or reserved');
      expect(server.asked).toEqual([]);
    },
  );

  it('a name that hangs, and one that does not exist, are errors in time', async () => {
    await expect(post('slow.example', { resolve: () => new Promise(() => undefined) })).rejects.toThrow(
      'within 1000 ms',
    );
    const missing = Object.assign(new Error('queryA ENOTFOUND secret'), { code: 'ENOTFOUND' });
    await expect(post('missing.example', { resolve: () => Promise.reject(missing) })).rejects.toThrow(
      /^the connection failed \(ENOTFOUND\)$/,
    );
    await expect(post('empty.example', { resolve: () => Promise.resolve([]) })).rejects.toThrow('no address');
  });

  it('follows no redirect and reads no more than it may', async () => {
    server.answer = (_request, response) =>
      void response.writeHead(302, { location: '/other' }).end('x'.repeat(100_000));
    const { status, body } = await post('127.0.0.1', { allowPrivate: true });
    expect([status, body.length, server.asked.length]).toEqual([302, 1000, 1]);
  });

  it('gives up when its caller does', async () => {
    server.answer = () => undefined;
    const abort = new AbortController();
    const sender = new OutboundSender({ ...OPTIONS, allowPrivate: true });
    const url = `http://127.0.0.1:${server.port}/`;
    const posted = sender.post({ url, headers: {}, body: '', signal: abort.signal });
    abort.abort();
    await expect(posted).rejects.toThrow('given up');
  });
});
