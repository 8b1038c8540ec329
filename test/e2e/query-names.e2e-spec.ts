import { BadInputFixture, type RouteTarget } from '../support/bad-input';
import { createChat } from '../support/chats/http';
import { errorOf } from '../support/http/api';
import { badField, createRoom, refusal } from '../support/rooms';
import { documentedRoutes } from '../support/documented-routes';
import { type ConnectOptions, WsClient } from '../support/ws/client';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';

const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;
const ROUTES = documentedRoutes();
/** Those of OpenAI's API refuse in its shape: openai-completions.e2e-spec.ts. */
const CLOSED = ROUTES.filter(({ schemes, path }) => schemes.length > 0 && !path.startsWith('/v1/'));
const OPEN = ROUTES.filter(({ schemes }) => schemes.length === 0);
const QUERY_NAMES = [...new Set(ROUTES.flatMap(({ queryParams }) => queryParams))];
/** Names that no route has, as they stand in a URL, and the field that the refusal names. */
const UNKNOWN: readonly (readonly [written: string, field: string])[] = [
  ['afer_seq=5', 'afer_seq'],
  ['limit[]=1', 'limit[]'],
  ['limit%5B%5D=1', 'limit[]'],
  ['limit[0]=1', 'limit[0]'],
  ['Limit=1', 'Limit'],
  ['limit%20=1', 'limit '],
  ['flag', 'flag'],
  ['=1', ''],
  ['constructor=1', 'constructor'],
  ['toString=1', 'toString'],
  ['utm=1', 'utm'],
  ['api_key=x', 'api_key'],
  [`${'x'.repeat(300)}=1`, 'x'.repeat(100)],
];
const IGNORED = ['_=1', '_t=1', '__proto__=1', 'utm_source=mail', 'utm_=1', '_=1&_=2', '', '&&'];

