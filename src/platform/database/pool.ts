/** Connections to PostgreSQL: the pool of all calls, and single ones whose every step has a deadline. */
import type { Socket } from 'node:net';
import { Client, type CustomTypesConfig, Pool, type PoolClient, type QueryResultRow, types } from 'pg';
import type { Log } from '../logging';
import { type DatabaseConnection, sessionSql, withSession } from './connection';
import { codeOf, isOutOfConnections } from './errors';
import { type DatabaseServer, readServer } from './failover/database-server';
import { quote, type RoleNames } from './roles';

const { INT8, TIMESTAMPTZ } = types.builtins;
/** A frozen server never answers the goodbye. */
const GOODBYE_MS = 2000;
/** Where fewer connections are granted than were asked for: when all are asked for again. */
const GROW_AGAIN_MS = 30_000;
const ALONE_MS = 100;
/** read_only_sql_transaction, as a write would say it: what such a server tells readers may be of yesterday. */
const REFUSE_READ_ONLY = `DO $$ BEGIN
  IF pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN RAISE read_only_sql_transaction; END IF;
END $$;`;
const TELL_MS = 500;

/** bigint comes as a JS number: seq and rev stay far below 2^53. */
export const TYPES: CustomTypesConfig = {
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
  readonly connection: DatabaseConnection;
  readonly size: number;
  /** For a free connection, and for a new one to be ready, in ms. */
  readonly waitMs: number;
  readonly roles: RoleNames;
  readonly log: Log;
  /**
   * Asked of each new connection, which is used when this resolves and closed where it rejects; undefined for the server
   * is a standby. Default: no connection is asked where it leads.
   */
  readonly admit?: ((server: DatabaseServer | undefined) => Promise<void>) | undefined;
}

export interface PoolLevels {
  readonly inUse: number;
  readonly size: number;
  readonly waiting: number;
}

/** The pool and its end. */
export interface OpenPool {
  /** A connection; where no further one is to be had, one of those that are open, as soon as it is free. */
  readonly connect: (until: number) => Promise<PoolClient>;
  /** None that is open now is given out any more; those in use end with their call. */
  readonly renew: () => void;
  /** Connections that work now, the most that there may be, and calls that wait for one. */
  readonly levels: () => PoolLevels;
  /** Cuts the connections that were admitted so far; new ones take their places. */
  readonly leave: () => void;
  /** Closes all connections; waits at most some seconds, also for a frozen server. */
  readonly close: () => Promise<void>;
}

/**
 * The pool. Every session begins as the tenant role without a tenant, which sees nothing: what forgets to set its
 * scope finds no row, and none is to a server that takes no writes. Connections are pipelined: a transaction's frame and
 * statement leave in one write.
 */
export function createPool(options: PoolOptions): OpenPool {
  const open = new Set<Client>();
  const admitted = new Set<Client>();
  const pool: Pool = new Pool({
    ...withSession(options.connection),
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
      client.once('end', () => {
        open.delete(client as Client);
        admitted.delete(client as Client);
      });
      limit.opened();
      await prepare(client as Client, options);
      admitted.add(client as Client);
    },
  });
  const limit = new PoolLimit(pool, options, () => open.size);
  // An idle connection that dies is no event: the pool drops it. Without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    ...renewable(open, (until) => pool.connect().catch((error: unknown) => limit.wait(error, until))),
    levels: () => ({
      inUse: pool.totalCount - pool.idleCount,
      size: pool.options.max,
      waiting: pool.waitingCount,
    }),
    leave: () => {
      for (const client of admitted) socketOf(client).destroy();
    },
    close: () => {
      limit.stop();
      return closePool(pool, open);
    },
  };
}

/** @param connect gives one of `open`, or opens one */
function renewable(open: ReadonlySet<Client>, connect: OpenPool['connect']): Pick<OpenPool, 'connect' | 'renew'> {
  let former: WeakSet<object> = new WeakSet();
  return {
    connect: async (until) => {
      for (;;) {
        const client = await connect(until);
        if (!former.has(client)) return client;
        client.release(true);
      }
    },
    renew: () => (former = new WeakSet(open)),
  };
}

/**
 * How many connections the pool may try to have. Where the server, or this process, grants fewer than were asked for,
 * those that it has are all until the next try, and a call that wants one waits for one of them. Logged once.
 */
