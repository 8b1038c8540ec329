import { AppError } from '../../src/common/errors';
import { eventually } from '../support/embedded/processes';
import { type RunnerFixture, startRunner } from '../support/runner-fixture';

const POOL_SIZE = 2;
const DEADLINE_MS = 400;

let site: RunnerFixture;

beforeEach(async () => (site = await startRunner(POOL_SIZE, DEADLINE_MS)));
afterEach(() => site.close());

const PID = 'SELECT pg_backend_pid() AS pid';

async function pid(): Promise<number> {
  const [row] = await site.runner.single<{ pid: number }>('pid', site.system, PID);
  return row?.pid ?? 0;
}

/** What a call was answered with: the 503's outcome, or the error's code or message. */
async function failureOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return `${error.status} ${String(error.details?.['outcome'])}`;
  const { code, message } = error as { code?: string; message: string };
  return code ?? message;
}

/** The login role itself, which may end its own backend. */
const LOGIN = { role: 'none', tenant: '' } as const;

const sleepy = (): Promise<unknown> => site.runner.single('sleep', site.system, 'SELECT pg_sleep(30)');

describe('the deadline', () => {
  it('ends a statement, destroys its connection and frees the slot', async () => {
    const before = await pid();
    // As many as the pool holds, twice: a slot that stayed taken would show.
    for (let i = 0; i < 2; i++)
      expect(await Promise.all(Array.from({ length: POOL_SIZE }, () => failureOf(sleepy())))).toEqual(
        Array(POOL_SIZE).fill('503 unknown'),
      );
    expect(await pid()).not.toBe(before);
    expect(site.failures).toEqual(Array(2 * POOL_SIZE).fill('deadline'));
  });

  it('does not leave the statement waiting in PostgreSQL', async () => {
    const holder = await site.database.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE instance IN ACCESS EXCLUSIVE MODE');
    expect(await failureOf(site.runner.single('wait', site.system, 'SELECT epoch FROM instance'))).toBe('503 none');
    await eventually('nobody waits', async () => (await site.backends()).length === 0);
    await holder.end();
  });

  it('of a lock is no outage', async () => {
    const holder = await site.database.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE instance IN ACCESS EXCLUSIVE MODE');
    const update = `UPDATE instance SET checked_at = clock_timestamp()`;
    expect(await failureOf(site.runner.single('wait', site.system, update))).toBe('503 unknown');
    await eventually('the suspicion is over', () => !site.availability.suspected);
    expect(site.availability.up).toBe(true);
    await holder.end();
    expect(await site.runner.single('again', site.system, update)).toEqual([]);
  });

  it('covers the wait for a connection: a full pool is 503, and nothing has happened', async () => {
    const blockers = Array.from({ length: POOL_SIZE }, () =>
      site.runner.transaction('block', site.system, (sql) => sql.query('SELECT pg_sleep(2)'), 5000),
    );
    await eventually('the pool is full', async () => (await site.backends()).length === POOL_SIZE);
    expect(await failureOf(pid())).toBe('503 none');
    await Promise.all(blockers);
    expect(await pid()).toBeGreaterThan(0);
  });

  it('ends a transaction before its COMMIT with the certainty that nothing has happened', async () => {
    const never = site.runner.transaction('hang', site.tenant, async (sql) => {
      await sql.query('SELECT 1');
      await new Promise(() => undefined);
    });
    expect(await failureOf(never)).toBe('503 none');
    expect(await pid()).toBeGreaterThan(0);
  });
});

