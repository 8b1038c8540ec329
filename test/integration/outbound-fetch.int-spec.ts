import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { outboundFetch, type OutboundFetchOptions } from '../../src/platform/outbound';

const OPTIONS = { allowPrivate: false, connectMs: 1000, maxBytes: 100_000, maxErrorBytes: 1000 };

describe('the fetch of streams from foreign addresses', () => {
  let server: Server;
  let asked: string[];
  let answer: RequestListener;

  beforeEach(async () => {
    asked = [];
    answer = (_request, response) => void response.end('ok');
    server = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.headers.host ?? ''}${request.url ?? ''}`);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const port = (): number => (server.address() as AddressInfo).port;

  function post(host: string, options: Partial<OutboundFetchOptions> = {}, init: RequestInit = {}): Promise<Response> {
    const fetch = outboundFetch({ ...OPTIONS, ...options });
    return fetch(`http://${host}:${port()}/a?b=c`, { method: 'POST', body: '{}', ...init });
  }

  it('streams the answer, with its status and headers', async () => {
    answer = (_request, response) => {
      response.writeHead(201, { 'x-one': '1' }).write('first');
    };
    const response = await post('127.0.0.1', { allowPrivate: true });
    expect([response.status, response.headers.get('x-one')]).toEqual([201, '1']);
    const { value } = (await response.body?.getReader().read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toBe('first');
  });

  it('connects to the address that was checked, under the name that was asked for, and asks once', async () => {
    let asks = 0;
    const resolve = (): Promise<string[]> => Promise.resolve([asks++ === 0 ? '127.0.0.1' : '127.0.0.9']);
    expect(await (await post('model.example', { allowPrivate: true, resolve })).text()).toBe('ok');
    expect([asks, asked]).toEqual([1, [`POST model.example:${port()}/a?b=c`]]);
  });

  it.each(['127.0.0.1', '2130706433', '[::ffff:127.0.0.1]', '[::1]', '169.254.169.254'])(
    'connects to no private address: %s',
    async (host) => {
      await expect(post(host)).rejects.toThrow('private or reserved');
      expect(asked).toEqual([]);
    },
  );

  it('refuses a name that leads, or also leads, to a private address when it is resolved', async () => {
    for (const addresses of [['127.0.0.1'], ['93.184.216.34', '10.0.0.1']])
      await expect(post('rebinding.example', { resolve: () => Promise.resolve(addresses) })).rejects.toThrow(
        'private or reserved',
      );
    expect(asked).toEqual([]);
  });

  it('gives up a name that hangs, and nothing else, in its time for connecting', async () => {
    const resolve = (): Promise<string[]> => new Promise(() => undefined);
    await expect(post('slow.example', { connectMs: 20, resolve })).rejects.toThrow('no connection within 20 ms');
    answer = (_request, response) => void setTimeout(() => response.end('late'), 100);
    expect(await (await post('127.0.0.1', { allowPrivate: true, connectMs: 50 })).text()).toBe('late');
  });

  it('follows no redirect', async () => {
    answer = (_request, response) => void response.writeHead(307, { location: '/other' }).end();
    expect((await post('127.0.0.1', { allowPrivate: true })).status).toBe(307);
    expect(asked).toHaveLength(1);
  });

  it('reads a bounded part of an error, and fails a success that is longer than it may be', async () => {
    answer = (_request, response) => void response.writeHead(500).end('x'.repeat(200_000));
    expect(await (await post('127.0.0.1', { allowPrivate: true })).text()).toHaveLength(1000);
    answer = (_request, response) => void response.end('x'.repeat(200_000));
    const long = await post('127.0.0.1', { allowPrivate: true });
    await expect(long.text()).rejects.toThrow();
  });

  it.each([204, 304])('an answer without a body has none: %i', async (status) => {
    answer = (_request, response) => void response.writeHead(status).end();
    const response = await post('127.0.0.1', { allowPrivate: true });
    expect([response.status, response.body]).toEqual([status, null]);
  });

  it('refuses a status that is none', async () => {
    answer = (_request, response) => void response.writeHead(799).end();
    await expect(post('127.0.0.1', { allowPrivate: true })).rejects.toThrow('the answer has the status 799');
  });

  it('ends with the reason of its signal, before the answer and in it, and hangs up', async () => {
    const closed = (): Promise<void> =>
      new Promise((resolve) => {
        answer = (_request, response) => {
          response.on('close', resolve);
          response.flushHeaders();
        };
      });
    const [abort, reason] = [new AbortController(), new Error('stopped')];
    const hungUp = closed();
    const response = await post('127.0.0.1', { allowPrivate: true }, { signal: abort.signal });
    const read = response.text();
    abort.abort(reason);
    await expect(read).rejects.toThrow();
    await hungUp;
    await expect(post('127.0.0.1', { allowPrivate: true }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