class PoolLimit {
  private retry: NodeJS.Timeout | undefined;
  private notice: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly asked: Pick<PoolOptions, 'size' | 'log'>,
    private readonly has: () => number,
  ) {}

  /** After an attempt to connect failed: waits for another one, if that is what it failed for. */
  async wait(error: unknown, until: number): Promise<PoolClient> {
    if (!isOutOfConnections(error) || performance.now() >= until) throw error;
    this.shrink(codeOf(error));
    // No connection of ours to wait for: other processes have all.
    if (this.has() === 0) await new Promise((resolve) => setTimeout(resolve, ALONE_MS));
    return this.pool.connect().catch((next: unknown) => this.wait(next, until));
  }

  /** Those that were under way when the limit was found count too. */
  opened(): void {
    this.pool.options.max = Math.max(this.pool.options.max, this.has());
  }

  stop(): void {
    clearTimeout(this.retry);
    clearTimeout(this.notice);
  }

  private shrink(code: string | undefined): void {
    this.pool.options.max = Math.max(1, this.has());
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      this.pool.options.max = this.asked.size;
    }, GROW_AGAIN_MS).unref();
    // Not at once: attempts that are under way may still succeed.
    this.notice ??= setTimeout(() => {
      const fields = { code, connections: this.has(), wanted: this.asked.size };
      this.asked.log.warn(
        fields,
        'the database grants fewer connections than DATABASE_POOL_SIZE; calls wait for these',
      );
    }, TELL_MS).unref();
  }
}

async function prepare(client: Client, { connection, roles, waitMs, admit }: PoolOptions): Promise<void> {
  const setUp = `${sessionSql(connection)} ${REFUSE_READ_ONLY} SET ROLE ${quote(roles.tenant)}`;
  if (admit === undefined) {
    await inTime(client, waitMs, () => client.query(setUp));
    return;
  }
  const ask = async (text: string): Promise<never[]> => (await client.query<never>(text)).rows;
  const server = await inTime(client, waitMs, async () => {
    await client.query(setUp);
    return readServer(ask);
  });
  // Waits for a judgement, which has deadlines of its own.
  await admit(server);
}

/** The pool's own time-out ends when the connection stands; a server that freezes right then must not hold the slot. */
async function inTime<T>(client: Client, withinMs: number, work: () => Promise<T>): Promise<T> {
  const cut = setTimeout(() => socketOf(client).destroy(), withinMs);
  try {
    return await work();
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

/** A server that has answered so far and is asked to say goodbye. */
const CLOSE_MS = 1000;

interface GuardOptions {
  readonly applicationName: string;
  /** For the connection and for each statement, in ms. */
  readonly timeoutMs: number;
  /** How values are read. Default: the driver's. */
  readonly types?: CustomTypesConfig;
}

/**
 * One connection outside of the pool whose every step has a deadline: a frozen PostgreSQL accepts connections and
 * never answers, and its own time-outs do not fire then.
 */
export class GuardedClient {
  private constructor(
    private readonly client: Client,
    private readonly timeoutMs: number,
  ) {}

  static async open(connection: DatabaseConnection, options: GuardOptions): Promise<GuardedClient> {
    const client = new Client({
      ...withSession(connection),
      application_name: options.applicationName,
      ...(options.types === undefined ? {} : { types: options.types }),
      keepAlive: true,
      // A dead peer is noticed after some 20 s instead of hours.
      keepAliveInitialDelayMillis: 10_000,
    });
    // Without a listener a lost connection would end the process; what it means is the business of onLost.
    client.on('error', () => undefined);
    const guarded = new GuardedClient(client, options.timeoutMs);
    try {
      await guarded.bounded(client.connect());
      if (connection.isPooled === true) await guarded.query(sessionSql(connection));
    } catch (error) {
      socketOf(client).destroy();
      throw error;
    }
    return guarded;
  }

  /** @param timeoutMs a bound of this statement's own */
  async query<R extends QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
    timeoutMs = this.timeoutMs,
  ): Promise<R[]> {
    return (await this.bounded(this.client.query<R>(text, [...values]), timeoutMs)).rows;
  }

  /** The process that the server has named at the log-in; a pooler makes one up. */
  get processId(): number | null {
    return (this.client as unknown as { processID: number | null }).processID;
  }

  /** Called once when the connection has ended, however it did. */
  onEnd(listener: () => void): void {
    this.client.once('end', listener);
  }

  /** Never rejects, never waits long. */
  async close(): Promise<void> {
    const cut = setTimeout(() => socketOf(this.client).destroy(), Math.min(CLOSE_MS, this.timeoutMs));
    await this.client.end().catch(() => undefined);
    clearTimeout(cut);
  }

  /** At once; whatever waits on the connection fails. */
  destroy(): void {
    socketOf(this.client).destroy();
  }

  private async bounded<T>(work: Promise<T>, timeoutMs = this.timeoutMs): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(Object.assign(new Error(`PostgreSQL did not answer in ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
        this.destroy();
      }, timeoutMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The driver's socket: destroying it is the only way to end what waits on a frozen server. */
export function socketOf(client: Client | PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}