describe('a connection', () => {
  it('is used again after a statement that failed by its own fault', async () => {
    const before = await pid();
    expect(await failureOf(site.runner.single('bad', site.system, 'SELECT 1/0'))).toBe('22012');
    const bad = site.runner.transaction('bad', site.tenant, async (sql) => {
      await sql.query('SELECT 1');
      await sql.query('SELECT nonsense');
    });
    expect(await failureOf(bad)).toBe('42703');
    expect(await pid()).toBe(before);
    expect(site.failures).toEqual(['unexpected']);
  });

  it('is used again after the service has refused, and nothing of the transaction is left', async () => {
    const before = await pid();
    const refused = site.runner.transaction('refuse', site.system, async (sql) => {
      await sql.query('UPDATE instance SET checked_at = NULL');
      throw new AppError('CONFLICT', 'no');
    });
    await expect(refused).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await pid()).toBe(before);
    const later = site.runner.transaction('later', site.system, (sql) =>
      sql.query(`SELECT pg_current_xact_id_if_assigned() IS NULL AS fresh`),
    );
    expect(await later).toEqual([{ fresh: true }]);
    expect(site.failures).toEqual([]);
  });

  it('that PostgreSQL ends in the middle of a statement is not pooled', async () => {
    const suicide = 'SELECT pg_terminate_backend(pg_backend_pid())';
    // PostgreSQL answers the statement itself: COMMIT, behind it, was never read.
    expect(await failureOf(site.runner.single('end', LOGIN, suicide))).toBe('503 none');
    expect(site.failures).toEqual(['connection']);
    expect(await pid()).toBeGreaterThan(0);
    expect(await site.backends()).toHaveLength(1);
  });

  describe('to a server that takes no writes', () => {
    const write = (): Promise<unknown> =>
      site.runner.single('write', site.system, 'UPDATE instance SET checked_at = clock_timestamp()');
    /** For new sessions; those that are open keep what they had. */
    const setReadOnly = async (isReadOnly: boolean): Promise<void> => {
      const { name, sql } = site.database;
      const change = isReadOnly ? 'SET default_transaction_read_only = on' : 'RESET default_transaction_read_only';
      await sql(`BEGIN READ WRITE; ALTER DATABASE ${name} ${change}; COMMIT`);
    };
    const isUp = (isIt: boolean): Promise<boolean> => eventually('it is noticed', () => site.availability.up === isIt);

    it.each([
      ['a statement', write],
      [
        'a transaction',
        (): Promise<unknown> =>
          site.runner.transaction('write', site.system, async (sql) => {
            await sql.query('SELECT 1');
            await sql.query('UPDATE instance SET checked_at = NULL');
          }),
      ],
    ])('is not used again after %s that it refused, which asks whether the database is there', async (_, refused) => {
      const before = await pid();
      // As a primary becomes a standby under the connections that it has.
      const turn = `SELECT set_config('default_transaction_read_only', 'on', false)`;
      await site.runner.single('turn', site.system, turn);
      expect(await failureOf(refused())).toBe('503 none');
      expect([site.availability.suspected, site.failures]).toEqual([true, ['busy']]);
      await eventually('the suspicion is over', () => !site.availability.suspected);
      await write();
      expect(await pid()).not.toBe(before);
    });

    it('is not made', async () => {
      await setReadOnly(true);
      expect(await failureOf(pid())).toBe('503 none');
      await isUp(false);
      expect(await site.backends()).toEqual([]);
      await setReadOnly(false);
      await isUp(true);
      await write();
    });

    it('is left when another one is there, whatever it has become', async () => {
      const before = await pid();
      await setReadOnly(true);
      site.availability.suspect();
      await isUp(false);
      expect(await failureOf(pid())).toBe('503 none');
      await setReadOnly(false);
      await isUp(true);
      expect(await pid()).not.toBe(before);
      await eventually('it is closed', async () => !(await site.backends()).includes(before));
    });
  });

  it('that PostgreSQL ends while it is idle is dropped without anybody noticing', async () => {
    const before = await pid();
    await site.database.sql(`SELECT pg_terminate_backend(${before}, 5000)`);
    await eventually('another connection', async () => (await pid()) !== before);
    expect(site.availability.up).toBe(true);
  });

  it('does not carry role and tenant to the next call', async () => {
    const whoami = `SELECT current_user::text AS role, current_setting('app.tenant', true) AS tenant, pg_backend_pid() AS pid`;
    const [first] = await site.runner.single('as system', site.system, whoami);
    const [second] = await site.runner.single('as tenant', site.tenant, whoami);
    expect(first).toMatchObject({ role: 'chatapi_system', tenant: '' });
    expect(second).toMatchObject({ role: 'chatapi_tenant', tenant: site.tenant.tenant });
    await failureOf(site.runner.transaction('fail', site.system, (sql) => sql.query('SELECT 1/0')));
    const between = await site.runner.single('outside', LOGIN, whoami);
    expect(between).toEqual([{ role: 'chatapi', tenant: '', pid: (second as { pid: number }).pid }]);
  });
});

