import type { ClientConfig } from 'pg';
import { ServerLock } from '../../src/platform/database/server-lock';
import { SilentLog } from '../../src/platform/logging';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually, kill } from '../support/embedded/processes';
import { FreezableProxy } from '../support/freezable-proxy';

let database: TestDatabase;
let events: string[];
let locks: ServerLock[];

beforeEach(async () => {
  database = await createTestDatabase();
  events = [];
  locks = [];
});
afterEach(async () => {
  await Promise.all(locks.map((lock) => lock.release()));
  await database.drop();
});

function lockOn(connection: ClientConfig, isShared = false): ServerLock {
  const told = { onDoubt: () => events.push('doubt'), onTaken: () => events.push('taken') };
  const lock = new ServerLock(connection, new SilentLog(), told, { isShared });
  locks.push(lock);
  return lock;
}

async function holders(): Promise<{ pid: number; name: string }[]> {
  return database.sql(
    `SELECT a.pid, a.application_name AS name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()`,
  );
}

async function endHolder(): Promise<number> {
  const [holder] = await holders();
  await database.sql(`SELECT pg_terminate_backend(${holder?.pid ?? 0}, 5000)`);
  return holder?.pid ?? 0;
}

it('keeps a second server out, and lets it in after the first', async () => {
  const first = lockOn(database.connection);
  await first.acquire();
  await expect(lockOn(database.connection).acquire()).rejects.toThrow('Another ChatAPI server runs on this database');
  await first.release();
  await lockOn(database.connection).acquire();
  expect(await holders()).toHaveLength(1);
});

describe('of servers that share a database (REDIS_URL)', () => {
  const shared = (): ServerLock => lockOn(database.connection, true);

  it('is had by all of them, and by none that is alone until the last has gone', async () => {
    const [one, two] = [shared(), shared()];
    await Promise.all([one.acquire(), two.acquire()]);
    expect(await holders()).toHaveLength(2);
    const refused = 'Servers with REDIS_URL run on this database';
    await expect(lockOn(database.connection).acquire()).rejects.toThrow(refused);
    await one.release();
    await expect(lockOn(database.connection).acquire()).rejects.toThrow(refused);
    await two.release();
    await lockOn(database.connection).acquire();
  });

  it('keeps them out while one has it that is alone', async () => {
    await lockOn(database.connection).acquire();
    await expect(shared().acquire()).rejects.toThrow('Another server runs without REDIS_URL on this database');
  });

  it('is taken again by one that has lost its connection, beside the others', async () => {
    await Promise.all([shared().acquire(), shared().acquire()]);
    const pid = await endHolder();
    await eventually('both have it again', async () => {
      const all = await holders();
      return all.length === 2 && all.every((holder) => holder.pid !== pid);
    });
    expect(events).toEqual(['doubt']);
  });

  it('says so when one that is alone has it by then', async () => {
    await shared().acquire();
    const thief = await database.connect();
    const stolen = thief.query('SELECT pg_advisory_lock(4711002)');
    await endHolder();
    await stolen;
    await eventually('the take-over is noticed', () => events.includes('taken'));
    await thief.end();
  });
});

it('waits a moment for the session of a server that was killed just now', async () => {
  const killed = await database.connect();
  await killed.query('SELECT pg_advisory_lock(4711002)');
  const successor = lockOn(database.connection).acquire();
  await eventually('the successor tries', async () => {
    const tries = await database.sql(`SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'chatapi server %'`);
    return tries.length > 0;
  });
  await killed.end();
  await successor;
  expect(await holders()).toEqual([{ pid: expect.any(Number), name: expect.stringMatching(/^chatapi server /) }]);
});

it('is taken again when its connection is lost', async () => {
  await lockOn(database.connection).acquire();
  const pid = await endHolder();
  await eventually('another session has it', async () => {
    const [holder] = await holders();
    return holder !== undefined && holder.pid !== pid;
  });
  expect(events).toEqual(['doubt']);
});

it('is not taken again on a server that takes no writes, and is as soon as there is another one', async () => {
  const { name, sql } = database;
  const proxy = await FreezableProxy.inFrontOf(database.connection);
  await lockOn(proxy.connection).acquire();
  await sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await endHolder();
  const tries = proxy.accepted;
  await eventually('it tries again and again', () => proxy.accepted > tries + 1);
  expect(await holders()).toEqual([]);
  await sql(`BEGIN READ WRITE; ALTER DATABASE ${name} RESET default_transaction_read_only; COMMIT`);
  await eventually('it is taken', async () => (await holders()).length === 1);
  expect(events).not.toContain('taken');
  await proxy.close();
});

it('is given up where its server has become one that takes no writes', async () => {
  // As a primary is turned into a standby under the session that it has: set for it alone, by its own start-up packet.
  const readOnly = { ...database.connection, options: '-c default_transaction_read_only=on' };
  await lockOn(readOnly).acquire();
  await eventually('doubt', () => events.includes('doubt'));
  await eventually('nobody has it', async () => (await holders()).length === 0);
  expect(events).not.toContain('taken');
});

it('says once that it was taken over', async () => {
  await lockOn(database.connection).acquire();
  const thief = await database.connect();
  const stolen = thief.query('SELECT pg_advisory_lock(4711002)');
  await endHolder();
  await stolen;
  await eventually('the take-over is noticed', () => events.includes('taken'));
  expect(events).toEqual(['doubt', 'taken']);
  await thief.end();
});

it('ends its own session that a lost network has left behind, instead of giving up', async () => {
  const proxy = await FreezableProxy.inFrontOf(database.connection);
  await lockOn(proxy.connection).acquire();
  const [before] = await holders();
  // Both ends keep their halves: PostgreSQL believes in the old session, whose lock is held.
  proxy.cut();
  await eventually('a new session has the lock', async () => {
    const [holder] = await holders();
    return holder !== undefined && holder.pid !== before?.pid;
  });
  expect(events).not.toContain('taken');
  await proxy.close();
});

it('waits for its own lost session when that cannot be ended', async () => {
  const proxy = await FreezableProxy.inFrontOf(database.connection);
  await lockOn(proxy.connection).acquire();
  const pids = (await holders()).map(({ pid }) => pid);
  kill(pids, 'SIGSTOP');
  try {
    proxy.cut();
    await eventually('it tries twice', () => proxy.accepted > 2);
  } finally {
    kill(pids, 'SIGCONT');
  }
  await eventually('a new session has the lock', async () => (await holders()).some(({ pid }) => !pids.includes(pid)));
  expect(events).not.toContain('taken');
  await proxy.close();
});

it('doubts a connection that no longer answers, and leaves it', async () => {
  const proxy = await FreezableProxy.inFrontOf(database.connection);
  await lockOn(proxy.connection).acquire();
  proxy.freeze();
  await eventually('doubt', () => events.includes('doubt'));
  proxy.thaw();
  await eventually('a holder', async () => (await holders()).length === 1);
  expect(events).not.toContain('taken');
  await proxy.close();
});

it('neither taking nor releasing it waits for a server that never answers', async () => {
  const proxy = await FreezableProxy.inFrontOf(database.connection);
  const lock = lockOn(proxy.connection);
  await lock.acquire();
  proxy.freeze();
  await expect(lockOn(proxy.connection).acquire()).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  await lock.release();
  await proxy.close();
});
