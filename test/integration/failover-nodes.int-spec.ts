import { loadConfig } from '../../src/config';
import { openDatabase, type OpenDatabase } from '../../src/platform/database';
import { Lifecycle } from '../../src/platform/lifecycle';
import { eventually } from '../support/embedded/processes';
import { describePostgres15, Postgres15 } from '../support/postgres15';
import { RecordingLog } from '../support/recording-log';
import { TcpSwitch } from '../support/tcp-switch';
import { LONG_DATABASE_DEADLINE, MAX_WAIT_MS } from '../support/timing';

const TEST_MS = 10 * MAX_WAIT_MS;

/** Two servers of one installation, without the rest of them. */
class Site {
  readonly log = new RecordingLog();
  readonly servers: OpenDatabase[] = [];
  readonly databases: Postgres15[] = [];
  private readonly lifecycle = new Lifecycle(this.log);

  private constructor(private readonly door: TcpSwitch) {}

  static async open(): Promise<Site> {
    const primary = await Postgres15.create();
    await primary.createDatabase('chatapi');
    const site = new Site(await TcpSwitch.to(primary.tcpPort));
    site.databases.push(primary, await primary.standby());
    const DATABASE_URL = `postgresql://chatapi:chatapi@127.0.0.1:${site.door.port}/chatapi`;
    const { database: config } = loadConfig({ DATABASE_URL, DATABASE_POOL_SIZE: '4', ...LONG_DATABASE_DEADLINE });
    const { lifecycle, log } = site;
    const options = { config, isShared: true, log, lifecycle, onProgress: () => undefined };
    for (let n = 0; n < 2; n++) site.servers.push(await openDatabase(options));
    for (const { epoch } of site.servers) await epoch.readEpoch();
    return site;
  }

  get epochs(): number[] {
    return this.servers.map(({ epoch }) => epoch.known);
  }

  /** Both have told somebody of a change that only a mark covers, and each has stored one of its own. */
  async bothAreMarked(): Promise<void> {
    for (const { acknowledged } of this.servers) acknowledged.changed();
    await eventually('both have marks', () => this.servers.every(({ acknowledged }) => !acknowledged.last.isInDoubt));
  }

  /** Nothing is lost: the standby has it all before it is promoted. */
  async failsOver(): Promise<void> {
    const [primary, standby] = this.databases as [Postgres15, Postgres15];
    await standby.reaches(primary);
    await primary.end('SIGKILL');
    await standby.promote();
    this.door.leadTo(standby.tcpPort);
    const isPromotion = ({ message }: { message: string }): boolean => /was promoted|was raised/.test(message);
    await eventually('both have judged it', () => this.log.lines.filter(isPromotion).length === 2);
  }

  async close(): Promise<void> {
    await this.lifecycle.stop('test over');
    await this.door.close();
    for (const database of this.databases) await database.remove();
  }
}

describePostgres15('a failover of two servers’ database', () => {
  let site: Site;

  beforeEach(async () => {
    site = await Site.open();
  }, TEST_MS);
  afterEach(() => site.close());

  it(
    'that lost nothing leaves the epoch as it was: each finds the mark that it stored itself',
    async () => {
      await site.bothAreMarked();
      await site.failsOver();
      expect(site.epochs).toEqual([1, 1]);
    },
    TEST_MS,
  );

  it(
    'raises the epoch where a third one is gone: nobody knows what that had acknowledged',
    async () => {
      await site.bothAreMarked();
      for (const { acknowledged } of site.servers) acknowledged.isAnotherSilent = () => Promise.resolve(true);
      await site.failsOver();
      await eventually('both follow the highest', () => new Set(site.epochs).size === 1);
      expect(site.epochs[0]).toBeGreaterThan(1);
    },
    TEST_MS,
  );
});
