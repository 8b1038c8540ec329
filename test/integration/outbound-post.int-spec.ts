import { outboundPost, type OutboundPostOptions, type StreamAnswer } from '../../src/platform/outbound';
import { ForeignServer } from '../support/foreign-server';

const OPTIONS = { allowPrivate: false, connectMs: 1000, maxBytes: 100_000, maxErrorBytes: 1000 };

describe('a post to a foreign address that is answered by a stream', () => {
  let server: ForeignServer;

  beforeEach(async () => {
    server = await ForeignServer.start();
  });
  afterEach(() => server.stop());

  function post(
    host: string,
    options: Partial<OutboundPostOptions> = {},
    signal = new AbortController().signal,
  ): Promise<StreamAnswer> {
    return outboundPost({ ...OPTIONS, ...options })(`http://${host}:${server.port}/a?b=c`, {
      headers: {},
      body: '{}',
      signal,
    });
  }

  async function text({ body }: StreamAnswer): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  it('streams the answer, with its status and headers', async () => {
    server.answer = (_request, response) => {
      response.writeHead(201, { 'x-one': '1' }).write('first');
    };
    const response = await post('127.0.0.1', { allowPrivate: true });
    expect([response.status, response.headers['x-one']]).toEqual([201, '1']);
    const { value } = await response.body[Symbol.asyncIterator]().next();
    expect((value as Buffer).toString()).toBe('first');
  });

  it('connects to the address that was checked, under the name that was asked for, and asks once', async () => {
    let asks = 0;
    const resolve = (): Promise<string[]> => Promise.resolve([asks++ === 0 ? '127.0.0.1' : '127.0.0.9']);
    expect(await text(await post('model.example', { allowPrivate: true, resolve }))).toBe('ok');
    expect([asks, server.asked]).toEqual([1, [`POST model.example:${server.port}/a?b=c`]]);
  });

  it.each(['127.0.0.1', '2130706433', '[::ffff:127.0.0.1]', '[::1]', '169.254.169.254'])(
    'connects to no private address: %s',
    async (host) => {
      await expect(post(host)).rejects.toThrow('private or reserved');
      expect(server.asked).toEqual([]);
    },
  );

  it('refuses a name that leads, or also leads, to a private address when it is resolved', async () => {
    for (const addresses of [['127.0.0.1'], ['93.184.216.34', '10.0.0.1']])
      await expect(post('rebinding.example', { resolve: () => Promise.resolve(addresses) })).rejects.toThrow(
        'private or reserved',
      );
    expect(server.asked).toEqual([]);
  });

  it('gives up a name that hangs, and nothing else, in its time for connecting', async () => {
    const resolve = (): Promise<string[]> => new Promise(() => undefined);
    await expect(post('slow.example', { connectMs: 20, resolve })).rejects.toThrow('no connection within 20 ms');
    server.answer = (_request, response) => void setTimeout(() => response.end('late'), 100);
    expect(await text(await post('127.0.0.1', { allowPrivate: true, connectMs: 50 }))).toBe('late');
  });

  it('follows no redirect', async () => {
    server.answer = (_request, response) => void response.writeHead(307, { location: '/other' }).end();
    expect((await post('127.0.0.1', { allowPrivate: true })).status).toBe(307);
    expect(server.asked).toHaveLength(1);
  });

  it('reads a bounded part of an error, and fails a success that is longer than it may be', async () => {
    server.answer = (_request, response) => void response.writeHead(500).end('x'.repeat(200_000));
    expect(await text(await post('127.0.0.1', { allowPrivate: true }))).toHaveLength(1000);
    server.answer = (_request, response) => void response.end('x'.repeat(200_000));
    const long = await post('127.0.0.1', { allowPrivate: true });
    await expect(text(long)).rejects.toThrow('longer than');
  });

  it.each([204, 304])('an answer without a body has none: %i', async (status) => {
    server.answer = (_request, response) => void response.writeHead(status).end();
    const response = await post('127.0.0.1', { allowPrivate: true });
    expect([response.status, await text(response)]).toEqual([status, '']);
  });

  it('ends with the reason of its signal, before the answer and in it, and hangs up', async () => {
    const closed = (): Promise<void> =>
      new Promise((resolve) => {
        server.answer = (_request, response) => {
          response.on('close', resolve);
          response.flushHeaders();
        };
      });
    const [abort, reason] = [new AbortController(), new Error('stopped')];
    const hungUp = closed();
    const response = await post('127.0.0.1', { allowPrivate: true }, abort.signal);
    const read = text(response);
    abort.abort(reason);
    await expect(read).rejects.toThrow();
    await hungUp;
    await expect(post('127.0.0.1', { allowPrivate: true }, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
