import fc from 'fast-check';
import { retentionGoesOn } from '../../src/modules/retention/retention.functions';
import { RetentionRunner } from '../../src/modules/retention/retention.job';
import { roomCut, roomDelete, roomUpdate } from '../../src/modules/rooms/rooms.functions';
import { AppendFixture, checkLog } from '../support/append-model';
import { type ModelRoom, RetentionModel, USERS } from '../support/retention-model';
import { runs } from '../support/timing';

/** What administrators do, and time. */
const change = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('age' as const), days: fc.integer({ min: 1, max: 3 }) }) },
  fc.record({ do: fc.constant('keepFor' as const), days: fc.option(fc.integer({ min: 1, max: 6 })) }),
  fc.record({
    do: fc.constant('retain' as const),
    room: fc.nat(1),
    days: fc.option(fc.integer({ min: 1, max: 6 })),
    isHeld: fc.boolean(),
  }),
  fc.record({ do: fc.constant('hold' as const), user: fc.constantFrom(...USERS), isHeld: fc.boolean() }),
  fc.record({ do: fc.constant('cut' as const), room: fc.nat(1) }),
);
/** What users do at once, each to another message. */
const act = fc.record({
  do: fc.constantFrom('send' as const, 'send' as const, 'edit' as const, 'delete' as const, 'pass' as const),
  room: fc.nat(1),
  user: fc.constantFrom(...USERS),
  seq: fc.nat(20),
});
const phase = fc.record({
  changes: fc.array(change, { maxLength: 4 }),
  acts: fc.array(act, { minLength: 4, maxLength: 14 }),
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

async function make(model: RetentionModel, step: Change): Promise<void> {
  if (step.do === 'age') await model.age(step.days);
  else if (step.do === 'keepFor') await model.keepFor(step.days);
  else if (step.do === 'retain') await model.retain(model.room(step.room), step.days, step.isHeld);
  else if (step.do === 'hold') await model.hold(step.user, step.isHeld);
  else await model.cut(model.room(step.room));
}

/** All at once. Of what is found at the end, each must have been possible: what stays can be changed. */
async function burst(model: RetentionModel, acts: readonly Act[]): Promise<void> {
  const touched = new Set<string>();
  const refused: { readonly room: ModelRoom; readonly seq: number; readonly wasDeleted: boolean }[] = [];
  await Promise.all(
    acts.map(async ({ do: what, room: n, user, seq: nth }) => {
      const room = model.room(n);
      if (what === 'pass') return model.pass();
      const seq = 1 + (nth % Math.max(1, room.messages.length));
      if (what === 'send' || touched.has(`${n} ${seq}`)) return model.send(room, user);
      touched.add(`${n} ${seq}`);
      const wasDeleted = room.messages[seq - 1]?.isDeleted === true;
      const isDone = await (what === 'edit' ? model.edit(room, seq) : model.delete(room, seq));
      if (!isDone && room.messages[seq - 1] !== undefined) refused.push({ room, seq, wasDeleted });
      return undefined;
    }),
  );
  await model.pass();
  model.expectPass();
  for (const { room, seq, wasDeleted } of refused) expect(wasDeleted || seq < room.firstSeq).toBe(true);
}

describe('retention', () => {
  let bench: AppendFixture;
  let model: RetentionModel;
  let room: ModelRoom;

  beforeAll(async () => {
    bench = await AppendFixture.start();
  });
  beforeEach(async () => {
    model = await RetentionModel.make(bench, 2);
    room = model.room(0);
  });
  afterAll(() => bench.close());

  /** Messages of these users, one a day, the last one of today. */
  async function diary(...senders: (typeof USERS)[number][]): Promise<void> {
    for (const [i, sender] of senders.entries()) {
      if (i > 0) await model.age(1);
      await model.send(room, sender);
    }
  }
  const check = async (): Promise<void> => {
    for (const one of model.rooms) expect(await model.stored(one)).toEqual(model.expected(one));
  };
  const events = (): Promise<object[]> =>
    model.sql(
      `SELECT rev::int, type, payload FROM room_events WHERE tenant_id = $1 AND room_id = $2 ORDER BY rev`,
      room.roomId,
    );
  const jobs = async (): Promise<number> =>
    (await model.sql(`SELECT 1 FROM jobs WHERE tenant_id = $1 AND kind = 'retention'`)).length;

  it('leaves exactly what it should, whatever happens at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(phase, { minLength: 1, maxLength: 4 }), async (phases) => {
        model = await RetentionModel.make(bench, 2);
        for (const { changes, acts } of phases) {
          for (const step of changes) await make(model, step);
          await burst(model, acts);
          await check();
        }
        for (const one of model.rooms) checkLog(await whole(one));
      }),
      { numRuns: runs(40) },
    );
  });

  /** The log as if nothing had gone: seqs stay as they were, and times do not fall. */
  async function whole(one: ModelRoom): ReturnType<AppendFixture['log']> {
    const log = await bench.log(one);
    return log.map((message) => ({ ...message, seq: message.seq - one.firstSeq + 1 }));
  }

  it('tells the room where it begins, once, and its connections', async () => {
    await diary('bob', 'bob', 'cat', 'bob');
    await model.keepFor(2);
    await model.pass();
    model.expectPass();
    await check();
    expect(room.firstSeq).toBe(3);
    expect(await events()).toEqual([{ rev: 5, type: 'room.trimmed', payload: { first_seq: 3 } }]);
    expect(model.feed.touched).toEqual([{ roomId: room.roomId, joined: [] }]);
    await model.pass();
    expect(await events()).toHaveLength(1);
    expect(model.feed.touched).toHaveLength(1);
  });

  it('lets a room say other days than its tenant, and both say nothing', async () => {
    await diary('bob', 'bob', 'bob', 'bob');
    await model.pass();
    expect((await model.stored(room)).first_seq).toBe(1);
    await model.keepFor(1);
    await model.retain(room, 3, false);
    await model.pass();
    expect((await model.stored(room)).first_seq).toBe(2);
    await model.retain(room, null, false);
    await model.pass();
    expect((await model.stored(room)).first_seq).toBe(4);
  });

  it('empties a room in which everything is old, and goes on with what is said then', async () => {
    await diary('bob', 'bob');
    await model.keepFor(1);
    await model.age(5);
    await model.pass();
    model.expectPass();
    await check();
    expect(room.firstSeq).toBe(3);
    await model.send(room, 'bob');
    await model.pass();
    await check();
  });

  it('deletes changes that are older, and says from which revision on all are kept', async () => {
    const rename = (name: string): Promise<object> =>
      bench.call(room, roomUpdate, { p_room: room.roomId, p_user: 'alice', p_name: name, p_max_bytes: 8192 });
    await rename('one');
    await model.age(3);
    await rename('two');
    await model.send(room, 'bob');
    await model.keepFor(2);
    await model.pass();
    expect(await events()).toMatchObject([{ rev: 2, type: 'room.updated', payload: { name: 'two' } }]);
    const [row] = await model.sql(
      'SELECT first_rev::int, first_seq::int FROM rooms WHERE tenant_id = $1 AND room_id = $2',
      room.roomId,
    );
    expect(row).toEqual({ first_rev: 1, first_seq: 1 });
    await model.hold('cat', true);
    await model.age(5);
    await model.pass();
    expect(await events()).toMatchObject([{ type: 'room.trimmed' }]);
  });

  it('lets a room that was deleted expire, and tells nobody', async () => {
    await diary('bob', 'bob', 'bob');
    await bench.call(room, roomDelete, { p_room: room.roomId, p_user: 'alice' });
    await model.keepFor(1);
    await model.pass();
    expect((await model.stored(room)).messages).toHaveLength(1);
    expect(await events()).toMatchObject([{ type: 'room.deleted' }]);
  });

  describe('a hold', () => {
    it('on a user stops the beginning at their oldest message, in each room where they have one', async () => {
      await diary('bob', 'bob', 'cat', 'bob', 'bob');
      for (const other of model.rooms.slice(1)) await model.send(other, 'bob');
      await model.age(9);
      await model.hold('cat', true);
      await model.keepFor(1);
      await model.pass();
      model.expectPass();
      await check();
      expect(model.rooms.map(({ firstSeq }) => firstSeq)).toEqual([3, 2]);
      await model.hold('cat', false);
      await model.pass();
      model.expectPass();
      await check();
      expect(room.firstSeq).toBe(6);
    });

    it('takes a deletion and an edit, and keeps what it was, hidden, as long as a hold covers it', async () => {
      await diary('bob', 'cat');
      await model.hold('bob', true);
      await model.edit(room, 1);
      await model.delete(room, 1);
      await model.delete(room, 2);
      await check();
      expect((await model.stored(room)).held).toHaveLength(2);
      await model.retain(room, null, true);
      await model.hold('bob', false);
      await model.pass();
      model.expectPass();
      expect((await model.stored(room)).held).toHaveLength(2);
      await model.retain(room, null, false);
      await model.pass();
      model.expectPass();
      await check();
      expect((await model.stored(room)).held).toEqual([]);
    });

    it.each<[string, (of: RetentionModel) => [text: string, ...values: unknown[]]]>([
      ['of a user', () => [`UPDATE users SET legal_hold = true WHERE tenant_id = $1 AND user_id = 'bob'`]],
      [
        'of a room',
        (of) => ['UPDATE rooms SET legal_hold = true WHERE tenant_id = $1 AND room_id = $2', of.room(0).roomId],
      ],
      ['that is longer days', () => [`UPDATE tenants SET settings = '{"retention_days":90}' WHERE tenant_id = $1`]],
    ])('%s that is being made while a room is to be cut wins', async (_, of) => {
      await diary('bob', 'bob', 'bob');
      await model.keepFor(1);
      const holder = await bench.database.connect();
      try {
        await holder.query('BEGIN');
        await holder.query('SELECT 1 FROM tenants WHERE tenant_id = $1 FOR NO KEY UPDATE', [model.tenantId]);
        const [text, ...values] = of(model);
        await holder.query(text, [model.tenantId, ...values]);
        const cut = bench.call(room, roomCut, { p_room: room.roomId });
        await bench.lockWaiters(1);
        await holder.query('COMMIT');
        expect((await cut).status).not.toBe('ok');
      } finally {
        await holder.end();
      }
      expect((await model.stored(room)).first_seq).toBe(1);
    });

    it('waits for a cut that is under way, and does not bring back what it took', async () => {
      await diary('bob', 'bob', 'bob');
      await model.keepFor(1);
      const cutter = await bench.hold(room);
      const cut = bench.call(room, roomCut, { p_room: room.roomId });
      await bench.lockWaiters(1);
      const hold = model.hold('bob', true);
      await bench.lockWaiters(2);
      await cutter.release();
      await hold;
      expect((await cut).status).toBe('ok');
      await model.pass();
      expect((await model.stored(room)).messages.map(({ seq }) => seq)).toEqual([3]);
    });
  });

  describe('a pass', () => {
    const CUT = new AbortController();
    beforeAll(() => CUT.abort(new Error('killed')));

    it('finds and deletes what one that was killed between the two left behind, in large rooms too', async () => {
      await model.sql(
        `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
         SELECT $1, $2, n, gen_random_uuid(), n, 'bob', 'old', clock_timestamp() - interval '3 days'
         FROM generate_series(1, 1300) n`,
        room.roomId,
      );
      await model.sql(
        'UPDATE rooms SET last_seq = 1300, last_rev = 1300 WHERE tenant_id = $1 AND room_id = $2',
        room.roomId,
      );
      await model.keepFor(1);
      await bench.call(room, roomCut, { p_room: room.roomId });
      // Nothing is kept for a time any more: what was cut goes all the same.
      await model.keepFor(null);
      await expect(model.pass(CUT.signal)).rejects.toThrow('killed');
      expect((await model.stored(room)).messages).toHaveLength(1300);
      await model.pass();
      expect(await model.stored(room)).toMatchObject({ first_seq: 1301, messages: [] });
    });

    it('stops when its time is up, and goes on where it was', async () => {
      await diary('bob', 'bob', 'bob');
      await model.keepFor(1);
      const passes: boolean[] = [];
      while (passes.at(-1) !== true)
        passes.push(await model.trimming.pass(model.tenantId, new AbortController().signal, 0));
      model.expectPass();
      await check();
    });

    it('deletes dead letters and runs that are about nothing else', async () => {
      await diary('bob', 'bob', 'bob', 'bob');
      await model.sql(
        `INSERT INTO cursors (tenant_id, room_id, user_id, has_dead_letters) VALUES ($1, $2, 'cat', true)`,
        room.roomId,
      );
      await model.sql(
        `INSERT INTO dead_letters (tenant_id, room_id, user_id, from_seq, to_seq, letter_no, attempts, last_attempt_at, error)
         VALUES ($1, $2, 'cat', 1, 1, 1, 5, now(), ''), ($1, $2, 'cat', 3, 4, 2, 5, now(), '')`,
        room.roomId,
      );
      const run = `INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, state, answer_seq, reasoning,
          ended_at) VALUES ($1, gen_random_uuid(), $2, 'bob', $3, 'completed', $4, 'Hm.', now() - make_interval(days => $5))`;
      for (const [asked, answered, days] of [
        [1, 2, 3],
        [1, 4, 3],
        [1, 2, 0],
      ])
        await model.sql(run, room.roomId, asked, answered, days);
      await model.keepFor(1);
      await model.pass();
      const letters = 'SELECT from_seq::int, to_seq::int FROM dead_letters WHERE tenant_id = $1';
      expect(await model.sql(letters)).toEqual([{ from_seq: 4, to_seq: 4 }]);
      const left = await model.sql<{ answer_seq: number; reasoning: string | null }>(
        'SELECT answer_seq::int, reasoning FROM runs WHERE tenant_id = $1 ORDER BY answer_seq',
      );
      expect(left).toEqual([
        { answer_seq: 2, reasoning: null },
        { answer_seq: 4, reasoning: 'Hm.' },
      ]);
    });
  });

  describe('its job', () => {
    it.each<[string, (of: RetentionModel) => Promise<void>]>([
      ['a setting of the tenant', (of) => of.keepFor(3)],
      ['the days of a room', (of) => of.retain(of.room(0), 3, false)],
      ['a hold of a room', (of) => of.retain(of.room(0), null, true)],
      ['a hold of a user', (of) => of.hold('bob', true)],
    ])('is made by %s, in the same transaction', async (_, make) => {
      await make(model);
      expect(await jobs()).toBe(1);
      await make(model);
      expect(await jobs()).toBe(1);
    });

    it('is made for a tenant that is made with days, and not by other changes', async () => {
      await model.sql(`UPDATE tenants SET name = 'other', settings = '{"presence_room_limit":3}' WHERE tenant_id = $1`);
      await model.send(room, 'bob');
      expect(await jobs()).toBe(0);
      await bench.database.sql(
        `INSERT INTO tenants (tenant_id, name, settings) VALUES (gen_random_uuid(), 'made', '{"retention_days":3}')`,
      );
      const [made] = await bench.database.sql<{ n: number }>(
        `SELECT count(*)::int AS n FROM jobs JOIN tenants USING (tenant_id) WHERE name = 'made' AND kind = 'retention'`,
      );
      expect(made?.n).toBe(1);
    });
  });

  describe('its handler', () => {
    const ended = async (): Promise<unknown> => {
      const job = { id: 1, tenantId: model.tenantId, kind: 'retention', key: 'retention', payload: {} };
      return new RetentionRunner(model.trimming, bench.open.database)
        .run({ ...job, attempt: 1, createdAt: new Date() }, new AbortController().signal)
        .then(
          () => 'done',
          (error: unknown) => error,
        );
    };
    const takeJobs = (): Promise<object[]> => model.sql('DELETE FROM jobs WHERE tenant_id = $1');
    const postponed = (delayMs: number): object => expect.objectContaining({ name: 'PostponeJob', delayMs }) as object;

    it.each<[string, () => Promise<unknown>]>([
      ['the tenant keeps messages for a time', () => model.keepFor(3)],
      ['a room does', () => model.retain(room, 3, false)],
      [
        'something is kept under a hold',
        async () => {
          await model.hold('bob', true);
          await model.send(room, 'bob');
          await model.delete(room, 1);
        },
      ],
    ])('looks again in an hour where %s', async (_, make) => {
      await make();
      await takeJobs();
      expect(await ended()).toEqual(postponed(3_600_000));
    });

    it('keeps versions under a hold that the tenant keeps no more, and comes back for one that came late', async () => {
      const keeps = (settings: object) =>
        model.sql(`UPDATE tenants SET settings = '${JSON.stringify(settings)}' WHERE tenant_id = $1`);
      const versions = () => model.sql('SELECT seq::int FROM message_versions WHERE tenant_id = $1 ORDER BY seq');
      await keeps({ message_history: 'on' });
      for (const [i, user] of (['bob', 'cat'] as const).entries()) {
        await model.send(room, user);
        await model.edit(room, i + 1);
      }
      await model.hold('bob', true);
      await keeps({});
      await takeJobs();
      expect([await ended(), await versions()]).toEqual([postponed(3_600_000), [{ seq: 1 }]]);
      await model.hold('bob', false);
      await takeJobs();
      expect(await retentionGoesOn.call(bench.open.database, model.tenantId, {})).toBe(true);
      expect([await ended(), await versions()]).toEqual(['done', []]);
    });

    it('is done where nothing is, or where another one waits', async () => {
      expect(await ended()).toBe('done');
      await model.keepFor(3);
      expect(await jobs()).toBe(1);
      expect(await ended()).toBe('done');
    });

    it('lets others have their turn where its time is up', async () => {
      const trimming = { pass: () => Promise.resolve(false) } as unknown as RetentionModel['trimming'];
      const job = { id: 1, tenantId: model.tenantId, kind: 'retention', key: 'retention', payload: {} };
      const run = new RetentionRunner(trimming, bench.open.database).run(
        { ...job, attempt: 1, createdAt: new Date() },
        new AbortController().signal,
      );
      await expect(run).rejects.toEqual(postponed(1));
    });
  });

  it('has no index of rooms on what the append changes', async () => {
    const indexes = await bench.database.sql<{ text: string }>(
      `SELECT pg_get_indexdef(indexrelid) AS text FROM pg_index WHERE indrelid = 'rooms'::regclass`,
    );
    expect(indexes.length).toBeGreaterThan(4);
    for (const { text } of indexes) expect(text).not.toMatch(/last_seq|last_rev|last_message_at/);
  });
});
