import fc from 'fast-check';
import { newUuid } from '../../src/common/ids';
import { budgetSpentOf, chargeEnd, chargeExtend, chargeReserve } from '../../src/modules/chats/chats.functions';
import { OwnCallCharges } from '../../src/modules/chats/runs/call-charges';
import { ChargesRepository } from '../../src/modules/chats/runs/charges.repository';
import { RunsRepository } from '../../src/modules/chats/runs/runs.repository';
import type { ChargedCall } from '../../src/modules/models';
import { Database } from '../../src/platform/database';
import { Availability } from '../../src/platform/database/availability';
import { createPool } from '../../src/platform/database/pool';
import { roleNames } from '../../src/platform/database/roles';
import { Runner } from '../../src/platform/database/runner';
import { ScopedSource } from '../../src/platform/database/scoped-source';
import { SilentLog } from '../../src/platform/logging';
import { eraseFunction } from '../../src/platform/tenant-data';
import { AppendFixture, type RoomRef } from '../support/append-model';
import { ChargesModel, chargeOp } from '../support/charges-model';
import { eventually } from '../support/embedded/processes';
import { FreezableProxy } from '../support/freezable-proxy';
import type { FunctionResult } from '../support/schema-function-calls';
import { runs } from '../support/timing';

/** What takes longer than this is away. */
const AWAY_MS = 2000;

let bench: AppendFixture;
beforeAll(async () => (bench = await AppendFixture.start()));
afterAll(() => bench.close());

async function roomWith(limits: Readonly<Record<string, number>>): Promise<RoomRef> {
  const room = await bench.room();
  await limit(room, limits);
  return room;
}

const limit = (room: RoomRef, limits: object): Promise<unknown> =>
  bench.database.sql('UPDATE tenants SET limits = $2 WHERE tenant_id = $1', [room.tenantId, limits]);

interface Call {
  readonly id?: string;
  readonly context?: number;
  readonly answer?: number;
}

const reserve = (room: RoomRef, { id = newUuid(), context = 5, answer = 10 }: Call = {}): Promise<FunctionResult> =>
  bench.call(room, chargeReserve, {
    ...{ p_charge: id, p_user: 'alice', p_room: room.roomId, p_context: context, p_answer: answer },
  });

const spent = (room: RoomRef, chat: string | null = room.roomId): Promise<unknown> =>
  budgetSpentOf.call(bench.open.database, room.tenantId, { p_user: 'alice', p_room: chat });

/** A run that streams, with its charge. */
async function running(room: RoomRef, call: Call = {}): Promise<string> {
  const id = newUuid();
  await bench.database.sql(
    `INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, state) VALUES ($1, $2, $3, 'alice', 1, 'streaming')`,
    [room.tenantId, id, room.roomId],
  );
  await reserve(room, { ...call, id });
  return id;
}

const end = (id: string, tokens: number | null): Promise<unknown> =>
  bench.database.sql(`UPDATE runs SET state = 'completed', ended_at = now(), total_tokens = $2 WHERE run_id = $1`, [
    id,
    tokens,
  ]);

const chargesOf = (room: RoomRef): Promise<{ tokens: number | null; reserved: number }[]> =>
  bench.database.sql(
    'SELECT tokens::int, reserved::int FROM charges WHERE tenant_id = $1 ORDER BY created_at, charge_id',
    [room.tenantId],
  );

/** What the tenant has used of models, all days and parts of them together. */
const usageOf = (room: RoomRef): Promise<unknown[]> =>
  bench.database.sql(
    `SELECT sum(runs)::int AS runs, sum(prompt_tokens)::int AS prompt, sum(completion_tokens)::int AS completion
     FROM usage_days WHERE tenant_id = $1`,
    [room.tenantId],
  );

/** The server's way to the same database, through a line that can be cut. */
function openThrough({ connection }: FreezableProxy): { readonly database: Database; close(): Promise<void> } {
  const roles = roleNames('chatapi');
  const log = new SilentLog();
  const availability = new Availability(connection, log);
  const pool = createPool({ connection, size: 2, waitMs: AWAY_MS, roles, log });
  availability.onPrimaryBack(pool.renew);
  const runner = new Runner(pool, availability, AWAY_MS, () => undefined);
  const close = async (): Promise<void> => {
    availability.stop();
    await pool.close();
  };
  return { database: new Database(runner, roles, new ScopedSource()), close };
}

