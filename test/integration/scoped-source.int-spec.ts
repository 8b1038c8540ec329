import {
  BaseEntity,
  Column,
  type DataSource,
  Entity,
  type EntityManager,
  EventSubscriber,
  JoinColumn,
  type EntitySubscriberInterface,
  type LoadEvent,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  type QueryRunner,
  type Repository,
  type SelectQueryBuilder,
} from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner';
import { Database, SystemDatabase, type Transaction } from '../../src/platform/database';
import { roleNames } from '../../src/platform/database/roles';
import { ScopeError } from '../../src/platform/database/scoped-source';
import { MAX_WAIT_MS } from '../support/timing';
import { type RunnerFixture, startRunner } from '../support/runner-fixture';

@Entity('tenants')
class Tenant {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @Column('text')
  name!: string;

  @OneToMany('Preset', 'tenant')
  presets!: Promise<Preset[]>;
}

@Entity('presets')
class Preset {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  system_prompt!: string;

  @Column('integer')
  context_messages!: number;

  @ManyToOne('Tenant', 'presets')
  @JoinColumn({ name: 'tenant_id' })
  tenant!: Promise<Tenant>;
}

@Entity('users')
class ActiveUser extends BaseEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('text')
  user_id!: string;
}

/** Keeps what TypeORM gives to subscribers. */
@EventSubscriber()
class Spy implements EntitySubscriberInterface {
  static last: LoadEvent<object> | undefined;

  afterLoad(_: object, event?: LoadEvent<object>): void {
    Spy.last = event;
  }
}

const A = '0190aaaa-0000-7000-8000-00000000000a';
const B = '0190aaaa-0000-7000-8000-00000000000b';
const ROLES = roleNames('chatapi');
/** What a new preset needs. */
const VALUES = { system_prompt: '', context_messages: 1 };

/** The ways from a repository to a statement that is not the transaction's own. */
interface Inside {
  readonly tx: Transaction;
  readonly repository: Repository<Preset>;
  readonly manager: EntityManager;
  readonly runner: QueryRunner;
  readonly source: DataSource;
  readonly preset: Preset;
}
type Way<T> = readonly [name: string, take: (from: T) => unknown];

let site: RunnerFixture;
let database: Database;
let system: SystemDatabase;

beforeAll(async () => {
  site = await startRunner(2, MAX_WAIT_MS);
  await site.source.setOptions({ entities: [Tenant, Preset, ActiveUser], subscribers: [Spy] }).initialize();
  database = new Database(site.runner, ROLES, site.source);
  system = new SystemDatabase(site.runner, ROLES, site.source);
  for (const tenant of [A, B]) {
    await site.database.sql(`INSERT INTO tenants (tenant_id, name) VALUES ($1, 't')`, [tenant]);
    await site.database.sql(
      `INSERT INTO presets (tenant_id, name, system_prompt, context_messages) VALUES ($1, $2, '', 1)`,
      [tenant, tenant],
    );
    await site.database.sql(`INSERT INTO users (tenant_id, user_id) VALUES ($1, 'ann')`, [tenant]);
  }
});
afterAll(() => site.close());

/** The transaction that a statement runs in, whom it runs as and what it sees. */
async function where(tx: Transaction): Promise<object> {
  const [row] = await tx.query<{ xid: string; role: string; tenant: string }>(
    `SELECT pg_current_xact_id()::text AS xid, current_user::text AS role, current_setting('app.tenant') AS tenant`,
  );
  return row ?? {};
}

function inside<T>(work: (from: Inside) => Promise<T>): Promise<T> {
  return database.transaction('ways out', A, async (tx) => {
    const repository = tx.repository(Preset);
    const { manager } = repository;
    if (manager.queryRunner === undefined) throw new Error('a manager without a query runner');
    const preset = await repository.findOneByOrFail({ name: A });
    return work({ tx, repository, manager, runner: manager.queryRunner, source: manager.dataSource, preset });
  });
}

/** What a way led to: its rows' tenants, or the error that it was refused with. */
async function outcome(take: () => unknown): Promise<unknown> {
  try {
    const result = await take();
    const rows = Array.isArray(result) ? (result as unknown[]).flat() : [result];
    return [...new Set(rows.map((row) => (row as Preset).tenant_id))];
  } catch (error) {
    return error;
  }
}

