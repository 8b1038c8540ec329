import { randomUUID } from 'node:crypto';
import { LISTED_TYPES, type ListedRoom, type ListedType, RoomLists } from '../../src/modules/rooms';
import { RowsReadFixture } from '../support/rows-read-fixture';

/** Of each type; a page is to cost nothing of that. */
const ROOMS = 3000;
const PAGE = 20;
/** Of each of four types a page is read, and then the page's rows; a table of a few rows is read whole. */
const MOST_READ = 4 * 2 * PAGE + PAGE + 30;

describe('the rooms that an administrator lists', () => {
  let rows: RowsReadFixture;
  let lists: RoomLists;
  const other = randomUUID();

  beforeAll(async () => {
    rows = await RowsReadFixture.open();
    lists = new RoomLists(rows.database, rows.system);
    await rows.sql(`INSERT INTO tenants (tenant_id, name) SELECT $2::uuid, 'other' WHERE $1::uuid IS NOT NULL`, other);
    for (const tenantId of [rows.tenantId, other])
      await rows.sql(
        `INSERT INTO rooms (tenant_id, room_id, type, name, deleted_at)
         SELECT $2::uuid, gen_random_uuid(), t, CASE n % 3 WHEN 0 THEN 'Team ' || n WHEN 1 THEN 'other ' || n END,
           CASE WHEN n % 5 = 0 THEN now() END
         FROM unnest($3::text[]) t, generate_series(1, $4::int) n WHERE $1::uuid IS NOT NULL`,
        tenantId,
        LISTED_TYPES,
        ROOMS,
      );
    await rows.sql(
      `INSERT INTO rooms (tenant_id, room_id, type, name) SELECT $1::uuid, gen_random_uuid(), 'group', unnest($2::text[])`,
      ['Ärger', 'ärmel', 'arm', '100%', '100_', '1000', 'a\\b'],
    );
    await rows.analyze();
  });
  afterAll(() => rows.close());

  /** All rooms of the tenant that fit, as the database has them. */
  function fitting(where: string, order: string): Promise<object[]> {
    return rows.sql(
      `SELECT room_id FROM rooms WHERE tenant_id = $1 AND deleted_at IS NULL AND ${where} ORDER BY ${order}`,
    );
  }

  async function walk(type: ListedType | undefined): Promise<ListedRoom[]> {
    const found: ListedRoom[] = [];
    for (let more = true; more;) {
      const page = await lists.page(rows.tenantId, type, found.at(-1)?.room_id, 500);
      found.push(...page);
      more = page.length > 0;
    }
    return found;
  }

  it.each([undefined, ...LISTED_TYPES])('of type %s: each once, the newest first', async (type) => {
    const expected = await fitting(type === undefined ? 'true' : `type = '${type}'`, 'room_id DESC');
    expect((await walk(type)).map(({ room_id }) => ({ room_id }))).toEqual(expected);
    expect(expected.length).toBeGreaterThan(ROOMS / 2);
  });

  it.each([undefined, 'group'] as const)('by the beginning of their names, of type %s: each once', async (type) => {
    const found: Awaited<ReturnType<RoomLists['named']>> = [];
    for (let more = true; more;) {
      const last = found.at(-1);
      const after = last && ([last.key, last.room_id] as const);
      const page = await lists.named(rows.tenantId, 'tEAM 1', type, after, 300);
      found.push(...page);
      more = page.length > 0;
    }
    const expected = await fitting(
      `name ILIKE 'team 1%' AND ($1::uuid IS NULL OR ${type === undefined ? 'true' : `type = '${type}'`})`,
      'lower(name) COLLATE "C", room_id',
    );
    expect(found.map(({ room_id }) => ({ room_id }))).toEqual(expected);
    expect(found.every(({ room }) => room?.name?.startsWith('Team 1') === true)).toBe(true);
    expect(expected.length).toBeGreaterThan(100);
  });

  it.each([
    ['ÄR', ['Ärger', 'ärmel']],
    ['ar', ['arm']],
    ['100%', ['100%']],
    ['100_', ['100_']],
    ['100', ['100%', '1000', '100_']],
    ['a\\', ['a\\b']],
    ['%', []],
    ['nothing', []],
  ])('%s stands for itself', async (prefix, names) => {
    const found = await lists.named(rows.tenantId, prefix, undefined, undefined, 10);
    expect(found.map(({ room }) => room?.name)).toEqual(names);
  });

  it.each([
    ['all', () => lists.page(rows.tenantId, undefined, undefined, PAGE)],
    ['all, from the middle', () => lists.page(rows.tenantId, undefined, '80000000-0000-0000-0000-000000000000', PAGE)],
    ['of one type', () => lists.page(rows.tenantId, 'ai', undefined, PAGE)],
    ['by name', () => lists.named(rows.tenantId, 'team', undefined, undefined, PAGE)],
    ['by name, from the middle', () => lists.named(rows.tenantId, 'team', 'dm', ['team 2', randomUUID()], PAGE)],
    ['by a name that few have', () => lists.named(rows.tenantId, 'arm', undefined, undefined, PAGE)],
  ])('a page costs nothing of what is not on it: %s', async (_, page: () => Promise<unknown[]>) => {
    expect((await page()).length).toBeGreaterThan(0);
    expect(await rows.by(page)).toBeLessThanOrEqual(MOST_READ);
  });
});
