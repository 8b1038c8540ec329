import fc from 'fast-check';
import type { TestApp, TestTenant } from '../support/app';
import { ask, createChat, FAKE_ANSWER, messagesOf, startChatApp, type WithModel } from '../support/chats/http';
import { chunksOf, listed, postUi, textOfUi, uiBody } from '../support/chats/ui';
import { exported, exportPath, fileAt, linesIn, readyExport } from '../support/exports';
import { createChannel, createPreset } from '../support/models';
import { pathOf } from '../support/messages';
import { bodyOf, createRoom, listedRoom, sendAll } from '../support/rooms';
import { runs } from '../support/timing';
import { uuidOf } from '../support/tenants';
import { doneImport } from '../support/transfer/imports';

const USERS = ['ann', 'ben', 'cat', 'd%:e'] as const;

const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter((each) => each.trim() !== '');
const act = fc.record({
  do: fc.constantFrom(
    'send',
    'send',
    'send',
    'edit',
    'delete',
    'add',
    'remove',
    'rename',
    'trim',
    'forget',
    'chat',
    'dm',
  ),
  room: fc.nat(3),
  user: fc.nat(USERS.length - 1),
  other: fc.nat(USERS.length - 1),
  text,
  meta: fc.option(
    fc.dictionary(fc.string({ maxLength: 5 }), fc.oneof(text, fc.integer(), fc.constant(null)), { maxKeys: 4 }),
  ),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** What users and time do to a tenant; what is refused changes nothing, and is fine. */
class Life {
  private readonly rooms: { readonly id: string; readonly messages: { message_id: string; by: string }[] }[] = [];

  constructor(
    private readonly app: TestApp,
    private readonly tenant: TestTenant,
  ) {}

  async make({ do: what, room: n, user, other, text: said, meta }: Act): Promise<void> {
    const [name = '', second = ''] = [USERS[user], USERS[other]];
    const by = this.tenant.as(name);
    if (what === 'chat') {
      await ask(this.tenant.key, (await createChat(this.tenant.key, name, { title: said })).id, said);
      return;
    }
    if (what === 'dm') {
      if (name !== second) await by.post('/rooms', { type: 'dm', members: [second] });
      return;
    }
    const room = this.rooms[n] ?? (await this.found(name));
    const path = `/rooms/${room.id}`;
    const message = room.messages[other % Math.max(1, room.messages.length)];
    if (what === 'send') {
      const body = { content: said, ...(meta === null ? {} : { meta }) };
      const { status, body: sent } = await by.post<{ message_id: string }>(`${path}/messages`, body);
      if (status === 201) room.messages.push({ message_id: sent.message_id, by: name });
    } else if (what === 'edit' || what === 'delete') {
      if (message === undefined) return;
      const owner = this.tenant.as(message.by);
      if (what === 'edit') await owner.patch(pathOf(room.id, message), { content: said });
      else await owner.delete(pathOf(room.id, message));
    } else if (what === 'add') await by.post(`${path}/members`, { user_ids: [second] });
    else if (what === 'remove') await by.delete(`${path}/members/${encodeURIComponent(second)}`);
    else if (what === 'rename') await by.patch(path, { name: said, metadata: meta ?? {} });
    else await this.age(room.id, what);
  }

  private async found(name: string): Promise<(typeof this.rooms)[number]> {
    const { room_id: id } = await createRoom(this.tenant.as(name), this.rooms.length % 2 === 0 ? 'group' : 'channel', [
      'ben',
    ]);
    const room = { id, messages: [] };
    this.rooms.push(room);
    return room;
  }

  /** As retention does. */
  private async age(roomId: string, what: string): Promise<void> {
    const ids = [uuidOf(this.tenant.tenantId), uuidOf(roomId)];
    const [row] = await this.app.database.sql<{ seq: number; rev: number }>(
      'SELECT ((first_seq + last_seq + 1) / 2)::int AS seq, (last_rev / 2)::int AS rev FROM rooms WHERE (tenant_id, room_id) = ($1, $2)',
      ids,
    );
    if (what === 'trim') await this.app.database.sql('SELECT room_trim($1, $2, $3)', [...ids, row?.seq]);
    else
      await this.app.database.sql('UPDATE rooms SET first_rev = $3 WHERE (tenant_id, room_id) = ($1, $2)', [
        ...ids,
        row?.rev,
      ]);
  }
}

describe('a tenant that is exported, imported and exported again', () => {
  let app: WithModel<TestApp>;

  beforeAll(async () => {
    app = await startChatApp();
  });
  afterAll(() => app.close());

  /** With a model that answers, and with what an operator has set. */
  async function furnished(): Promise<TestTenant> {
    const tenant = await app.tenant();
    await createChannel(tenant.key, { name: 'spare', enabled: false, apiKey: 'sk-not-exported' });
    await createPreset(tenant.key);
    bodyOf(await tenant.as('ann').post('/subscriptions', { topic: 'news' }), 201);
    return tenant;
  }

  async function fileOf(tenant: TestTenant): Promise<Buffer> {
    const { export_id } = await readyExport(tenant.key, tenant);
    return (await fileAt(tenant.key, exportPath(tenant, undefined, `/${export_id}/file`))).bytes;
  }

  it('is the same byte by byte, but for the header', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 30 }), async (acts) => {
        const tenant = await furnished();
        const life = new Life(app, tenant);
        for (const each of acts) await life.make(each);
        const file = await fileOf(tenant);
        const copy = await app.tenant();
        expect((await doneImport(app.master, copy, file)).keeps_ids).toBe(true);
        const first = linesIn(file);
        const second = await exported(copy.key, copy);
        expect(second.text).toBe(first.text);
        expect(second.end).toEqual(first.end);
        // Ids of its own: the same but for the ids.
        const other = await app.tenant();
        await createRoom(other.as('zoe'), 'group', []);
        expect((await doneImport(app.master, other, file)).keeps_ids).toBe(false);
        const third = await exported(other.key, other);
        expect(third.lines.length).toBe(first.lines.length + 3);
      }),
      { numRuns: runs(6) },
    );
  });

  it('goes on where it was: rooms take messages, chats are answered', async () => {
    const tenant = await furnished();
    const { room_id } = await createRoom(tenant.as('ann'), 'group', ['ben']);
    await sendAll(tenant.as('ann'), room_id, ['one', 'two']);
    const chat = await createChat(tenant.key, 'ann');
    await ask(tenant.key, chat.id, 'a question');
    await chunksOf(await postUi(tenant.as('ann'), uiBody('w1xM8lHq', 'a question of a tab')));
    const copy = await app.tenant();
    await doneImport(app.master, copy, await fileOf(tenant));
    await sendAll(copy.as('ben'), room_id, ['three']);
    expect(await listedRoom(copy.as('ann'), room_id)).toMatchObject({ last_seq: 3, unread_count: 1 });
    await ask(copy.key, chat.id, 'another question');
    await chunksOf(await postUi(copy.as('ann'), uiBody('w1xM8lHq', 'another one')));
    expect((await listed(copy.as('ann'), 'w1xM8lHq')).map(textOfUi)).toEqual([
      ...['a question of a tab', FAKE_ANSWER, 'another one', FAKE_ANSWER],
    ]);
    const said = (await messagesOf(copy.key, chat.id)).map(({ content }) => content);
    expect(said).toEqual(['a question', FAKE_ANSWER, 'another question', FAKE_ANSWER]);
  });
});
