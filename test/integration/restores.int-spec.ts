import { createTestDatabase, type TestDatabase } from '../support/database';
import { RoomFunctions } from '../support/room-functions';

describe('S1: raise_epoch', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  const raise = async (seen: number | null = null): Promise<number> => {
    const [row] = await database.sql<{ epoch: string }>('SELECT raise_epoch($1) AS epoch', [seen]);
    return Number(row?.epoch);
  };
  const epoch = async (): Promise<number> =>
    Number((await database.sql<{ epoch: string }>('SELECT epoch FROM instance'))[0]?.epoch);
  const clock = async (): Promise<number> =>
    Number((await database.sql<{ s: string }>('SELECT floor(extract(epoch FROM clock_timestamp())) AS s'))[0]?.s);
  const put = (value: number): Promise<object[]> => database.sql('UPDATE instance SET epoch = $1', [value]);

  it('takes the seconds of the database’s clock', async () => {
    const before = await clock();
    const raised = await raise();
    expect(raised).toBeGreaterThanOrEqual(before);
    expect(raised).toBeLessThanOrEqual(await clock());
    expect(await epoch()).toBe(raised);
  });

  it('goes on by one where the clock is behind', async () => {
    const ahead = (await clock()) + 1_000_000;
    await put(ahead);
    expect(await raise()).toBe(ahead + 1);
  });

  it('gives another epoch to the same backup each time that it is restored, however fast', async () => {
    const epochs: number[] = [];
    for (let i = 0; i < 3; i++) {
      await put(1);
      epochs.push(await raise());
    }
    expect(new Set(epochs).size).toBe(3);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
  });

  it('changes nothing where another one is in force already than the one that was found wrong', async () => {
    const raised = await raise(1);
    expect(await raise(1)).toBe(raised);
    expect(await epoch()).toBe(raised);
    const [one, two] = await Promise.all([raise(raised), raise(raised)]);
    expect(one).toBe(two);
    expect(one).toBeGreaterThan(raised);
  });
});

describe('S1: room_trim', () => {
  let rooms: RoomFunctions;
  let room: string;

  beforeAll(async () => {
    rooms = await RoomFunctions.open();
  });
  beforeEach(async () => {
    room = await rooms.create('group', [{ user_id: 'ann', role: 'admin' }]);
    await rooms.write(room, 5);
  });
  afterAll(() => rooms.close());

  it('moves where the log begins, deletes what lies before, and tells it as a change', async () => {
    expect(await rooms.trim(room, 4)).toEqual({ status: 'ok', first_seq: 4, rev: 6 });
    const state = await rooms.state(room);
    expect(state.events).toEqual([{ rev: 6, type: 'room.trimmed', payload: { first_seq: 4 } }]);
    expect(state.last_rev).toBe(6);
    expect(await rooms.seqs(room)).toEqual([4, 5]);
  });

  it.each([
    ['what it has already', 1, { status: 'unchanged', first_seq: 1 }, [1, 2, 3, 4, 5]],
    ['less than nothing', -3, { status: 'unchanged', first_seq: 1 }, [1, 2, 3, 4, 5]],
    ['more than there is', 99, { status: 'ok', first_seq: 6, rev: 6 }, []],
  ])('of %s', async (_, to, answer, left) => {
    expect(await rooms.trim(room, to)).toEqual(answer);
    expect(await rooms.seqs(room)).toEqual(left);
  });

  it('of a room that is gone', async () => {
    await rooms.delete(room, 'ann');
    expect(await rooms.trim(room, 3)).toEqual({ status: 'no_room' });
  });
});
