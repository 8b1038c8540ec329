import fc from 'fast-check';
import { startTestApp, type TestApp } from '../support/app';
import { badLiterals, BadInputFixture, rawWith, speakRaw, type RouteTarget } from '../support/bad-input';
import { type Answer, errorOf } from '../support/http/api';
import { listSeqs, send } from '../support/messages';
import { routeSchemas, fieldsOf, type Schema, withField } from '../support/route-schemas';
import { badField, createRoom, NOT_FOUND, refusal } from '../support/rooms';
import { STORABLE_TEXTS } from '../support/unicode';
import { runs } from '../support/timing';

const VALIDATION = { status: 400, code: 'VALIDATION_ERROR' };
const NO_CONVERSATION = { status: 404, code: 'CONVERSATION_NOT_FOUND' };
/** Those of OpenAI's API take what its clients send, and refuse in its shape: openai-*.e2e-spec.ts. */
const ROUTES = routeSchemas().filter(({ path }) => !path.startsWith('/v1/'));
const WITH_BODY = ROUTES.filter((route) => route.body).map((route) => `${route.method} ${route.path}`);
const WRITING = ROUTES.filter(({ method }) => method === 'POST' || method === 'PATCH').map(
  (route) => `${route.method} ${route.path}`,
);
/** A user id as it may stand in a URL; what is no UTF-8 there stays as it is written. */
const USER_ID = /^(?:[\w/[\]{}';-]|%ff){1,128}$/;
/** A reaction as it may stand in a URL. */
const GOOD_KEY = /^(?:a%2Fb|%20|%F0%9F%98%80|[\w\-';[\]{}"]{1,64})$/;
/** The beginning of a room's name in a URL. */
const ROOM_NAME = /^(?!.*(?:%00|&)).+$/;
const KB_256 = 256 * 1024;
/** Takes a client's whole history, of which the last message alone is looked at. */
const TAKES_HISTORY = 'POST /api/ui/chat';
/** What a client may call a chat: one that has not begun has nothing to be joined. */
const CHAT_ID = /^[\w-]+$/;

describe('bad input', () => {
  let app: TestApp;
  let world: BadInputFixture;
  let targets: Map<string, RouteTarget>;
  let before: string;

  beforeAll(async () => {
    app = await startTestApp();
    world = await BadInputFixture.create(app);
    targets = new Map(world.targets().map((target) => [target.name, target]));
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    before = await world.fingerprint();
  });

  const targetOf = (name: string): RouteTarget => {
    const target = targets.get(name);
    if (!target) throw new Error(`no route ${name}`);
    return target;
  };
  const raw = (
    target: RouteTarget,
    bytes: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answer<unknown>> => target.by.call(target.route.method, target.path, undefined, { raw: bytes, headers });
  const expectNothingChanged = async (): Promise<void> => expect(await world.fingerprint()).toBe(before);

  it('finds the routes', () => {
    expect(WITH_BODY).toEqual(expect.arrayContaining(['POST /rooms', 'PATCH /admin/tenants/{tenant_id}']));
    expect(WITH_BODY.length).toBeGreaterThan(10);
  });

  describe.each(WITH_BODY)('%s', (name) => {
    it('refuses bad values in every field and names it', async () => {
      const target = targetOf(name);
      for (const field of fieldsOf(target.route.body ?? {}))
        for (const literal of badLiterals(field)) {
          const body = rawWith(target, field.path, literal);
          const refused = refusal(await raw(target, body));
          expect({ ...refused, body }).toEqual({ ...VALIDATION, field: expect.any(String), body });
          expect(refused.field?.replace(/\[\d+\]$/, '')).toBe(field.path.join('.'));
        }
      await expectNothingChanged();
    });

    it('refuses fields that it does not know, by name', async () => {
      const target = targetOf(name);
      for (const field of ['unknown', 'Content', 'constructor', 'toString', 'é', 'a.b', 'x'.repeat(100)])
        expect(refusal(await raw(target, JSON.stringify({ ...target.body, [field]: 1 })))).toEqual(badField(field));
      await expectNothingChanged();
    });

    it('S12: refuses a number that would come back as another one, by name', async () => {
      const target = targetOf(name);
      const good = JSON.stringify({ ...target.body, meta: { ids: [1, 'here'] } });
      for (const number of ['9007199254740993', '-9007199254740993', '1e400', '0.10000000000000000001'])
        expect(refusal(await raw(target, good.replace('"here"', number)))).toEqual(
          badField(name === TAKES_HISTORY ? 'meta' : 'meta.ids[1]'),
        );
      await expectNothingChanged();
    });

    it('refuses what is no JSON object', async () => {
      const target = targetOf(name);
      const good = JSON.stringify(target.body);
      const bodies: (string | Buffer)[] = [
        ...['null', '[]', '"text"', '5', 'true', '[{}]', 'undefined', 'NaN', '{', '}', '{"a"', "{'a':1}", '{"a":1,}'],
        `${good}${good}`,
        good.slice(0, -1),
        `\ufeff${good}`,
        Buffer.from(`\ufeff${good}`, 'utf16le'),
        Buffer.concat([Buffer.from('{"'), Buffer.from([0xff, 0xfe]), Buffer.from('":1}')]),
        Buffer.from([0]),
        ' ',
        `{"__proto__":{"a":1},${good.slice(1)}`,
        `{"constructor":{"prototype":{"a":1}},${good.slice(1)}`,
        '['.repeat(5000) + ']'.repeat(5000),
        `{"a":${'['.repeat(32)}${']'.repeat(32)}}`,
        '{"a":'.repeat(40_000),
      ];
      for (const body of bodies) expect(refusal(await raw(target, body))).toMatchObject(VALIDATION);
      await expectNothingChanged();
    });

    it('refuses an empty body where fields are required', async () => {
      const target = targetOf(name);
      if (!target.route.body?.required) return;
      for (const body of ['', '{}']) expect(refusal(await raw(target, body))).toMatchObject(VALIDATION);
      const none = await target.by.call(target.route.method, target.path);
      expect(refusal(none)).toMatchObject(VALIDATION);
      await expectNothingChanged();
    });

    it('refuses other content types with 415', async () => {
      const target = targetOf(name);
      const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];
      for (const type of [...types, 'application/xml', 'application/jsonx', 'application', 'x/y; charset="'])
        expect(refusal(await raw(target, JSON.stringify(target.body), { 'content-type': type }))).toEqual({
          status: 415,
          code: 'UNSUPPORTED_MEDIA_TYPE',
        });
      await expectNothingChanged();
    });

    it('takes 256 KB, a history 8 MB, and refuses a byte more with 413', async () => {
      const target = targetOf(name);
      const most = name === TAKES_HISTORY ? 8 * 1024 * 1024 : KB_256;
      const filled = (bytes: number): string => `{"filler":"${'x'.repeat(bytes - '{"filler":""}'.length)}"}`;
      expect(refusal(await raw(target, filled(most)))).toMatchObject(VALIDATION);
      expect(refusal(await raw(target, filled(most + 1)))).toEqual({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
      await expectNothingChanged();
    });

    it('stores difficult text byte for byte, or refuses it', async () => {
      const target = targetOf(name);
      const texts = fieldsOf(target.route.body ?? {}).filter(({ schema }) => schema.type === 'string' && !schema.oneOf);
      for (const { path } of texts)
        for (const text of Object.values(STORABLE_TEXTS)) {
          const answer = await raw(target, JSON.stringify(withField(target.body, path, text)));
          // A stream is text.
          const answered = (typeof answer.body === 'object' ? answer.body : {}) as Record<string, unknown>;
          const [field = ''] = path;
          // A name may be taken by the time that another field is looked at.
          if (answer.status >= 400) expect([400, 404, 409]).toContain(answer.status);
          else if (path.length === 1 && field in answered) expect(answered[field]).toBe(text);
        }
    });
  });

  describe('path parameters', () => {
    const BAD = [
      '%00',
      'a%00b',
      '%ff',
      '%ed%a0%80',
      '%',
      '%zz',
      'a%2Fb',
      '%20',
      '%F0%9F%98%80',
      "';--",
      '-',
      '0',
      'null',
    ];
    const withParameters = ROUTES.filter((route) => route.pathParameters.length > 0);

    it.each(withParameters.map((route) => `${route.method} ${route.path}`))('of %s', async (name) => {
      const { route, by, body } = targetOf(name);
      for (const parameter of route.pathParameters)
        for (const value of [...BAD, 'x'.repeat(200), 'x'.repeat(1500), '%41'.repeat(600)]) {
          // Whoever asks for the chats of a user nobody knows gets none.
          if (route.path.startsWith('/api/v1/chats/user/') && USER_ID.test(value.replace('%2F', '/'))) continue;
          if (parameter === 'key' && GOOD_KEY.test(value)) continue;
          if (route.path === '/api/ui/chat/{chat_id}/stream' && CHAT_ID.test(value)) continue;
          const path = world.pathOf(route, { [parameter]: value });
          const answer = await by.call(route.method, path, route.body ? body : undefined);
          // An admin key does not see other tenants, malformed or not.
          const statuses = parameter === 'tenant_id' ? [400, 403, 404] : [400, 404];
          expect({ path, isRefused: statuses.includes(answer.status) }).toEqual({ path, isRefused: true });
          expect(errorOf(answer).message).not.toBe('');
        }
      await expectNothingChanged();
    });
  });

  describe('query parameters', () => {
    /** What is bad for a number or a choice may be a good name; nothing is no id of an event. */
    const isGood = (parameter: string, value: string, path: string): boolean =>
      (/^(userId|groupId|user_id)$/.test(parameter) && USER_ID.test(value)) ||
      (parameter === 'prefix' && (path.includes('/rooms') ? ROOM_NAME : USER_ID).test(value)) ||
      (parameter === 'content' && value === 'true') ||
      (parameter === 'kind' && /^\w+$/.test(value)) ||
      (parameter === 'key' && (value === '%ff' || GOOD_KEY.test(value))) ||
      (parameter === 'last_event_id' && value === '');
    const badValues = (schema: Schema): string[] => [
      ...['', 'x', '%00', '%ff', '%F0%9F%98%80', '[]', '{}', 'null', 'true'],
      ...(schema.type === 'integer'
        ? ['1.5', '-1', '1e2', '0x1', '%2B1', '١', '9'.repeat(30), '-9223372036854775809']
        : []),
    ];

    it.each(ROUTES.filter((route) => route.queryParameters.length > 0).map((route) => `${route.method} ${route.path}`))(
      'of %s',
      async (name) => {
        const { route, by, path } = targetOf(name);
        for (const { name: parameter, schema } of route.queryParameters) {
          const repeated =
            schema.type === 'integer' ? `1&${parameter}=2` : `${String(schema.enum?.[0])}&${parameter}=x`;
          for (const value of [...badValues(schema), repeated].filter((given) => !isGood(parameter, given, path))) {
            const refused = refusal(await by.call(route.method, `${path}?${parameter}=${value}`));
            // A malformed id is an id that does not exist.
            const isId = schema.type === 'string' && schema.enum === undefined && refused.status === 404;
            const missing = path.startsWith('/api/conversations') ? NO_CONVERSATION : NOT_FOUND;
            // A ticket that is none is a credential that is none.
            const isNone = parameter === 'ticket' && refused.status === 401;
            if (!isNone) expect(refused).toEqual(isId ? missing : badField(parameter));
          }
        }
        await expectNothingChanged();
      },
    );

    it('that nobody knows, or that hardly parse, hurt nothing', async () => {
      const target = targetOf('GET /rooms/{room_id}/messages');
      for (const query of [
        '?a=1',
        '?&&&',
        '?=',
        '?%',
        '?__proto__=1&constructor=2',
        `?a=${'x'.repeat(8000)}`,
        '?limit',
      ])
        expect([200, 400]).toContain((await target.by.get(target.path + query)).status);
    });
  });

  describe('bytes that are no proper HTTP', () => {
    const line = (path = '/rooms'): string => `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
    const json = 'Content-Type: application/json\r\n';
    const authorised = (): string => `X-API-Key: ${world.tenant.apiKey}\r\nX-User-Id: alice\r\n`;

    it.each<[string, () => string | Buffer, number[]]>([
      ['no request line', () => 'hello\r\n\r\n', [400]],
      ['a method that does not exist', () => 'BREW /rooms HTTP/1.1\r\nHost: x\r\n\r\n', [400]],
      ['another version', () => 'GET /rooms HTTP/9.9\r\nHost: x\r\n\r\n', [400]],
      ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
      ['a TLS hello', () => Buffer.from('160301020001000001fc0303', 'hex'), [400]],
      ['no Host', () => 'GET /rooms HTTP/1.1\r\nConnection: close\r\n\r\n', [400]],
      ['an odd Expect', () => `${line()}Expect: the-impossible\r\n\r\n`, [401]],
      ['a blank in a header name', () => `${line()}bad name: x\r\n\r\n`, [400]],
      ['NUL in a header', () => `${line()}X-User-Id: a\0b\r\n\r\n`, [400]],
      ['huge headers', () => `${line()}X-Filler: ${'x'.repeat(20_000)}\r\n\r\n`, [431]],
      ['ten thousand headers', () => `${line()}${'a: b\r\n'.repeat(10_000)}\r\n`, [431]],
      ['a huge URL', () => `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, [431]],
      ['a length that is no number', () => `${line()}${json}Content-Length: ten\r\n\r\n{}`, [400]],
      ['a negative length', () => `${line()}${json}Content-Length: -1\r\n\r\n{}`, [400]],
      ['two lengths', () => `${line()}${json}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, [400]],
      [
        'a length and chunks',
        () => `${line()}${json}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        [400],
      ],
      [
        'a chunk of no size',
        () => `${line()}${authorised()}${json}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n`,
        [400],
      ],
      ['a body shorter than said, from nobody', () => `${line()}${json}Content-Length: 100\r\n\r\n{}`, [401]],
      [
        'a body longer than said',
        () => `${line()}${authorised()}${json}Content-Length: 2\r\n\r\n{}{"type":"group"}`,
        [400],
      ],
      ['a path of blanks', () => 'GET / rooms HTTP/1.1\r\nHost: x\r\n\r\n', [400]],
      ['a path that climbs', () => `${line('/rooms/../../etc/passwd')}\r\n`, [404]],
      ['an absolute URL', () => `${line('http://evil.example/nothing')}\r\n`, [400, 404]],
    ])('%s', async (_name, bytes, statuses) => {
      const answer = await speakRaw(app.url, bytes());
      expect(statuses).toContain(answer.status);
      expect(errorOf(answer)).toMatchObject({ code: expect.any(String), request_id: expect.any(String) });
      expect(answer.headers.get('x-request-id')).toBe(errorOf(answer).request_id);
      await expectNothingChanged();
    });

    it('leave the server as it was', async () => {
      expect((await app.anonymous.get('/health')).status).toBe(200);
    });
  });

  describe('random bodies', () => {
    const names = [...new Set(ROUTES.flatMap((route) => Object.keys(route.body?.properties ?? {})))];
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('alice', 'bob', 'group', 'channel', 'dm', 'admin', 'admins', 'active', 'default', 'chat'),
      fc.array(fc.constantFrom('alice', 'bob', 'chat', 'admin', '', 5, null), { maxLength: 4 }),
      fc.constantFrom(-1, 0, 1, 1.5, 1e308, 2 ** 53, -0),
    );
    const body = fc.oneof(
      { weight: 5, arbitrary: fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 }) },
      { weight: 1, arbitrary: fc.jsonValue() },
    );

    it.each(WRITING)('%s never answers with a fault of the server', async (name) => {
      const target = targetOf(name);
      await fc.assert(
        fc.asyncProperty(body, fc.boolean(), async (random, isOnTop) => {
          const isObject = typeof random === 'object' && random !== null && !Array.isArray(random);
          const sent = isObject && isOnTop ? { ...target.body, ...random } : random;
          const answer = await raw(target, JSON.stringify(sent));
          expect(answer.status).toBeLessThan(500);
          if (answer.status >= 400) expect(errorOf(answer).message).not.toBe('');
        }),
        { numRuns: runs(40) },
      );
    });
  });

  it('in between, good requests work', async () => {
    const alice = world.tenant.as('alice');
    const { room_id } = await createRoom(alice, 'group');
    await send(alice, room_id);
    expect(await listSeqs(alice, room_id)).toEqual({ seqs: [1], total: 1 });
  });
});
