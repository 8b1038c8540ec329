import { DeadLettersRepository } from '../../src/modules/delivery/dead-letters/dead-letters.repository';
import { DeliveryRepository } from '../../src/modules/delivery/delivery.repository';
import { MessageFacts } from '../../src/modules/messages';
import { RoomLists } from '../../src/modules/rooms';
import { TenantsRepository } from '../../src/modules/tenants/tenants.repository';
import type { WebhookRows } from '../../src/modules/tenants';
import { RowsReadFixture } from '../support/rows-read-fixture';

const PAGE = 20;
/** Beyond the page itself; a table of a few rows is read whole. */
const AROUND = 15;
const [MESSAGES, MEMBERS, ROOMS, USERS] = [5000, 3000, 1500, 5000];

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(5, '0')}`);

describe('what a look of an administrator reads', () => {
  let rows: RowsReadFixture;
  let lists: RoomLists;
  let users: TenantsRepository;
  let facts: MessageFacts;
  let letters: DeadLettersRepository;
  let cursors: DeliveryRepository;
  let crowded: string;
  let long: string;
  const crowd = names('member-', MEMBERS);

  beforeAll(async () => {
    rows = await RowsReadFixture.open();
    const { database, system } = rows;
    lists = new RoomLists(database, system);
    users = new TenantsRepository(database, system, {} as WebhookRows);
    facts = new MessageFacts(database);
    letters = new DeadLettersRepository(database, system);
    cursors = new DeliveryRepository(database, system);
    await rows.sql('INSERT INTO users (tenant_id, user_id) SELECT $1, unnest($2::text[])', names('user-', USERS));
    crowded = await rows.room(crowd, 3);
    long = await rows.room(['alice', 'bob'], MESSAGES);
    await rows.rooms(ROOMS, ['carol'], 10);
    await rows.sql(
      `INSERT INTO cursors (tenant_id, room_id, user_id, acked_seq) SELECT $1, $2::uuid, unnest($3::text[]), 1`,
      crowded,
      crowd,
    );
    // Of each member many, so that one of them is to be found.
    await rows.sql(
      `INSERT INTO dead_letters (tenant_id, room_id, user_id, from_seq, to_seq, letter_no, attempts, last_attempt_at, error)
       SELECT $1, $2::uuid, u, 10 * n + 1, 10 * n + 3, 1000 * o + n, 5, now(), 'ack timeout'
       FROM unnest($3::text[]) WITH ORDINALITY m(u, o), generate_series(0, 99) n`,
      crowded,
      crowd.slice(0, 50),
    );
    await rows.analyze();
  });
  afterAll(() => rows.close());

  /** Ids that no room of the fixture has. */
  const MIDDLE = '80000000-0000-0000-0000-000000000000';

  it.each([
    ['users, from the beginning', PAGE, 1, () => users.usersAfter(rows.tenantId, '', '', PAGE)],
    ['users, from the middle', PAGE, 1, () => users.usersAfter(rows.tenantId, '', 'user-02500', PAGE)],
    ['users by prefix', PAGE, 1, () => users.usersAfter(rows.tenantId, 'user-03', '', PAGE)],
    ['users by prefix, from the middle', PAGE, 1, () => users.usersAfter(rows.tenantId, 'user-', 'user-03', PAGE)],
    ['members of a crowd', PAGE, 1, () => lists.membersAfter(rows.tenantId, crowded, 1500, PAGE)],
    ['their positions', PAGE, 1, () => cursors.cursorsIn(rows.tenantId, crowded, crowd.slice(0, PAGE))],
    ['rooms of a user who has many', PAGE, 2, () => lists.memberships(rows.tenantId, 'carol', MIDDLE, PAGE)],
    ['a room', 1, 1, () => lists.find(rows.tenantId, long).then((room) => [room])],
    ['the newest messages', PAGE, 1, () => facts.newest(rows.tenantId, long, PAGE)],
    ['letters of a message', PAGE, 1, () => letters.ofMessage(rows.tenantId, crowded, 502, crowd.slice(0, PAGE))],
  ])('%s', async (_, found, each, look: () => Promise<unknown[]>) => {
    expect(await look()).toHaveLength(found);
    expect(await rows.by(look)).toBeLessThanOrEqual(found * each + AROUND);
  });

  it('of letters is the one that holds the message, and no other', async () => {
    const of = async (seq: number): Promise<string[]> =>
      (await letters.ofMessage(rows.tenantId, crowded, seq, crowd.slice(0, 2))).map(({ user_id }) => user_id);
    expect(await Promise.all([500, 501, 503, 504].map(of))).toEqual([[], crowd.slice(0, 2), crowd.slice(0, 2), []]);
  });

  it('for the newest messages of a sender is bounded, whoever says most in the room', async () => {
    const REACH = 200;
    const newest = () => facts.newestBy(rows.tenantId, 'bob', [long], { reach: REACH, limit: 50 });
    expect(await newest()).toEqual([]);
    expect(await rows.by(newest)).toBeLessThanOrEqual(REACH + AROUND);
  });

  it('for the rooms in which something was said last is bounded by the memberships', async () => {
    const busiest = () => lists.busiest(rows.tenantId, 'carol', 50);
    expect(await busiest()).toHaveLength(50);
    expect(await rows.by(busiest)).toBeLessThanOrEqual(2 * 1000 + AROUND);
  });
});