describe('reservations', () => {
  it('are what a model of them says, whatever is reserved, ended and limited', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(chargeOp, { minLength: 5, maxLength: 40 }), async (ops) => {
        const model = await ChargesModel.create(bench);
        for (const op of ops) {
          const [said, right] = await model.perform(op);
          expect([op, said]).toEqual([op, right]);
        }
        const [said, right] = await model.taken();
        expect(said).toEqual(right);
      }),
      { numRuns: runs(60) },
    );
  });

  it('of fifty at once on a budget of one are one', async () => {
    for (const name of ['tokens_per_day', 'tokens_per_user_per_day', 'tokens_per_chat_per_day']) {
      const room = await roomWith({ [name]: 17 });
      // Whoever makes the row of the day would hold up the others without any lock.
      expect(await reserve(room, { context: 1, answer: 1 })).toMatchObject({ answer_tokens: 1 });
      const all = await Promise.all(Array.from({ length: 50 }, () => reserve(room)));
      expect(all.filter(({ status }) => status === 'ok')).toEqual([{ status: 'ok', answer_tokens: 10 }]);
      expect(new Set(all.map(({ limit: which }) => which))).toEqual(new Set([undefined, name]));
      expect((await chargesOf(room)).map(({ reserved }) => reserved)).toEqual([2, 15]);
    }
  });

  it('that are extended and ended at once never hold more than there is, and nothing is lost or charged twice', async () => {
    const room = await roomWith({ tokens_per_day: 100 });
    await end(await running(room), 0);
    const one = async (n: number): Promise<number> => {
      const id = await running(room);
      const { answer_tokens: granted } = await bench.call(room, chargeExtend, { p_charge: id, p_more: 7 });
      const [sum] = await bench.database.sql<{ n: number }>(
        `SELECT sum(COALESCE(tokens, reserved))::int AS n FROM charges WHERE tenant_id = $1`,
        [room.tenantId],
      );
      expect(sum?.n).toBeLessThanOrEqual(100);
      const used = Number(granted) === 0 ? 0 : 1 + (n % 5);
      await end(id, used);
      return used;
    };
    const used = await Promise.all(Array.from({ length: 60 }, (_, n) => one(n)));
    await reserve(room, { answer: 1 });
    const [sums] = await bench.database.sql<{ n: number; open: number }>(
      `SELECT (SELECT tokens FROM charge_days WHERE tenant_id = $1 AND scope = 'tenant')::int AS n,
         (SELECT count(*) FROM charges WHERE tenant_id = $1 AND ended_at IS NULL)::int AS open`,
      [room.tenantId],
    );
    expect(sums).toEqual({ n: used.reduce((sum, n) => sum + n, 0), open: 1 });
  });

  it('take what is left, then say until when', async () => {
    const room = await roomWith({ tokens_per_day: 12 });
    expect(await reserve(room)).toEqual({ status: 'ok', answer_tokens: 7 });
    const refused = await reserve(room);
    expect(refused).toMatchObject({ status: 'spent', limit: 'tokens_per_day' });
    expect(refused['seconds_left']).toBeGreaterThan(0);
    expect(refused['seconds_left']).toBeLessThanOrEqual(86_400);
  });

  it('are of the day on which they began; the next day begins anew', async () => {
    const room = await roomWith({ tokens_per_day: 15 });
    const id = await running(room);
    expect(await reserve(room)).toMatchObject({ status: 'spent' });
    await bench.database.sql('UPDATE charges SET day = day - 1 WHERE tenant_id = $1', [room.tenantId]);
    await bench.database.sql('UPDATE charge_days SET day = day - 1 WHERE tenant_id = $1', [room.tenantId]);
    expect(await reserve(room)).toEqual({ status: 'ok', answer_tokens: 10 });
    await end(id, 15);
    const [row] = await bench.database.sql<{ is_yesterday: boolean }>(
      `SELECT day = (clock_timestamp() AT TIME ZONE 'UTC')::date - 1 AS is_yesterday FROM charges WHERE charge_id = $1`,
      [id],
    );
    expect(row).toEqual({ is_yesterday: true });
    expect(await spent(room)).toBeNull();
  });

  it('hold up nobody who ends a run', async () => {
    const room = await roomWith({ tokens_per_day: 100 });
    const id = await running(room);
    const other = await bench.database.connect();
    await other.query('BEGIN');
    await other.query(`SELECT FROM charge_days WHERE tenant_id = $1 FOR UPDATE`, [room.tenantId]);
    await end(id, 3);
    await other.query('COMMIT');
    await other.end();
    expect(await chargesOf(room)).toEqual([{ tokens: 3, reserved: 15 }]);
  });
});