const SELECT_ALL = 'SELECT tenant_id FROM presets';
/** All that needs no transaction to be reached. Each is refused. */
const UNSCOPED: Way<DataSource>[] = [
  ['the data source: query', (source) => source.query(SELECT_ALL)],
  ['the data source: sql', (source) => source.sql`SELECT tenant_id FROM presets`],
  ['the data source: query with a runner', (source) => source.query(SELECT_ALL, [], source.createQueryRunner())],
  ['the data source: transaction', (source) => source.transaction((manager) => manager.find(Preset))],
  ['the data source: createQueryRunner', (source) => source.createQueryRunner()],
  ['the data source: getRepository', (source) => source.getRepository(Preset).find()],
  ['the data source: createQueryBuilder', (source) => source.createQueryBuilder(Preset, 'p').getMany()],
  [
    'the data source: a builder that updates',
    (source) => source.createQueryBuilder().update(Preset).set(VALUES).execute(),
  ],
  ['the data source: createEntityManager', (source) => source.createEntityManager().find(Preset)],
  ['the data source: synchronize', (source) => source.synchronize()],
  ['the data source: dropDatabase', (source) => source.dropDatabase()],
  ['the data source: runMigrations', (source) => source.runMigrations()],
  ['the data source: showMigrations', (source) => source.showMigrations()],
  ['the default manager: find', (source) => source.manager.find(Preset)],
  ['the default manager: query', (source) => source.manager.query(SELECT_ALL)],
  ['the default manager: save', (source) => source.manager.save(Preset, { tenant_id: A, name: 'x', ...VALUES })],
  ['the default manager: insert', (source) => source.manager.insert(Preset, { tenant_id: A, name: 'x', ...VALUES })],
  ['the default manager: transaction', (source) => source.manager.transaction((manager) => manager.find(Preset))],
  ['the default manager: clear', (source) => source.manager.clear(Preset)],
  ['the driver: createQueryRunner', (source) => source.driver.createQueryRunner('master')],
  ['the driver: a connection', (source) => (source.driver as PostgresDriver).obtainMasterConnection()],
  ['the driver: a connection for reading', (source) => (source.driver as PostgresDriver).obtainSlaveConnection()],
  ['the driver: a schema builder', (source) => source.driver.createSchemaBuilder().build()],
  ['an active record: find', () => ActiveUser.find()],
  ['an active record: save', () => Object.assign(new ActiveUser(), { tenant_id: A, user_id: 'bob' }).save()],
  ['an active record: a builder', () => ActiveUser.createQueryBuilder('u').getMany()],
  [
    'a relation loader',
    (source) => source.relationLoader.load(lazy(source, Tenant), Object.assign(new Tenant(), { tenant_id: B })),
  ],
];
/** All that a repository in a transaction leads to besides. */
const INSIDE: Way<Inside>[] = [
  ...UNSCOPED.map(([name, take]): Way<Inside> => [`manager.connection → ${name}`, ({ source }) => take(source)]),
  ['manager.transaction', ({ manager }) => manager.transaction((other) => other.find(Preset))],
  ['manager.transaction at another level', ({ manager }) => manager.transaction('SERIALIZABLE', (m) => m.find(Preset))],
  ['manager.release', ({ manager }) => manager.release()],
  ['manager.clear', ({ manager }) => manager.clear(Preset)],
  ['repository.clear', ({ repository }) => repository.clear()],
  ['repository.preload', ({ repository }) => repository.preload({ tenant_id: B, name: B })],
  ...[
    ...['BEGIN', 'COMMIT', 'ROLLBACK', 'END', 'ABORT', 'SAVEPOINT x', 'RESET ROLE', `SET ROLE ${ROLES.system}`],
    ...[
      `SET LOCAL app.tenant = '${B}'`,
      'DISCARD ALL',
      'TRUNCATE presets',
      'CALL x()',
      'DO $$ BEGIN END $$',
      '--\nCOMMIT',
    ],
  ].map((text): Way<Inside> => [`query: ${text}`, ({ repository }) => repository.query(text)]),
];
/** What stays in the transaction, however it is reached: it sees the rows of its tenant. */
const SCOPED: Way<Inside>[] = [
  ['repository.find', ({ repository }) => repository.find()],
  ['repository.query', ({ repository }) => repository.query(SELECT_ALL)],
  ['repository.createQueryBuilder', ({ repository }) => repository.createQueryBuilder().getMany()],
  ['repository.manager.find', ({ repository }) => repository.manager.find(Preset)],
  ['manager.getRepository', ({ manager }) => manager.getRepository(Tenant).find()],
  ['manager.withRepository', ({ manager, source }) => manager.withRepository(source.getRepository(Preset)).find()],
  ['manager.query', ({ manager }) => manager.query(SELECT_ALL)],
  ['manager.createQueryBuilder', ({ manager }) => manager.createQueryBuilder(Preset, 'p').getMany()],
  ['runner.query', ({ runner }) => runner.query(SELECT_ALL)],
  ['runner.manager', ({ runner }) => runner.manager.find(Preset)],
  ['the data source with the runner', ({ source, runner }) => source.query(SELECT_ALL, [], runner)],
  ['a builder for another tenant', ({ repository }) => repository.createQueryBuilder('p').where('1 = 1').getMany()],
  ['a builder with a transaction of its own', ({ repository }) => withTransaction(repository.createQueryBuilder('p'))],
  ['a lazy relation', ({ preset }) => preset.tenant],
  ['a lazy relation and back', async ({ preset }) => (await preset.tenant).presets],
  ['a subscriber', () => Spy.last?.manager.find(Preset)],
  ['rows with and without a lock', ({ repository }) => repository.find({ lock: { mode: 'for_no_key_update' } })],
];

