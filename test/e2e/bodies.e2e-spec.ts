import { connect, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { speakRaw } from '../support/bad-input';
import { eventually } from '../support/embedded/processes';
import { type Answer, errorOf } from '../support/http/api';
import { createRoom } from '../support/rooms';

const MB = 1024 * 1024;
const GIANT = 300 * MB;
/** What the system holds between two sockets of one machine, and what is read after an answer: far from 300 MB. */
const BUFFERED = 32 * MB;

describe('bodies', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  describe('S10: Content-Encoding', () => {
    const json = Buffer.from('{"type":"group","name":"coded"}');
    const create = (coding: string, raw: Buffer = json): Promise<Answer<unknown>> =>
      tenant.as('alice').post('/rooms', undefined, { raw, headers: { 'content-encoding': coding } });

    it.each<[string, Buffer]>([
      ['gzip', gzipSync(json)],
      ['gzip', json],
      ['x-gzip', gzipSync(json)],
      ['GZIP', gzipSync(json)],
      ['deflate', deflateSync(json)],
      ['br', brotliCompressSync(json)],
      ['zstd', json],
      ['compress', json],
      ['gzip, identity', gzipSync(json)],
      ['identity, gzip', gzipSync(json)],
      ['deflate, gzip', gzipSync(deflateSync(json))],
      ['aws-chunked', json],
      ['identity;q=1', json],
      ['x'.repeat(50), json],
    ])('S10: %s is refused with 415, the header is named, and nothing is stored', async (coding, raw) => {
      const before = await tenant.as('alice').get('/rooms');
      const answer = await create(coding, raw);
      const { code, field, message } = errorOf(answer);
      expect([answer.status, code, field]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE', 'Content-Encoding']);
      expect(message).toContain(`Content-Encoding ${coding.slice(0, 40)} is not supported`);
      expect(answer.headers.get('accept-encoding')).toBe('identity');
      expect((await tenant.as('alice').get('/rooms')).body['total']).toBe(before.body['total']);
    });

    it.each(['identity', 'Identity', 'identity, identity', ''])('S10: "%s" is taken', async (coding) => {
      expect((await create(coding)).status).toBe(201);
    });

    it('S10: without a body it says nothing', async () => {
      const { room_id } = await createRoom(tenant.as('alice'), 'channel');
      const bob = tenant.as('bob').with({ 'content-encoding': 'gzip' });
      expect((await bob.get('/rooms')).status).toBe(200);
      expect((await bob.post(`/rooms/${room_id}/join`)).status).toBe(200);
    });

    it('S10: the credential comes first', async () => {
      const answer = await app.anonymous.post('/rooms', undefined, {
        raw: gzipSync(json),
        headers: { 'content-encoding': 'gzip' },
      });
      expect(answer.status).toBe(401);
    });
  });

  describe('S10: Transfer-Encoding', () => {
    const chunks = '2\r\n{}\r\n0\r\n\r\n';
    const request = (coding: string, method = 'POST'): string =>
      `${method} /rooms HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: ${tenant.apiKey}\r\nX-User-Id: alice\r\n` +
      `Content-Type: application/json\r\nTransfer-Encoding: ${coding}\r\n\r\n${chunks}`;

    it.each(['gzip, chunked', 'GZIP,chunked', 'deflate, gzip, chunked', 'identity, chunked', 'nonsense, chunked'])(
      'S10: %s is 501',
      async (coding) => {
        for (const method of ['POST', 'GET']) {
          const answer = await speakRaw(app.url, request(coding, method));
          expect([method, answer.status, errorOf(answer).field]).toEqual([method, 501, 'Transfer-Encoding']);
        }
      },
    );

    it('S10: what does not end in chunks has no length, and is no HTTP', async () => {
      expect((await speakRaw(app.url, request('gzip'))).status).toBe(400);
    });

    it.each(['chunked', 'Chunked'])('S10: %s is read', async (coding) => {
      // {} is no room.
      const answer = await speakRaw(app.url, request(coding));
      expect([answer.status, errorOf(answer).field]).toEqual([400, 'type']);
    });
  });

  describe('S32: a body that nobody reads', () => {
    const head = (headers: readonly string[], path = '/rooms', method = 'POST'): string =>
      [`${method} ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
    const json = 'Content-Type: application/json';
    const length = `Content-Length: ${GIANT}`;
    const alice = (): string[] => [`X-API-Key: ${tenant.apiKey}`, 'X-User-Id: alice'];

    const cases: [string, () => string, number][] = [
      ['without a credential', () => head([json, length]), 401],
      ['with a wrong key', () => head([json, length, 'X-API-Key: wrong', 'X-User-Id: alice']), 401],
      ['without the right', () => head([json, length, ...alice()], '/admin/tenants'), 403],
      ['to no route', () => head([json, length, ...alice()], '/nowhere'), 404],
      ['with a wrong method', () => head([json, length, ...alice()], '/rooms', 'PUT'), 405],
      ['that is announced as too large', () => head([json, length, ...alice()]), 413],
      ['of another type', () => head(['Content-Type: text/plain', length, ...alice()]), 415],
      ['that is compressed', () => head([json, length, 'Content-Encoding: gzip', ...alice()]), 415],
      ['with a transfer that is coded', () => head([json, 'Transfer-Encoding: gzip, chunked']), 501],
      ['of a GET', () => head([length, ...alice()], '/rooms', 'GET'), 200],
      ['of a public GET', () => head([length], '/health', 'GET'), 200],
      ['in chunks, without a credential', () => head([json, 'Transfer-Encoding: chunked']), 401],
    ];

    it.each(cases)('S32: %s is answered, and the connection closed', async (_name, request, status) => {
      const client = new Flood(app.url, request());
      await client.closed;
      expect(client.answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(client.answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
      expect(client.sent).toBeLessThan(BUFFERED);
    });

    it('S32: 429 as well', async () => {
      const other = await app.tenant({ requests_per_second: 0 });
      const client = new Flood(app.url, head([json, length, `X-API-Key: ${other.apiKey}`, 'X-User-Id: a']));
      await client.closed;
      expect(client.answer).toMatch(/^HTTP\/1\.1 429 /);
      expect(client.sent).toBeLessThan(BUFFERED);
    });

    it('S32: who waits for "100 Continue" is not told to go on', async () => {
      const answer = await speakRaw(app.url, head([json, length, 'Expect: 100-continue']));
      expect(answer.status).toBe(401);
    });

    it('S32: who waits for it with a credential is told so, and heard', async () => {
      const socket = new Talk(app.url);
      const body = '{"type":"group"}';
      socket.write(head([json, `Content-Length: ${body.length}`, 'Expect: 100-continue', ...alice()]));
      await eventually('the server says go on', () => socket.received.startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
      socket.write(body);
      await eventually('it answers', () => socket.received.includes('HTTP/1.1 201 Created'));
      socket.end();
    });

    it('S32: a small body is read, and the connection kept', async () => {
      const body = `{"name":"${'x'.repeat(60_000)}"}`;
      const socket = new Talk(app.url);
      const requests = [
        head([json, `Content-Length: ${body.length}`]) + body,
        head(['Content-Type: text/plain', `Content-Length: ${body.length}`, ...alice()]) + body,
        head([json, `Content-Length: ${body.length}`, ...alice()], '/nowhere') + body,
        head([json, 'Content-Length: 1', ...alice()]) + '{',
      ];
      for (const [i, request] of requests.entries()) {
        socket.write(request);
        await eventually('an answer', () => socket.statuses.length > i);
      }
      expect(socket.statuses).toEqual([401, 415, 404, 400]);
      expect(socket.received.toLowerCase()).not.toContain('connection: close');
      socket.end();
    });
  });
});

/** Speaks HTTP byte by byte on one connection. */
class Talk {
  received = '';
  private readonly socket: Socket;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname).setEncoding('utf8');
    this.socket.on('data', (text: string) => (this.received += text));
    this.socket.on('error', () => undefined);
  }

  get statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  write(bytes: string): void {
    this.socket.write(bytes);
  }

  end(): void {
    this.socket.destroy();
  }
}

/** Writes after the head for as long as somebody takes it, up to 300 MB, as a client that reads only afterwards. */
class Flood {
  answer = '';
  sent = 0;
  readonly closed: Promise<void>;
  private readonly socket: Socket;
  private readonly piece = Buffer.from(`10000\r\n${'x'.repeat(0x10000)}\r\n`);

  constructor(url: string, head: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname, () => {
      this.socket.write(head);
      this.pour();
    });
    this.socket.on('drain', () => this.pour());
    this.socket.on('data', (chunk: Buffer) => (this.answer += chunk.toString('latin1')));
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
  }

  private pour(): void {
    while (this.sent < GIANT && this.socket.writable) {
      this.sent += this.piece.length;
      if (!this.socket.write(this.piece)) return;
    }
  }
}
