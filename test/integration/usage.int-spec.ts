import fc from 'fast-check';
import { UsageCounter, UsagePasses } from '../../src/modules/usage/usage-counter';
import { type GroupRow, UsageRepository } from '../../src/modules/usage/usage.repository';
import { usageCountRooms, usageCountRuns, usageFlush } from '../../src/modules/usage/usage.functions';
import { messageDelete, messageEdit } from '../../src/modules/messages/messages.functions';
import { TenantsService } from '../../src/modules/tenants';
import { ManualClock } from '../../src/common/time';
import { Lifecycle } from '../../src/platform/lifecycle';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { AppendFixture, messageTo, type RoomRef, WAITING } from '../support/append-model';
import { roomTrim } from '../support/schema-function-calls';
import { runs } from '../support/timing';
import { type Figures, UsageModel, usageOp } from '../support/usage-model';

const EVER = { from: '1970-01-01', to: '2999-12-31', after: undefined, limit: 100 } as const;
const NOWHERE = '00000000-0000-0000-0000-000000000000';

let bench: AppendFixture;
let usage: UsageRepository;
let passes: UsagePasses;
let lifecycle: Lifecycle;

beforeAll(async () => {
  bench = await AppendFixture.start();
  usage = new UsageRepository(bench.open.database);
  lifecycle = new Lifecycle(new SilentLog());
  passes = new UsagePasses(usage, lifecycle);
});
afterAll(() => bench.close());

const byKey = (rows: readonly GroupRow[], name: (key: string) => string): Figures['users'] =>
  Object.fromEntries(
    rows.map((row) => [
      name(row.key),
      [row.messages_sent ?? 0, row.runs, row.prompt_tokens, row.completion_tokens, row.estimated_tokens],
    ]),
  );

interface DayTotals {
  readonly day: string;
  readonly messages: number;
  readonly bytes: number;
}

/** By days that have anything, all parts together. */
const days = (tenantId: string): Promise<DayTotals[]> =>
  bench.database.sql<DayTotals>(
    `SELECT day::text, sum(messages_sent)::int AS messages, sum(storage_delta)::int AS bytes FROM usage_days
     WHERE tenant_id = $1 GROUP BY day ORDER BY day`,
    [tenantId],
  );

