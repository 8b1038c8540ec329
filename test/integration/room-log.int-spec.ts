import fc from 'fast-check';
import { newUuid } from '../../src/common/ids';
import { MessagesRoomLog } from '../../src/modules/messages/room-log/room-log';
import { MissedRepository, RoomLogRepository } from '../../src/modules/messages/room-log/room-log.repository';
import { RoomHeads } from '../../src/modules/rooms';
import { MemberPositions } from '../../src/modules/rooms/members/member-positions';
import { PositionsRepository } from '../../src/modules/rooms/members/positions.repository';
import { TenantsRepository } from '../../src/modules/tenants/tenants.repository';
import { WebhooksRepository } from '../../src/modules/webhooks/webhooks.repository';
import { UsersService } from '../../src/modules/tenants/users.service';
import { messageDelete, messageEdit } from '../../src/modules/messages/messages.functions';
import { memberRemove, membersAdd, roomCreate, roomDelete } from '../../src/modules/rooms/rooms.functions';
import { roomTrim } from '../support/schema-function-calls';
import type { Position, RoomEvent, RoomLog, RoomPositions } from '../../src/realtime';
import { AppendFixture, messageTo, type RoomRef, WAITING } from '../support/append-model';
import { ModelDatabase, type ModelRoom } from '../support/realtime/model-log';
import { runs } from '../support/timing';

interface Membership {
  readonly do: 'join' | 'leave';
  readonly who: number;
}

interface MessageChange {
  readonly do: 'edit' | 'delete';
  readonly nth: number;
}

type Op = { readonly do: 'message' } | MessageChange | Membership;

const GUESTS = ['cat', 'dan'] as const;

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Op>({ do: 'message' }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('edit' as const, 'delete' as const), nth: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('join' as const, 'leave' as const), who: fc.nat(1) }) },
);

/** What an event says, without what the model does not have. */
function outline({ rev, seq, joins, leaves, ends, frame }: RoomEvent): object {
  const type = frame().type === 'message.deleted' ? 'message.updated' : frame().type;
  return { rev, seq, joins, leaves, ends, type };
}

