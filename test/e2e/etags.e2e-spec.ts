import { createApp } from '../../src/app';
import { decodeId } from '../../src/common/ids';
import type { AppConfig } from '../../src/config';
import { SilentLog } from '../../src/platform/logging';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Answer, Api } from '../support/http/api';
import { pathOf, send } from '../support/messages';
import { createRoom, FORBIDDEN, NOT_FOUND, refusal } from '../support/rooms';

const VARY = 'Authorization, X-API-Key, X-User-Id, X-Response-Format, Origin';
const OTHER = '"AAAAAAAAAAAAAAAAAAAAAA"';
const FORMATS = [undefined, 'bare', 'envelope', 'nonsense'] as const;
const ROUTES = [
  '/messages',
  '/messages?order=desc&limit=2',
  '/messages?before_seq=3',
  '/messages?after_seq=99',
  '/messages?offset=1&limit=1',
  '/changes',
  '/changes?after_rev=1&limit=2',
  '/changes?after_rev=99',
];
/** What is sent of a tag, and whether it is named by it. */
const NAMED: Readonly<Record<string, readonly [write: (tag: string) => string, isNamed: boolean]>> = {
  'the tag': [(tag) => tag, true],
  'the tag, weak': [(tag) => `W/${tag}`, true],
  'a list with it': [(tag) => `${OTHER}, W/"x" ,${tag}`, true],
  'any tag': [() => '*', true],
  'another tag': [() => OTHER, false],
  'a list without it': [() => `${OTHER}, W/${OTHER}`, false],
  'the tag without quotes': [(tag) => tag.slice(1, -1), false],
  'no list': [(tag) => `${tag} ${tag}`, false],
  nothing: [() => '', false],
};
/** What is of each request alone. */
const OWN = ['x-request-id', 'date', 'content-length', 'content-type', 'connection', 'keep-alive'];

function tagOf(answer: Answer<unknown>): string {
  const tag = answer.headers.get('etag') ?? '';
  expect(tag).toMatch(/^"[\w-]{22}"$/);
  return tag;
}

const shared = (headers: Headers): object =>
  Object.fromEntries([...headers].filter(([name]) => !OWN.includes(name) && !name.startsWith('x-ratelimit')));

