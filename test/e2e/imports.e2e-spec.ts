import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { encodeId, newUuid } from '../../src/common/ids';
import type { TenantExportLine } from '../../src/modules/transfer/format';
import { ImportSweep } from '../../src/modules/transfer/imports/imports.jobs';
import { ImportsRepository } from '../../src/modules/transfer/imports/imports.repository';
import type { TestTenant } from '../support/app';
import { rowsOf } from '../support/database';
import { type Bodies, errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf, changesOf, createRoom, listedRoom, listRooms, NOT_FOUND, refusal, sendAll } from '../support/rooms';
import { uuidOf } from '../support/tenants';
import { exportFile, MADE_AT, roomLines, timeAfter, userLine } from '../support/transfer/files';
import {
  createImport,
  doneImport,
  type ImportBody,
  importIn,
  importPath,
  lookedAtImport,
  sendPart,
  validImport,
} from '../support/transfer/imports';
import { zipOf } from '../support/transfer/foreign-files';
import { slackFiles, slackWorkspace } from '../support/transfer/slack-export';
import { Receiver, setWebhook } from '../support/webhooks/receiver';
import { WsClient } from '../support/ws/client';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';

type ImportsBody = Bodies['ImportsDto'];

interface Listed {
  readonly message_id: string;
  readonly seq: number;
  readonly sender_id: string;
  readonly content: string;
  readonly created_at: string;
  readonly edited_at?: string | null;
}

/** Lines of a room of ann and ben in which an edit, a deletion and an event have happened. */
function storyOf(roomId: string): { readonly roomId: string; readonly lines: TenantExportLine[] } {
  const room_id = encodeId('room', roomId);
  const messages = [
    { content: 'hello', meta: { z: 1, a: [1.5] }, client_message_id: 'first' },
    { content: 'edited', rev: 7, edited_at: timeAfter(10) },
    { content: '', rev: 8, deleted_at: timeAfter(11) },
    { content: 'last', rev: 6 },
  ];
  const lines = roomLines({ roomId, members: ['ann', 'ben'], messages, room: { last_rev: 8, members_added: 3 } });
  const joined: TenantExportLine = {
    kind: 'event',
    ...{ room_id, rev: 5, type: 'member.joined', created_at: timeAfter(9) },
    payload: { room_id: roomId, user_id: 'cat', role: 'member', by: 'ann' },
  };
  const cat: TenantExportLine = {
    kind: 'member',
    ...{ room_id, user_id: 'cat', role: 'member', member_no: 3, joined_seq: 3, joined_at: timeAfter(9) },
  };
  return { roomId: room_id, lines: [...lines.slice(0, 3), cat, joined, ...lines.slice(3)] };
}

const USERS = ['ann', 'ben', 'cat'].map((id) => userLine(id));

