import { connectionOf } from '../../src/platform/database';
import { migrate, type Release, thisRelease } from '../../src/platform/database/migrator';
import { createApp } from '../../src/app';
import { startTestApp, type TestApp } from '../support/app';
import { createRoom } from '../support/rooms';

const OURS = thisRelease();

/** The release after this one, as docs/versioning.md has it: it expands what this one uses, and changes a function. */
function next(minRelease?: string): Release {
  const expand = {
    name: '9999-next',
    sql: `ALTER TABLE messages ADD COLUMN mood text; ALTER TABLE rooms ADD COLUMN mood text NOT NULL DEFAULT 'calm';
      ALTER TABLE instance ADD COLUMN later text; CREATE TABLE later (tenant_id uuid PRIMARY KEY, n int)`,
  };
  const functions = OURS.files.functions.map((file) =>
    file.signature.startsWith('append_lookup(')
      ? { ...file, create: `${file.create}\n`, hash: 'of the next one' }
      : file,
  );
  const migrations = [...OURS.files.migrations, { ...expand, ...(minRelease === undefined ? {} : { minRelease }) }];
  return { version: '0.2.0', minRelease: OURS.minRelease, files: { ...OURS.files, functions, migrations } };
}

/** This release, started on a database that the other one has been on before. */
function startOn(release: Release): Promise<TestApp> {
  return startTestApp({
    start: async (config, log) => {
      const connection = connectionOf(config.database.url ?? '');
      await migrate({ connection, allowUnsafe: true, onProgress: () => undefined, release });
      return createApp(config, () => undefined, log);
    },
  });
}

describe('W11: a release that is started again when a newer one has migrated', () => {
  it('serves as before, and takes nothing back', async () => {
    const app = await startOn(next());
    try {
      const own = await app.tenant();
      const alice = own.as('alice');
      const room = await createRoom(alice, 'group', ['alice', 'bob']);
      const path = `/rooms/${room.room_id}/messages`;
      expect((await alice.post(path, { content: 'one' })).status).toBe(201);
      expect((await own.as('bob').get<{ content: string }[]>(path)).body.map(({ content }) => content)).toEqual([
        'one',
      ]);
      const [row] = await app.database.sql<{ hash: string; release: string }>(
        `SELECT hash, functions_release AS release FROM schema_functions, instance
         WHERE starts_with(signature, 'append_lookup(')`,
      );
      expect(row).toEqual({ hash: 'of the next one', release: '0.2.0' });
    } finally {
      await app.close();
    }
  });

  it('is refused in one line where a migration needs a newer one', async () => {
    await expect(startOn(next('0.2.0'))).rejects.toThrow(
      `The database is for release 0.2.0 and newer ones since 9999-next, this is ${OURS.version}: start a newer version`,
    );
  });
});
