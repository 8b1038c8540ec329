import { randomUUID } from 'node:crypto';
import { notFound } from '../../src/common/errors';
import { Audit, INSTALLATION } from '../../src/platform/audit';
import { answer, schemaFunction } from '../../src/platform/database';
import { Effects } from '../../src/platform/idempotency';
import { Secrets } from '../../src/platform/secrets';
import { AuditFixture } from '../support/audit';
import { TEST_SECRETS } from '../support/effects-fixture';

const AT_ONCE = 50;
/** A change of the tests: one more user, of which it tells the log where told so. */
const EFFECT = `CREATE FUNCTION test_audited(p_tenant uuid, p_user text, p_status text, p_tells boolean)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
BEGIN
  INSERT INTO users (tenant_id, user_id) VALUES (p_tenant, p_user);
  RETURN jsonb_build_object('status', p_status, 'made', p_user) || CASE WHEN p_tells THEN jsonb_build_object('audit',
    jsonb_build_object('user', p_user, 'before', jsonb_build_object('name', 'old'))) ELSE '{}' END;
END $f$`;
const testAudited = schemaFunction(
  'test_audited',
  { p_user: 'text', p_status: 'text', p_tells: 'boolean' },
  answer<{ readonly made: string }>({ missing: () => notFound('It') }),
);
/** As PostgreSQL names it. */
const INSUFFICIENT_PRIVILEGE = '42501';
const OTHER_KEY = 'f'.repeat(64);

interface LogRow {
  readonly n: number;
  readonly actor: string;
  readonly subject: string | null;
  readonly entry: string;
  readonly address: string | null;
}

