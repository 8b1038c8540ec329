import { Client } from 'pg';
import { eventually, kill, processesOn } from './embedded/processes';
import {
  adminOf,
  freePort,
  postmasterOf,
  SERVED_MASTER_KEY,
  type ServerProcess,
  type Servers,
  signalAll,
} from './server-process';

/** Statements that are carried out: one that waits for a lock, or for somebody to read its answer, gets no further. */
const AT_WORK = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend'
  AND pid <> pg_backend_pid() AND state = 'active' AND coalesce(wait_event_type, '') NOT IN ('Lock', 'Client')`;

/** A server on one directory and port, which dies and comes back. */
export class RestartingServer {
  private constructor(
    readonly url: string,
    private readonly servers: Servers,
    readonly dataDir: string,
    private readonly env: Readonly<Record<string, string>>,
    private server: ServerProcess,
  ) {}

  /** @param more environment variables */
  static async start(servers: Servers, more: Readonly<Record<string, string>> = {}): Promise<RestartingServer> {
    const dataDir = servers.seededDir();
    const port = await freePort();
    // Durable settings are the default of the embedded database; LOG_LEVEL keeps the reports of failures short.
    const env = {
      DATA_DIR: dataDir,
      PORT: String(port),
      MASTER_API_KEY: SERVED_MASTER_KEY,
      LOG_LEVEL: 'warn',
      ...more,
    };
    const { server, url } = await servers.start({ env });
    return new RestartingServer(url, servers, dataDir, env, server);
  }

  /** One statement, as the superuser of its database. */
  async sql<R extends object>(text: string, ...values: unknown[]): Promise<R[]> {
    const client = new Client(adminOf(this.dataDir));
    // What ends the connection fails the statement, too.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<R>(text, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /**
   * Resolves in a moment in which something is so, with the server standing still, and nothing that it had sent still to
   * happen: one of the kills comes next, or `goOn`.
   * @param isSo asked before and after it stands still
   * @param otherwise done where it is not so, with the server running
   */
  async stopWhen(what: string, isSo: () => Promise<boolean>, otherwise?: () => Promise<unknown>): Promise<void> {
    await eventually(what, async () => {
      if (!(await isSo())) {
        await otherwise?.();
        return false;
      }
      this.server.signal('SIGSTOP');
      await eventually('the database has done what it was told', async () => {
        const [row] = await this.sql<{ n: number }>(AT_WORK);
        return row?.n === 0;
      });
      if (await isSo()) return true;
      this.goOn();
      return false;
    });
  }

  goOn(): void {
    this.server.signal('SIGCONT');
  }

  /** While the server stands still: the next one need not wait until the leases of this one have run out. */
  async endLeases(): Promise<void> {
    await this.sql(
      `UPDATE jobs j SET lease_until = clock_timestamp() FROM (SELECT tenant_id, id FROM jobs WHERE state = 'running'
         FOR UPDATE SKIP LOCKED) r WHERE j.tenant_id = r.tenant_id AND j.id = r.id`,
    );
  }

  async killServer(): Promise<void> {
    await this.endServer('SIGKILL');
    await this.restart();
  }

  /** Ends the server, which stays away until `restart`; its exit code, or the signal that ended it. */
  endServer(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    return this.server.kill(signal);
  }

  async killPostgres(): Promise<void> {
    const pid = await postmasterOf(this.dataDir);
    kill([pid]);
    this.goOn();
    await eventually('a new postmaster', async () => (await postmasterOf(this.dataDir).catch(() => pid)) !== pid);
  }

  async killAll(): Promise<void> {
    this.server.signal('SIGKILL');
    signalAll(this.dataDir, 'SIGKILL');
    await this.server.exit();
    await this.restart();
  }

  /** PostgreSQL stands still until `over` resolves. */
  async freezePostgres(over: () => Promise<void>): Promise<void> {
    signalAll(this.dataDir, 'SIGSTOP');
    await over().finally(() => signalAll(this.dataDir, 'SIGCONT'));
  }

  /** The server's sessions stand still with whatever they have locked; new ones are served. */
  async freezeSessions(over: () => Promise<void>): Promise<void> {
    const sessions = processesOn(this.dataDir).filter(({ command }) => / chatapi chatapi \[local\]/.test(command));
    const pids = sessions.map(({ pid }) => pid);
    kill(pids, 'SIGSTOP');
    await over().finally(() => kill(pids, 'SIGCONT'));
  }

  async restart(): Promise<void> {
    ({ server: this.server } = await this.servers.start({ env: this.env }));
  }
}
