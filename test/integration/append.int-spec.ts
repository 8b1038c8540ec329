import { createHash } from 'node:crypto';
import { newUuid } from '../../src/common/ids';
import { AppendRepository } from '../../src/modules/messages/appender/append.repository';
import type { NewMessage } from '../../src/modules/messages/appender/item';
import { messageEdit } from '../../src/modules/messages/messages.functions';
import { memberRemove, membersAdd, roomDelete } from '../../src/modules/rooms/rooms.functions';
import { codeOf } from '../../src/platform/database';
import { AppendFixture, checkLog, type HeldRoom, messageTo, type RoomRef, WAITING } from '../support/append-model';

describe('append_messages', () => {
  let bench: AppendFixture;

  beforeAll(async () => {
    bench = await AppendFixture.start();
  });
  afterAll(() => bench.close());

  /** Sends while `held` keeps the room, and lets go once the send waits for it. */
  async function sendBehind(held: HeldRoom, message: NewMessage): Promise<string> {
    const sending = bench.appendOne(message);
    await bench.lockWaiters(1);
    await held.release();
    return (await sending).status;
  }

  describe('decides after it has the lock', () => {
    it('refuses a sender whose removal commits while the send waits', async () => {
      const room = await bench.room();
      const held = await bench.hold(room);
      await held.run('DELETE FROM room_members WHERE tenant_id = $1 AND room_id = $2 AND user_id = $3', [
        room.tenantId,
        room.roomId,
        'bob',
      ]);
      expect(await sendBehind(held, messageTo(room, { senderId: 'bob' }))).toBe('not_member');
      expect(await bench.log(room)).toEqual([]);
    });

    it('takes a sender whose joining commits while the send waits', async () => {
      const room = await bench.room({ members: ['alice'] });
      await bench.room({ tenantId: room.tenantId, members: ['bob'] }); // makes the user
      const held = await bench.hold(room);
      await held.run(
        `INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
         VALUES ($1, $2, 'bob', 'member', 0, 2)`,
        [room.tenantId, room.roomId],
      );
      expect(await sendBehind(held, messageTo(room, { senderId: 'bob' }))).toBe('new');
    });

    it('finds the original of a repeat that commits while the repeat waits', async () => {
      const room = await bench.room();
      const original = messageTo(room, { clientMessageId: 'c1' });
      const held = await bench.hold(room);
      const sending = [original, { ...original, messageId: newUuid() }].map((m) => bench.appendOne(m));
      await bench.lockWaiters(2);
      await held.release();
      const rows = await Promise.all(sending);
      expect(rows.map((row) => row.status).sort()).toEqual(['duplicate', 'new']);
      expect(new Set(rows.map((row) => row.message_id)).size).toBe(1);
      expect(rows.map((row) => row.seq)).toEqual([1, 1]);
      expect(await bench.log(room)).toHaveLength(1);
    });

    it('sees posting: admins set while the send waits', async () => {
      const room = await bench.room();
      const held = await bench.hold(room);
      await held.run(`UPDATE rooms SET posting = 'admins' WHERE tenant_id = $1 AND room_id = $2`, [
        room.tenantId,
        room.roomId,
      ]);
      expect(await sendBehind(held, messageTo(room, { senderId: 'bob' }))).toBe('posting');
    });

    it('sees the room deleted while the send waits', async () => {
      const room = await bench.room();
      const held = await bench.hold(room);
      await held.run('UPDATE rooms SET deleted_at = now() WHERE tenant_id = $1 AND room_id = $2', [
        room.tenantId,
        room.roomId,
      ]);
      expect(await sendBehind(held, messageTo(room))).toBe('no_room');
    });

    it('counts on from what committed while the send waited', async () => {
      const room = await bench.room();
      const held = await bench.hold(room);
      await held.run('UPDATE rooms SET last_rev = last_rev + 5 WHERE tenant_id = $1 AND room_id = $2', [
        room.tenantId,
        room.roomId,
      ]);
      const sending = bench.appendOne(messageTo(room));
      await bench.lockWaiters(1);
      await held.release();
      expect(await sending).toMatchObject({ status: 'new', seq: 1, rev: 6 });
    });
  });

  describe('who may post', () => {
    it.each([
      ['admins', 'alice', 'new'],
      ['admins', 'bob', 'posting'],
      ['members', 'bob', 'new'],
      ['members', 'mallory', 'not_member'],
    ])('posting %s, sender %s: %s', async (posting, senderId, status) => {
      const room = await bench.room({ posting });
      expect(await bench.appendOne(messageTo(room, { senderId }))).toMatchObject({ status });
    });

    it('knows no deleted, unknown or foreign room', async () => {
      const room = await bench.room();
      await bench.call(room, roomDelete, { p_room: room.roomId, p_user: 'alice' });
      const foreign = { tenantId: await bench.tenant(), roomId: (await bench.room()).roomId };
      const unknown = { tenantId: room.tenantId, roomId: newUuid() };
      for (const lockMs of [WAITING, 0]) {
        const rows = await bench.repository.append(
          [room, foreign, unknown].map((r) => messageTo(r)),
          lockMs,
        );
        expect(rows.map((row) => row.status)).toEqual(['no_room', 'no_room', 'no_room']);
      }
    });

    it('answers the repeat of a member who was removed with what was stored', async () => {
      const room = await bench.room();
      const message = messageTo(room, { senderId: 'bob', clientMessageId: 'c' });
      const first = await bench.appendOne(message);
      await bench.call(room, memberRemove, { p_room: room.roomId, p_actor: 'alice', p_user: 'bob' });
      const again = await bench.appendOne({ ...message, messageId: newUuid() });
      expect(again).toEqual({ ...first, status: 'duplicate' });
    });
  });

  describe('repeats', () => {
    it('answers with the first message, or mismatch for another body; another sender is another message', async () => {
      const room = await bench.room();
      const first = await bench.appendOne(messageTo(room, { clientMessageId: 'x' }));
      const rows = await bench.repository.append(
        [
          messageTo(room, { clientMessageId: 'x', senderId: 'bob' }),
          messageTo(room, { clientMessageId: 'x', content: 'other' }),
        ],
        WAITING,
      );
      expect(rows.map((row) => [row.item, row.status, row.seq]).sort()).toEqual([
        [1, 'new', 2],
        [2, 'mismatch', 1],
      ]);
      expect(await bench.appendOne(messageTo(room, { clientMessageId: 'x' }))).toEqual({
        ...first,
        status: 'duplicate',
      });
    });

    it('are told from the same message handed in again after a lost connection', async () => {
      const room = await bench.room();
      const message = messageTo(room, { clientMessageId: 'c' });
      const first = await bench.appendOne(message);
      expect(await bench.appendOne(message)).toEqual({ ...first, status: 'new' });
      expect(await bench.log(room)).toHaveLength(1);
    });

    it('compares client ids by bytes, not by collation', async () => {
      const room = await bench.room();
      for (const clientMessageId of ['é', 'e\u0301', 'E', 'e'])
        expect(await bench.appendOne(messageTo(room, { clientMessageId }))).toMatchObject({ status: 'new' });
    });
  });

  it('keeps two tenants with the same room id apart, in one batch', async () => {
    const a = await bench.room();
    const b = await bench.room({ roomId: a.roomId });
    const batch = [a, b, a, b, b].map((room, i) => messageTo(room, { content: `${i}`, clientMessageId: `${i >> 1}` }));
    // The fourth repeats the client id of the third, in the other tenant's room.
    const rows = await bench.repository.append(batch, 0);
    expect(rows.map((row) => row.status)).toEqual(['new', 'new', 'new', 'new', 'new']);
    expect((await bench.log(a)).map((m) => m.content)).toEqual(['0', '2']);
    expect((await bench.log(b)).map((m) => m.content)).toEqual(['1', '3', '4']);
  });

  describe('a room that somebody holds', () => {
    it('is skipped without wait, while the other rooms of the batch go on', async () => {
      const [free, locked] = [await bench.room(), await bench.room()];
      const held = await bench.hold(locked);
      const rows = await bench.repository.append([messageTo(locked), messageTo(free), messageTo(locked)], 0);
      await held.release();
      expect(byItem(rows)).toEqual(['locked', 'new', 'locked']);
      expect(await bench.log(locked)).toEqual([]);
    });

    it('is waited for with wait, then appended to in order', async () => {
      const room = await bench.room();
      const held = await bench.hold(room);
      const sending = bench.repository.append(
        ['a', 'b'].map((content) => messageTo(room, { content })),
        WAITING,
      );
      await bench.lockWaiters(1);
      await held.release();
      expect(byItem(await sending)).toEqual(['new', 'new']);
      expect((await bench.log(room)).map((m) => m.content)).toEqual(['a', 'b']);
    });

    it('comes back locked when it stays held, and nothing is stored afterwards', async () => {
      const room = await bench.room();
      const held = await bench.hold(room);
      expect(await bench.appendOne(messageTo(room))).toMatchObject({ status: 'locked' });
      await held.release();
      expect(await bench.appendOne(messageTo(room))).toMatchObject({ status: 'new', seq: 1 });
      expect(await bench.log(room)).toHaveLength(1);
    });

    it('still answers repeats of what is stored', async () => {
      const room = await bench.room();
      const message = messageTo(room, { clientMessageId: 'c' });
      await bench.appendOne(message);
      const held = await bench.hold(room);
      const again = await bench.appendOne({ ...message, messageId: newUuid() }, 0);
      await held.release();
      expect(again).toMatchObject({ status: 'duplicate', seq: 1 });
    });
  });

  describe('time and revisions', () => {
    it('created_at does not fall when last_message_at lies in the future', async () => {
      const room = await bench.room();
      const future = new Date(Date.now() + 3_600_000);
      await bench.database.sql('UPDATE rooms SET last_message_at = $3 WHERE tenant_id = $1 AND room_id = $2', [
        room.tenantId,
        room.roomId,
        future,
      ]);
      const rows = [await bench.appendOne(messageTo(room)), await bench.appendOne(messageTo(room))];
      expect(rows.map((row) => row.created_at)).toEqual([future, future]);
    });

    it('edits, deletes and memberships beside sends leave no gap in rev', async () => {
      const room = await bench.room();
      const target = await bench.appendOne(messageTo(room));
      const own = { p_room: room.roomId };
      await Promise.all([
        ...Array.from({ length: 10 }, () => bench.appendOne(messageTo(room))),
        ...Array.from({ length: 10 }, (_, i) =>
          bench.call(room, messageEdit, {
            ...own,
            p_message: target.message_id,
            p_user: 'alice',
            p_content: `edit ${i}`,
          }),
        ),
        ...Array.from({ length: 5 }, (_, i) =>
          bench.call(room, membersAdd, { ...own, p_actor: 'alice', p_users: [`user${i}`], p_role: 'member' }),
        ),
      ]);
      expect(await bench.counters(room)).toEqual({ last_seq: 11, last_rev: 26 });
      checkLog(await bench.log(room));
      const revs = await usedRevs(bench, room);
      // Ten edits of one message leave the last one's revision only.
      expect(revs).toHaveLength(16);
      expect(new Set(revs).size).toBe(16);
    });
  });

  describe('jobs', () => {
    it('are written for new messages only, with where the message stands', async () => {
      const room = await bench.room();
      const jobs = [
        { kind: 'mail', key: 'k1', payload: { a: 1 } },
        { kind: 'hook', key: 'k2', payload: {} },
      ];
      const stored = messageTo(room, { clientMessageId: 'c', jobs });
      const [first, refused] = byOrder(
        await bench.repository.append([stored, messageTo(room, { senderId: 'mallory', jobs })], WAITING),
      );
      await bench.appendOne({ ...stored, messageId: newUuid() });
      expect(refused).toMatchObject({ status: 'not_member' });
      const rows = await bench.database.sql<object>(
        'SELECT kind, key, state, payload FROM jobs WHERE tenant_id = $1 ORDER BY id',
        [room.tenantId],
      );
      const place = { message_id: first?.message_id, seq: 1 };
      expect(rows).toEqual([
        { kind: 'mail', key: 'k1', state: 'queued', payload: { a: 1, ...place } },
        { kind: 'hook', key: 'k2', state: 'queued', payload: place },
      ]);
    });

    it('of the hooks of a tenant are one per room and hook, with the seqs that are new', async () => {
      const [room, other] = [await bench.room(), await bench.room()];
      const quiet = await bench.room({ tenantId: room.tenantId });
      const hooks = ['first', 'second'].map((kind) => ({ kind, payloadText: `{"of":"${kind}"}`, delayMs: 60_000 }));
      const hooked = new AppendRepository(bench.open.system, {
        of: (tenantId) => (tenantId === room.tenantId ? hooks : []),
        ofStates: () => [],
        appended: () => undefined,
      });
      await bench.appendOne(messageTo(room));
      const batch = [room, room, other].map((to) => messageTo(to));
      await hooked.append([...batch, messageTo(quiet, { senderId: 'mallory' })], WAITING);
      const rows = await bench.database.sql<object>(
        `SELECT tenant_id, kind, key, payload, run_at > now() + interval '50 s' AS waits FROM jobs
         WHERE tenant_id = ANY ($1) ORDER BY kind`,
        [[room.tenantId, other.tenantId]],
      );
      const job = { tenant_id: room.tenantId, key: room.roomId, waits: true };
      expect(rows).toEqual(
        ['first', 'second'].map((kind) => ({
          ...job,
          kind,
          payload: { of: kind, room_id: room.roomId, seqs: [2, 3] },
        })),
      );
    });
  });

  describe('batches', () => {
    it('of 256 over many rooms keep the order within each', async () => {
      const tenantId = await bench.tenant();
      const rooms = await Promise.all(Array.from({ length: 40 }, () => bench.room({ tenantId })));
      const batch = Array.from({ length: 256 }, (_, i) =>
        messageTo(rooms[(i * 7) % rooms.length] as RoomRef, { content: String(i) }),
      );
      const rows = await bench.repository.append(batch, 0);
      expect(rows.map((row) => row.status)).toEqual(Array.from({ length: 256 }, () => 'new'));
      for (const room of rooms) {
        const log = await bench.log(room);
        checkLog(log);
        const sent = batch.filter((m) => m.roomId === room.roomId).map((m) => m.content);
        expect(log.map((m) => m.content)).toEqual(sent);
      }
    });

    it.each([
      ['NUL in the content', { content: 'a\u0000b' }, '22'],
      ['meta that is no JSON', { metaText: '{' }, '22'],
    ])('with %s fail as a whole', async (_name, bad, sqlClass) => {
      const room = await bench.room();
      const batch = [messageTo(room), messageTo(room, { ...bad, bodyHash: createHash('sha256').digest() })];
      const error: unknown = await bench.repository.append(batch, WAITING).catch((e: unknown) => e);
      expect(codeOf(error)?.slice(0, 2)).toBe(sqlClass);
      expect(await bench.counters(room)).toEqual({ last_seq: 0, last_rev: 0 });
    });
  });

  it('append_lookup finds what is stored and nothing else', async () => {
    const room = await bench.room();
    const [known, unknown] = [messageTo(room), messageTo(room)];
    const { seq, rev, created_at } = await bench.appendOne(known);
    expect(await bench.repository.lookup([unknown, known])).toEqual([{ item: 2, seq, rev, created_at }]);
  });
});

function byOrder<R extends { item: number }>(rows: readonly R[]): R[] {
  return [...rows].sort((a, b) => a.item - b.item);
}

function byItem(rows: readonly { item: number; status: string }[]): string[] {
  return byOrder(rows).map((row) => row.status);
}

async function usedRevs(bench: AppendFixture, room: RoomRef): Promise<number[]> {
  const rows = await bench.database.sql<{ rev: number }>(
    `SELECT rev::int FROM messages WHERE tenant_id = $1 AND room_id = $2
     UNION ALL SELECT rev::int FROM room_events WHERE tenant_id = $1 AND room_id = $2`,
    [room.tenantId, room.roomId],
  );
  return rows.map((row) => row.rev);
}
