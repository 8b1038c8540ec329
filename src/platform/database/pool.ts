import { type ClientConfig, type CustomTypesConfig, Pool, type PoolClient, types } from 'pg';
import type { Socket } from 'node:net';
import type { Log } from '../logging';
import { quote } from './migrations/0001/security';
import type { RoleNames } from './roles';

const INT8 = types.builtins.INT8;

/** bigint comes as a JS number: seq and rev stay far below 2^53. */
const NUMERIC_INT8: CustomTypesConfig = {
  getTypeParser: (oid: Parameters<typeof types.getTypeParser>[0], format?: unknown) =>
    oid === INT8 ? Number : (types.getTypeParser(oid, format as 'text') as (value: string) => unknown),
};

export interface PoolOptions {
  readonly connection: ClientConfig;
  readonly size: number;
  readonly waitMs: number;
  readonly roles: RoleNames;
  readonly log: Log;
}

/**
 * The pool. Every session begins as the tenant role without a tenant, which sees nothing: what forgets to set its
 * scope finds no row. Connections are pipelined: a transaction's frame and statement leave in one write.
 */
export function createPool(options: PoolOptions): Pool {
  const pool = new Pool({
    ...options.connection,
    max: options.size,
    connectionTimeoutMillis: options.waitMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    pipeline: true,
    application_name: 'chatapi',
    types: NUMERIC_INT8,
    // The pool waits for it (pg-pool 3.14, index.js), though its types say void.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- see above: the promise is awaited
    onConnect: async (client) => {
      await client.query(`SET TIME ZONE 'UTC'; SET ROLE ${quote(options.roles.tenant)}`);
    },
  });
  // An idle connection that dies is no event: the pool drops it. Without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

function socketOf(client: PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** Everything that `queue` sends leaves in one write. */
export function corked<T>(client: PoolClient, queue: () => T): T {
  const socket = socketOf(client);
  socket.cork();
  try {
    return queue();
  } finally {
    socket.uncork();
  }
}

/** Ends a connection whose state is in doubt, without waiting for a server that may be frozen. */
export function destroyClient(client: PoolClient): void {
  socketOf(client).destroy();
  client.release(true);
}
