import { eventually, kill } from '../support/embedded/processes';
import { createTarget, SERVED_MASTER_KEY } from '../support/served';
import { freePort, postmasterOf, type ServerProcess, Servers, signalAll } from '../support/server-process';
import { Writers } from '../support/writers';

const count = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const WRITERS = count('CRASH_WRITERS', 4);
const SERVER_KILLS = count('CRASH_SERVER_KILLS', 3);
const PG_KILLS = count('CRASH_PG_KILLS', 2);
const ALL_KILLS = count('CRASH_ALL_KILLS', 1);
/** Acknowledgements between two crashes: the next one meets a server at work. */
const WORK = 40;

const servers = new Servers();
afterEach(async () => {
  await Writers.abandonAll();
  await servers.cleanUp();
});

/** A server on one directory and port, which dies and comes back. */
class Victim {
  private constructor(
    readonly url: string,
    private readonly env: Readonly<Record<string, string>>,
    private server: ServerProcess,
  ) {}

  static async start(): Promise<Victim> {
    const port = await freePort();
    // Durable settings are the default of the embedded database; LOG_LEVEL keeps the reports of failures short.
    const env = {
      DATA_DIR: servers.dataDir(),
      PORT: String(port),
      MASTER_API_KEY: SERVED_MASTER_KEY,
      LOG_LEVEL: 'warn',
    };
    const { server, url } = await servers.start({ env });
    return new Victim(url, env, server);
  }

  async killServer(): Promise<void> {
    await this.server.kill('SIGKILL');
    await this.restart();
  }

  async killPostgres(): Promise<void> {
    const pid = await postmasterOf(this.env['DATA_DIR'] ?? '');
    kill([pid]);
    await eventually('a new postmaster', async () => {
      const now = await postmasterOf(this.env['DATA_DIR'] ?? '').catch(() => pid);
      return now !== pid;
    });
  }

  async killAll(): Promise<void> {
    this.server.signal('SIGKILL');
    signalAll(this.env['DATA_DIR'] ?? '', 'SIGKILL');
    await this.server.exit();
    await this.restart();
  }

  private async restart(): Promise<void> {
    ({ server: this.server } = await servers.start({ env: this.env }));
  }
}

const inTurn = (n: number, crash: (victim: Victim) => Promise<void>): ((victim: Victim) => Promise<void>)[] =>
  Array.from({ length: n }, () => crash);

it('loses nothing that it acknowledged and stores no retry twice, however often it is killed', async () => {
  const victim = await Victim.start();
  const writers = new Writers(await createTarget(() => victim.url, WRITERS, 3)).start();
  const crashes = [
    ...inTurn(SERVER_KILLS, (v) => v.killServer()),
    ...inTurn(PG_KILLS, (v) => v.killPostgres()),
    ...inTurn(ALL_KILLS, (v) => v.killAll()),
  ];
  for (const crash of [...crashes, () => Promise.resolve()]) {
    await writers.progress(WORK);
    await crash(victim);
  }
  await writers.finish();
  expect(await writers.faults()).toEqual([]);
  expect(new Set(writers.acks.map((ack) => ack.clientMessageId)).size).toBe(writers.intents.length);
}, 600_000);
