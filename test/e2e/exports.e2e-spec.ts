import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LINE_KEYS } from '../../src/modules/transfer/format';
import { USER_LINE_KEYS } from '../../src/modules/transfer/user-format';
import type { TestApp, TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { ask, createChat, FAKE_ANSWER, roomIdOf, startChatApp, type WithModel } from '../support/chats/http';
import {
  exported,
  type ExportedLines,
  exportPath,
  type Export,
  fileAt,
  type Line,
  linesIn,
  ofKind,
  readyExport,
} from '../support/exports';
import { errorOf, type Bodies } from '../support/http/api';
import { createChannel, createPreset } from '../support/models';
import { notify, whenDelivered } from '../support/notifications';
import { isReplay } from '../support/messages';
import { bodyOf, CONFLICT, createRoom, NOT_FOUND, refusal, sendAll } from '../support/rooms';
import { createKey, uuidOf, withKey } from '../support/tenants';

/** Stands in everything that is secret. */
const SECRET = 's3cr3t';
const HOOK = 'https://example.com/hook';

interface Furnished {
  readonly tenant: TestTenant;
  readonly groupId: string;
  readonly goneId: string;
  readonly chatId: string;
  readonly webhookSecret: string;
}

async function furnished(app: TestApp): Promise<Furnished> {
  const tenant = await app.tenant({ users: 50 }, { while_answering: 'queue' });
  const [alice, bob] = [tenant.as('alice'), tenant.as('bob')];
  const { room_id: groupId } = await createRoom(alice, 'group', ['bob', 'carol'], {
    name: 'All',
    metadata: { z: 1, a: 2 },
  });
  const [, second, third] = await sendAll(alice, groupId, ['one', 'two', 'three']);
  await sendAll(bob, groupId, ['of bob']);
  bodyOf(await alice.patch(`/rooms/${groupId}/messages/${second?.message_id ?? ''}`, { content: 'two, edited' }));
  bodyOf(await alice.delete(`/rooms/${groupId}/messages/${third?.message_id ?? ''}`), 204);
  bodyOf(await alice.delete(`/rooms/${groupId}/members/carol`), 204);
  // The first message, and what was before it, is kept no more.
  await app.database.sql(`SELECT set_config('app.tenant', $1, false), room_trim($1::uuid, $2::uuid, 2)`, [
    uuidOf(tenant.tenantId),
    uuidOf(groupId),
  ]);
  await createRoom(alice, 'dm', ['bob']);
  const { room_id: goneId } = await createRoom(alice, 'group', ['bob'], { name: 'Gone' });
  await sendAll(bob, goneId, ['in a room that was deleted']);
  bodyOf(await alice.delete(`/rooms/${goneId}`), 204);
  const chat = await createChat(tenant.key, 'bob', { title: 'A chat' });
  await ask(tenant.key, chat.id, 'What?');
  await ask(tenant.key, chat.id, 'And?');
  await createChannel(tenant.key, { apiKey: SECRET, enabled: false, name: 'spare' });
  await createPreset(tenant.key);
  bodyOf(await bob.post('/subscriptions', { topic: 'order.shipped' }), 201);
  await notify(tenant, { targets: { user_ids: ['bob'] } });
  await whenDelivered(tenant, 'alice');
  bodyOf(await tenant.key.patch('/admin/users/bob', { legal_hold: true }));
  await thinkAndDelete(app, tenant, chat.id);
  const settings = { webhook: { url: HOOK, events: ['message.created'] } };
  const { webhook_secret: webhookSecret = '' } = bodyOf(
    await tenant.key.patch<Bodies['TenantUpdatedDto']>(`/admin/tenants/${tenant.tenantId}`, { settings }),
  );
  return { tenant, groupId, goneId, chatId: chat.id, webhookSecret };
}

const THOUGHT = 'What a model has thought';

/** Both answers of the chat were thought about; the second is deleted, and is held with its thoughts. */
async function thinkAndDelete(app: TestApp, tenant: TestTenant, chatId: string): Promise<void> {
  const bob = tenant.as('bob');
  const ids = [uuidOf(tenant.tenantId), uuidOf(roomIdOf(chatId))];
  await app.database.sql('UPDATE runs SET reasoning = $3 WHERE tenant_id = $1 AND room_id = $2', [...ids, THOUGHT]);
  await app.database.sql(`UPDATE room_members SET role = 'admin' WHERE tenant_id = $1 AND room_id = $2`, ids);
  await app.database.sql('UPDATE rooms SET legal_hold = true WHERE tenant_id = $1 AND room_id = $2', ids);
  const [message] = await app.database.sql<{ name: string }>(
    `SELECT 'msg_' || replace(message_id::text, '-', '') AS name FROM messages
     WHERE tenant_id = $1 AND room_id = $2 AND seq = 4`,
    ids,
  );
  bodyOf(await bob.delete(`/rooms/${roomIdOf(chatId)}/messages/${message?.name ?? ''}`), 204);
  const held = await app.database.sql(
    'SELECT 1 FROM runs WHERE tenant_id = $1 AND room_id = $2 AND answer_seq = 4 AND reasoning = $3',
    [...ids, THOUGHT],
  );
  expect(held).toHaveLength(1);
}

describe('exports', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'chatapi-exports-'));
  let app: WithModel<TestApp>;
  let ours: Furnished;
  let ofTenant: ExportedLines;
  let ofBob: ExportedLines;

  beforeAll(async () => {
    app = await startChatApp({ DATA_DIR: dataDir });
    ours = await furnished(app);
    ofTenant = await exported(ours.tenant.key, ours.tenant);
    ofBob = await exported(app.master, ours.tenant, 'bob');
  });
  afterAll(async () => {
    await app.close();
    rmSync(dataDir, { recursive: true });
  });

  const inRoom = (file: ExportedLines, kind: string, roomId: string): Line[] =>
    ofKind(file, kind).filter((line) => line['room_id'] === roomId);

  describe('of a tenant', () => {
    it('have a header, lines in the order of the format, and an end that proves them', () => {
      const { header, end, lines, sha256, text } = ofTenant;
      expect(header).toEqual({
        ...{ kind: 'chatapi.export', format: 1, tenant_id: ours.tenant.tenantId },
        ...{ export_id: expect.stringMatching(/^exp_[0-9a-f]{32}$/), made_at: expect.any(String) },
      });
      const counts = Object.fromEntries(Object.keys(LINE_KEYS).map((kind) => [kind, ofKind(ofTenant, kind).length]));
      expect(end).toEqual({ kind: 'end', counts, sha256 });
      for (const { kind, ...fields } of lines)
        expect([kind, Object.keys(fields)]).toEqual([kind, LINE_KEYS[kind as keyof typeof LINE_KEYS]]);
      // Every kind is there, so that the keys of each were looked at.
      expect(Object.entries(counts).filter(([, n]) => n === 0)).toEqual([]);
      expect(text.startsWith('{"kind":"tenant",')).toBe(true);
    });

    it('hold settings, users, ways to models and subscriptions', () => {
      expect(ofKind(ofTenant, 'tenant')).toEqual([
        {
          kind: 'tenant',
          ...{ name: 'test', settings: { while_answering: 'queue' }, limits: { users: 50 } },
          webhook: { url: HOOK, events: ['message.created'] },
        },
      ]);
      const users = ofKind(ofTenant, 'user').map(({ user_id, legal_hold }) => [user_id, legal_hold]);
      expect(users).toEqual([
        ['agent_default', false],
        ['alice', false],
        ['bob', true],
        ['carol', false],
      ]);
      expect(ofKind(ofTenant, 'channel').map(({ name }) => name)).toEqual(['spare']);
      expect(ofKind(ofTenant, 'preset').map(({ name }) => name)).toEqual(['support']);
      expect(ofKind(ofTenant, 'subscription')).toMatchObject([{ user_id: 'bob', topic: 'order.shipped' }]);
    });

    it('hold each room as its members see it, in one block', async () => {
      const { groupId, tenant } = ours;
      const room = bodyOf(await tenant.as('alice').get<Bodies['RoomDto']>(`/rooms/${groupId}`));
      expect(inRoom(ofTenant, 'room', groupId)).toEqual([
        expect.objectContaining({
          ...{ type: 'group', name: 'All', metadata: { z: 1, a: 2 }, unique_key: null, first_seq: 2, last_seq: 4 },
          ...{ last_rev: room.last_rev, members_added: 3, created_at: room.created_at },
        }),
      ]);
      expect(inRoom(ofTenant, 'member', groupId)).toMatchObject([
        { user_id: 'alice', role: 'admin', member_no: 1, joined_seq: 0 },
        { user_id: 'bob', role: 'member', member_no: 2, joined_seq: 0 },
      ]);
      const listed = bodyOf(await tenant.as('alice').get<Bodies['MessageDto'][]>(`/rooms/${groupId}/messages`));
      const shown = inRoom(ofTenant, 'message', groupId);
      expect(
        shown.map(({ message_id, seq, content, sender_id, created_at, deleted_at }) => ({
          ...{ message_id, seq, content, sender_id, created_at, deleted_at },
        })),
      ).toEqual(
        listed.map(({ message_id, seq, content, sender_id, created_at, deleted_at }) => ({
          ...{ message_id, seq, content, sender_id, created_at, deleted_at },
        })),
      );
      expect(shown.map(({ content }) => content)).toEqual(['two, edited', '', 'of bob']);
      const first = Number(inRoom(ofTenant, 'room', groupId)[0]?.['first_rev']);
      expect(inRoom(ofTenant, 'event', groupId).filter(({ rev }) => Number(rev) <= first)).toEqual([]);
      const kinds = ofTenant.lines.filter((line) => line['room_id'] === groupId).map(({ kind }) => kind);
      expect([...new Set(kinds)]).toEqual(['room', 'member', 'event', 'message']);
      const at = ofTenant.lines.findIndex((line) => line['room_id'] === groupId);
      expect(ofTenant.lines.slice(at, at + kinds.length).every((line) => line['room_id'] === groupId)).toBe(true);
    });

    it('hold chats with their runs, and no room that was deleted', () => {
      const chat = roomIdOf(ours.chatId);
      expect(inRoom(ofTenant, 'room', chat)).toMatchObject([{ type: 'ai', name: 'A chat' }]);
      expect(inRoom(ofTenant, 'message', chat)).toMatchObject([
        { seq: 1, role: 'user', content: 'What?', sender_id: 'bob' },
        { seq: 2, role: 'assistant', content: FAKE_ANSWER, client_message_id: null, reply_to_seq: 1 },
        { seq: 3, role: 'user', content: 'And?', sender_id: 'bob' },
        { seq: 4, role: 'assistant', content: '', reply_to_seq: 3 },
      ]);
      expect(inRoom(ofTenant, 'chat', chat)).toMatchObject([{ user_id: 'bob', preset: 'default', cleared_seq: 0 }]);
      expect(inRoom(ofTenant, 'run', chat)).toMatchObject([
        { reply_to_seq: 1, answer_seq: 2, state: 'completed', reasoning: THOUGHT },
        { reply_to_seq: 3, answer_seq: 4, state: 'completed', reasoning: null },
      ]);
      expect(inRoom(ofTenant, 'room', ours.goneId)).toEqual([]);
      expect(inRoom(ofTenant, 'message', ours.goneId)).toEqual([]);
    });

    it('hold no secret, and no hash of one', async () => {
      const rows = await app.database.sql<{ secret: string }>(
        `SELECT encode(hash, 'hex') AS secret FROM api_keys UNION SELECT encode(hash, 'base64') FROM api_keys
         UNION SELECT prefix FROM api_keys UNION SELECT api_key FROM model_channels WHERE api_key IS NOT NULL
         UNION SELECT secret FROM webhooks WHERE secret IS NOT NULL`,
      );
      const secrets = [...rows.map(({ secret }) => secret), ours.tenant.apiKey, ours.webhookSecret, SECRET];
      expect(secrets.length).toBeGreaterThan(7);
      expect(secrets.filter((secret) => secret.length < 6)).toEqual([]);
      for (const { text } of [ofTenant, ofBob]) expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    });

    it('are the same text when nothing has happened in between', async () => {
      expect((await exported(app.master, ours.tenant)).text).toBe(ofTenant.text);
    });
  });

  describe('of a user', () => {
    it('have a header of their own, and the lines of their format', () => {
      expect(ofBob.header).toMatchObject({ kind: 'chatapi.user_export', user_id: 'bob', format: 1 });
      const counts = Object.fromEntries(Object.keys(USER_LINE_KEYS).map((kind) => [kind, ofKind(ofBob, kind).length]));
      expect(ofBob.end).toEqual({ kind: 'end', counts, sha256: ofBob.sha256 });
      for (const { kind, ...fields } of ofBob.lines)
        expect([kind, Object.keys(fields)]).toEqual([kind, USER_LINE_KEYS[kind as keyof typeof USER_LINE_KEYS]]);
    });

    it('hold what is the person’s, also of rooms that are gone, and nothing that others wrote', () => {
      expect(
        ofKind(ofBob, 'message')
          .map(({ content }) => content)
          .sort(),
      ).toEqual([...['And?', 'What?', 'in a room that was deleted', 'of bob']]);
      expect(ofKind(ofBob, 'answer')).toMatchObject([
        { content: FAKE_ANSWER, state: 'completed', reply_to_seq: 1, reasoning: THOUGHT },
        { content: null, state: 'completed', reply_to_seq: 3, reasoning: null },
      ]);
      expect(ofKind(ofBob, 'chat')).toMatchObject([{ room_id: roomIdOf(ours.chatId) }]);
      expect(
        ofKind(ofBob, 'membership')
          .map(({ type }) => type)
          .sort(),
      ).toEqual(['ai', 'dm', 'group']);
      expect(ofKind(ofBob, 'profile')).toMatchObject([{ user_id: 'bob' }]);
      expect(ofKind(ofBob, 'subscription')).toMatchObject([{ topic: 'order.shipped' }]);
      expect(ofKind(ofBob, 'notification')).toMatchObject([{ topic: 'test', payload: { n: 1 } }]);
      expect(ofBob.text).not.toMatch(/two, edited|carol|legal_hold/);
    });

    it('are 404 for a user who is not there, and for a tenant that is not the key’s', async () => {
      const { tenant } = ours;
      expect(refusal(await tenant.key.post(exportPath(tenant, 'nobody')))).toEqual(NOT_FOUND);
      expect(refusal(await tenant.key.post(exportPath(tenant, 'no body')))).toEqual(NOT_FOUND);
      const other = await app.tenant();
      expect(refusal(await other.key.post(exportPath(tenant, 'bob')))).toEqual(NOT_FOUND);
      expect(refusal(await other.key.post(exportPath(tenant)))).toEqual(NOT_FOUND);
    });
  });

  it('are shown with what their files are', async () => {
    const { tenant } = ours;
    const made = await readyExport(tenant.key, tenant);
    const { bytes } = await fileAt(tenant.key, exportPath(tenant, undefined, `/${made.export_id}/file`));
    expect(made).toMatchObject({ state: 'ready', user_id: null, error: null, bytes: bytes.length });
    expect(made.lines).toBe(linesIn(bytes).lines.length);
    expect(Date.parse(made.expires_at ?? '') - Date.parse(made.ready_at ?? '')).toBe(24 * 3_600_000);
    const { items } = bodyOf(await app.master.get<Bodies['ExportPageDto']>(exportPath(tenant, undefined, '?limit=1')));
    expect(items).toEqual([made]);
    const next = bodyOf(await app.master.get<Bodies['ExportPageDto']>(exportPath(tenant, undefined, '?limit=100')));
    expect(next.items.map(({ user_id }) => user_id)).toEqual(next.items.map(() => null));
    const file = join(...[dataDir, 'exports', uuidOf(tenant.tenantId)], `${uuidOf(made.export_id)}.1.ndjson.gz`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(file, '..')).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('are made with a key of scope admin or the master key alone', async () => {
    const { tenant } = ours;
    const chatKey = (await createKey(app, tenant, { scopes: ['chat'] })).api_key;
    const { token } = await mintToken(tenant.key, 'alice');
    for (const [by, status] of [
      [app.anonymous, 401],
      [bearer(app.anonymous, token), 403],
      [withKey(app, chatKey), 403],
    ] as const) {
      for (const path of [exportPath(tenant), exportPath(tenant, 'bob')])
        expect((await by.post(path)).status).toBe(status);
      expect((await by.get(exportPath(tenant))).status).toBe(status);
    }
  });

  it('are made once for one Idempotency-Key', async () => {
    const tenant = await app.tenant();
    const options = { headers: { 'Idempotency-Key': 'once' } };
    const first = await app.master.post<Export>(exportPath(tenant), undefined, options);
    const again = await app.master.post<Export>(exportPath(tenant), undefined, options);
    expect(bodyOf(again, 202).export_id).toBe(bodyOf(first, 202).export_id);
    expect(isReplay(again)).toBe(true);
  });

  describe('are refused', () => {
    const inState = async (tenant: TestTenant, state: string, more = ''): Promise<string> => {
      const [row] = await app.database.sql<{ id: string }>(
        `INSERT INTO exports (tenant_id, export_id, kind, state, attempt, ready_at, expires_at)
         VALUES ($1, gen_random_uuid(), 'tenant', $2, 1, now(), now() + interval '1 hour' ${more})
         RETURNING 'exp_' || replace(export_id::text, '-', '') AS id`,
        [uuidOf(tenant.tenantId), state],
      );
      return row?.id ?? '';
    };

    it.each([
      ['queued', '', 'queued'],
      ['running', '', 'running'],
      ['failed', '', 'failed'],
      ['expired', '', 'expired'],
      ['ready', `- interval '2 hours'`, 'expired'],
      // A file that is not there.
      ['ready', '', 'expired'],
    ])('with 409 where the file of one that is %s %s is asked for', async (state, more, reason) => {
      const tenant = await app.tenant();
      const id = await inState(tenant, state, more);
      for (const answer of [
        await tenant.key.get(exportPath(tenant, undefined, `/${id}/file`)),
        await tenant.key.post(exportPath(tenant, undefined, `/${id}/link`)),
      ]) {
        expect(refusal(answer)).toEqual(CONFLICT);
        expect(errorOf(answer).details).toMatchObject({ reason });
      }
      expect(bodyOf(await tenant.key.get<Export>(exportPath(tenant, undefined, `/${id}`))).state).toBe(reason);
      expect(refusal(await tenant.key.get(exportPath(tenant, 'alice', `/${id}`)))).toEqual(NOT_FOUND);
    });

    it('with 409 while one of the same data is not finished, and where too many files lie there', async () => {
      const tenant = await app.tenant();
      await inState(tenant, 'queued');
      const running = await tenant.key.post(exportPath(tenant));
      expect([refusal(running), errorOf(running).details?.['reason']]).toEqual([CONFLICT, 'running']);
      await app.database.sql(`UPDATE exports SET state = 'ready' WHERE tenant_id = $1`, [uuidOf(tenant.tenantId)]);
      for (let n = 1; n < 10; n++) await inState(tenant, 'ready');
      const many = await tenant.key.post(exportPath(tenant));
      expect([refusal(many), errorOf(many).details?.['reason']]).toEqual([CONFLICT, 'too_many']);
      await app.database.sql(
        `UPDATE exports SET expires_at = now() WHERE export_id = (SELECT export_id FROM exports WHERE tenant_id = $1 LIMIT 1)`,
        [uuidOf(tenant.tenantId)],
      );
      bodyOf(await tenant.key.post(exportPath(tenant)), 202);
    });
  });
});