describe('a call that is no run’s', () => {
  const USAGE = { promptTokens: 5, completionTokens: 2, totalTokens: 7, estimated: false };
  const charges = (): OwnCallCharges => new OwnCallCharges(new RunsRepository(bench.open.database), new SilentLog());
  const call = (room: RoomRef, userId: string | null = null): ChargedCall => ({
    ...{ tenantId: room.tenantId, userId, contextTokens: 5, maxTokens: 10, prices: undefined },
    signal: new AbortController().signal,
  });

  it('holds what it may use while it runs, and is charged what it says that it used', async () => {
    const room = await roomWith({ tokens_per_day: 20 });
    const done = await charges().charged(call(room), async (bound) => {
      expect(bound?.tokens).toBe(10);
      expect(await chargesOf(room)).toEqual([{ tokens: null, reserved: 15 }]);
      return { usage: USAGE, text: 'Hi' };
    });
    expect(done.text).toBe('Hi');
    expect(await chargesOf(room)).toEqual([{ tokens: 7, reserved: 15 }]);
  });

  it('that ends while the database is cut off is settled once, when that is back', async () => {
    const room = await roomWith({ tokens_per_day: 20 });
    const line = await FreezableProxy.inFrontOf(bench.database.connection);
    const behind = openThrough(line);
    const own = new OwnCallCharges(new RunsRepository(behind.database), new SilentLog());
    try {
      await own.charged(call(room, 'alice'), () => {
        // What is sent from here on arrives when it is back: the end, and those that are tried after it.
        line.freeze();
        return Promise.resolve({ usage: USAGE });
      });
      expect(await chargesOf(room)).toEqual([{ tokens: null, reserved: 15 }]);
      line.thaw();
      await eventually('it is charged', async () => (await chargesOf(room))[0]?.tokens === USAGE.totalTokens);
    } finally {
      line.thaw();
      await own.ended();
      await behind.close();
      await line.close();
    }
    // What is left is what this call has left, and there is one call in the figures.
    await reserve(room, { context: 5, answer: 100 });
    expect(await chargesOf(room)).toEqual([
      { tokens: 7, reserved: 15 },
      { tokens: null, reserved: 13 },
    ]);
    expect(await usageOf(room)).toEqual([{ runs: 1, prompt: 5, completion: 2 }]);
  });

  it('is in the figures of its tenant and user once, and in none where no model had begun', async () => {
    const room = await roomWith({});
    for (const userId of ['alice', null])
      await charges().charged(call(room, userId), () => Promise.resolve({ usage: USAGE }));
    await charges().charged(call(room, 'bob'), () => Promise.resolve({ usage: undefined }));
    expect(await usageOf(room)).toEqual([{ runs: 2, prompt: 10, completion: 4 }]);
    const users = 'SELECT user_id, runs::int FROM usage_users WHERE tenant_id = $1';
    expect(await bench.database.sql(users, [room.tenantId])).toEqual([{ user_id: 'alice', runs: 1 }]);
  });

  it('is not done where nothing is left, for its user or its tenant', async () => {
    const room = await roomWith({ tokens_per_user_per_day: 7 });
    const work = jest.fn(() => Promise.resolve({ usage: USAGE }));
    await charges().charged(call(room, 'alice'), work);
    await expect(charges().charged(call(room, 'alice'), work)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(work).toHaveBeenCalledTimes(1);
    await charges().charged(call(room, 'bob'), work);
    await charges().charged(call(room), work);
  });

  it('costs nothing where no model has begun, and its context where it has failed', async () => {
    const room = await roomWith({ tokens_per_day: 20 });
    await charges().charged(call(room), () => Promise.resolve({ usage: undefined }));
    await expect(charges().charged(call(room), () => Promise.reject(new Error('cut')))).rejects.toThrow('cut');
    expect((await chargesOf(room)).map(({ tokens }) => tokens)).toEqual([0, 5]);
  });

  it('whose server was killed holds nothing after an hour, and is charged once; younger ones and answers are held', async () => {
    const room = await roomWith({ tokens_per_day: 50 });
    const age = (id: string, minutes: number): Promise<unknown> =>
      bench.database.sql(
        'UPDATE charges SET created_at = created_at - make_interval(mins => $2::int) WHERE charge_id = $1',
        [id, minutes],
      );
    const answer = await running(room);
    await age(answer, 63);
    const [lost, young] = [newUuid(), newUuid()];
    for (const p_charge of [lost, young])
      await bench.call(room, chargeReserve, { p_charge, p_context: 5, p_answer: 10 });
    await age(lost, 61);
    await age(young, 59);
    expect(await reserve(room)).toMatchObject({ answer_tokens: 10 });
    expect((await chargesOf(room)).map(({ tokens }) => tokens)).toEqual([null, 5, null, null]);
    const end = (p_charge: string): Promise<unknown> =>
      chargeEnd.call(bench.open.database, room.tenantId, { p_charge, p_used: { tokens: 7 } });
    await Promise.all([end(lost), end(young)]);
    expect((await chargesOf(room)).map(({ tokens }) => tokens)).toEqual([null, 5, 7, null]);
  });

  it('is nobody’s once its user is erased, also while it runs; its tenant pays', async () => {
    const room = await roomWith({ tokens_per_day: 20 });
    await charges().charged(call(room, 'alice'), async () => {
      const args = { p_user: 'alice', p_erased: 'nobody', p_after: null, p_limit: 10 };
      expect(await bench.call(room, eraseFunction('chats_erase'), args)).toMatchObject({ counts: { charges: 1 } });
      return { usage: USAGE };
    });
    const rows = await bench.database.sql('SELECT user_id, tokens::int FROM charges WHERE tenant_id = $1', [
      room.tenantId,
    ]);
    expect(rows).toEqual([{ user_id: null, tokens: 7 }]);
  });
});

describe('what a run has cost', () => {
  it('is what it ended with first', async () => {
    const room = await roomWith({ tokens_per_day: 100 });
    const id = await running(room);
    await end(id, 9);
    await end(id, 90);
    expect(await chargesOf(room)).toEqual([{ tokens: 9, reserved: 15 }]);
  });

  it('is its context and what is stored of it where nobody has counted; nothing where it has said nothing', async () => {
    const room = await roomWith({ tokens_per_day: 100 });
    const [silent, speaking] = [await running(room), await running(room)];
    await bench.database.sql(
      `INSERT INTO run_chunks (tenant_id, run_id, first_index, text, ends) VALUES ($1, $2, 0, 'nine byte', '{9}')`,
      [room.tenantId, speaking],
    );
    await Promise.all([end(silent, null), end(speaking, null)]);
    expect((await chargesOf(room)).map(({ tokens }) => tokens)).toEqual([0, 8]);
  });

  it('counts when no charge was made for it, as by a server of the release before', async () => {
    const room = await roomWith({ tokens_per_day: 50 });
    const id = newUuid();
    await bench.database.sql(
      `INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq) VALUES ($1, $2, $3, 'alice', 1)`,
      [room.tenantId, id, room.roomId],
    );
    expect(await spent(room)).toBeNull();
    await end(id, 50);
    expect(await spent(room)).toMatchObject({ limit: 'tokens_per_day' });
  });

  it('is known before a message is stored, without what runs may give back', async () => {
    const room = await roomWith({ tokens_per_chat_per_day: 15 });
    const id = await running(room);
    expect(await spent(room)).toBeNull();
    await end(id, 15);
    expect(await spent(room)).toMatchObject({ limit: 'tokens_per_chat_per_day' });
    // One that is still to be made has spent nothing.
    expect(await spent(room, null)).toBeNull();
  });

  it('counts at once for a limit that is set late on a day of many calls, of which a thousand are folded at a time', async () => {
    const room = await bench.room();
    await bench.database.sql(
      `INSERT INTO charges (tenant_id, charge_id, day, user_id, room_id, context_tokens, reserved, tokens, cost, ended_at)
       SELECT $1, gen_random_uuid(), (clock_timestamp() AT TIME ZONE 'UTC')::date, 'user' || n, $2, 1, 1, 1, 0, now()
       FROM generate_series(1, 2500) n`,
      [room.tenantId, room.roomId],
    );
    await limit(room, { tokens_per_day: 2520 });
    expect(await reserve(room)).toEqual({ status: 'ok', answer_tokens: 10 });
    for (const unfolded of [1501, 501, 1]) {
      const [left] = await bench.database.sql(
        'SELECT count(*)::int AS n FROM charges WHERE tenant_id = $1 AND NOT is_folded',
        [room.tenantId],
      );
      expect(left).toEqual({ n: unfolded });
      expect(await reserve(room)).toMatchObject({ status: 'spent' });
    }
  });

  it('counts for a limit that is set later', async () => {
    const room = await bench.room();
    const id = await running(room);
    await end(id, 30);
    await limit(room, { tokens_per_day: 40 });
    expect(await reserve(room)).toEqual({ status: 'ok', answer_tokens: 5 });
  });

  it('is dropped after ninety days', async () => {
    const room = await bench.room();
    const purge = new ChargesRepository(bench.open.system);
    for (const age of [90, 91])
      await bench.database.sql(
        `WITH c AS (INSERT INTO charges (tenant_id, charge_id, day, context_tokens, reserved)
           VALUES ($1, $2, (clock_timestamp() AT TIME ZONE 'UTC')::date - $3::int, 1, 1))
         INSERT INTO charge_days (tenant_id, day, scope, subject)
         VALUES ($1, (clock_timestamp() AT TIME ZONE 'UTC')::date - $3::int, 'tenant', '')`,
        [room.tenantId, newUuid(), age],
      );
    expect(await purge.purge()).toBe(2);
    expect(await purge.purge()).toBe(0);
    expect(await chargesOf(room)).toHaveLength(1);
  });
});
