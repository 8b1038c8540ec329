import { newUuid } from '../../src/common/ids';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import type { Api } from '../support/http/api';
import { getMessage, isReplay, listSeqs, listAll, type MessageBody, pathOf, post, send } from '../support/messages';
import {
  badField,
  bodyOf,
  createRoom,
  FORBIDDEN,
  getRoom,
  NOT_FOUND,
  objectOfBytes,
  refusal,
  sendAll,
} from '../support/rooms';
import { emojis, STORABLE_TEXTS, UNSTORABLE_LITERALS } from '../support/unicode';

const MISMATCH = { status: 422, code: 'IDEMPOTENCY_MISMATCH' };
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('messages', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;
  let bob: Api;
  let mallory: Api;
  let room: string;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    [alice, bob, mallory] = [tenant.as('alice'), tenant.as('bob'), tenant.as('mallory')];
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    room = (await createRoom(alice, 'group', ['bob', 'carol'])).room_id;
  });

  describe('sending', () => {
    it('answers 201 with id, seq and time, which is what the list then shows', async () => {
      const accepted = await send(bob, room, { content: 'Hello', meta: { a: 1 }, client_message_id: 'c1' });
      expect(accepted).toEqual({
        message_id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
        seq: 1,
        created_at: expect.stringMatching(ISO),
      });
      expect(await listAll(alice, room)).toEqual([
        {
          ...accepted,
          room_id: room,
          rev: 1,
          sender_id: 'bob',
          content: 'Hello',
          meta: { a: 1 },
          client_message_id: 'c1',
          edited_at: null,
          deleted_at: null,
        },
      ]);
      expect(await getRoom(alice, room)).toMatchObject({ last_seq: 1, last_rev: 1 });
    });

    it('takes content of 1 to 32,768 code points, an emoji counting one', async () => {
      for (const content of ['x', emojis(1), 'x'.repeat(32_768), emojis(32_768)]) {
        const { message_id } = await send(alice, room, { content });
        expect((await getMessage(bob, room, { message_id })).content).toBe(content);
      }
      for (const content of ['', 'x'.repeat(32_769), emojis(32_769), undefined, null, 5, ['x']])
        expect(refusal(await post(alice, room, { content }))).toEqual(badField('content'));
      expect((await listSeqs(alice, room)).total).toBe(4);
    });

    it.each(Object.entries(STORABLE_TEXTS))('stores %s byte for byte', async (_name, text) => {
      const body = { content: text, meta: { [`k${text}`]: [text] }, client_message_id: text.slice(0, 64) };
      expect(await getMessage(bob, room, await send(alice, room, body))).toMatchObject(body);
    });

    it.each(Object.entries(UNSTORABLE_LITERALS))('refuses %s in every field', async (_name, literal) => {
      const bodies: [string, string][] = [
        ['content', `{"content":${literal}}`],
        ['client_message_id', `{"content":"x","client_message_id":${literal}}`],
        ['meta', `{"content":"x","meta":{"a":[${literal}]}}`],
        ['meta', `{"content":"x","meta":{${literal}:1}}`],
        ['meta', JSON.stringify({ content: 'x', meta: `{"a":${literal}}` })],
      ];
      for (const [field, raw] of bodies)
        expect(refusal(await alice.post(`/rooms/${room}/messages`, undefined, { raw }))).toEqual(badField(field));
      expect((await listSeqs(alice, room)).total).toBe(0);
    });

    it('is for members, and in rooms that exist', async () => {
      const { room_id: channel } = await createRoom(alice, 'channel');
      const foreign = await createRoom((await app.tenant()).as('alice'), 'group');
      expect(refusal(await post(mallory, room, { content: 'x' }))).toEqual(FORBIDDEN);
      expect(refusal(await post(mallory, channel, { content: 'x' }))).toEqual(FORBIDDEN);
      for (const unknown of [`room_${newUuid().replaceAll('-', '')}`, 'room_1', 'x', foreign.room_id])
        expect(refusal(await post(alice, unknown, { content: 'x' }))).toEqual(NOT_FOUND);
    });

    it('is for admins where posting says so, for as long as it does', async () => {
      await alice.patch(`/rooms/${room}`, { posting: 'admins' });
      expect(refusal(await post(bob, room, { content: 'x' }))).toEqual(FORBIDDEN);
      expect(await send(alice, room)).toMatchObject({ seq: 1 });
      await alice.patch(`/rooms/${room}`, { posting: 'members' });
      expect(await send(bob, room)).toMatchObject({ seq: 2 });
    });

    it('ends with the membership and with the room', async () => {
      await alice.delete(`/rooms/${room}/members/bob`);
      expect(refusal(await post(bob, room, { content: 'x' }))).toEqual(FORBIDDEN);
      await alice.delete(`/rooms/${room}`);
      expect(refusal(await post(alice, room, { content: 'x' }))).toEqual(NOT_FOUND);
    });
  });

  describe('meta', () => {
    const metaOf = async (meta: unknown): Promise<MessageBody['meta']> =>
      (await getMessage(bob, room, await send(alice, room, { content: 'x', meta }))).meta;

    it('is an object or a JSON string that holds one, and comes back as an object or null', async () => {
      const meta = { type: 'text', mentions: ['bob'], deep: { a: [null, true, 1.5, -0.25] } };
      expect(await metaOf(meta)).toEqual(meta);
      expect(await metaOf(JSON.stringify(meta, null, 2))).toEqual(meta);
      expect(await metaOf({})).toEqual({});
      expect(await metaOf(null)).toBeNull();
      expect(await metaOf(undefined)).toBeNull();
    });

    it('keeps the order of its keys, in the answer too', async () => {
      const raw = '{"z":1,"a":{"y":"ü","b":[{"d":1,"c":2}]},"m":"\\n"}';
      for (const meta of [raw, JSON.stringify(raw)]) {
        const sent = await alice.post<{ message_id: string }>(`/rooms/${room}/messages`, undefined, {
          raw: `{"meta":${meta},"content":"x"}`,
        });
        const answer = await fetch(app.url + pathOf(room, sent.body), { headers: { ...alice.headers } });
        expect(await answer.text()).toContain(`"meta":${raw}`);
      }
      const stored = await app.database.sql<{ meta: string }>(
        'SELECT DISTINCT meta::text FROM messages m WHERE content = $1 AND seq <= 2 AND room_id = $2',
        ['x', room.slice(5)],
      );
      expect(stored).toEqual([{ meta: raw }]);
    });

    it.each(['x', 'é', '😀'])('has at most 16 KB as UTF-8 JSON, of %s', async (filler) => {
      const fits = objectOfBytes(16_384, filler);
      expect(await metaOf(fits)).toEqual(fits);
      expect(await metaOf(JSON.stringify(fits))).toEqual(fits);
      const tooLarge = objectOfBytes(16_385, filler);
      for (const meta of [tooLarge, JSON.stringify(tooLarge)])
        expect(refusal(await post(alice, room, { content: 'x', meta }))).toEqual(badField('meta'));
    });

    it.each([
      ['an array', '[]'],
      ['a number', '5'],
      ['a string that is no JSON', '"hello"'],
      ['a string that holds an array', '"[1]"'],
      ['S12: a string that holds a number that no double holds', JSON.stringify('{"a":9007199254740993}')],
      ['a string that nests 120,000 levels', JSON.stringify(`{"a":${'['.repeat(120_000)}`)],
      ['a string with __proto__', JSON.stringify('{"__proto__":{"a":1}}')],
    ])('is not %s', async (_name, meta) => {
      const raw = `{"content":"x","meta":${meta}}`;
      expect(refusal(await alice.post(`/rooms/${room}/messages`, undefined, { raw }))).toEqual(badField('meta'));
    });
  });

  describe('client_message_id', () => {
    const body = { content: 'once', meta: { a: 1, b: 2 }, client_message_id: 'c' };

    it('makes a repeat answer as the first time', async () => {
      const first = await post(alice, room, body);
      const again = await post(alice, room, { ...body, meta: { b: 2, a: 1 } });
      expect([first.status, again.status]).toEqual([201, 201]);
      expect([isReplay(first), isReplay(again)]).toEqual([false, true]);
      expect(again.body).toEqual(first.body);
      expect((await listSeqs(alice, room)).total).toBe(1);
    });

    it('refuses another body with 422', async () => {
      await send(alice, room, body);
      for (const other of [{ content: 'twice' }, { meta: { a: 1 } }, { meta: undefined }])
        expect(refusal(await post(alice, room, { ...body, ...other }))).toEqual({
          ...MISMATCH,
          field: 'client_message_id',
        });
      expect((await listSeqs(alice, room)).total).toBe(1);
    });

    it('still answers with the first body after an edit, a delete, and the sender’s removal', async () => {
      const first = await send(bob, room, body);
      await bob.patch(pathOf(room, first), { content: 'edited' });
      expect((await post(bob, room, body)).body).toEqual(first);
      await bob.delete(pathOf(room, first));
      expect((await post(bob, room, body)).body).toEqual(first);
      await alice.delete(`/rooms/${room}/members/bob`);
      expect((await post(bob, room, body)).body).toEqual(first);
      expect(refusal(await post(bob, room, { ...body, content: 'edited' }))).toMatchObject(MISMATCH);
      expect((await listSeqs(alice, room)).total).toBe(1);
    });

    it('of another sender or in another room is another message', async () => {
      const { room_id: other } = await createRoom(alice, 'group');
      expect(await send(alice, room, body)).toMatchObject({ seq: 1 });
      expect(await send(bob, room, body)).toMatchObject({ seq: 2 });
      expect(await send(alice, other, body)).toMatchObject({ seq: 1 });
    });

    it('has 1 to 64 characters', async () => {
      expect(await send(alice, room, { content: 'x', client_message_id: emojis(64) })).toMatchObject({ seq: 1 });
      for (const client_message_id of ['', 'x'.repeat(65), emojis(65), 5])
        expect(refusal(await post(alice, room, { content: 'x', client_message_id }))).toEqual(
          badField('client_message_id'),
        );
      expect(await send(alice, room, { content: 'x', client_message_id: null })).toMatchObject({ seq: 2 });
    });
  });

  describe('Idempotency-Key', () => {
    it('stands in for client_message_id, hashed', async () => {
      const first = await post(alice, room, { content: 'once' }, 'key 1');
      const again = await post(alice, room, { content: 'once' }, 'key 1');
      expect([again.status, again.body, isReplay(again)]).toEqual([201, first.body, true]);
      expect(refusal(await post(alice, room, { content: 'twice' }, 'key 1'))).toEqual({
        ...MISMATCH,
        field: 'Idempotency-Key',
      });
      expect((await getMessage(alice, room, first.body)).client_message_id).toMatch(/^key:[\w-]{43}$/);
    });

    it('is scoped to the user and the route, and binds beside a client_message_id', async () => {
      const { room_id: other } = await createRoom(alice, 'group');
      expect((await post(alice, room, { content: 'x' }, 'k')).body.seq).toBe(1);
      expect((await post(bob, room, { content: 'x' }, 'k')).body.seq).toBe(2);
      expect((await post(alice, other, { content: 'x' }, 'k')).body.seq).toBe(1);
      expect(refusal(await post(alice, room, { content: 'x', client_message_id: 'c' }, 'k'))).toMatchObject(MISMATCH);
      expect((await post(alice, room, { content: 'x', client_message_id: 'c' }, 'k3')).body.seq).toBe(3);
      const { client_message_id } = await getMessage(
        alice,
        room,
        (await listAll(alice, room))[2] ?? { message_id: '' },
      );
      expect(client_message_id).toBe('c');
    });

    it('forgets what was refused', async () => {
      expect((await post(mallory, room, { content: 'x' }, 'k2')).status).toBe(403);
      await alice.post(`/rooms/${room}/members`, { user_ids: ['mallory'] });
      expect((await post(mallory, room, { content: 'x' }, 'k2')).status).toBe(201);
    });
  });

  describe('listing', () => {
    beforeEach(async () => {
      await sendAll(
        alice,
        room,
        Array.from({ length: 12 }, (_, i) => `m${i + 1}`),
      );
      const third = bodyOf(await alice.get<MessageBody[]>(`/rooms/${room}/messages?after_seq=2&limit=1`))[0];
      await alice.delete(pathOf(room, third ?? { message_id: '' }));
    });

    it.each<[string, number[], number]>([
      ['', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 12],
      ['?limit=3', [1, 2, 3], 12],
      ['?limit=3&offset=3', [4, 5, 6], 12],
      ['?offset=11', [12], 12],
      ['?offset=12', [], 12],
      ['?offset=1000000000000', [], 12],
      ['?order=asc&limit=2', [1, 2], 12],
      ['?order=desc&limit=3', [10, 11, 12], 12],
      ['?order=desc&limit=3&offset=3', [7, 8, 9], 12],
      ['?order=desc&limit=5&offset=10', [1, 2], 12],
      ['?order=desc&offset=12', [], 12],
      ['?after_seq=9', [10, 11, 12], 3],
      ['?after_seq=2&limit=2', [3, 4], 10],
      ['?after_seq=2&limit=2&offset=2', [5, 6], 10],
      ['?after_seq=2&order=desc&limit=2', [11, 12], 10],
      ['?after_seq=12', [], 0],
      ['?after_seq=9007199254740991', [], 0],
      ['?before_seq=8&limit=3', [5, 6, 7], 7],
      ['?before_seq=8&limit=3&offset=3', [2, 3, 4], 7],
      ['?before_seq=8&limit=3&order=asc', [1, 2, 3], 7],
      ['?before_seq=3', [1, 2], 2],
      ['?before_seq=9007199254740991&limit=2', [11, 12], 12],
      ['?before_seq=1', [], 0],
      ['?before_seq=0', [], 0],
      ['?after_seq=4&before_seq=8', [5, 6, 7], 3],
      ['?after_seq=4&before_seq=8&limit=2', [5, 6], 3],
      ['?after_seq=4&before_seq=8&limit=2&order=desc', [6, 7], 3],
      ['?after_seq=8&before_seq=4', [], 0],
    ])('%s', async (query, seqs, total) => {
      expect(await listSeqs(bob, room, query)).toEqual({ seqs, total });
    });

    it.each([
      ['limit', ['0', '101', '-1', '1.5', 'x', '', '2147483648', '1&limit=2']],
      ['offset', ['-1', '1000000000001', '1e3', 'x', '']],
      ['after_seq', ['-1', '9007199254740992', '18446744073709551616', '0x1', '']],
      ['before_seq', ['-1', '9007199254740992', 'null', '']],
      ['order', ['newest', 'DESC', '', 'asc&order=desc']],
    ])('refuses %s out of range', async (name, values) => {
      for (const value of values)
        expect(refusal(await alice.get(`/rooms/${room}/messages?${name}=${value}`))).toEqual(badField(name));
    });

    it('shows deleted messages as tombstones', async () => {
      const [, , third] = await listAll(bob, room);
      expect(third).toMatchObject({ seq: 3, content: '', meta: null, deleted_at: expect.stringMatching(ISO) });
    });

    it('is for members, in channels for everybody', async () => {
      expect(refusal(await mallory.get(`/rooms/${room}/messages`))).toEqual(FORBIDDEN);
      expect(refusal(await alice.get('/rooms/room_x/messages'))).toEqual(NOT_FOUND);
      const { room_id: channel } = await createRoom(alice, 'channel');
      const sent = await send(alice, channel);
      expect(await listSeqs(mallory, channel)).toEqual({ seqs: [1], total: 1 });
      expect(await getMessage(mallory, channel, sent)).toMatchObject({ seq: 1 });
      expect(await listSeqs(mallory, (await createRoom(alice, 'channel')).room_id)).toEqual({ seqs: [], total: 0 });
    });
  });

  describe('one message', () => {
    it('is found in its room only', async () => {
      const sent = await send(alice, room);
      const { room_id: other } = await createRoom(alice, 'group');
      expect(refusal(await alice.get(pathOf(other, sent)))).toEqual(NOT_FOUND);
      expect(refusal(await mallory.get(pathOf(room, sent)))).toEqual(FORBIDDEN);
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const body = method === 'PATCH' ? { content: 'x' } : undefined;
        for (const message_id of [
          'msg_x',
          'x',
          sent.message_id.toUpperCase(),
          `msg_${newUuid().replaceAll('-', '')}`,
        ]) {
          expect(refusal(await alice.call(method, pathOf(room, { message_id }), body))).toEqual(NOT_FOUND);
          expect(refusal(await mallory.call(method, pathOf(room, { message_id }), body))).toEqual(FORBIDDEN);
        }
      }
    });
  });

  describe('editing', () => {
    it('changes what is sent, and says when', async () => {
      const sent = await send(bob, room, { content: 'a', meta: { k: 1 } });
      const before = await getMessage(bob, room, sent);
      const edited = bodyOf(await bob.patch<MessageBody>(pathOf(room, sent), { content: 'b' }));
      expect(edited).toEqual({ ...before, content: 'b', rev: 2, edited_at: expect.stringMatching(ISO) });
      const again = bodyOf(await bob.patch<MessageBody>(pathOf(room, sent), { meta: '{"z":1,"a":2}', content: null }));
      expect(again).toMatchObject({ content: 'b', meta: { z: 1, a: 2 }, rev: 3, seq: 1 });
      expect(await getMessage(alice, room, sent)).toEqual(again);
      expect(await getRoom(alice, room)).toMatchObject({ last_seq: 1, last_rev: 3 });
    });

    it('is for the sender, while a member', async () => {
      const sent = await send(bob, room);
      for (const by of [alice, tenant.as('carol'), mallory])
        expect(refusal(await by.patch(pathOf(room, sent), { content: 'x' }))).toEqual(FORBIDDEN);
      await alice.delete(`/rooms/${room}/members/bob`);
      expect(refusal(await bob.patch(pathOf(room, sent), { content: 'x' }))).toEqual(FORBIDDEN);
      expect(await getMessage(alice, room, sent)).toMatchObject({ content: 'hello', edited_at: null, rev: 1 });
    });

    it('needs something to change, by the rules of sending', async () => {
      const sent = await send(alice, room);
      const path = pathOf(room, sent);
      for (const body of [{}, { content: null }, { content: '' }, { content: 'x'.repeat(32_769) }])
        expect(refusal(await alice.patch(path, body))).toEqual(badField('content'));
      expect(refusal(await alice.patch(path, { meta: [] }))).toEqual(badField('meta'));
      expect(refusal(await alice.patch(path, { text: 'x' }))).toEqual(badField('text'));
      expect(await getMessage(alice, room, sent)).toMatchObject({ rev: 1, edited_at: null });
    });

    it('of a deleted message is 404', async () => {
      const sent = await send(alice, room);
      await alice.delete(pathOf(room, sent));
      expect(refusal(await alice.patch(pathOf(room, sent), { content: 'x' }))).toEqual(NOT_FOUND);
    });
  });

  describe('deleting', () => {
    it('leaves a tombstone, once', async () => {
      const sent = await send(bob, room, { content: 'secret', meta: { secret: 1 }, client_message_id: 'c' });
      expect((await bob.delete(pathOf(room, sent))).status).toBe(204);
      const gone = await getMessage(alice, room, sent);
      expect(gone).toMatchObject({ content: '', meta: null, seq: 1, rev: 2, deleted_at: expect.stringMatching(ISO) });
      expect((await alice.delete(pathOf(room, sent))).status).toBe(204);
      expect(await getMessage(alice, room, sent)).toEqual(gone);
      expect(await getRoom(alice, room)).toMatchObject({ last_seq: 1, last_rev: 2 });
      const kept = await app.database.sql('SELECT 1 FROM messages m WHERE m::text LIKE $1', ['%secret%']);
      expect(kept).toEqual([]);
    });

    it('is for the sender and for room admins', async () => {
      const [a, b] = [await send(bob, room), await send(bob, room)];
      expect(refusal(await tenant.as('carol').delete(pathOf(room, a)))).toEqual(FORBIDDEN);
      expect(refusal(await mallory.delete(pathOf(room, a)))).toEqual(FORBIDDEN);
      expect((await alice.delete(pathOf(room, a))).status).toBe(204);
      await alice.delete(`/rooms/${room}/members/bob`);
      expect(refusal(await bob.delete(pathOf(room, b)))).toEqual(FORBIDDEN);
    });

    it('in a dm is for the sender alone', async () => {
      const { room_id: dm } = await createRoom(alice, 'dm', ['bob']);
      const sent = await send(bob, dm);
      expect(refusal(await alice.delete(pathOf(dm, sent)))).toEqual(FORBIDDEN);
      expect((await bob.delete(pathOf(dm, sent))).status).toBe(204);
    });
  });
});