describe('imports', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'imports-'));
  let app: SocketApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startSocketApp({ env: { DATA_DIR: dataDir, WEBHOOK_ALLOW_PRIVATE: 'true' } });
  });
  afterAll(async () => {
    await app.close();
    rmSync(dataDir, { recursive: true });
  });
  beforeEach(async () => {
    tenant = await app.tenant();
  });

  const rows = (): Promise<string[]> => rowsOf(app.database, uuidOf(tenant.tenantId));
  const withoutImport = (all: readonly string[]): string[] =>
    all.filter((row) => !/^(imports|audit_\w+|jobs) /.test(row));

  it('bring rooms with their authors, times, order and ids into a tenant without rooms, and tell nobody', async () => {
    const receiver = await Receiver.start();
    const events = ['message.created', 'room.created', 'member.joined', 'message.offline'];
    receiver.secret = await setWebhook(app, tenant, { url: receiver.url, events });
    const ben = await WsClient.admitted(app.url, { headers: keyOf(tenant, 'ben') });
    const { roomId, lines } = storyOf(newUuid());
    const done = await doneImport(app.master, tenant, exportFile([...USERS, ...lines]));
    expect(done).toMatchObject({ keeps_ids: true, fault_count: 0, error: null });
    // ben was there: his socket has made him.
    expect(done.counts).toEqual({ user: 2, room: 1, member: 3, event: 1, message: 4 });

    const listed = bodyOf(await tenant.as('ann').get<Listed[]>(`/rooms/${roomId}/messages?limit=100`));
    expect(listed.map(({ seq, sender_id, content, created_at }) => [seq, sender_id, content, created_at])).toEqual([
      [1, 'ann', 'hello', timeAfter(1)],
      [2, 'ben', 'edited', timeAfter(2)],
      [3, 'ann', '', timeAfter(3)],
      [4, 'ben', 'last', timeAfter(4)],
    ]);
    expect(listed[0]).toMatchObject({ meta: { z: 1, a: [1.5] }, client_message_id: 'first' });
    expect(await listedRoom(tenant.as('ben'), roomId)).toMatchObject({ unread_count: 0, last_seq: 4 });
    expect(await changesOf(tenant.as('ann'), roomId)).toHaveLength(5);

    // The room is live for who is connected, from what is sent now on.
    await sendAll(tenant.as('ann'), roomId, ['now']);
    await ben.frame('message');
    expect(ben.frames.filter(({ type }) => /^(message|member|room|sync)(\.|$)/.test(type))).toMatchObject([
      { type: 'message', content: 'now', seq: 5 },
    ]);
    await until(
      async () => receiver.received.map(({ type }) => type),
      (types) => types.includes('message.created'),
    );
    expect(receiver.received.filter(({ data }) => !JSON.stringify(data).includes('"seq":5'))).toEqual([]);
    await receiver.stop();
  });

  it('are used nowhere else: the messages are no usage, but take up room', async () => {
    const { lines } = storyOf(newUuid());
    await doneImport(app.master, tenant, exportFile([...USERS, ...lines]));
    const none = '00000000-0000-0000-0000-000000000000';
    await app.database.sql('SELECT usage_count_rooms($1, $2, 100, 1000)', [uuidOf(tenant.tenantId), none]);
    const days = await app.database.sql(
      'SELECT sum(messages_sent)::int AS sent, sum(storage_delta)::int AS bytes FROM usage_days WHERE tenant_id = $1',
      [uuidOf(tenant.tenantId)],
    );
    expect(days).toEqual([{ sent: 0, bytes: 'helloeditedlast'.length + '{"z":1,"a":[1.5]}'.length }]);
  });

  it('into a tenant with rooms get ids of their own, change nothing that is there, and change nothing the second time', async () => {
    const { room_id } = await createRoom(tenant.as('ann'), 'group', ['ben']);
    await sendAll(tenant.as('ann'), room_id, ['before']);
    const before = withoutImport(await rows());
    const file = exportFile([...USERS, ...storyOf(newUuid()).lines]);
    const done = await doneImport(app.master, tenant, file);
    expect(done).toMatchObject({ keeps_ids: false, counts: { user: 1, room: 1, message: 4 } });
    const after = withoutImport(await rows());
    const counted = /^tenant_counts /;
    expect(after).toEqual(expect.arrayContaining(before.filter((row) => !counted.test(row))));

    const again = await doneImport(app.master, tenant, file);
    expect(again.counts).toEqual({ user: 0 });
    expect(withoutImport(await rows())).toEqual(after);
  });

  it('of what an import with kept ids has brought find it there, whoever has written in it since', async () => {
    const { roomId, lines } = storyOf(newUuid());
    const file = exportFile([...USERS, ...lines]);
    const { import_id } = await doneImport(app.master, tenant, file);
    await sendAll(tenant.as('ben'), roomId, ['since']);
    const before = withoutImport(await rows());
    expect((await doneImport(app.master, tenant, file)).counts).toEqual({ user: 0 });
    const started = bodyOf(await app.master.post(`${importPath(tenant, import_id)}/start`), 202);
    expect(started).toMatchObject({ state: 'done' });
    expect(withoutImport(await rows())).toEqual(before);
  });

  // A million of them: npm run bench:big.
  it('with one bad line in 20,000 say which, and change nothing', async () => {
    const messages = Array.from({ length: 20_000 }, (_, i) => (i === 14_711 ? { created_at: MADE_AT } : {}));
    const lines = roomLines({ members: ['ann', 'ben'], messages });
    const before = withoutImport(await rows());
    const found = await lookedAtImport(app.master, tenant, exportFile([...USERS, ...lines]));
    expect(found).toMatchObject({ state: 'invalid', fault_count: 1 });
    // The header, three users, the room, two members.
    const message = 'must not be before that of the message above it';
    expect(found.faults).toEqual([{ file: '', line: 1 + 3 + 1 + 2 + 14_712, field: 'created_at', message }]);
    const start = await app.master.post(`${importPath(tenant, found.import_id)}/start`);
    expect([start.status, errorOf(start).details?.['reason']]).toEqual([409, 'invalid']);
    expect(withoutImport(await rows())).toEqual(before);

    // It is sent anew, and is good.
    const good = exportFile([...USERS, ...roomLines({ members: ['ann', 'ben'], messages: [{}, {}] })]);
    bodyOf(await sendPart(app.master, tenant, found.import_id, 1, good));
    bodyOf(await app.master.post(`${importPath(tenant, found.import_id)}/validate`), 202);
    const valid = await importIn(app.master, tenant, found.import_id, ['valid', 'invalid']);
    expect(valid).toMatchObject({ state: 'valid', faults: [], bytes: good.length });
  });

  it('of Slack bring what its people have said, and change nothing the second time', async () => {
    const [workspace] = fc.sample(slackWorkspace, { numRuns: 1, seed: 7 });
    const file = await zipOf(slackFiles(workspace ?? { users: [], conversations: [] }));
    const done = await doneImport(app.master, tenant, file, 'slack');
    const [stored] = await app.database.sql<{ messages: number; rooms: number }>(
      `SELECT (SELECT count(*)::int FROM messages WHERE tenant_id = $1) AS messages,
         (SELECT count(*)::int FROM rooms WHERE tenant_id = $1 AND deleted_at IS NULL) AS rooms`,
      [uuidOf(tenant.tenantId)],
    );
    expect(done.counts).toMatchObject({ message: stored?.messages, room: stored?.rooms });
    expect(stored?.rooms).toBe(workspace?.conversations.length);
    expect(stored?.messages).toBeGreaterThan(0);
    const before = withoutImport(await rows());
    expect((await doneImport(app.master, tenant, file, 'slack')).counts).toEqual({ user: 0 });
    expect(withoutImport(await rows())).toEqual(before);
  });

  describe('whose files are left', () => {
    const DAY_MS = 86_400_000;
    const sweep = (): Promise<void> => app.nest.get(ImportSweep, { strict: false }).sweep();
    const folderOf = (importId: string): string => join(dataDir, 'imports', uuidOf(tenant.tenantId), uuidOf(importId));
    const touchedAgo = (folder: string, days: number): void => {
      const at = new Date(Date.now() - days * DAY_MS);
      utimesSync(folder, at, at);
    };
    const set = (importId: string, columns: string): Promise<unknown> =>
      app.database.sql(`UPDATE imports SET ${columns} WHERE import_id = $1`, [uuidOf(importId)]);
    /** One that was made, and whose file was touched, so many days ago. */
    const left = async (made: number, touched: number, columns = ''): Promise<string> => {
      const { import_id } = await validImport(app.master, tenant, exportFile([...USERS, ...storyOf(newUuid()).lines]));
      await set(import_id, `created_at = created_at - interval '${made} days'${columns}`);
      touchedAgo(folderOf(import_id), touched);
      return import_id;
    };
    const told = (importId: string): Promise<ImportBody> =>
      app.master.get<ImportBody>(importPath(tenant, importId)).then(bodyOf);

    it('lose them after a week in which nobody goes on with them, and only then', async () => {
      const uploading = await left(8, 8, `, state = 'uploading', sha256 = NULL, bytes = NULL`);
      const valid = await left(8, 8);
      const failed = await left(9, 8, `, state = 'failed', error = 'a limit', finished_at = '2025-06-01T12:00:00Z'`);
      const kept = [
        await left(6, 6),
        // A slow upload, and one that takes its time between two steps.
        await left(30, 6, `, state = 'uploading', sha256 = NULL`),
        await left(30, 8, `, state = 'running', keeps_ids = true`),
        await left(30, 8, `, state = 'validating'`),
      ];
      const again = await left(30, 8);
      bodyOf(await app.master.post(`${importPath(tenant, again)}/validate`), 202);
      await importIn(app.master, tenant, again, ['valid']);
      const started = await left(30, 8, `, state = 'failed', error = 'a limit', keeps_ids = true`);
      await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { limits: { rooms: 0 } });
      bodyOf(await app.master.post(`${importPath(tenant, started)}/start`), 202);
      await importIn(app.master, tenant, started, ['failed']);
      kept.push(again, started);
      const before = await Promise.all(kept.map(told));

      await sweep();
      expect([uploading, valid, failed].filter((id) => existsSync(folderOf(id)))).toEqual([]);
      expect(kept.filter((id) => !existsSync(join(folderOf(id), 'part-00001')))).toEqual([]);
      expect(await Promise.all(kept.map(told))).toEqual(before);
      for (const id of [uploading, valid]) {
        const gone = { state: 'failed', error: 'its file was kept for a week', finished_at: expect.any(String) };
        expect(await told(id)).toMatchObject(gone);
        expect((await app.master.post(`${importPath(tenant, id)}/start`)).status).toBe(409);
        expect((await app.master.post(`${importPath(tenant, id)}/validate`)).status).toBe(409);
      }
      // What it failed of, and when, stays.
      expect(await told(failed)).toMatchObject({ error: 'a limit', finished_at: '2025-06-01T12:00:00.000Z' });
      expect((await app.master.post(`${importPath(tenant, failed)}/start`)).status).toBe(409);

      const after = await rows();
      await sweep();
      expect(await rows()).toEqual(after);
    });

    it('keep them where somebody goes on with them in the moment in which they are looked for', async () => {
      const importId = await left(30, 8);
      const imports = app.nest.get(ImportsRepository, { strict: false });
      const look = imports.left.bind(imports);
      const spy = jest.spyOn(imports, 'left').mockImplementation(async (...asked) => {
        const found = await look(...asked);
        await set(importId, `state = 'validating'`);
        return found;
      });
      await sweep().finally(() => spy.mockRestore());
      expect(await told(importId)).toMatchObject({ state: 'validating', error: null });
      expect(existsSync(join(folderOf(importId), 'part-00001'))).toBe(true);
    });

    it('lose them where no import has them, as after a restore of the database', async () => {
      const folders = [8, 6].map((days) => {
        const folder = folderOf(encodeId('import', newUuid()));
        mkdirSync(folder, { recursive: true });
        touchedAgo(folder, days);
        return folder;
      });
      await sweep();
      expect(folders.map((folder) => existsSync(folder))).toEqual([false, true]);
    });
  });

  it('tell at most 1,000 faults', async () => {
    const messages = Array.from({ length: 1200 }, () => ({ content: 7 as unknown as string }));
    const lines = roomLines({ members: ['ann'], messages });
    const found = await lookedAtImport(app.master, tenant, exportFile([...USERS, ...lines]));
    expect(found.fault_count).toBeGreaterThanOrEqual(1200);
    expect(found.faults).toHaveLength(1000);
  });

  it('are refused where the tenant has a dm of the same two', async () => {
    await createRoom(tenant.as('ann'), 'dm', ['ben']);
    const room = { type: 'dm', unique_key: 'dm:ann:ben', name: null } as const;
    const lines = roomLines({ members: ['ann', 'ben'], messages: [], room });
    const found = await lookedAtImport(app.master, tenant, exportFile([...USERS, ...lines]));
    expect(found.faults).toMatchObject([{ line: 5, field: 'unique_key' }]);
  });

  it('whose file is not the validated one any more fail, and change nothing', async () => {
    const { import_id } = await validImport(app.master, tenant, exportFile([...USERS, ...storyOf(newUuid()).lines]));
    const before = withoutImport(await rows());
    const part = join(dataDir, 'imports', uuidOf(tenant.tenantId), uuidOf(import_id), 'part-00001');
    appendFileSync(part, 'x');
    bodyOf(await app.master.post(`${importPath(tenant, import_id)}/start`), 202);
    const failed = await importIn(app.master, tenant, import_id, ['done', 'failed']);
    expect(failed).toMatchObject({ state: 'failed', error: 'the file is not the one that was validated', counts: {} });
    expect(withoutImport(await rows())).toEqual(before);
  });

  it('that reach a limit of the tenant fail, and go on when it is raised', async () => {
    const limits = (rooms: number | null): Promise<unknown> =>
      app.master.patch(`/admin/tenants/${tenant.tenantId}`, { limits: { rooms } });
    await limits(1);
    const lines = [storyOf(newUuid()), storyOf(newUuid())].flatMap((story) => story.lines);
    const { import_id } = await validImport(app.master, tenant, exportFile([...USERS, ...lines]));
    bodyOf(await app.master.post(`${importPath(tenant, import_id)}/start`), 202);
    const failed = await importIn(app.master, tenant, import_id, ['done', 'failed']);
    expect(failed).toMatchObject({
      state: 'failed',
      error: 'the limit rooms of the tenant is reached',
      counts: { room: 1 },
    });
    expect((await listRooms(tenant.as('ann'))).total).toBe(1);
    await limits(null);
    bodyOf(await app.master.post(`${importPath(tenant, import_id)}/start`), 202);
    const done = await importIn(app.master, tenant, import_id, ['done', 'failed']);
    expect(done).toMatchObject({ state: 'done', error: null, counts: { user: 3, room: 2, message: 8 } });
  });

  it('are the master key’s, of one tenant, and in their order', async () => {
    const { import_id } = await createImport(app.master, tenant);
    const path = importPath(tenant, import_id);
    const list = `/admin/tenants/${tenant.tenantId}/imports`;
    const other = await app.tenant();
    for (const by of [tenant.key, tenant.as('ann')]) {
      expect((await by.post(list, { source: 'chatapi' })).status).toBe(403);
      expect((await by.get(path)).status).toBe(403);
      expect((await sendPart(by, tenant, import_id, 1, Buffer.from('x'))).status).toBe(403);
      expect((await by.post(`${path}/start`)).status).toBe(403);
    }
    for (const wrong of [importPath(other, import_id), importPath(tenant, 'imp_nobodys')]) {
      expect(refusal(await app.master.get(wrong))).toEqual(NOT_FOUND);
      expect((await app.master.post(`${wrong}/validate`)).status).toBe(404);
      expect((await app.master.post(`${wrong}/start`)).status).toBe(404);
    }
    expect((await app.master.post(`${path}/validate`)).status).toBe(409);
    expect((await app.master.post(`${path}/start`)).status).toBe(409);
    bodyOf(await sendPart(app.master, tenant, import_id, 2, Buffer.from('x')));
    const gap = await app.master.post(`${path}/validate`);
    expect([gap.status, errorOf(gap).message]).toEqual([409, 'Part 1 of the file is missing']);
    expect((await app.master.post(list, { source: 'irc' })).status).toBe(400);
    expect((await sendPart(app.master, tenant, import_id, 0, Buffer.from('x'))).status).toBe(400);

    const second = await createImport(app.master, tenant);
    const page = bodyOf(await app.master.get<ImportsBody>(`${list}?limit=1`));
    expect(page.items.map((item) => item.import_id)).toEqual([second.import_id]);
    const rest = bodyOf(await app.master.get<ImportsBody>(`${list}?limit=1&cursor=${page.next ?? ''}`));
    expect([rest.items.map((item) => item.import_id), rest.next]).toEqual([[import_id], null]);
  });
});
