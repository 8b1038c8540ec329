import { MessagePreviews } from '../../src/modules/messages/message-previews';
import { type ListRequest, MessagesRepository } from '../../src/modules/messages/messages.repository';
import { changedRev } from '../../src/modules/messages/views';
import { RoomStates } from '../../src/modules/messages/room-states.repository';
import { MissedRepository, RoomLogRepository } from '../../src/modules/messages/room-log/room-log.repository';
import { CursorGroups } from '../../src/modules/delivery/cursor-groups';
import { DeliveryRepository } from '../../src/modules/delivery/delivery.repository';
import { DeliveryService } from '../../src/modules/delivery';
import { ReadUpdates } from '../../src/modules/delivery/delivery.service';
import { PositionsRepository } from '../../src/modules/rooms/members/positions.repository';
import { RoomsRepository } from '../../src/modules/rooms/rooms/rooms.repository';
import { memberRemove } from '../../src/modules/rooms/rooms.functions';
import { Audit } from '../../src/platform/audit';
import { Effects } from '../../src/platform/idempotency';
import { TEST_SECRETS } from '../support/effects-fixture';
import { RecordingFeed } from '../support/realtime/recording-feed';
import { RedeliveryFixture } from '../support/realtime/redelivery-fixture';
import { RowsReadFixture } from '../support/rows-read-fixture';
import { MAX_WAIT_MS } from '../support/timing';

