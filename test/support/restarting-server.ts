import { eventually, kill, processesOn } from './embedded/processes';
import {
  freePort,
  postmasterOf,
  SERVED_MASTER_KEY,
  type ServerProcess,
  type Servers,
  signalAll,
} from './server-process';

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
