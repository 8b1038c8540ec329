import { AppError } from '../../src/common/errors';
import { Availability, doubtMs } from '../../src/platform/database/availability';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/embedded/processes';
import { FreezableProxy } from '../support/freezable-proxy';
import { RecordingLog } from '../support/recording-log';
import { MAX_WAIT_MS } from '../support/timing';

const AWAY = 'database is away; answering 503 until it is back';

let database: TestDatabase;
let door: FreezableProxy;
let log: RecordingLog;
let availability: Availability;

beforeEach(async () => {
  database = await createTestDatabase();
  door = await FreezableProxy.inFrontOf(database.connection);
  log = new RecordingLog();
  availability = new Availability(door.connection, log);
});
afterEach(async () => {
  availability.stop();
  await door.close();
  await database.drop();
});

const decided = (): Promise<boolean> => eventually('the suspicion is over', () => !availability.suspected);

it('a suspicion that proves wrong changes nothing and says nothing', async () => {
  availability.suspect();
  expect([availability.up, availability.suspected]).toEqual([true, true]);
  expect(() => availability.check()).not.toThrow();
  await decided();
  expect(availability.up).toBe(true);
  expect(log.lines).toEqual([]);
});

it('a server that answers a probe late, within the patience that there is, is there', async () => {
  const patient = new Availability(door.connection, log, undefined, MAX_WAIT_MS);
  door.freeze();
  patient.suspect();
  await eventually('the probe is under way', () => door.accepted === 1);
  door.thaw();
  await eventually('the probe has its answer', () => !patient.suspected);
  expect([patient.up, log.lines]).toEqual([true, []]);
  patient.stop();
});

it.each([
  [100, 1000],
  [4000, 1000],
  [60_000, 15_000],
])('has a call of at most %i ms doubt the database after %i', (deadlineMs, afterMs) => {
  expect(doubtMs(deadlineMs)).toBe(afterMs);
});

it('tells of an outage once when it begins and once when it ends, however often it is suspected', async () => {
  for (let outage = 1; outage <= 2; outage++) {
    door.freeze();
    availability.suspect();
    await eventually('away', () => !availability.up);
    expect(() => availability.check()).toThrow(AppError);
    for (let i = 0; i < 100; i++) availability.suspect();
    door.thaw();
    await eventually('back', () => availability.up);
    await decided();
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual(
      Array.from({ length: outage }, () => [
        ['error', AWAY],
        ['info', 'database is back'],
      ]).flat(),
    );
  }
  expect(log.lines[0]?.fields).toEqual({ code: 'ETIMEDOUT' });
});

it('a frozen server collects no connections of probes', async () => {
  door.freeze();
  availability.suspect();
  await eventually('several probes', () => door.accepted >= 3);
  expect(door.open).toBeLessThanOrEqual(1);
});

it('a server that has no connection to spare is there', async () => {
  const { name, sql } = database;
  await sql(`ALTER DATABASE ${name} CONNECTION LIMIT 0`);
  availability.suspect();
  await decided();
  expect([availability.up, log.lines]).toEqual([true, []]);
});

describe('a server that answers and takes no writes', () => {
  /** What a new session may do; those that are open keep what they had. */
  const setReadOnly = async (isReadOnly: boolean): Promise<void> => {
    const { name, sql } = database;
    const change = isReadOnly ? 'SET default_transaction_read_only = on' : 'RESET default_transaction_read_only';
    await sql(`BEGIN READ WRITE; ALTER DATABASE ${name} ${change}; COMMIT`);
  };

  it('is away until it takes them again; then former connections are to be left', async () => {
    let told = 0;
    availability.onPrimaryBack(() => told++);
    for (let outage = 1; outage <= 2; outage++) {
      await setReadOnly(true);
      availability.suspect();
      await eventually('away', () => !availability.up);
      expect(() => availability.check()).toThrow(AppError);
      expect(told).toBe(outage - 1);
      await setReadOnly(false);
      await eventually('back', () => availability.up);
      expect(told).toBe(outage);
    }
    expect(log.lines.map(({ fields, message }) => ('code' in fields ? [fields.code, message] : message))).toEqual(
      Array.from({ length: 2 }, () => [
        ['25006', 'database takes no writes (a standby, or a former primary); answering 503 until it is back'],
        'database is back',
      ]).flat(),
    );
  });

  it('is told of as one outage with the one before it', async () => {
    let told = 0;
    availability.onPrimaryBack(() => told++);
    door.freeze();
    availability.suspect();
    await eventually('away', () => !availability.up);
    await setReadOnly(true);
    const probes = door.accepted;
    door.thaw();
    await eventually('it has answered', () => door.accepted > probes + 1);
    expect(availability.up).toBe(false);
    await setReadOnly(false);
    await eventually('back', () => availability.up);
    expect([told, log.lines.map(({ message }) => message)]).toEqual([1, [AWAY, 'database is back']]);
  });
});

it('stopped while it asks, it neither speaks nor asks again', async () => {
  door.freeze();
  availability.suspect();
  await eventually('the probe is under way', () => door.accepted === 1);
  availability.stop();
  await eventually('the probe has been given up', () => door.open === 0);
  expect([availability.suspected, log.lines, door.accepted]).toEqual([false, [], 1]);
  availability.suspect();
  expect(availability.suspected).toBe(false);
});
