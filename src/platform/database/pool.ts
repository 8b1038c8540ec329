import { type Client, type ClientConfig, type CustomTypesConfig, Pool, type PoolClient, types } from 'pg';
import { socketOf } from './guarded-client';
import { quote } from './migrations/0001/security';
import type { RoleNames } from './roles';

const { INT8, TIMESTAMPTZ } = types.builtins;
/** A frozen server never answers the goodbye. */
const GOODBYE_MS = 2000;

/** bigint comes as a JS number: seq and rev stay far below 2^53. */
const TYPES: CustomTypesConfig = {
  getTypeParser: (oid: Parameters<typeof types.getTypeParser>[0], format?: unknown) => {
    if (oid === INT8) return Number;
    const parse = types.getTypeParser(oid, format as 'text') as (value: string) => unknown;
    return oid === TIMESTAMPTZ ? remembering(parse as (value: string) => Date) : parse;
  },
};

/** The messages of a batch share their time, and reading one costs as much as the rest of a row. */
function remembering(parse: (value: string) => Date): (value: string) => Date {
  let text: string | undefined;
  let ms = 0;
  return (value) => {
    if (value !== text) {
      ms = parse(value).getTime();
      text = value;
    }
    return new Date(ms);
  };
}

export interface PoolOptions {
  readonly connection: ClientConfig;
  readonly size: number;
  /** For a free connection, and for a new one to be ready, in ms. */
  readonly waitMs: number;
  readonly roles: RoleNames;
}

/** The pool and its end. */
export interface OpenPool {
  readonly pool: Pool;
  /** Closes all connections; waits at most some seconds, also for a frozen server. */
  readonly close: () => Promise<void>;
}

/**
 * The pool. Every session begins as the tenant role without a tenant, which sees nothing: what forgets to set its
 * scope finds no row. Connections are pipelined: a transaction's frame and statement leave in one write.
 */
export function createPool(options: PoolOptions): OpenPool {
  const open = new Set<Client>();
  const pool = new Pool({
    ...options.connection,
    max: options.size,
    connectionTimeoutMillis: options.waitMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    pipeline: true,
    application_name: 'chatapi',
    types: TYPES,
    // The pool waits for it (pg-pool 3.14, index.js), though its types say void.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- see above: the promise is awaited
    onConnect: async (client) => {
      open.add(client as Client);
      client.once('end', () => open.delete(client as Client));
      await prepared(client as Client, sessionSql(options.roles), options.waitMs);
    },
  });
  // An idle connection that dies is no event: the pool drops it. Without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return { pool, close: () => closePool(pool, open) };
}

/**
 * A statement whose client has given up (deadline, crash, lost network) ends soon instead of waiting for its lock or
 * holding one; not every platform can check for that, and the session is as good without.
 */
function sessionSql(roles: RoleNames): string {
  return `SET TIME ZONE 'UTC'; SET idle_in_transaction_session_timeout = '30s';
    DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '1s', false);
      EXCEPTION WHEN invalid_parameter_value THEN NULL; END $$;
    SET ROLE ${quote(roles.tenant)}`;
}

/** The pool's own time-out ends when the connection stands; a server that freezes right then must not hold the slot. */
async function prepared(client: Client, sql: string, withinMs: number): Promise<void> {
  const cut = setTimeout(() => socketOf(client).destroy(), withinMs);
  try {
    await client.query(sql);
  } finally {
    clearTimeout(cut);
  }
}

async function closePool(pool: Pool, open: ReadonlySet<Client>): Promise<void> {
  const ended = [...open].map((client) => new Promise((resolve) => client.once('end', resolve)));
  let cut: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    cut = setTimeout(() => {
      for (const client of open) socketOf(client).destroy();
      resolve(undefined);
    }, GOODBYE_MS);
  });
  await Promise.race([Promise.all([pool.end(), ...ended]), late]);
  clearTimeout(cut);
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
