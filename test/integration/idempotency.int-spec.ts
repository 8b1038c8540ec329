import type { Client } from 'pg';
import { forbidden, unavailable } from '../../src/common/errors';
import { answer, schemaFunction } from '../../src/platform/database';
import { type EffectsFixture, startEffects } from '../support/effects-fixture';
import { until } from '../support/poll';

/** The advisory lock that an effect waits for. */
const GATE = 815;
/** An effect of the tests: one more user; it waits where told so, and is refused where told so. */
const EFFECT = `CREATE FUNCTION test_effect(p_tenant uuid, p_user text, p_waits boolean, p_status text)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO users (tenant_id, user_id) VALUES (p_tenant, p_user);
  IF p_waits THEN PERFORM pg_advisory_xact_lock(${GATE}); END IF;
  RETURN jsonb_build_object('status', p_status, 'made', p_user);
END $f$`;

const testEffect = schemaFunction(
  'test_effect',
  { p_user: 'text', p_waits: 'boolean', p_status: 'text' },
  answer<{ readonly made: string }>({ forbidden: () => forbidden('no') }),
);

describe('idempotency keys in the database', () => {
  let harness: EffectsFixture;
  let made = 0;

  beforeAll(async () => {
    harness = await startEffects();
    await harness.database.sql(EFFECT);
    await harness.database.sql('GRANT EXECUTE ON FUNCTION test_effect TO PUBLIC');
  });
  afterAll(() => harness.close());

  const newUser = (): string => `user${++made}`;
  const run = (
    caller: ReturnType<EffectsFixture['caller']>,
    user: string,
    waits = false,
    status = 'ok',
  ): Promise<{ status: string; made?: string }> =>
    harness.effects.call(caller, testEffect, { p_user: user, p_waits: waits, p_status: status });
  const exists = async (user: string): Promise<boolean> =>
    (await harness.database.sql('SELECT 1 FROM users WHERE user_id = $1', [user])).length > 0;
  const keyRows = (key: string): Promise<{ xmin: string; expires_at: Date; created_at: Date }[]> =>
    harness.database.sql('SELECT xmin::text, expires_at, created_at FROM idempotency_keys WHERE key = $1', [key]);

  describe('an effect in the database', () => {
    it('is written in one transaction with its key', async () => {
      const user = newUser();
      await run(harness.caller('one-transaction'), user);
      const [effect] = await harness.database.sql('SELECT xmin::text FROM users WHERE user_id = $1', [user]);
      const [key] = await keyRows('one-transaction');
      expect(effect).toEqual({ xmin: key?.xmin });
    });

    it('happens once; a repeat gets the stored result and is marked', async () => {
      const [user, other] = [newUser(), newUser()];
      const first = harness.caller('once');
      const again = harness.caller('once');
      expect(await run(first, user)).toEqual({ status: 'ok', made: user });
      expect(await run(again, other)).toEqual({ status: 'ok', made: user });
      expect([first.replayed, again.replayed]).toEqual([false, true]);
      expect(await exists(other)).toBe(false);
    });

    it('with another body is a mismatch and does nothing', async () => {
      const other = newUser();
      await run(harness.caller('mismatch'), newUser());
      await expect(run(harness.caller('mismatch', 'another body'), other)).rejects.toMatchObject({
        code: 'IDEMPOTENCY_MISMATCH',
        status: 422,
        field: 'Idempotency-Key',
      });
      expect(await exists(other)).toBe(false);
    });

    it('is a call of its own for another user or route', async () => {
      const users = [newUser(), newUser(), newUser()];
      await run(harness.caller('scope'), users[0] ?? '');
      await run(harness.caller('scope', 'other', { userId: 'bob' }), users[1] ?? '');
      await run(harness.caller('scope', 'other', { route: 'POST /other' }), users[2] ?? '');
      expect(await Promise.all(users.map(exists))).toEqual([true, true, true]);
    });

    it('that is refused leaves no key: the next body counts', async () => {
      const user = newUser();
      await expect(run(harness.caller('refused'), newUser(), false, 'forbidden')).rejects.toThrow('no');
      expect(await keyRows('refused')).toEqual([]);
      const caller = harness.caller('refused', 'another body');
      expect(await run(caller, user)).toEqual({ status: 'ok', made: user });
      expect(caller.replayed).toBe(false);
    });

    it('that fails leaves no key', async () => {
      const user = newUser();
      await run(harness.caller('first'), user);
      await expect(run(harness.caller('fails'), user)).rejects.toThrow('duplicate key');
      expect(await keyRows('fails')).toEqual([]);
    });

    describe('that is running', () => {
      let gate: Client;

      beforeEach(async () => {
        gate = await harness.database.connect();
        await gate.query(`SELECT pg_advisory_lock(${GATE})`);
      });
      afterEach(() => gate.end());

      /** The backends that wait in the effect. */
      const waiting = (): Promise<{ pid: number }[]> =>
        harness.database.sql(
          `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ${GATE} AND NOT granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        );
      const oneWaits = (): Promise<{ pid: number }[]> => until(waiting, (rows) => rows.length === 1);

      it('refuses repeats with 409, and answers them when it is done', async () => {
        const user = newUser();
        const first = run(harness.caller('running'), user, true);
        await oneWaits();
        await expect(run(harness.caller('running'), user, true)).rejects.toMatchObject({
          code: 'CONFLICT',
          status: 409,
          retryAfterSeconds: 1,
        });
        await gate.query(`SELECT pg_advisory_unlock(${GATE})`);
        await expect(first).resolves.toEqual({ status: 'ok', made: user });
        expect(await run(harness.caller('running'), newUser())).toEqual({ status: 'ok', made: user });
      });

      it('leaves nothing when its connection dies, and runs again with the same key', async () => {
        const user = newUser();
        const outcome = expect(run(harness.caller('crash'), user, true)).rejects.toMatchObject({
          code: 'SERVICE_UNAVAILABLE',
        });
        const [victim] = await oneWaits();
        await harness.database.sql('SELECT pg_terminate_backend($1)', [victim?.pid]);
        await outcome;
        expect([await exists(user), await keyRows('crash')]).toEqual([false, []]);
        const caller = harness.caller('crash');
        // The server may take the database for away for a moment.
        const again = await until(
          () => run(caller, user).catch((error: unknown) => error),
          (result) => !(result instanceof Error),
        );
        expect([again, caller.replayed]).toEqual([{ status: 'ok', made: user }, false]);
      });
    });
  });

  describe('an effect that has an id of its own', () => {
    it('runs for the first call and its repeats, and never for another body', async () => {
      let runs = 0;
      const effect = (): Promise<number> => Promise.resolve(++runs);
      expect(await harness.effects.bound(harness.caller('bound'), effect)).toBe(1);
      expect(await harness.effects.bound(harness.caller('bound'), effect)).toBe(2);
      await expect(harness.effects.bound(harness.caller('bound', 'another'), effect)).rejects.toMatchObject({
        code: 'IDEMPOTENCY_MISMATCH',
      });
      expect(runs).toBe(2);
    });

    it('is bound before it runs: of two bodies at once one is refused', async () => {
      const bodies = ['a', 'b', 'c', 'd'];
      const ran: string[] = [];
      const outcomes = await Promise.allSettled(
        bodies.map((body) =>
          harness.effects.bound(harness.caller('race', body), async () => {
            ran.push(body);
          }),
        ),
      );
      expect(ran).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toHaveLength(3);
    });

    it('that is refused is forgotten; of an unknown outcome the binding stays', async () => {
      const fail = (error: Error) => (): Promise<never> => Promise.reject(error);
      const done = (): Promise<string> => Promise.resolve('done');
      await expect(harness.effects.bound(harness.caller('4xx'), fail(forbidden('no')))).rejects.toThrow('no');
      expect(await harness.effects.bound(harness.caller('4xx', 'another'), done)).toBe('done');

      await expect(harness.effects.bound(harness.caller('503'), fail(unavailable('away')))).rejects.toThrow('away');
      expect(await harness.effects.bound(harness.caller('503'), done)).toBe('done');
      await expect(harness.effects.bound(harness.caller('503', 'another'), done)).rejects.toMatchObject({
        code: 'IDEMPOTENCY_MISMATCH',
      });
    });

    it('a repeat that is refused does not take the first call’s binding back', async () => {
      await harness.effects.bound(harness.caller('keep'), () => Promise.resolve());
      const refuse = (): Promise<never> => Promise.reject(forbidden('no longer a member'));
      await expect(harness.effects.bound(harness.caller('keep'), refuse)).rejects.toThrow('no longer');
      expect(await keyRows('keep')).toHaveLength(1);
    });

    it('needs no key', async () => {
      const caller = harness.caller('none');
      caller.idempotency = undefined;
      expect(await harness.effects.bound(caller, () => Promise.resolve('done'))).toBe('done');
    });
  });

  describe('24 hours', () => {
    const age = (key: string): Promise<object[]> =>
      harness.database.sql(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE key = $1`, [
        key,
      ]);

    it('is how long a key lives', async () => {
      await run(harness.caller('day'), newUser());
      const [row] = await keyRows('day');
      expect((row?.expires_at.getTime() ?? 0) - (row?.created_at.getTime() ?? 0)).toBeGreaterThanOrEqual(
        86_400_000 - 1000,
      );
      expect((row?.expires_at.getTime() ?? 0) - (row?.created_at.getTime() ?? 0)).toBeLessThanOrEqual(
        86_400_000 + 1000,
      );
    });

    it('later the key is free, with any body', async () => {
      const user = newUser();
      await run(harness.caller('old'), newUser());
      await age('old');
      const caller = harness.caller('old', 'another body');
      expect(await run(caller, user)).toEqual({ status: 'ok', made: user });
      expect(caller.replayed).toBe(false);
      await harness.effects.bound(harness.caller('old-bound'), () => Promise.resolve());
      await age('old-bound');
      await harness.effects.bound(harness.caller('old-bound', 'another body'), () => Promise.resolve());
      await expect(harness.effects.bound(harness.caller('old-bound'), () => Promise.resolve())).rejects.toThrow();
    });

    it('what has expired is purged, in as many batches as it takes, and nothing else', async () => {
      await run(harness.caller('stays'), newUser());
      await harness.purge.purge();
      await harness.database.sql(
        `INSERT INTO idempotency_keys (tenant_id, user_id, route, key, fingerprint, result, expires_at)
         SELECT $1, 'alice', 'POST /bulk', n::text, '', '{}', now() - interval '1 second' FROM generate_series(1, 12000) n`,
        [harness.tenantId],
      );
      expect(await harness.purge.purge()).toBe(12_000);
      expect(await harness.purge.purge()).toBe(0);
      expect(await keyRows('stays')).toHaveLength(1);
    });
  });
});
