import type { DatabaseConnection } from './connection';
import { codeOf, isServerError } from './errors';
import { GuardedClient } from './guarded-client';
import { DatabaseRefusal } from './refusal';

const TIMEOUT_MS = 5000;
/** Each is another chance for a pooler that hands out several sessions in turns to show itself. */
const ROUNDS = 5;
const GUARD = { applicationName: 'chatapi start', timeoutMs: TIMEOUT_MS } as const;
const PROTOCOL_VIOLATION = '08P01';

/**
 * Finds out what stands between the server and PostgreSQL. The server's lock, its roles and its prepared statements
 * live in sessions, so a pooler that gives one session to several clients is refused, before any of them is taken; one
 * that keeps a session for each client is good, and its connections are told to set up their sessions by statement.
 */
export async function throughPooler(connection: DatabaseConnection): Promise<DatabaseConnection> {
  const { client, isPooled } = await openFirst(connection);
  try {
    const own = await backendOf(client);
    if (!isPooled && client.processId === own) return connection;
    const pooled = { ...connection, isPooled: true };
    await refuseShared(pooled, client, own);
    return pooled;
  } finally {
    await client.close();
  }
}

async function openFirst(connection: DatabaseConnection): Promise<{ client: GuardedClient; isPooled: boolean }> {
  try {
    return { client: await GuardedClient.open(connection, GUARD), isPooled: false };
  } catch (error) {
    // "unsupported startup parameter: options", which PostgreSQL itself never says.
    if (!isServerError(error) || codeOf(error) !== PROTOCOL_VIOLATION) throw error;
    return { client: await GuardedClient.open({ ...connection, isPooled: true }, GUARD), isPooled: true };
  }
}

/** One client that changes its session between two statements, or two that have the same one. */
async function refuseShared(pooled: DatabaseConnection, first: GuardedClient, own: number): Promise<void> {
  const second = await GuardedClient.open(pooled, GUARD).catch((error: unknown) => {
    // A pooler that keeps sessions apart and has one alone to give lets the next client wait.
    if (codeOf(error) === 'ETIMEDOUT') return undefined;
    throw error;
  });
  if (second === undefined) return;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      // The first one twice in a row: two that take turns strictly may each meet "their" session of two again and again.
      const seen = [await backendOf(first), await backendOf(first), await backendOf(second)] as const;
      if (seen[0] !== own || seen[1] !== own || seen[2] === own) throw new DatabaseRefusal(SHARED);
    }
  } finally {
    await second.close();
  }
}

const SHARED =
  'DATABASE_URL leads to a connection pooler (PgBouncer?) that shares sessions between transactions: let it pool by session (pool_mode = session), or connect to PostgreSQL directly';

async function backendOf(client: GuardedClient): Promise<number> {
  const [row] = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return row?.pid ?? 0;
}
