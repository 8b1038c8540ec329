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
import { cursorAdvance } from '../../src/modules/delivery/delivery.functions';
import { messageEdit } from '../../src/modules/messages/messages.functions';
import { memberRemove, membersAdd, roomCreate, roomDelete } from '../../src/modules/rooms/rooms.functions';
import type { MissedPart, PageLimits, RoomLog, RoomPositions } from '../../src/realtime';
import { AppendFixture, messageTo, type RoomRef, WAITING } from '../support/append-model';
import { ModelDatabase, type ModelRoom } from '../support/realtime/model-log';
import { runs } from '../support/timing';

const LIMITS: PageLimits = { messages: 100, changes: 100, bytes: 1_000_000 };

type Op = { readonly do: 'message' | 'edit' | 'join' | 'leave'; readonly nth: number };
const op: fc.Arbitrary<Op> = fc.record({
  do: fc.constantFrom('message' as const, 'message' as const, 'edit' as const, 'join' as const, 'leave' as const),
  nth: fc.nat(9),
});

describe('what was missed, as sync reads it', () => {
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

  async function create(
    tenantId: string,
    type = 'group',
    members: readonly string[] = ['ann', 'ben'],
  ): Promise<RoomRef> {
    const room = { tenantId, roomId: newUuid() };
    const roles = members.map((_, i) => (i === 0 ? 'admin' : 'member'));
    await bench.call(room, roomCreate, {
      p_room: room.roomId,
      p_type: type,
      p_posting: 'members',
      p_users: members,
      p_roles: roles,
    });
    return room;
  }

  async function send(room: RoomRef, content = 'hello'): Promise<string> {
    const message = messageTo(room, { senderId: 'ann', content, metaText: '{"z":1,"a":2}' });
    await bench.repository.append([message], WAITING);
    return message.messageId;
  }

  const part = (room: RoomRef, more: Partial<MissedPart>): MissedPart => {
    const all = { afterSeq: 0, throughSeq: 1000, afterRev: 0, throughRev: 0, changedThroughSeq: 0, marks: false };
    return { roomId: room.roomId, ...all, named: undefined, ...more };
  };
  const missed = async (room: RoomRef, userId: string, parts: readonly MissedPart[], limits = LIMITS) =>
    log.missed(room.tenantId, userId, parts, limits);
  const seqsIn = (events: readonly { readonly seq?: number }[]): unknown[] => events.map(({ seq }) => seq);

  async function play(room: RoomRef, twin: ModelRoom, ops: readonly Op[]): Promise<void> {
    const ids: string[] = [];
    for (const { do: what, nth } of ops) {
      if (what === 'message') {
        ids.push(await send(room));
        twin.message();
      } else if (what === 'edit') {
        const id = ids[nth % Math.max(1, ids.length)];
        if (id === undefined) continue;
        const target = { p_room: room.roomId, p_message: id, p_user: 'ann' };
        await bench.call(room, messageEdit, { ...target, p_content: `edit ${nth}` });
        twin.edit(nth);
      } else {
        if (what === 'join')
          await bench.call(room, membersAdd, {
            p_room: room.roomId,
            p_actor: 'ann',
            p_users: ['cat'],
            p_role: 'member',
          });
        else await bench.call(room, memberRemove, { p_room: room.roomId, p_actor: 'ann', p_user: 'cat' });
        twin[what]('cat');
      }
    }
  }

  it('agrees with the model, page by page, whatever happened and from wherever', async () => {
    const tenantId = await bench.tenant();
    const from = fc.record({
      seq: fc.nat(12),
      rev: fc.nat(25),
      changed: fc.nat(12),
      limit: fc.integer({ min: 1, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(op, { maxLength: 25, size: 'max' }),
        from,
        async (ops, { seq, rev, changed, limit }) => {
          const room = await create(tenantId);
          const model = new ModelDatabase(tenantId);
          const twin = model.room(room.roomId, ['ann', 'ben']);
          await play(room, twin, ops);
          const { position } = twin;
          let wanted = part(room, {
            ...{ afterSeq: Math.min(seq, position.seq), throughSeq: position.seq },
            ...{ afterRev: Math.min(rev, position.rev), throughRev: position.rev, changedThroughSeq: changed },
          });
          const limits = { ...LIMITS, messages: limit, changes: limit };
          for (let more = true; more;) {
            const [page] = await missed(room, 'ann', [wanted], limits);
            const [expected] = await model.log.missed(tenantId, 'ann', [wanted], limits);
            if (page === undefined || expected === undefined) throw new Error('no page');
            const { events, ...rest } = page;
            const { events: others, ...restExpected } = expected;
            expect(rest).toEqual(restExpected);
            const outline = (all: typeof events): unknown[] => all.map((e) => [e.rev, e.seq, e.frame().type]);
            expect(outline(events)).toEqual(outline(others));
            ({ more } = page);
            wanted = { ...wanted, afterSeq: page.afterSeq, afterRev: page.afterRev };
          }
        },
      ),
      { numRuns: runs(50) },
    );
  });

  it('is the text of the frame, with meta as it was sent', async () => {
    const room = await create(await bench.tenant());
    await send(room, 'hällo 😀');
    const [page] = await missed(room, 'ann', [part(room, {})]);
    const [event] = page?.events ?? [];
    expect(JSON.parse(event?.text?.() ?? '')).toEqual(event?.frame());
    expect(event?.text?.()).toContain('"content":"hällo 😀","meta":{"z":1,"a":2}');
  });

  it('ends the messages of a page with the one that fills its bytes, each room for itself', async () => {
    const tenantId = await bench.tenant();
    const [large, small] = [await create(tenantId), await create(tenantId)];
    for (let i = 0; i < 5; i++) await send(large, 'x'.repeat(1000));
    for (let i = 0; i < 5; i++) await send(small, 'x');
    const parts = [part(large, { throughSeq: 5 }), part(small, { throughSeq: 4 })];
    const [first, second] = await missed(large, 'ann', parts, { ...LIMITS, bytes: 2500 });
    expect([seqsIn(first?.events ?? []), first?.more, first?.afterSeq]).toEqual([[1, 2, 3], true, 3]);
    expect([seqsIn(second?.events ?? []), second?.more]).toEqual([[1, 2, 3, 4], false]);
    // However large it is, one is sent.
    const [one] = await missed(large, 'ann', [part(large, { throughSeq: 5 })], { ...LIMITS, bytes: 1 });
    expect(seqsIn(one?.events ?? [])).toEqual([1]);
  });

  it('shows nothing to who may not see it, in the same statement as to who may', async () => {
    const tenantId = await bench.tenant();
    const [mine, foreign, channel] = [
      await create(tenantId),
      await create(tenantId, 'group', ['zoe']),
      await create(tenantId, 'channel', ['zoe']),
    ];
    const gone = await create(tenantId);
    for (const room of [mine, foreign, channel, gone]) await send(room);
    await bench.repository.append(
      [messageTo(channel, { senderId: 'zoe' }), messageTo(foreign, { senderId: 'zoe' })],
      WAITING,
    );
    await bench.call(gone, roomDelete, { p_room: gone.roomId, p_user: 'ann' });
    const nowhere = { tenantId, roomId: newUuid() };
    const all = { throughSeq: 10, throughRev: 10, changedThroughSeq: 10, marks: true };
    const parts = [foreign, mine, nowhere, gone, channel].map((room) => part(room, all));
    const pages = await missed(mine, 'ann', parts);
    expect(pages.map(({ access, events }) => [access, events.length > 0])).toEqual([
      ['none', false],
      ['member', true],
      ['none', false],
      ['none', false],
      ['listener', true],
    ]);
    const other = { ...mine, tenantId: await bench.tenant() };
    expect(await missed(other, 'ann', parts)).toEqual(
      parts.map((): unknown => expect.objectContaining({ access: 'none', events: [] })),
    );
  });

  it('knows how far members have read since they joined', async () => {
    const room = await create(await bench.tenant());
    for (let i = 0; i < 3; i++) await send(room);
    const read = (user: string, seq: number): Promise<unknown> =>
      bench.call(room, cursorAdvance, { p_room: room.roomId, p_user: user, p_seq: seq, p_read: true });
    await read('ann', 2);
    await bench.call(room, cursorAdvance, { p_room: room.roomId, p_user: 'ben', p_seq: 3, p_read: false });
    await bench.call(room, membersAdd, { p_room: room.roomId, p_actor: 'ann', p_users: ['cat'], p_role: 'member' });
    await bench.call(room, memberRemove, { p_room: room.roomId, p_actor: 'ann', p_user: 'cat' });
    const marks = async (): Promise<unknown> => (await missed(room, 'ben', [part(room, { marks: true })]))[0]?.marks;
    expect(await marks()).toEqual([{ userId: 'ann', seq: 2 }]);
    expect((await missed(room, 'ben', [part(room, {})]))[0]?.marks).toEqual([]);
    await read('ben', 3);
    expect(await marks()).toEqual(
      expect.arrayContaining([
        { userId: 'ann', seq: 2 },
        { userId: 'ben', seq: 3 },
      ]),
    );
  });

  it('begins after the cursor, which is where the member joined until there is one; the most active room first', async () => {
    const tenantId = await bench.tenant();
    const [old, fresh, empty, gone] = [
      await create(tenantId),
      await create(tenantId),
      await create(tenantId),
      await create(tenantId),
    ];
    for (const room of [fresh, old, old, fresh, gone]) await send(room);
    await bench.call(gone, roomDelete, { p_room: gone.roomId, p_user: 'ann' });
    await bench.call(old, membersAdd, { p_room: old.roomId, p_actor: 'ann', p_users: ['cat'], p_role: 'member' });
    await bench.call(fresh, membersAdd, { p_room: fresh.roomId, p_actor: 'ann', p_users: ['cat'], p_role: 'member' });
    await send(fresh);
    await bench.call(fresh, cursorAdvance, { p_room: fresh.roomId, p_user: 'ann', p_seq: 1, p_read: false });
    const found = async (user: string): Promise<unknown[]> =>
      (await positions.positionsOf(tenantId, user)).map((position) => [
        position.roomId,
        position.ackedSeq,
        position.lastSeq,
      ]);
    expect(await found('ann')).toEqual([
      [fresh.roomId, 1, 3],
      [old.roomId, 0, 2],
      [empty.roomId, 0, 0],
    ]);
    expect(await found('cat')).toEqual([
      [fresh.roomId, 2, 3],
      [old.roomId, 2, 2],
    ]);
    expect(await positions.positionsOf(await bench.tenant(), 'ann')).toEqual([]);
  });

  it('finds the rooms of many users at once, in the order of asking: those of their tenant that are not deleted', async () => {
    const tenantId = await bench.tenant();
    const [mine, both, gone] = [await create(tenantId), await create(tenantId), await create(tenantId)];
    await bench.call(gone, roomDelete, { p_room: gone.roomId, p_user: 'ann' });
    await bench.call(both, membersAdd, { p_room: both.roomId, p_actor: 'ann', p_users: ['cat'], p_role: 'member' });
    const foreign = await create(await bench.tenant());
    const found = await positions.roomsOf(tenantId, ['nobody', 'cat', 'ann', 'cat']);
    expect(found.map((ids) => [...ids].sort())).toEqual([
      [],
      [both.roomId],
      [mine.roomId, both.roomId].sort(),
      [both.roomId],
    ]);
    expect(found.flat()).not.toContain(foreign.roomId);
    const many = Array.from({ length: 500 }, (_, n) => (n === 499 ? 'ann' : `user-${n}`));
    expect((await positions.roomsOf(tenantId, many)).map((ids) => ids.length)).toEqual([
      ...Array<number>(499).fill(0),
      2,
    ]);
  });

  it('finds the positions of many rooms at once, in the order of asking', async () => {
    const tenantId = await bench.tenant();
    const [mine, foreign, channel] = [
      await create(tenantId),
      await create(tenantId, 'group', ['zoe']),
      await create(tenantId, 'channel', ['zoe']),
    ];
    const ids = [channel.roomId, newUuid(), foreign.roomId, mine.roomId, channel.roomId];
    const claims = ids.map((roomId) => ({ roomId, seq: undefined }));
    const found = await positions.findPositions(tenantId, claims, 'ann');
    const alone = await Promise.all(ids.map((id) => positions.findPosition(tenantId, id, 'ann')));
    expect(found).toEqual(alone.map((one) => (typeof one === 'string' ? one : { ...one, firstRev: 0 })));
    expect(found.map((position) => (typeof position === 'string' ? position : position.isListener === true))).toEqual([
      ...[true, 'no_room', 'not_allowed', false, true],
    ]);
    expect(await positions.findPositions(await bench.tenant(), claims, 'ann')).toEqual(ids.map(() => 'no_room'));
  });
});
