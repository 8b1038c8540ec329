import { newUuid } from '../../src/common/ids';
import { SystemClock } from '../../src/common/time';
import {
  feedAsked,
  feedCollect,
  feedPage,
  feedsCollected,
  feedSweep,
  feedSweepDue,
} from '../../src/modules/changes/changes.functions';
import { COLLECT_KEY, Collector } from '../../src/modules/changes/collector.job';
import { cursorAdvance } from '../../src/modules/delivery/delivery.functions';
import { messageDelete, messageEdit } from '../../src/modules/messages/messages.functions';
import { membersAdd } from '../../src/modules/rooms/rooms.functions';
import type { SchemaFunction } from '../../src/platform/database';
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

  describe('the feed of their tenant', () => {
    const as = <A extends object, R>(fn: SchemaFunction<A, R>, args: A): Promise<R> =>
      fn.call(bench.open.database, room.tenantId, args);
    const begin = () => as(feedAsked, { p_epoch: 1 });
    const collect = () => as(feedCollect, { p_rooms: [room.roomId] });
    const sweep = () => as(feedSweep, { p_after: null, p_limit: 10 });
    const sql = (text: string): Promise<object[]> => bench.database.sql<object>(text, own);
    const OF_ROOM = 'WHERE tenant_id = $1 AND room_id = $2';
    /** What is told behind an entry, one by one. */
    async function told(no = 0, limit = 1): Promise<string[]> {
      const found: string[] = [];
      for (let at = { no, rev: 0, more: true }; at.more;) {
        const page = await as(feedPage, { p_epoch: 1, p_no: at.no, p_rev: at.rev, p_limit: limit });
        found.push(...page.items.map(({ type, rev }) => `${type} ${rev}`));
        at = page;
      }
      return found;
    }
    const aged = () => sql(`UPDATE messages SET created_at = created_at - interval '1 day' ${OF_ROOM}`);
    /** As many entries as messages. */
    async function entries(messages: number): Promise<void> {
      await begin();
      for (let n = 0; n < messages; n++) {
        await sentBy('bob');
        expect(await collect()).toBe(1);
      }
    }

    it.each([1, 100])('has one reset in the place of what the room keeps no more, in pages of %i', async (limit) => {
      await entries(4);
      await sql(`UPDATE rooms SET first_rev = 3 ${OF_ROOM}`);
      expect(await told(0, limit)).toEqual(['room.reset 3', 'message 4']);
      expect(await told(2, limit)).toEqual(['room.reset 3', 'message 4']);
      expect(await told(3, limit)).toEqual(['message 4']);
      await sql(`UPDATE tenant_feed SET to_rev = 3 ${OF_ROOM} AND no = 1`);
      await sql(`UPDATE rooms SET first_rev = 2 ${OF_ROOM}`);
      expect((await told(0, limit)).slice(0, 2)).toEqual(['room.reset 2', 'message 3']);
    });

    it('tells that a room was deleted whose event, or row, is no more', async () => {
      await entries(2);
      await sql(`UPDATE rooms SET deleted_at = now(), last_rev = 3, first_rev = 3 ${OF_ROOM}`);
      await collect();
      expect(await told()).toEqual(['room.deleted 3']);
      await sql(`DELETE FROM rooms ${OF_ROOM}`);
      expect(await told()).toEqual(['room.deleted 1', 'room.deleted 2', 'room.deleted 3']);
    });

    it.each([
      ['a hint', () => collect()],
      ['a look', () => sweep()],
    ])('has a last entry of a room that has gone, by %s, once', async (_, find) => {
      await entries(2);
      await sql(`DELETE FROM rooms ${OF_ROOM}`);
      for (const again of [find, collect, sweep]) await again();
      expect(await told(2)).toEqual(['room.deleted 3']);
      expect(await sql(`SELECT 1 FROM tenant_feed_rooms ${OF_ROOM}`)).toEqual([]);
    });

    it('does not take an answer that was superseded for one that was never changed', async () => {
      for (let n = 0; n < 2; n++) await sentBy('bob');
      await aged();
      await begin();
      await sql(`UPDATE messages SET status = 'superseded', rev = 3 ${OF_ROOM} AND seq = 1`);
      await sql(`UPDATE rooms SET last_rev = 3 ${OF_ROOM}`);
      await collect();
      expect(await told()).toEqual(['message 3']);
    });

    it.each([
      [1, ['message 4']],
      [3, ['message 1', 'message 2', 'message 3', 'message 4']],
    ])('begins in an imported room behind revision %i of the import, where it can', async (imported, expected) => {
      for (let n = 0; n < 3; n++) await sentBy('bob');
      await aged();
      await sql(
        `INSERT INTO import_rooms (tenant_id, room_id, import_id, is_done, last_rev) VALUES ($1, $2, $2, true, ${imported})`,
      );
      await begin();
      await sentBy('bob');
      await collect();
      expect(await told()).toEqual(expected);
    });

    it('does not trust transactions of another server', async () => {
      await sentBy('bob');
      await begin();
      await sql(
        `UPDATE tenant_feeds SET began_before = 1000000000000000 WHERE tenant_id = $1 AND $2::uuid IS NOT NULL`,
      );
      await collect();
      expect(await told()).toEqual(['message 1']);
    });

    it('has one look that waits; one that has begun is none, but puts the next hour off', async () => {
      await begin();
      const ofTenant = 'WHERE tenant_id = $1 AND $2::uuid IS NOT NULL';
      expect(await as(feedSweepDue, {})).toBe(false);
      await sql(`UPDATE jobs SET fence = 1 ${ofTenant}`);
      expect([await as(feedSweepDue, {}), await as(feedSweepDue, {})]).toEqual([true, false]);
      await sql(`UPDATE tenant_feeds SET swept_at = now() - interval '2 hours' ${ofTenant}`);
      const isDue = async (): Promise<unknown> =>
        (await feedsCollected.call(bench.open.system, {})).find((row) => row.tenant_id === room.tenantId)?.is_due;
      expect(await isDue()).toBe(false);
      await sql(`DELETE FROM jobs ${ofTenant}`);
      expect(await isDue()).toBe(true);
    });

    it('is not turned back to an earlier epoch', async () => {
      await as(feedAsked, { p_epoch: 5 });
      expect(await as(feedAsked, { p_epoch: 4 })).toBeNull();
      expect(await as(feedAsked, { p_epoch: 5 })).toEqual({ last_no: 0, begins: false });
    });

    it.each([
      [1, [500]],
      [3, [125, 125, 125, 125]],
      [10_000, Array<number>(50).fill(10)],
    ])('is collected in attempt %i by statements of fewer rooms', async (attempt, sizes) => {
      const calls = jest.spyOn(feedCollect, 'call');
      const room_ids = Array.from({ length: 500 }, () => newUuid());
      const job = { id: 1, kind: 'feed', key: COLLECT_KEY, createdAt: new Date(), tenantId: room.tenantId };
      await new Collector(bench.open.database, new SystemClock()).run(
        { ...job, attempt, payload: { room_ids } },
        new AbortController().signal,
      );
      expect(calls.mock.calls.map(([, , { p_rooms }]) => p_rooms.length)).toEqual(sizes);
      calls.mockRestore();
    });
  });
});