async function counted(tenantId: string): Promise<Figures> {
  const all = await days(tenantId);
  return {
    messages: all.reduce((sum, { messages }) => sum + messages, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    users: byKey(await usage.users(tenantId, EVER), (key) => key),
    rooms: byKey(await usage.chats(tenantId, EVER), (key) => key),
    models: byKey(await usage.models(tenantId, 'channel', EVER), (key) => `${key} default`),
  };
}

/** Sends messages of these texts, and sets when that was. */
async function sentAt(room: RoomRef, texts: readonly string[], at: string): Promise<string[]> {
  const batch = texts.map((content) => messageTo(room, { content }));
  await bench.repository.append(batch, WAITING);
  const ids = batch.map(({ messageId }) => messageId);
  await bench.database.sql('UPDATE messages SET created_at = $2 WHERE message_id = ANY ($1)', [ids, at]);
  return ids;
}

async function today(tenantId: string): Promise<string> {
  return (await usage.state(tenantId)).today;
}

const edit = (room: RoomRef, id: string | undefined, content: string) =>
  bench.call(room, messageEdit, { p_room: room.roomId, p_message: id, p_user: 'alice', p_content: content });

describe('usage', () => {
  it('is what a recount says, whatever is sent, edited, deleted, trimmed and answered at the same time', async () => {
    const rounds = fc.array(fc.array(usageOp, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(rounds, async (ops) => {
        const model = await UsageModel.create(bench);
        for (const round of ops) {
          await Promise.all(round.map((op) => model.perform(op)));
          // Two passes at once count once.
          await Promise.all([passes.pass(model.tenantId), passes.pass(model.tenantId)]);
          expect(await counted(model.tenantId)).toEqual(await model.figures());
        }
      }),
      { numRuns: runs(60) },
    );
  });

  it('adds up to the same by day, by user, by room and by model', async () => {
    const model = await UsageModel.create(bench);
    for (const tokens of [5, 7]) await model.perform({ type: 'answer', tokens, estimated: tokens === 5 });
    await model.perform({ type: 'send', room: 0, senders: ['alice', 'bob', 'bob'], size: 10 });
    expect(await passes.pass(model.tenantId)).toBe(true);
    const day = await today(model.tenantId);
    expect(await usage.days(model.tenantId, { from: day, to: day, limit: 1 })).toEqual([
      {
        ...{ day, messages_sent: 7, storage_bytes: 54, runs: 2 },
        ...{ prompt_tokens: 12, completion_tokens: 24, estimated_tokens: 15 },
        ...{ deliveries: 0, webhook_posts: 0, peak_connections: 0, cost: 0 },
      },
    ]);
    const { users, rooms, models } = await counted(model.tenantId);
    expect(users).toEqual({ agent_default: [2, 0, 0, 0, 0], alice: [3, 2, 12, 24, 15], bob: [2, 0, 0, 0, 0] });
    expect(models).toEqual({ 'main default': [0, 2, 12, 24, 15] });
    expect(Object.values(rooms).sort()).toEqual([
      [3, 0, 0, 0, 0],
      [4, 2, 12, 24, 15],
    ]);
    expect((await usage.models(model.tenantId, 'preset', EVER)).map(({ key }) => key)).toEqual(['default']);
  });

  it('shows a tenant nothing of another one, though they share a batch', async () => {
    const mine = await bench.room();
    const theirs = await bench.room();
    await bench.repository.append([messageTo(mine), messageTo(theirs), messageTo(theirs)], WAITING);
    await passes.pass(mine.tenantId);
    expect(await counted(mine.tenantId)).toMatchObject({ messages: 1, users: { alice: [1, 0, 0, 0, 0] } });
    expect(await counted(theirs.tenantId)).toMatchObject({ messages: 0, users: {} });
    // Row-level security holds even where a statement asks for the other one.
    const asked = await bench.open.database.query<{ n: number }>(
      'test',
      theirs.tenantId,
      'SELECT count(*)::int AS n FROM usage_days WHERE tenant_id = $1',
      [mine.tenantId],
    );
    expect(asked).toEqual([{ n: 0 }]);
  });

  describe('by UTC days of the database’s clock', () => {
    it('begins a day at midnight, UTC, whatever zone the session is in', async () => {
      const room = await bench.room();
      await sentAt(room, ['abc'], '2026-02-28T23:59:59.999Z');
      await sentAt(room, ['de'], '2026-03-01T00:00:00.000Z');
      const session = await bench.database.connect();
      await session.query(`SET timezone = 'Pacific/Auckland'`);
      await session.query('SELECT usage_count_rooms($1, $2, 10, 10)', [room.tenantId, NOWHERE]);
      await session.end();
      expect(await days(room.tenantId)).toEqual([
        { day: '2026-02-28', messages: 1, bytes: 3 },
        { day: '2026-03-01', messages: 1, bytes: 2 },
      ]);
      const range = { ...EVER, from: '2026-03-01', to: '2026-03-01' };
      expect(byKey(await usage.users(room.tenantId, range), (key) => key)).toEqual({ alice: [1, 0, 0, 0, 0] });
    });

    it.each(['before', 'after'] as const)(
      'counts a change on its day, made %s the message was counted',
      async (when) => {
        const room = await bench.room();
        const [first, second] = await sentAt(room, ['four', 'seven77', 'x'], '2026-03-01T12:00:00Z');
        if (when === 'after') await passes.pass(room.tenantId);
        await edit(room, first, 'longer than four');
        await bench.call(room, messageDelete, { p_room: room.roomId, p_message: second, p_user: 'alice' });
        await bench.call(room, roomTrim, { p_room: room.roomId, p_first_seq: 4 });
        await passes.pass(room.tenantId);
        expect(await days(room.tenantId)).toEqual([
          { day: '2026-03-01', messages: 3, bytes: 12 },
          { day: await today(room.tenantId), messages: 0, bytes: -12 },
        ]);
      },
    );

    it('says what is stored at the end of each day, on days without a change too', async () => {
      const room = await bench.room();
      await sentAt(room, ['abcd'], '2026-03-01T12:00:00Z');
      await sentAt(room, ['ef'], '2026-03-03T12:00:00Z');
      await passes.pass(room.tenantId);
      const stored = async (from: string, limit: number) =>
        (await usage.days(room.tenantId, { from, to: '2026-03-04', limit })).map((row) => [
          row.day.slice(8),
          row.storage_bytes,
        ]);
      expect(await stored('2026-03-02', 9)).toEqual([
        ['02', 4],
        ['03', 6],
        ['04', 6],
      ]);
      expect(await stored('2026-03-01', 1)).toEqual([['01', 4]]);
    });

    it('brings the parts of days gone together', async () => {
      const room = await bench.room();
      await sentAt(room, ['abcd'], '2026-03-01T12:00:00Z');
      await bench.appendOne(messageTo(room, { content: 'now' }));
      await passes.pass(room.tenantId);
      await sentAt(room, ['ef'], '2026-03-01T12:00:00Z');
      await passes.pass(room.tenantId);
      const parts = await bench.database.sql(
        `SELECT day::text, part = 0 AS is_whole, messages_sent::int AS n FROM usage_days WHERE tenant_id = $1 ORDER BY day`,
        [room.tenantId],
      );
      expect(parts).toEqual([
        { day: '2026-03-01', is_whole: true, n: 2 },
        { day: await today(room.tenantId), is_whole: false, n: 1 },
      ]);
    });
  });

  describe('waits for nobody, and nobody’s send waits for it', () => {
    it('stores messages while a room is being counted', async () => {
      const room = await bench.room();
      await bench.appendOne(messageTo(room));
      const counting = await bench.database.connect();
      await counting.query('BEGIN');
      await counting.query('SELECT usage_count_rooms($1, $2, 10, 10)', [room.tenantId, NOWHERE]);
      expect(await bench.appendOne(messageTo(room), 0)).toMatchObject({ status: 'new', seq: 2 });
      await counting.query('COMMIT');
      await counting.end();
      await passes.pass(room.tenantId);
      expect(await counted(room.tenantId)).toMatchObject({ messages: 2, bytes: 10 });
    });

    it.each([
      ['that was never counted', 0],
      ['that was counted before', 1],
    ])('counts an edit that is under way in a room %s once it is known', async (_, before) => {
      const room = await bench.room();
      for (let i = 0; i < before; i++) await bench.appendOne(messageTo(room, { content: 'x' }));
      await passes.pass(room.tenantId);
      const { message_id } = await bench.appendOne(messageTo(room, { content: 'four' }));
      const editing = await bench.database.connect();
      await editing.query('BEGIN');
      await editing.query('UPDATE messages SET content = $2 WHERE message_id = $1', [message_id, 'eighteen']);
      const pass = passes.pass(room.tenantId);
      await bench.lockWaiters(1);
      await editing.query('COMMIT');
      await editing.end();
      expect(await pass).toBe(true);
      expect(await counted(room.tenantId)).toMatchObject({ messages: before + 1, bytes: before + 8 });
    });

    it('counts runs once, whoever counts them at the same time', async () => {
      const model = await UsageModel.create(bench);
      await model.perform({ type: 'answer', tokens: 3, estimated: false });
      const counting = await bench.database.connect();
      await counting.query('BEGIN');
      await counting.query('SELECT usage_count_runs($1, 10)', [model.tenantId]);
      const pass = passes.pass(model.tenantId);
      await bench.lockWaiters(1);
      await counting.query('COMMIT');
      await counting.end();
      expect(await pass).toBe(true);
      expect(await counted(model.tenantId)).toEqual(await model.figures());
    });
  });

  describe('whatever dies', () => {
    const tenantIds = async (): Promise<string[]> =>
      (await bench.database.sql<{ id: string }>('SELECT tenant_id AS id FROM tenants ORDER BY 1')).map(({ id }) => id);

    it('counts after a start what was stored before a crash', async () => {
      const room = await bench.room();
      await bench.appendOne(messageTo(room));
      expect(await counted(room.tenantId)).toMatchObject({ messages: 0 });
      await new UsageCounter(passes, tenantsOf(tenantIds), new Metrics(new SilentLog()), new ManualClock()).count();
      expect(await counted(room.tenantId)).toMatchObject({ messages: 1 });
    });

    it('loses and doubles nothing when the session that counts is killed', async () => {
      const model = await UsageModel.create(bench);
      await model.perform({ type: 'send', room: 0, senders: ['alice', 'bob'], size: 7 });
      await model.perform({ type: 'answer', tokens: 3, estimated: false });
      const [first] = model.rooms;
      const holder = await bench.database.connect();
      await holder.query('BEGIN');
      await holder.query('INSERT INTO usage_users (tenant_id, user_id, day) VALUES ($1, $2, $3)', [
        ...[first?.tenantId, 'bob', await today(model.tenantId)],
      ]);
      const walk = { p_after: NOWHERE, p_rooms: 10, p_messages: 10 };
      const counting = expect(usageCountRooms.call(bench.open.database, model.tenantId, walk)).rejects.toThrow();
      await bench.lockWaiters(1);
      expect(await bench.killBusySessions()).toBeGreaterThan(0);
      await holder.query('ROLLBACK');
      await holder.end();
      await counting;
      await passes.pass(model.tenantId);
      expect(await counted(model.tenantId)).toEqual(await model.figures());
    });

    it('gives a tenant its turn when it has done something, and tells for how long one has waited', async () => {
      const metrics = new Metrics(new SilentLog());
      const clock = new ManualClock();
      const counter = new UsageCounter(
        passes,
        tenantsOf(() => Promise.resolve([])),
        metrics,
        clock,
      );
      await counter.count();
      const room = await bench.room();
      await bench.appendOne(messageTo(room));
      await counter.count();
      expect(await counted(room.tenantId)).toMatchObject({ messages: 0 });
      metrics.sent(room.tenantId, 1, 1);
      await counter.count();
      expect(await counted(room.tenantId)).toMatchObject({ messages: 1 });
      expect(counter.lagSeconds()).toBe(0);
    });
  });

  it('ends a turn after some transactions, and goes on with the next', async () => {
    const room = await bench.room();
    await bench.appendOne(messageTo(room));
    expect(await passes.pass(room.tenantId, 1)).toBe(false);
    expect((await usage.state(room.tenantId)).complete_to).toBeNull();
    expect(await passes.pass(room.tenantId, 2)).toBe(true);
    const { now, complete_to } = await usage.state(room.tenantId);
    expect(complete_to?.getTime()).toBeLessThanOrEqual(now.getTime());
  });

  it('keeps what runs used that go before they were counted', async () => {
    const model = await UsageModel.create(bench);
    await model.perform({ type: 'answer', tokens: 3, estimated: false });
    await model.perform({ type: 'answer', tokens: 4, estimated: true });
    await usageCountRuns.call(bench.open.database, model.tenantId, { p_limit: 1 });
    await bench.open.database.query('test', model.tenantId, 'DELETE FROM runs WHERE tenant_id = $1', [model.tenantId]);
    await passes.pass(model.tenantId);
    expect(await counted(model.tenantId)).toEqual(await model.figures());
  });

  it('goes with its tenant', async () => {
    const model = await UsageModel.create(bench);
    await model.perform({ type: 'answer', tokens: 3, estimated: false });
    await passes.pass(model.tenantId);
    await model.perform({ type: 'answer', tokens: 3, estimated: false });
    await bench.open.system.query('test', 'DELETE FROM tenants WHERE tenant_id = $1', [model.tenantId]);
    expect(await days(model.tenantId)).toEqual([]);
    await bench.open.database.query('test', model.tenantId, 'DELETE FROM messages WHERE tenant_id = $1', [
      model.tenantId,
    ]);
    expect(await days(model.tenantId)).toEqual([]);
  });

  it('adds what was flushed, and leaves out tenants that are gone', async () => {
    const { tenantId } = await bench.room();
    const flush = (deliveries: number, peak: number) =>
      usageFlush.call(bench.open.system, {
        p_tenants: [tenantId, NOWHERE],
        ...{ p_deliveries: [deliveries, 1], p_posts: [2, 1], p_peaks: [peak, 1] },
      });
    await flush(5, 9);
    await flush(6, 3);
    const day = await today(tenantId);
    const [row] = await usage.days(tenantId, { from: day, to: day, limit: 1 });
    expect(row).toMatchObject({ deliveries: 11, webhook_posts: 4, peak_connections: 9, messages_sent: 0 });
    expect(await days(NOWHERE)).toEqual([]);
  });
});

/** All tenants on one page. */
function tenantsOf(ids: () => Promise<string[]>): TenantsService {
  const idsAfter = async (after?: string): Promise<string[]> => (after === undefined ? ids() : []);
  return Object.assign(Object.create(TenantsService.prototype) as TenantsService, { idsAfter });
}
