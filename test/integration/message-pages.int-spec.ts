import { ReactionsRepository } from '../../src/modules/messages/states/reactions.repository';
import fc from 'fast-check';
import { encodeId, newUuid } from '../../src/common/ids';
import type { ListMessagesQueryDto } from '../../src/modules/messages/dto/message.dto';
import { type PageAnswer, type MessagePage, MessagePages } from '../../src/modules/messages/message-pages';
import { messageDelete, messageEdit } from '../../src/modules/messages/messages.functions';
import { MessagesRepository } from '../../src/modules/messages/messages.repository';
import { RoomStates } from '../../src/modules/messages/room-states.repository';
import { memberRemove } from '../../src/modules/rooms/rooms.functions';
import type { Caller } from '../../src/platform/auth';
import { Epoch } from '../../src/platform/database';
import { RecentMessages } from '../../src/realtime';
import { AppendFixture, messageTo, type RoomRef } from '../support/append-model';
import { HeldMessages } from '../support/realtime/held-messages';
import { roomTrim } from '../support/schema-function-calls';
import { runs } from '../support/timing';
import { STORABLE_TEXTS } from '../support/unicode';

type Query = ListMessagesQueryDto;

type Op =
  | { readonly do: 'send'; readonly content: string; readonly meta: string | null }
  | { readonly do: 'edit' | 'delete'; readonly nth: number }
  | { readonly do: 'trim' };

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...Object.values(STORABLE_TEXTS)));
const isStorable = (value: unknown): boolean => !JSON.stringify(value).includes('\\u0000');
/** As a send writes it down. */
const meta = fc
  .dictionary(text, fc.jsonValue())
  .filter(isStorable)
  .map((value) => JSON.stringify(value));

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      content: text.filter(isStorable),
      meta: fc.option(meta, { nil: null }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('edit' as const, 'delete' as const), nth: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.constant<Op>({ do: 'trim' }) },
);

const seq = fc.nat(16);
const query: fc.Arbitrary<Query> = fc.record(
  {
    after_seq: seq,
    before_seq: fc.oneof(seq, fc.constant(Number.MAX_SAFE_INTEGER)),
    limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(100)),
    offset: fc.nat(6),
    order: fc.constantFrom('asc' as const, 'desc' as const),
  },
  { requiredKeys: [] },
);

class NothingHeld extends RecentMessages {
  has(): boolean {
    return false;
  }

  between(): undefined {
    return undefined;
  }

  hold(): void {}
}

const callerOf = ({ tenantId }: RoomRef, userId = 'alice'): Caller => ({ tenantId, userId }) as Caller;
const answerOf = (page: MessagePage): object => ({ ...page, text: page.text() });