describe('S13: query parameters that nobody knows', () => {
  let app: SocketApp;
  let targets: Map<string, RouteTarget>;
  let world: BadInputFixture;

  beforeAll(async () => {
    app = await startSocketApp();
    world = await BadInputFixture.create(app);
    targets = new Map(world.targets().map((target) => [target.name, target]));
  });
  afterAll(() => app.close());

  const targetOf = (name: string): RouteTarget => {
    const target = targets.get(name);
    if (!target) throw new Error(`no route ${name}`);
    return target;
  };
  /** The route with this query, and a body that would be refused after the query. */
  const ask = ({ by, route, path }: RouteTarget, query: string): ReturnType<RouteTarget['by']['call']> =>
    by.call(route.method, `${path}?${query}`, route.method === 'GET' ? undefined : { unknown_field: 1 });

  it('looks at every route of the document', () => {
    expect(CLOSED.length).toBeGreaterThan(50);
    const health = ['GET /health', 'GET /health/live', 'GET /health/ready'];
    // A link's ticket is its credential.
    expect(OPEN.map(nameOf).sort()).toEqual(['GET /exports/file', ...health, 'GET /metrics']);
  });

  describe.each(CLOSED.map((route) => [nameOf(route), route.queryParams] as const))('%s', (name, known) => {
    it('S13: refuses them by name, and changes nothing', async () => {
      const before = await world.fingerprint();
      const foreign = QUERY_NAMES.filter((other) => !known.includes(other)).map(
        (other) => [`${other}=1`, other] as const,
      );
      for (const [written, field] of [...UNKNOWN, ...foreign]) {
        const answer = await ask(targetOf(name), written);
        expect({ written, ...refusal(answer) }).toEqual({ written, ...badField(field) });
        expect(errorOf(answer).message).toBe(`Unknown query parameter: ${field}`);
      }
      expect(await world.fingerprint()).toBe(before);
    });

    it('S13: refuses what is given twice, and names all faults', async () => {
      for (const parameter of known) {
        const { message, field } = errorOf(await ask(targetOf(name), `${parameter}=1&${parameter}=2`));
        expect({ message, field }).toEqual({ message: `${parameter} must be given only once`, field: parameter });
      }
      const { details } = errorOf(await ask(targetOf(name), 'a=1&_=1&b=2&a=3'));
      expect((details?.['errors'] as { field: string }[]).map(({ field }) => field)).toEqual(['a', 'b']);
    });

    it('S13: knows what is documented, and lets pass what caches and trackers add', async () => {
      for (const query of [...known.map((parameter) => `${parameter}=x`), ...IGNORED]) {
        const target = targetOf(name);
        // Something that does not exist: what the query lets pass shall do nothing.
        const path = target.path.replace(/(_|\/)[0-9a-f-]{32,}/, '$1missing');
        const body = target.route.method === 'GET' ? undefined : { unknown_field: 1 };
        if (target.route.method === 'DELETE' && path === target.path) continue;
        // Of another form, it is refused after the query: no stream begins that has no end.
        const by = target.by.with({ 'last-event-id': 'none' });
        const { body: answer } = await by.call<{ error?: { message: string } }>(
          target.route.method,
          `${path}?${query}`,
          body,
        );
        expect(answer.error?.message ?? '').not.toMatch(/query parameter|only once/);
      }
    });
  });

  it.each(CLOSED.map(nameOf))('S13: %s tells nothing of names without a credential', async (name) => {
    const { route, path } = targetOf(name);
    const answer = await app.anonymous.call(route.method, `${path}?afer_seq=5`);
    expect(refusal(answer)).toEqual({ status: 401, code: 'AUTHENTICATION_ERROR' });
  });

  it('S13: pages, documents and what orchestrators ask ignore the query', async () => {
    const asked = ['/health', '/health/live', '/metrics'];
    const paths = ['/', '/docs', '/docs/ws', '/docs-json', '/openapi.json', '/asyncapi.json', '/llms.txt', ...asked];
    for (const path of [...paths, '/docs/swagger/swagger-ui.css', '/docs/assets/page.css'])
      expect({ path, status: (await fetch(`${app.url}${path}?afer_seq=5&v=1&v=2`)).status }).toEqual({
        path,
        status: 200,
      });
  });

  it('S13: HEAD has the rule of GET', async () => {
    const alice = (await app.tenant()).as('alice');
    const { room_id } = await createRoom(alice, 'group');
    const ask = async (query: string): Promise<number> =>
      (await fetch(`${app.url}/rooms/${room_id}?${query}`, { method: 'HEAD', headers: alice.headers })).status;
    expect([await ask('afer_seq=1'), await ask('_=1')]).toEqual([400, 200]);
  });

  describe.each(['/ws', '/ws/chat'])('S13: %s', (path) => {
    let options: ConnectOptions;

    beforeAll(async () => {
      const tenant = await app.tenant();
      const { id } = await createChat(tenant.key, 'alice');
      options = { path, headers: { ...keyOf(tenant), ...(path === '/ws' ? {} : { 'x-chat-id': id }) } };
    });

    const CASES: readonly (readonly [query: string, field: string, message: string])[] = [
      ['synk=manual', 'synk', 'Unknown query parameter: synk'],
      ['close_codes[]=1', 'close_codes[]', 'Unknown query parameter: close_codes[]'],
      ['last_event=1', 'last_event', 'Unknown query parameter: last_event'],
      ['user_id=alice&user_id=bob', 'user_id', 'user_id must be given only once'],
      [path === '/ws' ? 'chat_id=1' : 'sync=auto', path === '/ws' ? 'chat_id' : 'sync', 'Unknown query parameter'],
    ];

    it.each(CASES)('refuses ?%s', async (query, field, message) => {
      const { status, body } = await WsClient.refused(app.url, { ...options, query });
      expect(status).toBe(400);
      expect(body.error).toMatchObject({ code: 'VALIDATION_ERROR', field, message: expect.stringContaining(message) });
    });

    it.each(CASES)('closes 4001 with close_codes=1 and ?%s', async (query) => {
      const client = await WsClient.connect(app.url, { ...options, query: `close_codes=1&${query}` });
      expect(await client.ended()).toMatchObject({ code: 4001 });
      expect(client.frames).toHaveLength(1);
    });

    it('lets pass what caches and trackers add', async () => {
      const client = await WsClient.connect(app.url, { ...options, query: '_=1&utm_source=x&_=2&user_id=alice' });
      await client.frame(path === '/ws' ? 'hello' : 'connection_established');
      await client.close();
    });
  });
});
