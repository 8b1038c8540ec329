import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource, getMetadataArgsStorage } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { tenantTables } from '../support/tables';

const SOURCE = join(__dirname, '..', '..', 'src');
/** Tables that are used by SQL only and have no entity, each with its reason. */
const WITHOUT_ENTITY: Readonly<Record<string, string>> = {
  jobs: 'written by functions of the schema, read by one repository',
  idempotency_keys: 'used by functions of the schema only',
  chats: 'changed by functions of the schema, read by one repository',
  runs: 'written by functions of the schema, read by one repository',
  run_chunks: 'written by a function of the schema, read by one repository',
  webhooks: 'used by one repository',
  webhook_deliveries: 'used by one repository',
  tenant_counts: 'kept by triggers, read by functions of the schema',
  tenant_count_deltas: 'kept by triggers',
  ws_tickets: 'written and purged by one repository, never read',
};
/**
 * What the comparison says of indexes and constraints: the entities do not declare them, since they never make the
 * schema; the catalogue test looks at those.
 */
const NOT_DECLARED = /^(DROP INDEX "public"\."\w+"|ALTER TABLE "\w+" DROP CONSTRAINT "\w+")$/;

type EntityClass = new () => object;

/** Every class that is an entity, found by its file: a new one cannot be forgotten here. */
function entityClasses(): EntityClass[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.entity.ts'),
  );
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the files are found at run time
  for (const file of files) require(join(SOURCE, file));
  return getMetadataArgsStorage().tables.map((table) => table.target as EntityClass);
}

describe('the entities and the schema', () => {
  const entities = entityClasses();
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  /** What TypeORM would change to make the database fit the entities. */
  async function differences(): Promise<string[]> {
    const source = new DataSource({ type: 'postgres', extra: database.connection, entities, installExtensions: false });
    await source.initialize();
    try {
      const { upQueries } = await source.driver.createSchemaBuilder().log();
      return upQueries.map(({ query }) => query);
    } finally {
      await source.destroy();
    }
  }

  it('every table of a tenant has an entity, or a reason for none', async () => {
    const tables = getMetadataArgsStorage().tables.map((table) => String(table.name));
    expect([...tables, ...Object.keys(WITHOUT_ENTITY)].sort()).toEqual(await tenantTables(database));
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