describe('pages of messages', () => {
  let bench: AppendFixture;
  let asked: jest.SpyInstance<unknown, [name: string, ...rest: unknown[]]>;

  beforeAll(async () => {
    bench = await AppendFixture.start();
    asked = jest.spyOn(bench.open.database, 'query') as unknown as typeof asked;
  });
  afterAll(() => bench.close());

  const pagesOf = (recent: RecentMessages): MessagePages => {
    const { database, system } = bench.open;
    return new MessagePages(
      new MessagesRepository(database),
      new RoomStates(database),
      recent,
      new Epoch(system),
      new ReactionsRepository(database),
    );
  };

  /** The statements of a call, by name. */
  const statements = async (call: () => Promise<unknown>): Promise<string[]> => {
    asked.mockClear();
    await call();
    return asked.mock.calls.map(([name]) => name);
  };

  const list = (pages: MessagePages, room: RoomRef, asks: Query = {}, userId?: string): Promise<MessagePage> =>
    pages.messages(callerOf(room, userId), encodeId('room', room.roomId), asks);

  const send = async (room: RoomRef, content = 'hello', metaText: string | null = null): Promise<void> => {
    await bench.appendOne(messageTo(room, { content, metaText }));
  };

  async function perform(room: RoomRef, one: Op): Promise<void> {
    if (one.do === 'send') return send(room, one.content, one.meta);
    const kept = await bench.log(room);
    const target = one.do === 'trim' ? kept[1] : kept[one.nth % kept.length];
    if (target === undefined) return;
    const { roomId: p_room } = room;
    const change = { p_room, p_message: target.message_id, p_user: 'alice' };
    if (one.do === 'trim') await bench.call(room, roomTrim, { p_room, p_first_seq: target.seq });
    else if (one.do === 'delete') await bench.call(room, messageDelete, change);
    else await bench.call(room, messageEdit, { ...change, p_content: 'edited', p_meta: '{"b":1,"a":[]}' });
  }

  it('from memory are byte for byte those from the log, however the room has changed since', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(op, { minLength: 1, maxLength: 14 }),
        fc.array(op, { maxLength: 3 }),
        fc.array(query, { minLength: 4, maxLength: 10 }),
        async (before, after, queries) => {
          const memory = new HeldMessages();
          const [held, stored] = [pagesOf(memory), pagesOf(new NothingHeld())];
          const room = await bench.room();
          const compare = async (): Promise<void> => {
            for (const each of [{ order: 'desc', limit: 100 } as const, ...queries]) {
              const expected = answerOf(await list(stored, room, each));
              expect(answerOf(await list(held, room, each))).toEqual(expected);
            }
          };
          for (const one of before) await perform(room, one);
          await compare();
          for (const one of after) await perform(room, one);
          await compare();
          answered += memory.answered;
        },
      ),
      { numRuns: runs(30) },
    );
    expect(answered).toBeGreaterThan(0);
  });

  it('from memory are cut where those from the log are', async () => {
    const room = await bench.room();
    for (let n = 0; n < 8; n++) await send(room, `message ${n}`);
    await perform(room, { do: 'trim' });
    const memory = new HeldMessages();
    const [held, stored] = [pagesOf(memory), pagesOf(new NothingHeld())];
    await list(held, room);
    for (const after_seq of [undefined, 0, 3, 8])
      for (const before_seq of [undefined, 2, 5, 99])
        for (const limit of [1, 3, 100])
          for (const offset of [undefined, 2, 9])
            for (const order of [undefined, 'asc', 'desc'] as const) {
              const asks = { after_seq, before_seq, limit, offset, order } as Query;
              const expected = answerOf(await list(stored, room, asks));
              expect([asks, answerOf(await list(held, room, asks))]).toEqual([asks, expected]);
            }
    expect(memory.answered).toBeGreaterThan(100);
  });

  it('hold text as JSON.stringify writes it, whatever was stored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 1, maxLength: 8 }), async (ops) => {
        const room = await bench.room();
        for (const one of ops) await perform(room, one);
        const page = (await list(pagesOf(new NothingHeld()), room)).text();
        expect(page).toBe(JSON.stringify(JSON.parse(page)));
      }),
      { numRuns: runs(15) },
    );
  });

  it('cost one statement, whether memory has nothing, the page, or only what is newer', async () => {
    const room = await bench.room();
    for (let n = 0; n < 6; n++) await send(room);
    const pages = pagesOf(new HeldMessages());
    const newest: Query = { order: 'desc', limit: 3 };
    expect(await statements(() => list(pages, room, newest))).toEqual(['list messages']);
    expect(await statements(() => list(pages, room, newest))).toEqual(['room states']);
    expect(await statements(() => list(pages, room, { after_seq: 6 }))).toEqual(['room states']);
    expect(await statements(() => list(pages, room, { before_seq: 4 }))).toEqual(['list messages']);
  });

  it('are read from the log where memory is behind, and held again', async () => {
    const room = await bench.room();
    await send(room);
    const pages = pagesOf(new HeldMessages());
    await list(pages, room);
    await send(room);
    expect(await statements(() => list(pages, room))).toEqual(['room states', 'list messages']);
    expect(await statements(() => list(pages, room))).toEqual(['room states']);
  });

  it('are shown to nobody who may not see the room, however much of it is in memory', async () => {
    const room = await bench.room();
    await send(room);
    const memory = new HeldMessages();
    const pages = pagesOf(memory);
    const bobs = answerOf(await list(pages, room, {}, 'bob'));
    expect(answerOf(await list(pages, room, {}, 'bob'))).toEqual(bobs);
    const { answered } = memory;
    expect(answered).toBe(1);
    await expect(list(pages, room, {}, 'mallory')).rejects.toMatchObject({ status: 403 });
    const elsewhere = { tenantId: await bench.tenant(), roomId: room.roomId };
    await expect(list(pages, elsewhere)).rejects.toMatchObject({ status: 404 });
    await bench.call(room, memberRemove, { p_room: room.roomId, p_actor: 'alice', p_user: 'bob' });
    await expect(list(pages, room, {}, 'bob')).rejects.toMatchObject({ status: 403 });
    await expect(list(pages, { ...room, roomId: newUuid() })).rejects.toMatchObject({ status: 404 });
    expect(memory.answered).toBe(answered);
  });

  describe('as facts', () => {
    const changes = (room: RoomRef, after_rev: number, limit: number): Promise<PageAnswer> =>
      pagesOf(new NothingHeld()).changes(callerOf(room), encodeId('room', room.roomId), { after_rev, limit });

    it('are the same exactly where the answer is', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(op, { minLength: 1, maxLength: 8 }), query, async (ops, each) => {
          const room = await bench.room();
          await send(room);
          const stored = pagesOf(new NothingHeld());
          const seen = new Map<string, string>();
          for (const one of ops) {
            const page = await list(stored, room, each);
            const { facts, ...answer } = page;
            const key = JSON.stringify(facts);
            const body = JSON.stringify({ ...answer, text: page.text() });
            expect(seen.get(key) ?? body).toBe(body);
            expect([...seen].filter(([, other]) => other === body).map(([other]) => other)).toEqual(
              seen.has(key) ? [key] : [],
            );
            seen.set(key, body);
            const { facts: of, text: json } = await changes(room, each.after_seq ?? 0, each.limit ?? 3);
            const told = JSON.stringify(of);
            expect(seen.get(told) ?? json()).toBe(json());
            seen.set(told, json());
            await perform(room, one);
          }
        }),
        { numRuns: runs(15) },
      );
    });

    it('change with every change of what is shown, and of a page further back only with its own', async () => {
      const room = await bench.room();
      for (let n = 0; n < 4; n++) await send(room);
      const stored = pagesOf(new NothingHeld());
      const tags = async (): Promise<string[]> => {
        const answers: PageAnswer[] = [
          await list(stored, room, { order: 'desc' }),
          await list(stored, room, { before_seq: 3 }),
          await changes(room, 0, 50),
          await changes(room, 0, 1),
        ];
        return answers.map(({ facts }) => JSON.stringify(facts));
      };
      const expectChanged = async (one: Op, expected: readonly boolean[]): Promise<void> => {
        const before = await tags();
        await perform(room, one);
        const now = await tags();
        expect([one.do, ...now.map((tag, i) => tag !== before[i])]).toEqual([one.do, ...expected]);
      };
      await expectChanged({ do: 'send', content: 'new', meta: null }, [true, false, true, true]);
      await expectChanged({ do: 'edit', nth: 3 }, [true, false, true, true]);
      await expectChanged({ do: 'edit', nth: 0 }, [true, true, true, true]);
      await expectChanged({ do: 'delete', nth: 1 }, [true, true, true, true]);
      await expectChanged({ do: 'delete', nth: 1 }, [false, false, false, false]);
      await expectChanged({ do: 'trim' }, [true, true, true, true]);
    });
  });
});

