import { newUuid } from '../../src/common/ids';
import { notificationCreate } from '../../src/modules/notifications/inbox/notifications.functions';
import { tenantDeletionBegin } from '../../src/modules/removal/deletion/deletion.functions';
import { roomRetain } from '../../src/modules/rooms/rooms.functions';
import { userHold } from '../../src/modules/tenants/tenants.functions';
import { usageComplete } from '../../src/modules/usage/usage.functions';
import { INSTALLATION } from '../../src/platform/audit';
import { PostponeJob } from '../../src/platform/jobs';
import { messageTo } from '../support/append-model';
import { type Death, DeletionFixture, jobOf } from '../support/deletion-fixture';

/** More than two pages of rows. */
const MANY = 1200;
const DEATHS: readonly Death[] = ['before the commit', 'after the commit'];

describe('the deletion of a tenant', () => {
  let fixture: DeletionFixture;

  beforeAll(async () => {
    fixture = await DeletionFixture.start();
  });
  afterAll(() => fixture.close());

  /** A tenant with a row in every table, and many in some, whose keys are of several kinds. */
  async function furnished(): Promise<string> {
    const tenantId = await fixture.furnished();
    const many = (text: string): Promise<object[]> => fixture.sql(text, [tenantId, MANY]);
    await many(`INSERT INTO users (tenant_id, user_id) SELECT $1, 'user' || n FROM generate_series(1, $2::int) n`);
    await many(`INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
      SELECT $1, gen_random_uuid(), n, gen_random_uuid(), n, 'alice', 'x', now() FROM generate_series(1, $2::int) n`);
    await many(`INSERT INTO stats_minutes (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens)
      SELECT $1, '2026-01-01'::timestamptz + make_interval(mins => n), 1, 1, 1, 1, 0, 0 FROM generate_series(1, $2::int) n`);
    await many(
      `INSERT INTO usage_users (tenant_id, user_id, day) SELECT $1, '', '2026-01-01'::date + n FROM generate_series(1, $2::int) n`,
    );
    return tenantId;
  }
  /** What there is to be counted. */
  async function expected(tenantId: string): Promise<Record<string, number>> {
    const { tenant_deletions: _, ...rows } = await fixture.counts(tenantId);
    return rows;
  }
  async function expectGone(tenantId: string, counts: Record<string, number>): Promise<void> {
    expect(await fixture.told(tenantId)).toEqual({ state: 'done', deleted: counts });
    expect(await fixture.counts(tenantId)).toEqual({ tenant_deletions: 1 });
  }

  it('takes the rows of every table that there is, and of no other tenant', async () => {
    const [tenantId, other] = [await furnished(), await furnished()];
    const before = await fixture.dump(other);
    const deletion = await fixture.begin(tenantId);
    const counts = await expected(tenantId);
    const { rows } = fixture.server();
    // Else what follows would be said of empty tables.
    expect(Object.keys(counts).sort()).toEqual([...rows.tables.map(({ name }) => name), 'tenants'].sort());
    expect(await fixture.live(deletion)).toBe(true);
    await expectGone(tenantId, counts);
    expect(await fixture.dump(other)).toEqual(before);
  });

  it('leaves a row in the log of the installation, with the counts and the end of its own log', async () => {
    const tenantId = await fixture.furnished();
    await fixture.sql(`UPDATE audit_heads SET n = 7, mac = '\\xabcd' WHERE tenant_id = $1`, [tenantId]);
    const deletion = await fixture.begin(tenantId);
    const counts = await expected(tenantId);
    await fixture.live(deletion);
    const [row] = await fixture.sql<{ entry: string }>(
      'SELECT entry FROM audit_log WHERE tenant_id = $1 ORDER BY n DESC LIMIT 1',
      [INSTALLATION],
    );
    const entry = JSON.parse(row?.entry ?? '{}') as Record<string, unknown>;
    const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
    expect(entry).toMatchObject({
      action: 'tenant.deleted',
      actor: 'master',
      request_id: 'request',
      address: '192.0.2.1',
      details: { rows: total, counts, audit_rows: 7, audit_mac: 'abcd', name: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(row?.entry).not.toContain('"t"');
  });

  it('goes on wherever the server is killed, and counts what was deleted, once', async () => {
    const tenantId = await furnished();
    const deletion = await fixture.begin(tenantId);
    const counts = await expected(tenantId);
    const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
    let lives = 0;
    for (let isOver = false; !isOver; lives++) {
      // Before the first batch is stored; then that one is, and it dies behind the second.
      const most = lives % DEATHS.length;
      let batches = 0;
      isOver = await fixture.live(deletion, (name, result) => {
        const { deleted = 0 } = (result ?? {}) as { deleted?: number };
        const isBatch = deleted > 0 || (name.startsWith('end ') && result === 'done');
        return isBatch && batches++ === most ? DEATHS[most] : undefined;
      });
      const there = await expected(tenantId);
      const left = Object.values(there).reduce((sum, n) => sum + n, 0);
      const { state, deleted } = await fixture.told(tenantId);
      expect(Object.values(deleted).reduce((sum, n) => sum + n, 0)).toBe(total - left);
      // Who would go on with it?
      expect([state, there['jobs'] ?? 0]).toEqual(left > 0 ? ['deleting', expect.any(Number)] : ['done', 0]);
      if (left > 0) expect(there['jobs']).toBeGreaterThan(0);
    }
    expect(lives).toBeGreaterThan(Object.keys(counts).length - 3);
    await expectGone(tenantId, counts);
  });

  it.each(DEATHS)('ends, or has ended, where the server dies %s of its last transaction', async (death) => {
    const tenantId = await fixture.furnished();
    const deletion = await fixture.begin(tenantId);
    const counts = await expected(tenantId);
    const isAlive = await fixture.live(deletion, (name) => (name.startsWith('end ') ? death : undefined));
    expect(isAlive).toBe(false);
    expect((await fixture.told(tenantId)).state).toBe(death === 'after the commit' ? 'done' : 'deleting');
    expect(await fixture.live(deletion)).toBe(true);
    await expectGone(tenantId, counts);
  });

  it('is done once by two at a time', async () => {
    const [tenantId, other] = [await furnished(), await furnished()];
    const before = await fixture.dump(other);
    const deletion = await fixture.begin(tenantId);
    const counts = await expected(tenantId);
    expect(await Promise.all([fixture.live(deletion), fixture.live(deletion)])).toEqual([true, true]);
    await expectGone(tenantId, counts);
    expect(await fixture.dump(other)).toEqual(before);
    const certificates = await fixture.sql(
      `SELECT 1 FROM audit_log WHERE tenant_id = $1 AND target = 'tenant:tenant_' || replace($2, '-', '')`,
      [INSTALLATION, tenantId],
    );
    expect(certificates).toHaveLength(1);
  });

  it('takes what comes in all the same', async () => {
    const room = await fixture.bench.room();
    const { tenantId } = room;
    const { database } = fixture.bench.open;
    const deletion = await fixture.begin(tenantId);
    const before = await expected(tenantId);
    let stored = 0;
    const calls: (() => Promise<unknown>)[] = [
      async () => {
        const { status } = await fixture.bench.appendOne(messageTo(room));
        if (status === 'new') stored++;
        else expect(status).toBe('no_room');
      },
      () => fixture.bench.room({ tenantId, members: ['alice', newUuid()] }),
      () =>
        notificationCreate.call(database, tenantId, {
          ...{ p_id: newUuid(), p_topic: 't', p_payload: '{}', p_users: ['bob'], p_subscribers: false },
          p_limit: 100,
        }),
    ];
    // As of a server that was frozen, and has believed its credentials too long.
    const late = calls.map(async (call) => {
      for (let i = 0; i < 40; i++) await call().catch(isGone);
    });
    const [isOver] = await Promise.all([fixture.live(deletion), ...late]);
    expect(isOver).toBe(true);
    expect(await fixture.counts(tenantId)).toEqual({ tenant_deletions: 1 });
    const { state, deleted } = await fixture.told(tenantId);
    expect(state).toBe('done');
    // No row of another table takes these along.
    expect(deleted['messages'] ?? 0).toBe((before['messages'] ?? 0) + stored);
  });

  it('begins when nobody can be served any more, whoever runs its job earlier', async () => {
    const tenantId = await fixture.furnished();
    const deletion = await fixture.begin(tenantId);
    await fixture.sql('UPDATE tenant_deletions SET started_at = clock_timestamp() WHERE tenant_id = $1', [tenantId]);
    const counts = await fixture.counts(tenantId);
    const { runner } = fixture.server();
    const { signal } = new AbortController();
    const early = await runner.run(jobOf(deletion), signal).catch((error: unknown) => error);
    expect(early).toBeInstanceOf(PostponeJob);
    const { delayMs } = early as PostponeJob;
    expect([delayMs > 5000, delayMs <= 15_000]).toEqual([true, true]);
    expect(await fixture.counts(tenantId)).toEqual(counts);
    expect((await fixture.told(tenantId)).state).toBe('waiting');
    // That of another deletion, or of one that is over, does nothing.
    await runner.run(jobOf({ tenantId, deletionId: newUuid() }), signal);
    expect(await fixture.counts(tenantId)).toEqual(counts);
  });

  it('is not ended while a table has a row of it', async () => {
    const tenantId = await fixture.furnished();
    const deletion = await fixture.begin(tenantId);
    const { deletions, rows } = fixture.server();
    const counts = await fixture.counts(tenantId);
    await deletions.proceed(deletion);
    expect(await deletions.end(deletion)).toBe('left');
    expect(await fixture.counts(tenantId)).toEqual(counts);
    const left = await fixture.bench.open.database.transaction('test', tenantId, (tx) => rows.left(tx, tenantId));
    // The job that is not the deletion's own is left, too.
    expect(left).toEqual(rows.tables.map(({ name }) => name).filter((name) => name !== 'audit_heads'));
  });

  it('and usage that is counted meanwhile says nothing of it', async () => {
    const tenantId = await fixture.furnished();
    const { database } = fixture.bench.open;
    const complete = (): Promise<unknown> => usageComplete.call(database, tenantId, { p_before: new Date() });
    const rows = (): Promise<object[]> =>
      fixture.sql('SELECT complete_to FROM usage_state WHERE tenant_id = $1', [tenantId]);
    const before = await rows();
    await complete();
    const after = await rows();
    expect(after).not.toEqual(before);
    const deletion = await fixture.begin(tenantId);
    await complete();
    expect(await rows()).toEqual(after);
    await fixture.live(deletion);
    await complete();
    expect(await fixture.counts(tenantId)).toEqual({ tenant_deletions: 1 });
  });

  describe('and a hold at the same time: one of them is refused,', () => {
    const held = { reason: 'legal_hold' };
    const HOLDS = [
      ['of a room', 'UPDATE rooms SET legal_hold = false WHERE tenant_id = $1'],
      ['of a user', 'UPDATE users SET legal_hold = false WHERE tenant_id = $1'],
    ] as const;

    const hold = (what: string, tenantId: string, roomId: string): Promise<object> => {
      const { database } = fixture.bench.open;
      return what === 'of a room'
        ? roomRetain.call(database, tenantId, { p_room: roomId, p_changes: { legal_hold: true } })
        : userHold.call(database, tenantId, { p_user: 'alice', p_hold: true });
    };
    const begin = (tenantId: string): Promise<object> =>
      tenantDeletionBegin.call(fixture.bench.open.database, tenantId, {
        ...{ p_deletion: newUuid(), p_confirm: 'test', p_request: 'request', p_address: null },
      });

    it.each(HOLDS)('the deletion where the hold is first (%s)', async (what) => {
      const { tenantId, roomId } = await fixture.bench.room();
      const client = await fixture.bench.database.connect();
      await client.query('BEGIN');
      const first =
        what === 'of a room'
          ? `room_retain($1, $2, '{"legal_hold": true}')`
          : `user_hold($1, 'alice', $2::uuid IS NOT NULL)`;
      await client.query(`SELECT ${first}`, [tenantId, roomId]);
      const begun = begin(tenantId).catch((error: unknown) => error);
      await fixture.bench.lockWaiters(1);
      await client.query('COMMIT');
      await client.end();
      expect(await begun).toMatchObject({ code: 'CONFLICT', details: held });
    });

    it.each(HOLDS)('the hold where the deletion is first (%s)', async (what) => {
      const { tenantId, roomId } = await fixture.bench.room();
      const client = await fixture.bench.database.connect();
      await client.query('BEGIN');
      await client.query(`SELECT tenant_deletion_begin($1, $2, 'test', 'request', NULL)`, [tenantId, newUuid()]);
      const wanted = hold(what, tenantId, roomId).catch((error: unknown) => error);
      await fixture.bench.lockWaiters(1);
      await client.query('COMMIT');
      await client.end();
      expect(await wanted).toMatchObject({ code: 'CONFLICT', details: { reason: 'deleting' } });
    });
  });
});

/** What a call may be refused with when its tenant is gone: a row that it refers to is not there. */
function isGone(error: unknown): void {
  const cause = (error as { cause?: { code?: string } }).cause ?? (error as { code?: string });
  if (cause.code !== '23503') throw error;
}
