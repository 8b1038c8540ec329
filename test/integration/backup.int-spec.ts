import fc from 'fast-check';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { migrate } from '../../src/platform/database';
import {
  BackupsFixture,
  boundariesOf,
  HARD_ROWS,
  type MadeBackup,
  type DatabaseSnapshot,
  snapshotOf,
  type Sql,
  withHeader,
} from '../support/backups';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database';
import { runs } from '../support/timing';
import { isOfKeptFunction, makeSchema0022 } from '../support/old-schemas';

const LOGIN = 'chatapi';
const SMALL_ROWS = `INSERT INTO tenants (tenant_id, name) VALUES ('00000000-0000-7000-8000-00000000000a', 'small')`;

describe('S1 (a): a backup and its restore', () => {
  const backups = new BackupsFixture();
  const databases: TestDatabase[] = [];
  let source: TestDatabase;
  let made: MadeBackup;
  let original: DatabaseSnapshot;
  /** Of a database with a row or two: what is tried a hundred times. */
  let small: MadeBackup;

  const own = async (database: Promise<TestDatabase>): Promise<TestDatabase> => {
    databases.push(await database);
    return database;
  };
  const empty = (): Promise<TestDatabase> => own(createEmptyDatabase());
  const sqlOf =
    ({ sql }: TestDatabase): Sql =>
    (text) =>
      sql(text);
  const picture = (database: TestDatabase, prefix = database.name): Promise<DatabaseSnapshot> =>
    snapshotOf(sqlOf(database), { login: LOGIN, prefix });
  const start = (database: TestDatabase): Promise<unknown> =>
    migrate({ connection: database.connection, allowUnsafe: true, onProgress: () => undefined });
  /** What stands in `public`, but for a mark. */
  const objects = async (database: TestDatabase): Promise<string[]> =>
    (
      await database.sql<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace`,
      )
    )
      .map(({ name }) => name)
      .filter((name) => name !== 'restoring');

  beforeAll(async () => {
    source = await own(createTestDatabase());
    await source.sql(HARD_ROWS);
    original = await picture(source, 'chatapi');
    made = await backups.make(source.connection);
    const little = await own(createTestDatabase());
    await little.sql(SMALL_ROWS);
    small = await backups.make(little.connection);
  });
  afterAll(async () => {
    for (const database of databases) await database.drop();
    backups.remove();
  });

  it('bring back every object of the schema and every row, under roles of the target’s own', async () => {
    const target = await empty();
    const { rows } = await backups.restore(made.file, target.connection);
    const restored = await picture(target);
    expect(restored.schema).toEqual(original.schema);
    expect(restored.rows).toEqual(original.rows);
    expect(rows).toBe(Object.values(original.rows).flat().length);
    expect(original.rows['messages']).toHaveLength(4000);
    expect(original.schema.length).toBeGreaterThan(300);
    // Sequences go on where they were, plans have statistics, and a server starts.
    const [job] = await target.sql<{ id: string }>(
      `INSERT INTO jobs (tenant_id, kind, key, payload) SELECT tenant_id, 'x', '1', '{}' FROM tenants LIMIT 1 RETURNING id`,
    );
    expect(job?.id).toBe('81');
    const [known] = await target.sql(
      `SELECT reltuples, relallvisible > relpages * 0.8 AS visible FROM pg_class WHERE oid = 'messages'::regclass`,
    );
    expect(known).toEqual({ reltuples: 4000, visible: true });
    await start(target);
  });

  it('of what was restored is the same again', async () => {
    const target = await empty();
    await backups.restore(made.file, target.connection);
    const again = await empty();
    await backups.restore((await backups.make(target.connection)).file, again.connection);
    const { schema, rows } = await picture(again);
    expect({ schema, rows }).toEqual(original);
  });

  it('give each restore of one file an epoch of its own, beyond the source’s', async () => {
    const [one, two] = [await empty(), await empty()];
    const epochs = [
      (await backups.restore(small.file, one.connection)).epoch,
      (await backups.restore(small.file, two.connection)).epoch,
    ];
    expect(epochs[0]).toBeGreaterThan(small.summary.header.epoch);
    expect(epochs[1]).toBeGreaterThan(epochs[0] ?? Infinity);
    expect(await two.sql('SELECT epoch FROM instance')).toEqual([{ epoch: String(epochs[1]) }]);
  });

  it('bring a schema of before up to date', async () => {
    const old = await empty();
    await makeSchema0022(old);
    await old.sql(SMALL_ROWS);
    const file = await backups.make(old.connection);
    expect(file.summary.header.schema.at(-1)).toBe('ModelOptions1765411200000');
    const target = await empty();
    await backups.restore(file.file, target.connection);
    const { schema } = await picture(target);
    const made = schema.filter((line) => original.schema.includes(line) || !isOfKeptFunction(line));
    expect(made).toEqual(original.schema);
    expect(await target.sql('SELECT name FROM tenants')).toEqual([{ name: 'small' }]);
  });

  describe('a restore is refused, and no server starts on what it leaves', () => {
    let target: TestDatabase;
    beforeAll(async () => (target = await empty()));

    const refused = async (content: Buffer, why: RegExp): Promise<void> => {
      await expect(backups.restore(backups.made(content), target.connection)).rejects.toThrow(why);
      expect(await objects(target)).toEqual([]);
    };

    it('where the file is cut, at every block', async () => {
      const cuts = boundariesOf(small.content).slice(0, -1);
      expect(cuts.length).toBeGreaterThan(50);
      for (const at of cuts) await refused(small.content.subarray(0, at), /is cut short/);
      await expect(start(target)).rejects.toThrow(/did not come to its end: run npm run restore again/);
      await expect(backups.make(target.connection)).rejects.toThrow(/did not come to its end/);
    }, 600_000);

    it('where a byte of it is another', async () => {
      const bytes = fc.tuple(fc.integer({ min: 16, max: small.content.length - 1 }), fc.integer({ min: 1, max: 255 }));
      const check = async ([at, change]: [number, number]): Promise<void> => {
        const changed = Buffer.from(small.content);
        changed[at] = (changed[at] ?? 0) ^ change;
        await refused(changed, /is damaged|is cut short/);
      };
      await fc.assert(fc.asyncProperty(bytes, check), { numRuns: runs(40) });
    }, 600_000);

    it('where a newer release made it', async () => {
      const newer = await withHeader(small.file, backups.file(), (header) => ({
        ...header,
        release: '9.9.9',
        schema: [...header.schema, 'Future9999999999999'],
      }));
      await expect(backups.restore(newer, target.connection)).rejects.toThrow(
        /newer release \(9\.9\.9, its schema has Future9999999999999\)/,
      );
    });

    it('where its schema is older than any release', async () => {
      const older = await withHeader(small.file, backups.file(), (header) => ({
        ...header,
        schema: header.schema.slice(0, 9),
      }));
      await expect(backups.restore(older, target.connection)).rejects.toThrow(
        /made before the first release \(its schema ends with Notifications1764288000000\)/,
      );
      expect(await objects(target)).toEqual([]);
    });

    it('where the key that it needs is not here: nothing is opened', async () => {
      const openTarget = jest.fn();
      const takeKeys = (): Promise<never> => Promise.reject(new Error('no key'));
      await expect(backups.restore(small.file, {}, { openTarget, takeKeys })).rejects.toThrow('no key');
      expect(openTarget).not.toHaveBeenCalled();
    });

    it('and goes well on the same database with a good file', async () => {
      await backups.restore(small.file, target.connection);
      await start(target);
    });

    it('where the database is not empty, of which nothing is changed', async () => {
      const before = await picture(target);
      await expect(backups.restore(small.file, target.connection)).rejects.toThrow(/is not empty \(it holds \w+/);
      expect(await picture(target)).toEqual(before);
      const foreign = await empty();
      await foreign.sql('CREATE TABLE of_another (id int)');
      await expect(backups.restore(small.file, foreign.connection)).rejects.toThrow(/it holds of_another/);
      expect(await objects(foreign)).toEqual(['of_another']);
    });

    it('where a server runs', async () => {
      const taken = await empty();
      await expect(
        backups.restore(small.file, taken.connection, {
          onProgress: () => undefined,
          takeKeys: async () => {
            await taken.sql(`SELECT 1`);
            return () => backups.restore(small.file, taken.connection).then(() => undefined);
          },
        }),
      ).rejects.toThrow(/Another ChatAPI server runs on this database/);
    });
  });

  it('a restore that is cut short at any step is run again to its end', async () => {
    const target = await empty();
    let steps = 0;
    let isDone = false;
    for (let at = 1; !isDone; at += 7) {
      const stop = new AbortController();
      let told = 0;
      const onProgress = (): void => {
        if (++told === at) stop.abort(new Error('cut'));
      };
      await backups.restore(small.file, target.connection, { onProgress, signal: stop.signal }).then(
        () => (isDone = true),
        async (error: unknown) => {
          expect(String(error)).toMatch(/cut|terminated/);
          steps++;
          await expect(start(target)).rejects.toThrow(/did not come to its end/);
        },
      );
    }
    expect(steps).toBeGreaterThan(3);
    await start(target);
    expect((await picture(target)).schema).toEqual(original.schema);
  }, 600_000);

  it('one whose rows are in and whose end is missing goes on with its own file only', async () => {
    const target = await empty();
    const takeKeys = (): Promise<() => Promise<never>> => Promise.resolve(() => Promise.reject(new Error('cut')));
    await expect(backups.restore(small.file, target.connection, { takeKeys })).rejects.toThrow('cut');
    await expect(start(target)).rejects.toThrow(/did not come to its end/);
    await expect(backups.restore(made.file, target.connection)).rejects.toThrow(/Another backup was restored/);
    await expect(backups.restore(backups.made(small.content.subarray(0, -1)), target.connection)).rejects.toThrow(
      /is cut short/,
    );
    await expect(start(target)).rejects.toThrow(/did not come to its end/);
    await backups.restore(small.file, target.connection);
    await start(target);
  });

  describe('a backup is refused', () => {
    it('where the file exists, or cannot be made', async () => {
      const file = backups.file();
      writeFileSync(file, 'mine');
      await expect(backups.make(source.connection, { file })).rejects.toThrow(/exists already/);
      await expect(backups.make(source.connection, { file: '/nowhere/x' })).rejects.toThrow(
        /^Cannot write .*\(ENOENT\)$/,
      );
    });

    it('where it is cut short: there is no file then, and what one of before left is no hindrance', async () => {
      const file = backups.file();
      writeFileSync(`${file}.partial`, 'of a backup that was killed');
      const stop = new AbortController();
      const onProgress = (): void => stop.abort(new Error('cut'));
      await expect(backups.make(source.connection, { file, onProgress, signal: stop.signal })).rejects.toThrow('cut');
      expect(readdirSync(backups.dir).filter((name) => file.endsWith(name) || name.endsWith('.partial'))).toEqual([]);
    });

    it('where another one took its place: that one stays whole', async () => {
      const file = backups.file();
      let second: Promise<MadeBackup> | undefined;
      const onProgress = (): void => {
        second ??= backups.make(source.connection, { file });
      };
      // Whoever comes second takes the name from the first.
      const first = await backups.make(source.connection, { file, onProgress }).then(() => 'done', String);
      const other = await second?.then(() => 'done', String);
      expect([first, other].sort()).toEqual([
        expect.stringMatching(/Another backup writes|exists already|ENOENT/),
        'done',
      ]);
      await backups.restore(file, (await empty()).connection);
      expect(existsSync(`${file}.partial`)).toBe(false);
    });

    it('where the schema holds what it would leave out, or comes from a newer release', async () => {
      const odd = await own(createTestDatabase());
      const asOwner = (sql: string): Promise<unknown> => odd.sql(`SET ROLE ${LOGIN}; ${sql}; RESET ROLE`);
      for (const [make, what, undo] of [
        ['CREATE VIEW v AS SELECT 1', 'the view v', 'DROP VIEW v'],
        [`CREATE TYPE mood AS ENUM ('good')`, 'the type mood', 'DROP TYPE mood'],
        ['CREATE TABLE p (a int) PARTITION BY HASH (a)', 'the partitioned table p', 'DROP TABLE p'],
      ] as const) {
        await asOwner(make);
        await expect(backups.make(odd.connection)).rejects.toThrow(`The schema public holds ${what}`);
        await asOwner(undo);
      }
      await odd.sql('ALTER TABLE presets OWNER TO postgres');
      await expect(backups.make(odd.connection)).rejects.toThrow(
        'Tables belong to another role than "chatapi". Let an administrator run:\n' +
          '  ALTER TABLE "presets" OWNER TO "chatapi";',
      );
      await odd.sql(`ALTER TABLE presets OWNER TO ${LOGIN}`);
      await odd.sql(`INSERT INTO schema_migrations (timestamp, name) VALUES (9, 'Future9999999999999')`);
      await expect(backups.make(odd.connection)).rejects.toThrow(/newer schema .*Future9999999999999/);
    });

    it('where no server has run yet', async () => {
      await expect(backups.make((await empty()).connection)).rejects.toThrow(/This database is empty/);
    });
  });
});