describe('the audit chain in the database', () => {
  let site: AuditFixture;
  let effects: Effects;

  beforeAll(async () => {
    site = await AuditFixture.open();
    effects = new Effects(site.test.open.database, new Audit(TEST_SECRETS));
    await site.test.database.sql(EFFECT);
    await site.test.database.sql('GRANT EXECUTE ON FUNCTION test_audited TO PUBLIC');
  });
  afterAll(() => site.close());

  const sql = <R extends object>(text: string, ...values: unknown[]): Promise<R[]> =>
    site.test.database.sql<R>(text, values);
  const rowsOf = (tenantId: string): Promise<LogRow[]> =>
    sql('SELECT n::int AS n, actor, subject, entry, address FROM audit_log WHERE tenant_id = $1 ORDER BY n', tenantId);
  async function tenant(): Promise<string> {
    const tenantId = randomUUID();
    await sql(`INSERT INTO tenants (tenant_id, name) VALUES ($1, 'test')`, tenantId);
    return tenantId;
  }

  describe('is written', () => {
    it('by many at once without a gap, in the order of its times', async () => {
      const tenantId = await tenant();
      const users = [undefined, 'ann', 'ben'];
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) => {
          const userId = users[i % users.length];
          return site.act(tenantId, userId === undefined ? {} : { userId });
        }),
      );
      expect(await site.proof(tenantId)).toBe(AT_ONCE);
      expect(await site.proof(tenantId, TEST_SECRETS, 7)).toBe(AT_ONCE);
      // In calls of two pages each, which go on from one another.
      expect(await site.proof(tenantId, TEST_SECRETS, 7, 14)).toBe(AT_ONCE);
      const rows = await rowsOf(tenantId);
      const times = rows.map(({ entry }) => (JSON.parse(entry) as { at: string }).at);
      expect(times).toEqual([...times].sort());
      // Each of the two, and the friend of each, has one ref.
      const refs = await sql<{ user_id: string }>('SELECT user_id FROM audit_subjects WHERE tenant_id = $1', tenantId);
      expect(refs.map(({ user_id }) => user_id).sort()).toEqual(['ann', 'ben', 'friend of ann', 'friend of ben']);
      expect(new Set(rows.map(({ actor }) => actor)).size).toBe(3);
    });

    it('with no user’s id in what is hashed, and a person’s address beside it', async () => {
      const tenantId = await tenant();
      await site.act(tenantId, { userId: 'ann' });
      await site.act(tenantId);
      const [person, master] = await rowsOf(tenantId);
      expect(person?.entry).not.toMatch(/ann|203\.0\.113\.7/);
      expect(person).toMatchObject({ actor: expect.stringMatching(/^person:person_/), address: '203.0.113.7' });
      expect(master).toMatchObject({ actor: 'master', subject: null, address: null });
      expect(JSON.parse(master?.entry ?? '')).toMatchObject({ address: '203.0.113.7', before: { name: 'old' } });
    });

    it('for each tenant, and for the installation, apart', async () => {
      const [one, other] = [await site.chain(2), await site.chain(3)];
      await site.act(INSTALLATION);
      expect([await site.proof(one), await site.proof(other), await site.proof(INSTALLATION)]).toEqual([2, 3, 1]);
      const seen = await site.test.open.database.query('other', one, 'SELECT n FROM audit_log WHERE tenant_id = $1', [
        other,
      ]);
      expect(seen).toEqual([]);
    });

    it('with its action or not at all', async () => {
      const tenantId = await tenant();
      await site.act(tenantId);
      const fails = (): Promise<void> => Promise.reject(new Error('broken off'));
      await expect(site.act(tenantId, { after: fails })).rejects.toThrow('broken off');
      await expect(site.act(tenantId, { before: fails })).rejects.toThrow('broken off');
      // What is written after it goes on from the row that was committed.
      await site.act(tenantId);
      expect(await rowsOf(tenantId)).toHaveLength(2);
      expect(await site.proof(tenantId)).toBe(2);
    });

    it('by a role that may add to it and change nothing of it', async () => {
      const tenantId = await site.chain(1);
      const { database } = site.test.open;
      for (const column of ['entry', 'mac', 'n', 'actor'])
        await expect(
          database.query('tamper', tenantId, `UPDATE audit_log SET ${column} = ${column} WHERE tenant_id = $1`, [
            tenantId,
          ]),
        ).rejects.toMatchObject({ code: INSUFFICIENT_PRIVILEGE });
      await database.query('erase', tenantId, 'UPDATE audit_log SET address = NULL WHERE tenant_id = $1', [tenantId]);
      expect(await site.proof(tenantId)).toBe(1);
    });
  });

  describe('of a function of the schema', () => {
    const call = async (
      tenantId: string,
      user: string,
      { key, status = 'ok', tells = true }: { key?: string; status?: string; tells?: boolean } = {},
    ) => {
      const caller = site.caller(tenantId, 'ann');
      if (key !== undefined) caller.idempotency = { key, route: 'POST /test', fingerprint: Buffer.from(key) };
      const args = { p_user: user, p_status: status, p_tells: tells };
      const audit = { action: 'tenant.update', target: 'tenant_x' } as const;
      const said = await effects.call(caller, testAudited, args, { audit });
      return { said, trail: caller.audit, replayed: caller.replayed };
    };

    it('is written in its statement, and taken off its answer', async () => {
      const tenantId = await tenant();
      const { said, trail } = await call(tenantId, 'ben');
      expect(said).toMatchObject({ status: 'ok', made: 'ben' });
      expect(said).not.toHaveProperty('audit');
      expect(trail).toMatchObject({ rows: 1, isNothing: false });
      const [row] = await rowsOf(tenantId);
      const [user] = await sql(`SELECT xmin::text FROM users WHERE user_id = 'ben' AND tenant_id = $1`, tenantId);
      expect(await sql('SELECT xmin::text FROM audit_log WHERE tenant_id = $1', tenantId)).toEqual([user]);
      expect(JSON.parse(row?.entry ?? '')).toMatchObject({
        before: { name: 'old' },
        after: null,
        target: 'tenant:tenant_x',
      });
      expect(await site.proof(tenantId)).toBe(1);
    });

    it('is not where it says nothing, and not where it is refused', async () => {
      const tenantId = await tenant();
      expect((await call(tenantId, 'ben', { tells: false })).trail).toMatchObject({ rows: 0, isNothing: true });
      await expect(call(tenantId, 'ben')).rejects.toThrow();
      await expect(call(tenantId, 'carl', { status: 'missing', tells: false })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      expect(await rowsOf(tenantId)).toEqual([]);
    });

    it('is written once where a call is repeated with its key, and not stored with the answer', async () => {
      const tenantId = await tenant();
      const first = await call(tenantId, 'ben', { key: 'once' });
      const again = await call(tenantId, 'ben', { key: 'once' });
      expect([first.replayed, again.replayed, again.said.made]).toEqual([false, true, 'ben']);
      expect(await rowsOf(tenantId)).toHaveLength(1);
      const [stored] = await sql<{ result: object }>(
        'SELECT result FROM idempotency_keys WHERE tenant_id = $1',
        tenantId,
      );
      expect(stored?.result).toEqual({ status: 'ok', made: 'ben' });
    });
  });

  describe('is found to be spoiled', () => {
    const HEAD = 'UPDATE audit_heads SET';
    const LOG = 'UPDATE audit_log SET';
    const COPY = `INSERT INTO audit_log SELECT tenant_id, $2::int, at, actor, action, target, subject, entry, key_id, mac, address
      FROM audit_log WHERE tenant_id = $1 AND n =`;

    it.each<[string, string, object]>([
      ['a time', `${LOG} at = at + interval '1 ms' WHERE tenant_id = $1 AND n = 3`, { n: 3, why: 'altered' }],
      ['an actor', `${LOG} actor = 'key:key_x' WHERE tenant_id = $1 AND n = 3`, { n: 3, why: 'altered' }],
      ['an action', `${LOG} action = 'key.create' WHERE tenant_id = $1 AND n = 3`, { n: 3, why: 'altered' }],
      ['a target', `${LOG} target = NULL WHERE tenant_id = $1 AND n = 3`, { n: 3, why: 'altered' }],
      ['a subject', `${LOG} subject = 'person_x' WHERE tenant_id = $1 AND n = 3`, { n: 3, why: 'altered' }],
      [
        'a text',
        `${LOG} entry = replace(entry, 'new', 'now') WHERE tenant_id = $1 AND n = 3`,
        { n: 3, why: 'altered' },
      ],
      ['no text', `${LOG} entry = '' WHERE tenant_id = $1 AND n = 3`, { n: 3, why: 'altered' }],
      ['a mac', `${LOG} mac = sha256(mac) WHERE tenant_id = $1 AND n = 3`, { n: 3, why: 'altered' }],
      ['the name of a key', `${LOG} key_id = 'x' WHERE tenant_id = $1 AND n = 3`, { n: 3, why: 'unknown_key' }],
      [
        'the last text',
        `${LOG} entry = replace(entry, 'new', 'now') WHERE tenant_id = $1 AND n = 5`,
        { n: 5, why: 'altered' },
      ],
      ['no first row', 'DELETE FROM audit_log WHERE tenant_id = $1 AND n = 1', { n: 1, why: 'missing' }],
      ['no third row', 'DELETE FROM audit_log WHERE tenant_id = $1 AND n = 3', { n: 3, why: 'missing' }],
      ['no last row', 'DELETE FROM audit_log WHERE tenant_id = $1 AND n = 5', { n: 5, why: 'missing' }],
      ['no rows', 'DELETE FROM audit_log WHERE tenant_id = $1', { n: 1, why: 'missing' }],
      ['no head', 'DELETE FROM audit_heads WHERE tenant_id = $1', { n: 5, why: 'head' }],
      ['an earlier head', `${HEAD} n = 4 WHERE tenant_id = $1`, { n: 5, why: 'head' }],
      ['a later head', `${HEAD} n = 6 WHERE tenant_id = $1`, { n: 5, why: 'head' }],
      ['another seal', `${HEAD} seal = sha256(seal) WHERE tenant_id = $1`, { n: 5, why: 'head' }],
    ])('%s', async (_, tampering, fault) => {
      const tenantId = await site.chain(5);
      await sql(tampering, tenantId);
      expect(await site.proof(tenantId)).toEqual(fault);
      // Whatever the pages are cut to.
      const { n } = fault as { n: number };
      for (const most of [Infinity, 2]) expect(await site.proof(tenantId, TEST_SECRETS, 2, most)).toMatchObject({ n });
    });

    it('a row that was put in at the end, and one in between', async () => {
      const atEnd = await site.chain(5);
      await sql(`${COPY} 5`, atEnd, 6);
      expect(await site.proof(atEnd)).toEqual({ n: 6, why: 'inserted' });
      const between = await site.chain(5);
      for (const n of [5, 4, 3])
        await sql('UPDATE audit_log SET n = n + 1 WHERE tenant_id = $1 AND n = $2', between, n);
      await sql(`${COPY} 2`, between, 3);
      expect(await site.proof(between)).toEqual({ n: 3, why: 'inserted' });
    });

    it('two rows that have changed places, and one that is another tenant’s', async () => {
      const swapped = await site.chain(5);
      await sql('UPDATE audit_log SET n = n + 10 WHERE tenant_id = $1 AND n IN (2, 3)', swapped);
      await sql('UPDATE audit_log SET n = 15 - n WHERE tenant_id = $1 AND n > 10', swapped);
      expect(await site.proof(swapped)).toMatchObject({ n: 2 });
      const [one, other] = [await site.chain(3), await site.chain(2)];
      await sql('DELETE FROM audit_log WHERE tenant_id = $1 AND n = 2', one);
      await sql('UPDATE audit_log SET tenant_id = $1 WHERE tenant_id = $2 AND n = 2', one, other);
      expect(await site.proof(one)).toEqual({ n: 2, why: 'altered' });
    });

    it('the last rows taken away with a head that fits what is left', async () => {
      const tenantId = await site.chain(5);
      await sql('DELETE FROM audit_log WHERE tenant_id = $1 AND n = 5', tenantId);
      await sql(
        `UPDATE audit_heads h SET n = 4, mac = (SELECT mac FROM audit_log l WHERE l.tenant_id = h.tenant_id AND l.n = 4)
         WHERE tenant_id = $1`,
        tenantId,
      );
      expect(await site.proof(tenantId)).toEqual({ n: 4, why: 'head' });
    });

    it('a head that was kept from an earlier day, while the later rows stand', async () => {
      const tenantId = await site.chain(3);
      const [kept] = await sql<{ n: number; mac: Buffer; seal: Buffer }>(
        'SELECT n, mac, seal FROM audit_heads WHERE tenant_id = $1',
        tenantId,
      );
      await site.act(tenantId);
      await sql(`${HEAD} n = $2, mac = $3, seal = $4 WHERE tenant_id = $1`, tenantId, kept?.n, kept?.mac, kept?.seal);
      expect(await site.proof(tenantId)).toEqual({ n: 4, why: 'head' });
    });
  });

  it('holds when the encryption key was changed, as long as the old one is kept', async () => {
    const tenantId = await site.chain(2);
    const changed = new Secrets('master', 'j'.repeat(32), OTHER_KEY, undefined, [TEST_SECRETS.encryptionKey]);
    await site.act(tenantId, { secrets: changed });
    expect(await site.proof(tenantId, changed)).toBe(3);
    const forgotten = new Secrets('master', 'j'.repeat(32), OTHER_KEY, undefined);
    expect(await site.proof(tenantId, forgotten)).toEqual({ n: 1, why: 'unknown_key' });
  });

  it('needs no names: a person whose ref is forgotten is nobody, and the chain holds', async () => {
    const tenantId = await tenant();
    await site.act(tenantId, { userId: 'ann' });
    await sql('DELETE FROM audit_subjects WHERE tenant_id = $1', tenantId);
    await sql('UPDATE audit_log SET address = NULL WHERE tenant_id = $1', tenantId);
    expect(await site.proof(tenantId)).toBe(1);
    await site.act(tenantId, { userId: 'ann' });
    const rows = await rowsOf(tenantId);
    expect(new Set(rows.map(({ actor }) => actor)).size).toBe(2);
    expect(await site.proof(tenantId)).toBe(2);
  });
});