const PAGE = 50;
/** The room and the caller's membership; a table of a few rows is read whole. */
const AROUND = 15;
const [MESSAGES, MEMBERS, ROOMS] = [20_000, 3_000, 600];

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('rows read for a page', () => {
  let rows: RowsReadFixture;
  let messages: MessagesRepository;
  let rooms: RoomsRepository;
  let previews: MessagePreviews;

  beforeAll(async () => {
    rows = await RowsReadFixture.open();
    messages = new MessagesRepository(rows.database);
    rooms = new RoomsRepository(rows.database);
    const updates = new ReadUpdates(new RecordingFeed());
    const cursors = new DeliveryRepository(rows.database, rows.system);
    const delivery = new DeliveryService(
      cursors,
      new CursorGroups(cursors, { check: () => undefined }, { deadlineMs: MAX_WAIT_MS }),
      new Effects(rows.database, new Audit(TEST_SECRETS)),
      updates,
      new RedeliveryFixture().redelivery,
      { tell: () => undefined },
    );
    previews = new MessagePreviews(messages, delivery);
  });
  afterAll(() => rows.close());

  describe('in a room of many messages', () => {
    let roomId: string;

    beforeAll(async () => {
      roomId = await rows.room(['alice', 'bob'], MESSAGES);
      await rows.analyze();
    });

    it.each([
      ['the newest page', { newest: true, offset: 0 }, MESSAGES - PAGE + 1],
      ['a page far from the start', { newest: false, offset: 18_000 }, 18_001],
      ['a page far from the end', { newest: true, offset: 18_000 }, MESSAGES - 18_000 - PAGE + 1],
      ['a page before a cursor', { newest: true, offset: 0, beforeSeq: 501 }, 451],
    ])('%s', async (_, request, firstSeq) => {
      const page: ListRequest = { afterSeq: null, beforeSeq: null, limit: PAGE, ...request };
      const list = () => messages.list(rows.tenantId, roomId, 'alice', page);
      const found = (await list())?.rows.map((row) => row.seq);
      expect(found).toEqual(Array.from({ length: PAGE }, (_x, i) => firstSeq + i));
      expect(await rows.by(list)).toBeLessThanOrEqual(PAGE + AROUND);
    });

    it.each([0, 10_000, MESSAGES - PAGE])('changes after revision %d', async (rev) => {
      const changes = () => messages.changes(rows.tenantId, roomId, 'alice', rev, PAGE);
      expect((await changes())?.rows.map((row) => row.rev)).toEqual(
        Array.from({ length: PAGE }, (_, i) => rev + 1 + i),
      );
      expect(await rows.by(changes)).toBeLessThanOrEqual(PAGE + AROUND);
    });
  });

  describe('with states of messages', () => {
    const STATED = 2000;
    let [stated, plain] = ['', ''];

    beforeAll(async () => {
      [stated, plain] = [await rows.room(['alice'], STATED), await rows.room(['alice'], STATED)];
      // Of both: what only the room's row forbids to look for is not read.
      await rows.sql(
        `INSERT INTO message_reaction_counts (tenant_id, room_id, seq, message_id, rev, counts)
         SELECT tenant_id, room_id, seq, message_id, $3 + seq, '[]' FROM messages
         WHERE tenant_id = $1 AND room_id = ANY ($2::uuid[])`,
        [stated, plain],
        STATED,
      );
      await rows.sql(
        'UPDATE rooms SET has_states = true, last_rev = $3 WHERE tenant_id = $1 AND room_id = $2',
        stated,
        2 * STATED,
      );
      await rows.analyze();
    });

    const newest: ListRequest = { afterSeq: null, beforeSeq: null, limit: PAGE, offset: 0, newest: true };
    const list = (roomId: string) => () => messages.list(rows.tenantId, roomId, 'alice', newest);
    const changes = (roomId: string, rev: number) => () => messages.changes(rows.tenantId, roomId, 'alice', rev, PAGE);

    it('a page reads one row more of each message', async () => {
      expect(changedRev((await list(stated)())?.rows.at(-1) ?? { rev: 0 })).toBe(2 * STATED);
      expect(await rows.by(list(stated))).toBeLessThanOrEqual(2 * PAGE + AROUND);
    });

    it('changes are read from where they are asked for', async () => {
      expect((await changes(stated, STATED + 500)())?.rows.map(({ rev }) => rev)).toEqual(
        Array.from({ length: PAGE }, (_, i) => STATED + 501 + i),
      );
      expect(await rows.by(changes(stated, STATED + 500))).toBeLessThanOrEqual(PAGE + AROUND);
    });

    it('nothing of them is read in a room that never had any', async () => {
      const read = (call: () => Promise<unknown>) => rows.by(call, 'message_reaction_counts');
      expect(await read(list(plain))).toBe(0);
      expect(await read(changes(plain, 0))).toBe(0);
      expect(await read(list(stated))).toBeGreaterThan(0);
    });
  });

  describe('of unread messages', () => {
    const unread = async (roomId: string, userId: string, lastSeq: number) => {
      const found = await previews.previews(rows.tenantId, userId, [{ roomId, joinedSeq: 0, firstSeq: 1, lastSeq }]);
      return found.get(roomId)?.unread_count;
    };

    it('ends at a thousand that count', async () => {
      const roomId = await rows.room(['alice', 'bob'], 12_000);
      await rows.analyze();
      expect(await unread(roomId, 'bob', 12_000)).toBe(1000);
      expect(await rows.by(() => unread(roomId, 'bob', 12_000))).toBeLessThanOrEqual(1000 + AROUND);
    });

    it('ends at the newest ten thousand where none counts, which are all that is looked at', async () => {
      const roomId = await rows.room(['robot', 'bob'], 12_000);
      await rows.analyze();
      expect(await unread(roomId, 'robot', 12_000)).toBe(0);
      expect(await rows.by(() => unread(roomId, 'robot', 12_000))).toBeLessThanOrEqual(10_000 + AROUND);
      await rows.sql(
        `UPDATE messages SET sender_id = 'bob' WHERE tenant_id = $1 AND room_id = $2 AND seq IN (2000, 2001, 11000)`,
        roomId,
      );
      expect(await unread(roomId, 'robot', 12_000)).toBe(2);
    });
  });

  describe('of members', () => {
    const users = names('m', MEMBERS);
    const offset = MEMBERS - PAGE;
    let roomId: string;

    beforeAll(async () => {
      roomId = await rows.room(users, 0);
      await rows.analyze();
    });

    const page = async () => (await rooms.members(rows.tenantId, roomId, 'm0', { limit: PAGE, offset }))?.rows ?? [];
    const ids = async () => (await page()).map((row) => row.user_id);

    it('goes straight to its place while nobody has left', async () => {
      expect(await ids()).toEqual(users.slice(offset));
      expect(await rows.by(page)).toBeLessThanOrEqual(PAGE + AROUND);
    });

    it('counts from the start once somebody has', async () => {
      await memberRemove.call(rows.database, rows.tenantId, { p_room: roomId, p_actor: 'm7', p_user: 'm7' });
      expect(await ids()).toEqual(users.slice(offset + 1));
      expect(await rows.by(page)).toBeLessThanOrEqual(MEMBERS + PAGE + AROUND);
    });
  });

  it('of what a user may see of rooms: a room and a membership for each that is asked of', async () => {
    const ids = await rows.rooms(ROOMS, ['joe', 'kay'], 1);
    await rows.room(names('s', MEMBERS), 0);
    await rows.analyze();
    const states = new RoomStates(rows.database);
    for (const asked of [1, 40]) {
      const ask = () => Promise.all(ids.slice(0, asked).map((roomId) => states.ask(rows.tenantId, roomId, 'joe')));
      expect((await ask()).filter((state) => state?.allowed)).toHaveLength(asked);
      expect(await rows.by(ask)).toBeLessThanOrEqual(4 * asked + AROUND);
    }
  });

  describe('of what was missed', () => {
    it('are those of the page, in rooms of whatever size', async () => {
      const ids = await rows.rooms(10, ['fay', 'gus'], 2000);
      await rows.analyze();
      const log = new MissedRepository(rows.database);
      const parts = ids.map((roomId) => ({
        ...{ roomId, afterSeq: 1500, throughSeq: 1520, afterRev: 1990, throughRev: 1993, changedThroughSeq: 1500 },
        marks: true,
        named: undefined,
      }));
      const limits = { messages: 250, changes: 250, bytes: 500_000 };
      const missed = () =>
        log.missed(
          rows.tenantId,
          parts.map((part) => ({ userId: 'gus', part, limits })),
          100,
        );
      expect((await missed()).filter(({ kind }) => kind === 'new')).toHaveLength(200);
      // Of each room 20 messages, 3 changes of newer ones, its row, its members and their cursors.
      expect(await rows.by(missed)).toBeLessThanOrEqual(10 * (20 + 3 + 6 + AROUND));
    });

    it('S1: are those of the page for a channel that is a little behind', async () => {
      const roomId = await rows.room(['kim', 'lea'], MESSAGES);
      await rows.analyze();
      const log = new RoomLogRepository(rows.database);
      for (const seq of [MESSAGES - PAGE, MESSAGES - 20]) {
        const after = () => log.after(rows.tenantId, roomId, { rev: seq, seq }, PAGE);
        expect((await after()).filter(({ kind }) => kind === 'new')).toHaveLength(MESSAGES - seq);
        // The page, and by revision once more for those beyond it and once for those that have changed.
        expect(await rows.by(after)).toBeLessThanOrEqual(4 * PAGE + AROUND);
      }
    });

    it('are a membership, a room and a cursor each for all rooms of a user', async () => {
      await rows.rooms(ROOMS, ['hal', 'ida'], 1);
      await rows.rooms(ROOMS, ['ida'], 1);
      await rows.analyze();
      const positions = new PositionsRepository(rows.database);
      const found = () => positions.withCursors(rows.tenantId, ['hal']);
      expect(await found()).toHaveLength(ROOMS);
      expect(await rows.by(found)).toBeLessThanOrEqual(3 * ROOMS + AROUND);
    });
  });

  it('of my rooms: each once for the order, whole ones for the page alone, none of others', async () => {
    await rows.rooms(ROOMS / 2, ['dora'], 1);
    await rows.rooms(ROOMS / 2, ['dora', 'emil'], 1);
    await rows.rooms(ROOMS, ['emil'], 1);
    await rows.analyze();
    const list = () => rooms.mine(rows.tenantId, 'dora', { limit: PAGE, offset: 100 });
    const found = await list();
    expect(found.total).toBe(ROOMS);
    expect(found.rows).toHaveLength(PAGE);
    // A membership and a room each, then both again for the page; the pass may step over rooms of others on its way.
    expect(await rows.by(list)).toBeLessThanOrEqual(2 * ROOMS + 2 * PAGE + AROUND);
  });
});