describe('COMMIT', () => {
  it('answered with ROLLBACK is an error, though no statement failed that anybody looked at', async () => {
    const careless = site.runner.transaction('careless', site.tenant, async (sql) => {
      await sql.query('SELECT 1/0').catch(() => undefined);
      return 'done';
    });
    expect(await failureOf(careless)).toBe('COMMIT was answered with ROLLBACK');
    expect(await pid()).toBeGreaterThan(0);
  });

  it('whose connection dies leaves the outcome unknown', async () => {
    const own = await pid();
    const call = site.runner.transaction('die', LOGIN, async (sql) => {
      // Ends its own backend at COMMIT: a deferred trigger runs then.
      await sql.query(`CREATE TEMP TABLE doomed (id int)`);
      await sql.query(`CREATE FUNCTION pg_temp.die() RETURNS trigger LANGUAGE plpgsql AS
        $f$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $f$`);
      await sql.query(`CREATE CONSTRAINT TRIGGER die AFTER INSERT ON doomed DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION pg_temp.die()`);
      await sql.query('INSERT INTO doomed VALUES (1)');
    });
    expect(await failureOf(call)).toBe('503 unknown');
    expect(await pid()).not.toBe(own);
  });
});

describe('conflicts', () => {
  const raise = (code: string): string => `DO $$ BEGIN RAISE 'conflict' USING ERRCODE = '${code}'; END $$`;

  it.each(['40001', '40P01'])('%s: the transaction is run again', async (code) => {
    let runs = 0;
    const result = await site.runner.transaction('conflict', site.tenant, async (sql) => {
      runs++;
      if (runs < 3) await sql.query(raise(code));
      return sql.query(`SELECT 'third time' AS lucky`);
    });
    expect([runs, result]).toEqual([3, [{ lucky: 'third time' }]]);
    expect(site.failures).toEqual([]);
  });

  it('that do not end are 503, and nothing has happened', async () => {
    let runs = 0;
    const call = site.runner.transaction('conflict', site.tenant, (sql) => {
      runs++;
      return sql.query(raise('40001'));
    });
    expect(await failureOf(call)).toBe('503 none');
    expect([runs, site.failures]).toEqual([3, ['conflict']]);
  });

  it('of two real transactions end well for both', async () => {
    const order = (first: string, second: string) =>
      site.runner.transaction(
        'deadlock',
        site.system,
        async (sql) => {
          for (const key of [first, second])
            await sql.query('SELECT pg_advisory_xact_lock(hashtext($1)), pg_sleep(0.2)', [key]);
          return first;
        },
        10_000,
      );
    expect(await Promise.all([order('a', 'b'), order('b', 'a')])).toEqual(['a', 'b']);
  });
});

it('a read proves that it is one: PostgreSQL refuses to write in it', async () => {
  const isReadOnly = `SELECT epoch IS NOT NULL AS there, current_setting('transaction_read_only') AS read_only FROM instance`;
  expect(await site.runner.single('read', site.system, isReadOnly)).toEqual([{ there: true, read_only: 'on' }]);
  const write = `UPDATE instance SET checked_at = clock_timestamp() RETURNING current_setting('transaction_read_only') AS read_only`;
  expect(await site.runner.single('write', site.system, write)).toEqual([{ read_only: 'off' }]);
});
