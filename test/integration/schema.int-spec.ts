import { BaseEntity, DataSource } from 'typeorm';
import { unopenedNest } from '../../src/docs/pages';
import { ScopedSource } from '../../src/platform/database/scoped-source';
import { createTestDatabase, type TestDatabase } from '../support/database';

/** Tables without an entity, each with its reason. */
const WITHOUT_ENTITY: Readonly<Record<string, string>> = {
  schema_migrations: "the migrator's own, which works before the entities are known",
  schema_functions: 'the same',
};
/**
 * What the comparison says of indexes and constraints: the entities do not declare them, since they never make the
 * schema; the catalogue test looks at those.
 */
const NOT_DECLARED = /^(DROP INDEX "public"\."\w+"|ALTER TABLE "\w+" DROP CONSTRAINT "\w+")$/;

describe('the entities that the modules register, and the schema', () => {
  let database: TestDatabase;
  let registered: DataSource;

  beforeAll(async () => {
    const nest = await unopenedNest();
    registered = nest.get(DataSource);
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  /** What TypeORM would change to make the database fit the entities. */
  async function differences(): Promise<string[]> {
    const entities = registered.entityMetadatas.map(({ target }) => target);
    const source = new DataSource({ type: 'postgres', extra: database.connection, entities, installExtensions: false });
    await source.initialize();
    try {
      const { upQueries } = await source.driver.createSchemaBuilder().log();
      return upQueries.map(({ query }) => query);
    } finally {
      await source.destroy();
    }
  }

  it('every table has an entity, or a reason for none', async () => {
    const rows = await database.sql<{ name: string }>(
      `SELECT relname AS name FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`,
    );
    const tables = registered.entityMetadatas.map(({ tableName }) => tableName);
    expect([...tables, ...Object.keys(WITHOUT_ENTITY)].sort()).toEqual(rows.map(({ name }) => name));
  });

  // A lazy relation that is read after its transaction rejects a promise that nobody has: TypeORM's own (RelationLoader).
  it('are rows and nothing else: no relations, listeners, subscribers or active records', () => {
    expect(registered).toBeInstanceOf(ScopedSource);
    expect(registered.subscribers).toEqual([]);
    for (const { tableName, relations, listeners, target } of registered.entityMetadatas)
      expect([
        tableName,
        relations,
        listeners,
        (target as { prototype: object }).prototype instanceof BaseEntity,
      ]).toEqual([tableName, [], [], false]);
  });

  it('agree in every column: name, type, length, nullability, default, collation and key', async () => {
    expect((await differences()).filter((query) => !NOT_DECLARED.test(query))).toEqual([]);
  });

  it.each([
    ['ALTER TABLE users ADD COLUMN nickname text', 'nickname'],
    ['ALTER TABLE room_members ALTER COLUMN role TYPE varchar(20)', 'role'],
    ['ALTER TABLE rooms ALTER COLUMN posting DROP DEFAULT', 'posting'],
    ['ALTER TABLE rooms ALTER COLUMN type DROP NOT NULL', 'type'],
    ['ALTER TABLE tenants DROP COLUMN limits', 'limits'],
    ['ALTER TABLE messages ALTER COLUMN created_at TYPE timestamptz(6)', 'created_at'],
  ])('the comparison notices: %s', async (change, column) => {
    await database.sql(change);
    const found = (await differences()).filter((query) => !NOT_DECLARED.test(query));
    expect(found.join('\n')).toContain(`"${column}"`);
  });
});