describe('the log and the positions, as the feed reads them', () => {
  let bench: AppendFixture;
  let log: RoomLog;
  let positions: RoomPositions;

  beforeAll(async () => {
    bench = await AppendFixture.start();
    const { database, system } = bench.open;
    log = new MessagesRoomLog(new RoomLogRepository(database), new RoomHeads(system), new MissedRepository(database));
    positions = new MemberPositions(
      new PositionsRepository(database),
      new UsersService(new TenantsRepository(database, system, new WebhooksRepository(database, system))),
    );
  });
  afterAll(() => bench.close());

  /** A room of ann and ben, empty. */
  async function create(tenantId: string, type = 'group'): Promise<RoomRef> {
    const room = { tenantId, roomId: newUuid() };
    await bench.call(room, roomCreate, {
      p_room: room.roomId,
      p_type: type,
      p_posting: 'members',
      p_users: ['ann', 'ben'],
      p_roles: ['admin', 'member'],
    });
    return room;
  }

  const send = async (room: RoomRef, content = 'hello'): Promise<string> => {
    const message = messageTo(room, { senderId: 'ann', content, metaText: '{"z":1,"a":2}' });
    await bench.repository.append([message], WAITING);
    return message.messageId;
  };

  /** Does the same to a real room and to its model. */
  async function play(room: RoomRef, model: ModelRoom, ops: readonly Op[], ids: string[]): Promise<void> {
    for (const each of ops) {
      if (each.do === 'message') {
        ids.push(await send(room));
        model.message();
      } else if (each.do === 'edit' || each.do === 'delete') {
        const id = ids[each.nth % Math.max(1, ids.length)];
        if (id === undefined) continue;
        const target = { p_room: room.roomId, p_message: id, p_user: 'ann' };
        const { status } =
          each.do === 'edit'
            ? await bench.call(room, messageEdit, { ...target, p_content: 'edited' })
            : await bench.call(room, messageDelete, target);
        // A deleted message takes no further change.
        if (status === 'ok') model.edit(each.nth);
      } else if (each.do === 'join' || each.do === 'leave') {
        const user = GUESTS[each.who] ?? '';
        if (each.do === 'join')
          await bench.call(room, membersAdd, {
            p_room: room.roomId,
            p_actor: 'ann',
            p_users: [user],
            p_role: 'member',
          });
        else await bench.call(room, memberRemove, { p_room: room.roomId, p_actor: 'ann', p_user: user });
        model[each.do](user);
      }
    }
  }

  it('agree with the model after whatever happened, from every position, page by page', async () => {
    const tenantId = await bench.tenant();
    await fc.assert(
      fc.asyncProperty(
        fc.array(op, { maxLength: 25 }),
        fc.nat(25),
        fc.integer({ min: 1, max: 6 }),
        async (ops, cut, limit) => {
          const room = await create(tenantId);
          const model = new ModelDatabase(tenantId);
          const twin = model.room(room.roomId, ['ann', 'ben']);
          const ids: string[] = [];
          await play(room, twin, ops.slice(0, cut), ids);
          const begin = twin.position;
          expect(await positions.findPosition(tenantId, room.roomId, 'ann')).toMatchObject({
            lastRev: begin.rev,
            lastSeq: begin.seq,
          });
          await play(room, twin, ops.slice(cut), ids);
          let position: Position = begin;
          for (let more = true; more;) {
            const page = await log.after(tenantId, room.roomId, position, limit);
            const expected = await model.log.after(tenantId, room.roomId, position, limit);
            expect(page.events.map(outline)).toEqual(expected.events.map(outline));
            expect({ ...page.position, more: page.more }).toEqual({ ...expected.position, more: expected.more });
            ({ position, more } = page);
          }
          expect(position).toEqual(twin.position);
          const users = ['ann', ...GUESTS];
          const entrances = await positions.entrances(tenantId, room.roomId, users);
          const wanted = await model.positions.entrances(tenantId, room.roomId, users);
          const places = (found: typeof entrances) => new Map(found.map((e) => [e.userId, e.position]));
          expect(places(entrances)).toEqual(places(wanted));
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('show the message itself, with meta as it was sent, and a tombstone of a deleted one', async () => {
    const room = await create(await bench.tenant());
    const id = await send(room);
    const gone = await send(room, 'gone');
    await bench.call(room, messageDelete, { p_room: room.roomId, p_message: gone, p_user: 'ann' });
    const { events } = await log.after(room.tenantId, room.roomId, { rev: 0, seq: 0 }, 10);
    const frames = events.map((event) => event.frame());
    expect(frames).toMatchObject([
      { type: 'message', message_id: `msg_${id.replaceAll('-', '')}`, content: 'hello', deleted_at: null },
      { type: 'message', content: '', meta: null, seq: 2, rev: 3 },
    ]);
    expect(JSON.stringify(frames[0]?.['meta'])).toBe('{"z":1,"a":2}');
  });

  it('know the revision of every room, of several tenants and of deleted ones', async () => {
    const [a, b] = [await create(await bench.tenant()), await create(await bench.tenant())];
    await send(a);
    await bench.call(b, roomDelete, { p_room: b.roomId, p_user: 'ann' });
    const heads = await log.heads([
      a,
      b,
      { tenantId: a.tenantId, roomId: b.roomId },
      { tenantId: a.tenantId, roomId: newUuid() },
    ]);
    expect(new Map(heads.map((head) => [head.roomId, head.rev]))).toEqual(
      new Map([
        [a.roomId, 1],
        [b.roomId, 1],
      ]),
    );
    expect(heads).toHaveLength(2);
    const { events } = await log.after(b.tenantId, b.roomId, { rev: 0, seq: 0 }, 10);
    expect(events.map((event) => [event.ends, event.frame().type])).toEqual([[true, 'room.deleted']]);
  });

  it('show nobody another tenant’s room', async () => {
    const room = await create(await bench.tenant());
    await send(room);
    const other = await bench.tenant();
    expect((await log.after(other, room.roomId, { rev: 0, seq: 0 }, 10)).events).toEqual([]);
    expect(await positions.findPosition(other, room.roomId, 'ann')).toBe('no_room');
    expect(await positions.positionsOf(other, 'ann')).toEqual([]);
    expect(await positions.entrances(other, room.roomId, ['ann'])).toEqual([]);
  });

  it.each([
    ['some of it', 40, 41],
    ['all of it', 99, 0],
  ])('S1: is read to its end by who is behind, where %s is gone', async (_, firstSeq, next) => {
    const room = await create(await bench.tenant());
    for (let i = 0; i < 50; i++) await send(room);
    const { first_seq } = await bench.call(room, roomTrim, { p_room: room.roomId, p_first_seq: firstSeq });
    const seen: unknown[] = [];
    let position: Position = { rev: 3, seq: 3 };
    for (let more = true; more && seen.length < 100;) {
      const page = await log.after(room.tenantId, room.roomId, position, 5);
      seen.push(...page.events.map((event) => event.seq ?? event.frame()));
      ({ position, more } = page);
    }
    const kept = next === 0 ? [] : Array.from({ length: 50 - next + 2 }, (__, i) => next - 1 + i);
    expect(seen).toEqual([...kept, expect.objectContaining({ type: 'room.trimmed', first_seq, rev: 51 })]);
    expect(position).toEqual({ rev: 51, seq: 50 });
  });

  it('say where a user sits and may listen', async () => {
    const tenantId = await bench.tenant();
    const [group, channel, gone] = [await create(tenantId), await create(tenantId, 'channel'), await create(tenantId)];
    await send(group);
    await bench.call(gone, roomDelete, { p_room: gone.roomId, p_user: 'ann' });
    await bench.call(channel, membersAdd, {
      p_room: channel.roomId,
      p_actor: 'ann',
      p_users: ['cat'],
      p_role: 'member',
    });
    const mine = await positions.positionsOf(tenantId, 'ann');
    expect(new Map(mine.map((position) => [position.roomId, position]))).toEqual(
      new Map([
        [group.roomId, { roomId: group.roomId, firstSeq: 1, lastSeq: 1, lastRev: 1, memberCount: 2, ackedSeq: 0 }],
        [channel.roomId, { roomId: channel.roomId, firstSeq: 1, lastSeq: 0, lastRev: 1, memberCount: 3, ackedSeq: 0 }],
      ]),
    );
    expect(await positions.findPosition(tenantId, group.roomId, 'zoe')).toBe('not_allowed');
    expect(await positions.findPosition(tenantId, channel.roomId, 'zoe')).toMatchObject({
      isListener: true,
      lastRev: 1,
    });
    expect(await positions.findPosition(tenantId, gone.roomId, 'ann')).toBe('no_room');
    expect(await positions.entrances(tenantId, gone.roomId, ['ann'])).toEqual([]);
    expect(await positions.entrances(tenantId, group.roomId, ['ben', 'zoe'])).toEqual([
      { userId: 'ben', role: 'member', position: { rev: 0, seq: 0 }, foundedBy: 'ann' },
    ]);
  });
});
