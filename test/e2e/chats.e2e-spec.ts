import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { chatPath, type ChatBody, createChat } from '../support/chats/http';
import type { Answer, Api, Bodies } from '../support/http/api';
import { badField, bodyOf, FORBIDDEN, NOT_FOUND, objectOfBytes, refusal } from '../support/rooms';

type ChatPage = Bodies['ChatPageDto'];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NOBODYS = '01900000-0000-7000-8000-0000ffffffff';
const UNAUTHENTICATED = { status: 401, code: 'AUTHENTICATION_ERROR' };

describe('chats on the AI chats API', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let other: TestTenant;
  let key: Api;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    other = await app.tenant();
    ({ key } = tenant);
  });
  afterAll(() => app.close());

  const list = async (userId: string, query = '', by = key): Promise<ChatPage> =>
    bodyOf(await by.get<ChatPage>(`/api/v1/chats/user/${userId}${query}`));

  describe('POST /', () => {
    it.each(['/api/v1/chats/', '/api/v1/chats'])('%s answers 201 with the object of the source', async (path) => {
      const body = { user_id: 'user123', title: 'Support Session', metadata: { department: 'technical', deep: [1] } };
      const answer = await key.post<ChatBody>(path, body);
      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        id: expect.stringMatching(UUID),
        user_id: 'user123',
        tenant_id: tenant.tenantId,
        title: 'Support Session',
        config: { metadata: body.metadata, preset: 'default' },
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        last_message_at: null,
      });
      expect(bodyOf(await key.get(chatPath(answer.body.id)))).toEqual(answer.body);
    });

    it.each([{}, { title: null, metadata: null, preset: null }])(
      'makes a title and takes an empty metadata where there is none; null counts as absent: %j',
      async (more) => {
        const chat = await createChat(key, 'defaults', more);
        expect(chat.title).not.toBe('');
        expect(chat.config).toEqual({ metadata: {}, preset: 'default' });
      },
    );

    it.each<[string, object, string]>([
      ['no user', {}, 'user_id'],
      ['a user of another form', { user_id: 'a b' }, 'user_id'],
      ['an agent', { user_id: 'agent_default' }, 'user_id'],
      ['an empty title', { user_id: 'u', title: '' }, 'title'],
      ['a title of 201 characters', { user_id: 'u', title: 'x'.repeat(201) }, 'title'],
      ['metadata that is no object', { user_id: 'u', metadata: [] }, 'metadata'],
      ['metadata of more than 8 KB', { user_id: 'u', metadata: objectOfBytes(8193) }, 'metadata'],
      ['an unknown preset', { user_id: 'u', preset: 'no-such-preset' }, 'preset'],
      ['an unknown field', { user_id: 'u', userId: 'u' }, 'userId'],
    ])('refuses %s', async (_, body, field) => {
      expect(refusal(await key.post('/api/v1/chats/', body))).toEqual(badField(field));
    });

    it('takes 200 characters of four bytes and 8 KB of metadata', async () => {
      const [title, metadata] = ['😀'.repeat(200), objectOfBytes(8192)];
      expect(await createChat(key, 'large', { title, metadata })).toMatchObject({ title, config: { metadata } });
    });

    it('an Idempotency-Key makes one chat', async () => {
      const headers = { 'Idempotency-Key': 'chat-1' };
      const [first, again] = [
        await key.post<ChatBody>('/api/v1/chats/', { user_id: 'once' }, { headers }),
        await key.post<ChatBody>('/api/v1/chats/', { user_id: 'once' }, { headers }),
      ];
      expect([again.status, again.body.id]).toEqual([201, first.body.id]);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect((await list('once')).total).toBe(1);
      const mismatch = await key.post('/api/v1/chats/', { user_id: 'twice' }, { headers });
      expect(refusal(mismatch)).toMatchObject({ status: 422, code: 'IDEMPOTENCY_MISMATCH' });
    });

    it('makes the user, and the room of type ai that a client of the Rooms API sees', async () => {
      const chat = await createChat(key, 'newcomer', { title: 'Room too' });
      const rooms = bodyOf(await tenant.as('newcomer').get<{ rooms: Record<string, unknown>[] }>('/rooms')).rooms;
      expect(rooms).toMatchObject([{ room_id: `room_${chat.id.replaceAll('-', '')}`, type: 'ai' }]);
    });
  });

  describe('GET /user/{user_id}', () => {
    let made: ChatBody[];

    beforeAll(async () => {
      made = [];
      for (let i = 0; i < 5; i++) made.push(await createChat(key, 'lister', { title: `chat ${i}` }));
      await createChat(key, 'another-lister');
    });

    it('lists them by creation, the newest first, 50 a page', async () => {
      const page = await list('lister');
      expect(page).toEqual({ chats: [...made].reverse(), total: 5, offset: 0, limit: 50, has_more: false });
      expect((await list('lister', '?order=asc')).chats).toEqual(made);
      expect((await list('lister', '?order=desc')).chats).toEqual([...made].reverse());
    });

    it('pages with limit and offset', async () => {
      const page = await list('lister', '?order=asc&limit=2&offset=1');
      expect(page).toEqual({ chats: made.slice(1, 3), total: 5, offset: 1, limit: 2, has_more: true });
      expect(await list('lister', '?limit=2&offset=3')).toMatchObject({ has_more: false });
      expect(await list('lister', '?offset=99')).toMatchObject({ chats: [], total: 5, has_more: false });
    });

    it('a user without chats has an empty list', async () => {
      expect(await list('nobody-yet')).toEqual({ chats: [], total: 0, offset: 0, limit: 50, has_more: false });
    });

    it.each(['limit=0', 'limit=101', 'limit=x', 'offset=-1', 'order=newest'])('refuses %s', async (query) => {
      const answer = await key.get(`/api/v1/chats/user/lister?${query}`);
      expect(refusal(answer)).toEqual(badField(query.split('=')[0] ?? ''));
    });
  });

  describe('PATCH /{chat_id}', () => {
    it('changes what is sent and merges metadata by key', async () => {
      const chat = await createChat(key, 'alice', { title: 'Old', metadata: { keep: 1, change: 1, drop: 1 } });
      const patched = bodyOf(
        await key.patch<ChatBody>(chatPath(chat.id), { metadata: { change: { to: 2 }, drop: null, add: 3 } }),
      );
      expect(patched).toMatchObject({ title: 'Old', config: { metadata: { keep: 1, change: { to: 2 }, add: 3 } } });
      expect(Object.keys(patched.config.metadata)).not.toContain('drop');
      const renamed = bodyOf(await key.patch<ChatBody>(chatPath(chat.id), { title: 'New' }));
      expect(renamed).toMatchObject({ title: 'New', config: patched.config });
      expect(Date.parse(renamed.updated_at)).toBeGreaterThan(Date.parse(chat.updated_at));
      expect(bodyOf(await key.get(chatPath(chat.id)))).toEqual(renamed);
    });

    it('refuses what it cannot set', async () => {
      const chat = await createChat(key, 'alice', { metadata: objectOfBytes(8000) });
      const patch = async (body: object) => refusal(await key.patch(chatPath(chat.id), body));
      expect(await patch({ title: '' })).toEqual(badField('title'));
      expect(await patch({ title: 'x'.repeat(201) })).toEqual(badField('title'));
      expect(await patch({ metadata: { b: 'x'.repeat(300) } })).toEqual(badField('metadata'));
      expect(await patch({ user_id: 'bob' })).toEqual(badField('user_id'));
      expect(await patch({ preset: 'default' })).toEqual(badField('preset'));
    });
  });

  describe('DELETE /{chat_id}', () => {
    it('answers {"success":true}, and the chat is gone on every door', async () => {
      const chat = await createChat(key);
      expect(bodyOf(await key.delete(chatPath(chat.id)))).toEqual({ success: true });
      const gone = [
        await key.get(chatPath(chat.id)),
        await key.delete(chatPath(chat.id)),
        await key.get(`${chatPath(chat.id)}/messages`),
        await key.post(`${chatPath(chat.id)}/messages`, { content: 'x' }),
      ];
      for (const answer of gone) expect(refusal(answer)).toEqual(NOT_FOUND);
      expect((await list('alice')).chats.map(({ id }) => id)).not.toContain(chat.id);
    });
  });

  describe('who may', () => {
    let chat: ChatBody;
    const calls: [string, (by: Api, id: string) => Promise<Answer>][] = [
      ['GET', (by, id) => by.get(chatPath(id))],
      ['PATCH', (by, id) => by.patch(chatPath(id), { title: 'Taken' })],
      ['GET messages', (by, id) => by.get(`${chatPath(id)}/messages`)],
      ['POST messages', (by, id) => by.post(`${chatPath(id)}/messages`, { content: 'x' })],
      ['POST stop', (by, id) => by.post(`${chatPath(id)}/stop`)],
      ['POST regenerate', (by, id) => by.post(`${chatPath(id)}/regenerate`)],
      ['GET stream', (by, id) => by.get(`${chatPath(id)}/stream`)],
      ['DELETE', (by, id) => by.delete(chatPath(id))],
    ];

    beforeAll(async () => {
      chat = await createChat(key, 'alice', { title: 'Secret of alice' });
    });

    it("another user's chat is 403, with the key and with a token", async () => {
      const callers = [tenant.as('bob'), bearer(app.anonymous, (await mintToken(key, 'bob')).token)];
      for (const by of callers)
        for (const [name, call] of calls) expect([name, refusal(await call(by, chat.id))]).toEqual([name, FORBIDDEN]);
    });

    it.each(calls)(
      "%s: another tenant's chat, an unknown and a malformed id are 404 with the same words",
      async (_, call) => {
        const answers = [await call(other.key, chat.id)];
        for (const id of [NOBODYS, 'x', `room_${chat.id.replaceAll('-', '')}`, chat.id.toUpperCase()])
          answers.push(await call(key, id));
        for (const answer of answers)
          expect([refusal(answer), (answer.body['error'] as { message: string }).message]).toEqual([
            NOT_FOUND,
            'Chat not found',
          ]);
      },
    );

    it.each(calls)('%s: without a credential, or with the master key, nobody', async (_, call) => {
      for (const by of [app.anonymous, app.master]) expect(refusal(await call(by, chat.id))).toEqual(UNAUTHENTICATED);
    });

    it('a key that acts as a user, and a token, may name no other user', async () => {
      const token = bearer(app.anonymous, (await mintToken(key, 'alice')).token);
      for (const by of [tenant.as('alice'), token]) {
        expect(refusal(await by.post('/api/v1/chats/', { user_id: 'bob' }))).toEqual(FORBIDDEN);
        expect(refusal(await by.get('/api/v1/chats/user/bob'))).toEqual(FORBIDDEN);
        expect(await createChat(by, 'alice')).toMatchObject({ user_id: 'alice' });
        expect((await list('alice', '?limit=1', by)).chats).toHaveLength(1);
        expect((await by.get(chatPath(chat.id))).status).toBe(200);
      }
    });

    it('a malformed X-User-Id is refused, also where it is optional', async () => {
      const answer = await key.with({ 'x-user-id': 'a,b' }).get(chatPath(chat.id));
      expect(refusal(answer)).toEqual(badField('X-User-Id'));
    });

    it('lists of another tenant are empty', async () => {
      expect((await list('alice', '', other.key)).total).toBe(0);
    });
  });

  it('the envelope is there when it is asked for', async () => {
    const chat = await createChat(key);
    const headers = { 'X-Response-Format': 'envelope' };
    expect(bodyOf(await key.get(chatPath(chat.id), { headers }))).toEqual({ success: true, data: chat, error: null });
  });
});
