import { newUuid } from '../../src/common/ids';
import { cursorAdvance } from '../../src/modules/delivery/delivery.functions';
import { messageDelete, messageEdit } from '../../src/modules/messages/messages.functions';
import { membersAdd } from '../../src/modules/rooms/rooms.functions';
import { AppendFixture, type HeldRoom, messageTo, type RoomRef } from '../support/append-model';

describe('the functions that change messages', () => {
  let bench: AppendFixture;
  let room: RoomRef;
  let own: [string, string];

  beforeAll(async () => {
    bench = await AppendFixture.start();
  });
  afterAll(() => bench.close());
  beforeEach(async () => {
    room = await bench.room();
    own = [room.tenantId, room.roomId];
  });

  const sentBy = async (senderId: string): Promise<string> =>
    (await bench.appendOne(messageTo(room, { senderId, metaText: '{"z":1,"a":2}' }))).message_id;
  const target = (id: string, by: string, of = room) => ({ p_room: of.roomId, p_message: id, p_user: by });
  const edit = (id: string, by: string, content: string | null = 'edited', meta: string | null = null) =>
    bench.call(room, messageEdit, { ...target(id, by), p_content: content, p_meta: meta });
  const remove = (id: string, by: string) => bench.call(room, messageDelete, target(id, by));

  /** Starts `effect` while the room is held, lets it wait, and then commits what the holder did. */
  async function behind(held: HeldRoom, effect: () => Promise<{ status: string }>): Promise<string> {
    const running = effect();
    await bench.lockWaiters(1);
    await held.release();
    return (await running).status;
  }

  describe('message_edit', () => {
    it('changes what is given and keeps the rest, text of meta included', async () => {
      const id = await sentBy('bob');
      expect(await edit(id, 'bob', 'new')).toMatchObject({
        status: 'ok',
        message: { content: 'new', meta: '{"z":1,"a":2}', rev: 2, seq: 1, deleted_at: null },
      });
      expect(await edit(id, 'bob', null, '{"10":1,"b":1,"a":{}}')).toMatchObject({
        message: { content: 'new', meta: '{"10":1,"b":1,"a":{}}', rev: 3 },
      });
    });

    it('refuses others, and knows neither deleted nor foreign messages', async () => {
      const id = await sentBy('bob');
      const other = await bench.room({ tenantId: room.tenantId });
      expect(await edit(id, 'alice')).toEqual({ status: 'forbidden' });
      expect(await edit(id, 'mallory')).toEqual({ status: 'forbidden' });
      expect(await edit(newUuid(), 'bob')).toEqual({ status: 'no_message' });
      expect(await bench.call(other, messageEdit, { ...target(id, 'bob', other), p_content: 'x' })).toEqual({
        status: 'no_message',
      });
      await remove(id, 'bob');
      expect(await edit(id, 'bob')).toEqual({ status: 'no_message' });
      expect(await bench.counters(room)).toEqual({ last_seq: 1, last_rev: 2 });
    });

    it('sees a removal that commits while it waits', async () => {
      const id = await sentBy('bob');
      const held = await bench.hold(room);
      await held.run('DELETE FROM room_members WHERE tenant_id = $1 AND room_id = $2 AND user_id = $3', [
        ...own,
        'bob',
      ]);
      expect(await behind(held, () => edit(id, 'bob'))).toBe('forbidden');
    });

    it('sees a delete of the message or of the room that commits while it waits', async () => {
      const id = await sentBy('bob');
      const held = await bench.hold(room);
      await held.run('UPDATE messages SET deleted_at = now() WHERE tenant_id = $1 AND room_id = $2', own);
      expect(await behind(held, () => edit(id, 'bob'))).toBe('no_message');
      const again = await bench.hold(room);
      await again.run('UPDATE rooms SET deleted_at = now() WHERE tenant_id = $1 AND room_id = $2', own);
      expect(await behind(again, () => edit(id, 'bob'))).toBe('no_room');
    });

    it('many at once take consecutive revisions, and the last one stands', async () => {
      const id = await sentBy('bob');
      const results = await Promise.all(Array.from({ length: 12 }, (_, n) => edit(id, 'bob', `edit ${n}`)));
      const revs = results.map((result) => Number(result.message?.['rev']));
      expect([...revs].sort((a, b) => a - b)).toEqual(revs.map((_, i) => i + 2));
      const last = results.find((result) => result.message?.['rev'] === 13);
      expect((await bench.log(room))[0]).toMatchObject({ rev: 13, content: last?.message?.['content'] });
    });
  });

  describe('message_delete', () => {
    it('erases the text and keeps the place', async () => {
      const id = await sentBy('bob');
      expect(await remove(id, 'bob')).toMatchObject({
        status: 'ok',
        message: { content: '', meta: null, seq: 1, rev: 2, deleted_at: expect.any(String) },
      });
    });

    it('many at once count one revision', async () => {
      const id = await sentBy('bob');
      const results = await Promise.all(Array.from({ length: 8 }, (_, n) => remove(id, n % 2 ? 'alice' : 'bob')));
      expect(results.map((result) => result.status).sort()).toEqual(
        ['ok', ...Array<string>(7).fill('unchanged')].sort(),
      );
      expect(new Set(results.map((result) => result.message?.['deleted_at'])).size).toBe(1);
      expect(await bench.counters(room)).toEqual({ last_seq: 1, last_rev: 2 });
    });

    it('is for the sender and for admins, as they are when it has the lock', async () => {
      const [a, b] = [await sentBy('bob'), await sentBy('bob')];
      expect(await remove(a, 'mallory')).toEqual({ status: 'forbidden' });
      const held = await bench.hold(room);
      await held.run(`UPDATE room_members SET role = 'member' WHERE tenant_id = $1 AND room_id = $2`, own);
      expect(await behind(held, () => remove(a, 'alice'))).toBe('forbidden');
      const again = await bench.hold(room);
      await again.run(`UPDATE room_members SET role = 'admin' WHERE tenant_id = $1 AND room_id = $2`, own);
      expect(await behind(again, () => remove(b, 'alice'))).toBe('ok');
    });

    it('against an edit: whoever comes second sees the first', async () => {
      const id = await sentBy('bob');
      const [edited, deleted] = await Promise.all([edit(id, 'bob'), remove(id, 'bob')]);
      expect(deleted.status).toBe('ok');
      expect(['ok', 'no_message']).toContain(edited.status);
      const { last_rev } = await bench.counters(room);
      expect(last_rev).toBe(edited.status === 'ok' ? 3 : 2);
      expect((await bench.log(room))[0]).toMatchObject({ content: '', rev: last_rev });
    });
  });

  describe('cursor_advance', () => {
    const advance = (user: string, seq: number, isRead: boolean) =>
      bench.call(room, cursorAdvance, { p_room: room.roomId, p_user: user, p_seq: seq, p_read: isRead });
    const cursorOf = async (user: string): Promise<object | undefined> =>
      (
        await bench.database.sql<object>(
          `SELECT acked_seq::int AS acked, read_seq::int AS read FROM cursors
           WHERE tenant_id = $1 AND room_id = $2 AND user_id = $3`,
          [...own, user],
        )
      )[0];

    it('moves forward only, read implies acked, many at once end at the furthest', async () => {
      for (let n = 0; n < 6; n++) await sentBy('alice');
      const positions = [3, 1, 6, 2, 5, 4];
      await Promise.all(positions.map((seq, n) => advance('bob', seq, n % 2 === 1)));
      expect(await cursorOf('bob')).toEqual({ acked: 6, read: 4 });
      expect(await advance('bob', 2, true)).toEqual({ status: 'ok', advanced: false, acked: null });
      expect(await cursorOf('bob')).toEqual({ acked: 6, read: 4 });
    });

    it('knows members and what is in the room, and begins where the member joined', async () => {
      for (let n = 0; n < 3; n++) await sentBy('alice');
      expect(await advance('mallory', 1, true)).toEqual({ status: 'not_member' });
      expect(await advance('bob', 4, true)).toEqual({ status: 'beyond', last_seq: 3 });
      await bench.call(room, membersAdd, {
        p_room: room.roomId,
        p_actor: 'alice',
        p_users: ['carol'],
        p_role: 'member',
      });
      await advance('carol', 1, false);
      expect(await cursorOf('carol')).toEqual({ acked: 3, read: 3 });
    });
  });
});