describe('ETags', () => {
  let config: AppConfig;
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;
  let room: string;

  beforeAll(async () => {
    app = await startTestApp({
      start: (given, log) => {
        config = given;
        return createApp(given, () => undefined, log);
      },
    });
    tenant = await app.tenant();
    alice = tenant.as('alice');
    room = await furnished();
  });
  afterAll(() => app.close());

  async function furnished(): Promise<string> {
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    for (const content of ['one', 'two "quoted"', '三 😀', 'four'])
      await send(alice, room_id, { content, meta: { z: 1 } });
    return room_id;
  }

  const ask = (by: Api, path: string, tag?: string, room_id = room): Promise<Answer<unknown>> =>
    by.get<unknown>(`/rooms/${room_id}${path}`, { headers: tag === undefined ? {} : { 'if-none-match': tag } });

  const asking = (format: string | undefined): Api =>
    format === undefined ? alice : alice.with({ 'x-response-format': format });

  describe.each(ROUTES)('of %s', (path) => {
    it.each(FORMATS)('in the format %s is named in every form, and nothing else is', async (format) => {
      const by = asking(format);
      const full = await ask(by, path);
      const tag = tagOf(full);
      expect(full.headers.get('cache-control')).toBe('private, no-cache');
      expect(full.headers.get('vary')).toBe(VARY);
      for (const [name, [write, isNamed]] of Object.entries(NAMED)) {
        const again = await ask(by, path, write(tag));
        expect([name, again.status, again.body]).toEqual([name, isNamed ? 304 : 200, isNamed ? '' : full.body]);
        expect(shared(again.headers)).toEqual(shared(full.headers));
        if (isNamed) expect(again.headers.has('content-length')).toBe(false);
      }
    });

    it('is that of the format, and the body is in its envelope', async () => {
      const answers = await Promise.all(FORMATS.map((format) => ask(asking(format), path)));
      const [said, bare, envelope, nonsense] = answers.map(tagOf);
      expect([bare, nonsense]).toEqual([said, said]);
      expect(envelope).not.toBe(said);
      expect(answers[2]?.body).toEqual({ success: true, data: answers[0]?.body, error: null });
      for (const { headers } of answers) expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect((await ask(asking('envelope'), path, said)).status).toBe(200);
    });

    it('is answered to HEAD as to GET, without a body', async () => {
      const url = `${app.url}/rooms/${room}${path}`;
      const get = await fetch(url, { headers: alice.headers });
      const { byteLength } = await get.arrayBuffer();
      const tag = get.headers.get('etag') ?? '';
      for (const [asked, status] of [
        [OTHER, 200],
        [tag, 304],
      ] as const) {
        const head = await fetch(url, { method: 'HEAD', headers: { ...alice.headers, 'if-none-match': asked } });
        expect([head.status, await head.text()]).toEqual([status, '']);
        expect(head.headers.get('content-length')).toBe(String(byteLength));
        expect(shared(head.headers)).toEqual(shared(get.headers));
      }
    });
  });

  it("follow the tenant's setting of the format", async () => {
    const wrapping = await app.tenant(undefined, { response_format: 'envelope' });
    const by = wrapping.as('alice');
    const { body } = await by.post<{ data: { room_id: string } }>('/rooms', { type: 'group' });
    const path = '/messages';
    const tag = tagOf(await ask(by, path, undefined, body.data.room_id));
    expect((await ask(by, path, tag, body.data.room_id)).status).toBe(304);
    expect((await ask(by.with({ 'x-response-format': 'bare' }), path, tag, body.data.room_id)).status).toBe(200);
  });

  it('are the same for everybody who sees the same, by key or by token', async () => {
    const bob = bearer(app.anonymous, (await mintToken(tenant.key, 'bob')).token);
    for (const path of ROUTES) expect(tagOf(await ask(bob, path))).toBe(tagOf(await ask(alice, path)));
  });

  it.each(['/messages', '/changes'])('of %s are no way around the room', async (path) => {
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    await send(alice, room_id);
    const bob = tenant.as('bob');
    const tag = tagOf(await ask(bob, path, undefined, room_id));
    const stranger = (await app.tenant()).as('alice');
    for (const named of [tag, '*']) {
      expect(refusal(await ask(tenant.as('mallory'), path, named, room_id))).toEqual(FORBIDDEN);
      expect(refusal(await ask(stranger, path, named, room_id))).toEqual(NOT_FOUND);
      expect((await ask(app.anonymous, path, named, room_id)).status).toBe(401);
      expect((await ask(bob, path, named, room_id)).status).toBe(304);
    }
    await alice.delete(`/rooms/${room_id}/members/bob`);
    for (const named of [tag, '*']) expect(refusal(await ask(bob, path, named, room_id))).toEqual(FORBIDDEN);
    await alice.delete(`/rooms/${room_id}`);
    for (const named of [tag, '*']) expect(refusal(await ask(alice, path, named, room_id))).toEqual(NOT_FOUND);
  });

  it.each(['/messages', '/changes'])('of %s are others after every change of what is shown', async (path) => {
    const room_id = await furnished();
    const [first = { message_id: '' }, second = { message_id: '' }] = (
      await alice.get<{ message_id: string }[]>(`/rooms/${room_id}/messages`)
    ).body;
    const seen = new Set([tagOf(await ask(alice, path, undefined, room_id))]);
    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      edit: () => alice.patch(pathOf(room_id, first), { content: 'edited' }),
      'the same edit': () => alice.patch(pathOf(room_id, first), { content: 'edited' }),
      delete: () => alice.delete(pathOf(room_id, second)),
      send: () => send(alice, room_id),
      trim: () =>
        app.database.sql('SELECT room_trim(tenant_id, room_id, 3) FROM rooms WHERE room_id = $1', [uuid(room_id)]),
    };
    for (const [name, change] of Object.entries(changes)) {
      const before = [...seen].at(-1) ?? '';
      await change();
      const answer = await ask(alice, path, before, room_id);
      expect([name, answer.status, seen.has(tagOf(answer))]).toEqual([name, 200, false]);
      seen.add(tagOf(answer));
    }
    // A second deletion changes nothing.
    await alice.delete(pathOf(room_id, second));
    expect((await ask(alice, path, [...seen].at(-1), room_id)).status).toBe(304);
  });

  it('are the same of another server on the same log, and others after a restored backup', async () => {
    const before = await Promise.all(ROUTES.map(async (path) => tagOf(await ask(alice, path))));
    await app.app.lifecycle.stop('the other one begins');
    const tagsOfAnother = async (): Promise<string[]> => {
      const other = await createApp(config, () => undefined, new SilentLog());
      const by = new Api(other.url, alice.headers);
      const tags = await Promise.all(ROUTES.map(async (path) => tagOf(await ask(by, path))));
      await other.lifecycle.stop('test over');
      return tags;
    };
    expect(await tagsOfAnother()).toEqual(before);
    await app.database.sql('UPDATE instance SET epoch = epoch + 1');
    const restored = await tagsOfAnother();
    expect(restored.filter((tag) => before.includes(tag))).toEqual([]);
  });
});

function uuid(roomId: string): string {
  return decodeId('room', roomId) ?? '';
}
