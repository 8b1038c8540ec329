import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { Controller, Post, Put } from '@nestjs/common';
import { Access } from '../../src/platform/auth';
import { BodyStream, MAX_STREAMED_BYTES, StreamedBody } from '../../src/platform/http';
import { NotAudited } from '../../src/platform/audit';
import { eventually } from '../support/embedded/processes';
import { type RoutesApp, startRoutesApp } from '../support/routes-app';

const MB = 1024 * 1024;

/** What the handlers of the routes under test have seen. */
const seen = { begun: 0, pieces: 0, bytes: 0, largest: 0, fault: '' };

@Controller('probe')
class ProbeController {
  @Put('stream')
  @Access('tenantKey')
  @StreamedBody()
  async stream(@BodyStream() body: AsyncIterable<Buffer>): Promise<object> {
    seen.begun++;
    const hash = createHash('sha256');
    try {
      for await (const piece of body) {
        seen.pieces++;
        seen.bytes += piece.length;
        seen.largest = Math.max(seen.largest, piece.length);
        hash.update(piece);
      }
    } catch (error) {
      seen.fault = error instanceof Error ? error.message : '';
      throw error;
    }
    return { bytes: seen.bytes, sha256: hash.digest('hex') };
  }

  @Put('unread')
  @Access('tenantKey')
  @StreamedBody()
  unread(): object {
    return {};
  }

  @Put('half-read')
  @Access('tenantKey')
  @StreamedBody()
  async halfRead(@BodyStream() body: AsyncIterable<Buffer>): Promise<object> {
    for await (const piece of body) if (piece.length > 0) break;
    return {};
  }

  @Post('json')
  @Access('tenantKey')
  @NotAudited('a test')
  json(): object {
    return {};
  }
}

describe('a body that a route reads itself', () => {
  let app: RoutesApp;
  let url: URL;

  beforeAll(async () => {
    app = await startRoutesApp([ProbeController], { acme: {} });
    await app.nest.listen(0, '127.0.0.1');
    url = new URL(await app.nest.getUrl());
  });
  afterAll(() => app.close());
  beforeEach(() => Object.assign(seen, { begun: 0, pieces: 0, bytes: 0, largest: 0, fault: '' }));

  const put = (
    path: string,
    body: Buffer | string | undefined,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    fetch(new URL(path, url), {
      method: 'PUT',
      headers: { 'x-api-key': 'acme', 'content-type': 'application/octet-stream', ...headers },
      ...(body === undefined ? {} : { body }),
    });

  /** Speaks HTTP itself: what is sent after the head is poured for as long as somebody takes it, then the answer is waited for. */
  const pour = (headers: string[], piece: Buffer, total: number, path = '/probe/stream'): Promise<Poured> => {
    const head = [`PUT ${path} HTTP/1.1`, 'Host: x', 'X-API-Key: acme', ...headers, '', ''].join('\r\n');
    return new Promise((resolve) => {
      let [sent, answer] = [0, ''];
      const socket = connect(Number(url.port), url.hostname, () => {
        socket.write(head);
        more();
      });
      const more = (): void => {
        while (sent < total && socket.writable) {
          sent += piece.length;
          if (!socket.write(piece)) return;
        }
      };
      socket.on('drain', more).on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
      socket.on('close', () => resolve({ sent, answer }));
    });
  };
  const OCTETS = 'Content-Type: application/octet-stream';

  it('comes whole, in pieces, however much it is', async () => {
    const body = Buffer.alloc(3 * MB + 7, 'chatapi');
    const answer = await put('/probe/stream', body);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') },
    ]);
    expect(seen.pieces).toBeGreaterThan(10);
    expect(seen.largest).toBeLessThan(MB);
  });

  it('may be empty, and JSON is bytes like any other', async () => {
    expect(await (await put('/probe/stream', undefined)).json()).toMatchObject({ bytes: 0 });
    expect(await (await put('/probe/stream', '{"broken')).json()).toMatchObject({ bytes: 8 });
  });

  it.each([
    ['application/json', '{}'],
    ['text/plain', 'x'],
    ['application/octet-streams', 'x'],
    ['', 'x'],
  ])('of the type "%s" is refused with 415', async (type, body) => {
    const answer = await put('/probe/stream', body, { 'content-type': type });
    expect([answer.status, await answer.json()]).toEqual([
      415,
      expect.objectContaining({
        error: expect.objectContaining({ message: 'Content-Type must be application/octet-stream' }),
      }),
    ]);
    expect(seen.begun).toBe(0);
  });

  it('that is coded is refused with 415, as any other', async () => {
    const answer = await put('/probe/stream', 'x', { 'content-encoding': 'gzip' });
    expect([answer.status, seen.begun]).toEqual([415, 0]);
  });

  it('needs a credential before it is looked at', async () => {
    const answer = await put('/probe/stream', 'x', { 'x-api-key': 'nobody', 'content-type': 'text/plain' });
    expect(answer.status).toBe(401);
  });

  it('all other routes take JSON only', async () => {
    const post = { method: 'POST', headers: { 'x-api-key': 'acme', 'content-type': 'application/octet-stream' } };
    const answer = await fetch(new URL('/probe/json', url), { ...post, body: 'x' });
    expect(answer.status).toBe(415);
  });

  it('that says it is larger than 64 MB is refused before its first byte', async () => {
    const { answer, sent } = await pour(
      [OCTETS, `Content-Length: ${MAX_STREAMED_BYTES + 1}`],
      Buffer.alloc(MB),
      64 * MB,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain(
      '"code":"PAYLOAD_TOO_LARGE","message":"The body is larger than 64 MB: send it in more parts"',
    );
    expect([seen.begun, sent < 32 * MB]).toEqual([0, true]);
  });

  it('that turns out to be larger is refused there, and what was read was not held', async () => {
    const piece = Buffer.from(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
    const { answer } = await pour([OCTETS, 'Transfer-Encoding: chunked'], piece, 100 * MB);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
    expect(seen.bytes).toBeLessThanOrEqual(MAX_STREAMED_BYTES);
    expect(seen.bytes).toBeGreaterThan(MAX_STREAMED_BYTES - 2 * MB);
    expect(seen.largest).toBeLessThan(MB);
  });

  it.each(['/probe/unread', '/probe/half-read'])(
    '%s: what nobody reads is hung up on after the answer',
    async (path) => {
      const { answer, sent } = await pour([OCTETS, `Content-Length: ${64 * MB}`], Buffer.alloc(MB), 64 * MB, path);
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
      expect(sent).toBeLessThan(32 * MB);
    },
  );

  it('that breaks off is a refusal to the handler, not an end', async () => {
    const socket = connect(Number(url.port), url.hostname);
    socket.write(
      `PUT /probe/stream HTTP/1.1\r\nHost: x\r\nX-API-Key: acme\r\n${OCTETS}\r\nContent-Length: 1000\r\n\r\nhalf`,
    );
    await eventually('the first piece is read', () => seen.bytes === 4);
    socket.destroy();
    await eventually('the handler is told', () => seen.fault !== '');
    expect(seen.fault).toBe('The body does not have the announced length');
  });

  it('a client that waits is told to go on by the first read, and by no refusal', async () => {
    const expecting = [OCTETS, 'Content-Length: 5', 'Expect: 100-continue', 'Connection: close'];
    const taken = await pour(expecting, Buffer.from('hello'), 5);
    expect(taken.answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    const refused = await pour(expecting, Buffer.from('hello'), 5, '/probe/unread');
    expect(refused.answer).toMatch(/^HTTP\/1\.1 200 /);
  });
});

interface Poured {
  readonly sent: number;
  readonly answer: string;
}