describe('states of rooms', () => {
  let bench: AppendFixture;

  beforeAll(async () => {
    bench = await AppendFixture.start();
  });
  afterAll(() => bench.close());

  it('are asked of a tenant together while one is under way, and each gets its own answer', async () => {
    const [one, other] = [await bench.room(), await bench.room({ members: ['carol'] })];
    const same = await bench.room({ tenantId: one.tenantId, members: ['alice'] });
    await bench.appendOne(messageTo(one));
    const asked = jest.spyOn(bench.open.database, 'query');
    const states = new RoomStates(bench.open.database);
    const ask = ({ tenantId, roomId }: RoomRef, userId: string) => states.ask(tenantId, roomId, userId);
    const found = await Promise.all([
      ask(one, 'alice'),
      ask(one, 'mallory'),
      ask({ ...one, roomId: other.roomId }, 'carol'),
      ask(same, 'alice'),
      ask(one, 'bob'),
      ask(other, 'carol'),
    ]);
    expect(found.map((state) => state && [state.allowed, state.first_seq, state.last_seq, state.last_rev])).toEqual([
      [true, 1, 1, expect.any(Number)],
      [false, 1, 1, expect.any(Number)],
      undefined,
      [true, 1, 0, expect.any(Number)],
      [true, 1, 1, expect.any(Number)],
      [true, 1, 0, expect.any(Number)],
    ]);
    expect(asked).toHaveBeenCalledTimes(2);
    asked.mockRestore();
  });
});