function lazy(source: DataSource, entity: new () => object): Parameters<DataSource['relationLoader']['load']>[0] {
  const [relation] = source.getMetadata(entity).relations;
  if (relation?.isLazy !== true) throw new Error('no lazy relation');
  return relation;
}

function withTransaction(builder: SelectQueryBuilder<Preset>): Promise<Preset[]> {
  builder.expressionMap.useTransaction = true;
  return builder.getMany();
}

describe('without a scope', () => {
  it.each(UNSCOPED)('%s is refused', async (_, take) => {
    expect(await outcome(() => take(site.source))).toBeInstanceOf(ScopeError);
  });

  it('no connection was opened beside the pool', async () => {
    await database.repository(Preset, A).find();
    const rows = await site.database.sql<{ name: string }>(
      `SELECT DISTINCT application_name AS name FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    expect(rows).toEqual([{ name: 'chatapi' }]);
  });
});

describe('inside of a transaction', () => {
  it.each(INSIDE)('%s is refused, and the transaction goes on', async (_, take) => {
    await inside(async (from) => {
      const before = await where(from.tx);
      expect(await outcome(() => take(from))).toBeInstanceOf(ScopeError);
      expect(await where(from.tx)).toEqual(before);
    });
  });

  it.each(SCOPED)('%s sees the rows of its tenant', async (_, take) => {
    await inside(async (from) => {
      const before = await where(from.tx);
      expect(await outcome(() => take(from))).toEqual([A]);
      expect(await where(from.tx)).toEqual(before);
    });
  });

  it.each(runnerMethods())('the method %s of the query runner changes neither transaction nor scope', async (name) => {
    await inside(async ({ tx, runner }) => {
      const before = await where(tx);
      const method = Reflect.get(runner, name) as (...args: unknown[]) => unknown;
      await outcome(() => method.call(runner, '{presets}', '{presets}', '{presets}'));
      expect(runner.isTransactionActive).toBe(true);
      expect(await where(tx)).toEqual(before);
    });
  });

  it.each(['SELECT 1; COMMIT', `SELECT 1; SET ROLE ${ROLES.system}`])(
    'two statements in one are refused: %s',
    async (text) => {
      const row = { tenant_id: A, name: 'never', ...VALUES };
      const call = inside(async ({ repository }) => {
        await repository.insert(row);
        await repository.query(text);
      });
      await expect(call).rejects.toMatchObject({ code: '42601' });
      expect(await database.repository(Preset, A).existsBy({ name: row.name })).toBe(false);
    },
  );

  it('save neither begins nor commits', async () => {
    const call = inside(async ({ tx, repository }) => {
      const before = await where(tx);
      await repository.save({ tenant_id: A, name: 'never', ...VALUES });
      await repository.remove(await repository.findOneByOrFail({ name: A }));
      expect(await where(tx)).toEqual(before);
      throw new Error('taken back');
    });
    await expect(call).rejects.toThrow('taken back');
    expect((await database.repository(Preset, A).find()).map(({ name }) => name)).toEqual([A]);
  });

  it(`another tenant's rows can be neither written nor given`, async () => {
    const foreign = { tenant_id: B, name: 'theirs', ...VALUES };
    await expect(inside(({ repository }) => repository.insert(foreign))).rejects.toMatchObject({ code: '42501' });
    await inside(async ({ repository }) => {
      expect((await repository.update({ tenant_id: B }, { system_prompt: 'mine' })).affected).toBe(0);
      expect((await repository.delete({ tenant_id: B })).affected).toBe(0);
    });
  });

  it('is run again after a deadlock, with repositories of its own', async () => {
    const seen: Repository<Preset>[] = [];
    await database.transaction('retried', A, async (tx) => {
      seen.push(tx.repository(Preset));
      if (seen.length === 1) throw Object.assign(new Error('deadlock'), { code: '40P01' });
    });
    expect(seen[0]).not.toBe(seen[1]);
    expect(seen).toHaveLength(2);
  });
});

describe('after the end of its transaction', () => {
  const ended = async (): Promise<Inside & { readonly builder: SelectQueryBuilder<Preset> }> =>
    inside(async (from) => ({ ...from, builder: from.repository.createQueryBuilder('p') }));

  it.each<Way<Awaited<ReturnType<typeof ended>>>>([
    ['a repository', ({ repository }) => repository.find()],
    ['its insert', ({ repository }) => repository.insert({ tenant_id: A, name: 'late', ...VALUES })],
    ['its save', ({ repository }) => repository.save({ tenant_id: A, name: 'late', ...VALUES })],
    ['its query', ({ repository }) => repository.query(SELECT_ALL)],
    ['a manager', ({ manager }) => manager.find(Preset)],
    ['a query runner', ({ runner }) => runner.query(SELECT_ALL)],
    ['a builder', ({ builder }) => builder.getMany()],
    // What the getter does; of its promise TypeORM makes a second one, whose rejection nobody hears: see schema.int-spec.
    [
      'a lazy relation',
      ({ source, runner, preset }) => source.relationLoader.load(lazy(source, Preset), preset, runner),
    ],
    ['a subscriber', () => Spy.last?.manager.find(Preset)],
    ['a repository that is made then', ({ tx }) => tx.repository(Preset).find()],
    ['its SQL', ({ tx }) => tx.query(SELECT_ALL)],
  ])('%s is refused', async (_, take) => {
    const from = await ended();
    expect(from.runner.isReleased).toBe(true);
    expect(await outcome(() => take(from))).toBeInstanceOf(Error);
    expect(await database.repository(Preset, A).countBy({})).toBe(1);
  });
});

describe('a repository of one statement a call', () => {
  const all = (): Repository<Preset> => database.repository(Preset, A) as Repository<Preset>;

  it('sees the rows of its tenant, and the system role those of all', async () => {
    expect(await outcome(() => database.repository(Preset, A).find())).toEqual([A]);
    expect(await outcome(() => database.repository(Preset, B).find({ where: { tenant_id: A } }))).toEqual([]);
    expect((await system.repository(Tenant).find({ order: { tenant_id: 'ASC' } })).map((t) => t.tenant_id)).toEqual([
      A,
      B,
    ]);
  });

  it('gives what the database has made of a row', async () => {
    await database.repository(ActiveUser, A).insert({ tenant_id: A, user_id: 'eve' });
    expect((await database.repository(ActiveUser, A).delete({ user_id: 'eve' })).affected).toBe(1);
  });

  it.each<Way<Repository<Preset>>>([
    ['save', (repository) => repository.save({ tenant_id: A, name: 'x', ...VALUES })],
    ['remove', (repository) => repository.remove(Object.assign(new Preset(), { tenant_id: A, name: A }))],
    ['a transaction', (repository) => repository.manager.transaction((manager) => manager.find(Preset))],
    ['the data source', (repository) => repository.manager.dataSource.query(SELECT_ALL)],
    ['a lock', (repository) => repository.find({ lock: { mode: 'for_no_key_update' } })],
    ['a setting', (repository) => repository.query('RESET ROLE')],
  ])('%s is refused', async (_, take) => {
    expect(await outcome(() => take(all()))).toBeInstanceOf(Error);
    expect(await database.repository(Preset, A).countBy({})).toBe(1);
  });

  it('an entity that no module has registered is refused', () => {
    class Stranger {}
    expect(() => database.repository(Stranger, A)).toThrow('No metadata');
  });
});

/** Every method that the query runner has, so that those of a later TypeORM are walked too. */
function runnerMethods(): string[] {
  const names = new Set<string>();
  for (
    let of: object | null = PostgresQueryRunner.prototype;
    of && of !== Object.prototype;
    of = Reflect.getPrototypeOf(of)
  )
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(of)))
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
  return [...names];
}
