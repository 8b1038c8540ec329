import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app';
import { loadConfig } from '../../src/config';
import { createTenantOn, MASTER_KEY, type TestTenant } from './app';
import { eventually } from './embedded/processes';
import { Api } from './http/api';
import { post } from './messages';
import { Postgres15 } from './postgres15';
import { RecordingLog } from './recording-log';
import { freePort } from './server-process';
import { TcpSwitch } from './tcp-switch';
import { WsClient } from './ws/client';
import { keyOf } from './ws/socket-app';

/** The app on a PostgreSQL with standbys, whose address is switched where one of them is promoted. */
export class FailoverSite {
  readonly log = new RecordingLog();
  private readonly dataDir = mkdtempSync(join(tmpdir(), 'chatapi-failover-'));
  private app: App | undefined;

  private constructor(
    private readonly databases: Postgres15[],
    private readonly door: TcpSwitch,
    private readonly port: number,
  ) {}

  static async open(): Promise<FailoverSite> {
    const primary = await Postgres15.create();
    await primary.createDatabase('chatapi');
    return new FailoverSite([primary], await TcpSwitch.to(primary.tcpPort), await freePort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The one that it was opened with. */
  get first(): Postgres15 {
    return this.databases[0] as Postgres15;
  }

  async standbyOf(primary: Postgres15): Promise<Postgres15> {
    const standby = await primary.standby();
    this.databases.push(standby);
    return standby;
  }

  /** From now on DATABASE_URL leads there. */
  switchTo(database: Postgres15): void {
    this.door.leadTo(database.tcpPort);
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const config = loadConfig({
      ...{ NODE_ENV: 'test', PORT: String(this.port), HOST: '127.0.0.1', DATA_DIR: this.dataDir },
      DATABASE_URL: `postgresql://chatapi:chatapi@127.0.0.1:${this.door.port}/chatapi`,
      // A slow machine is not what the tests are about.
      ...{ DATABASE_DEADLINE_MS: '20000', DATABASE_POOL_SIZE: '8', MASTER_API_KEY: MASTER_KEY, ...env },
    });
    this.app = await createApp(config, () => undefined, this.log);
  }

  async stop(): Promise<void> {
    await this.app?.lifecycle.stop('for the test');
    this.app = undefined;
  }

  /** Without limits of rates. */
  tenant(): Promise<TestTenant> {
    return createTenantOn(this.url, { requests_per_second: null, ws_messages_per_second: null });
  }

  async readiness(): Promise<number> {
    return (await new Api(this.url).get('/health/ready')).status;
  }

  /** What a socket is told. */
  async epoch(tenant: TestTenant, userId: string): Promise<number> {
    const client = await WsClient.admitted(this.url, { headers: keyOf(tenant, userId) });
    const { epoch } = await client.frame('hello');
    await client.close();
    return Number(epoch);
  }

  /** Sends a message until it is taken; its seq. */
  async sends(api: Api, roomId: string, content: string): Promise<number> {
    const body = { content, client_message_id: crypto.randomUUID() };
    return eventually(`"${content}" is taken`, async () => {
      const answer = await post(api, roomId, body);
      return answer.status === 201 ? answer.body.seq : undefined;
    });
  }

  /** How many failovers it counts that ended so. */
  async failovers(outcome: 'complete' | 'lost'): Promise<number> {
    const { body } = await new Api(this.url).get<string>('/metrics');
    const line = new RegExp(`^chatapi_database_timeline_changes_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(
      body,
    );
    return Number(line?.[1] ?? 0);
  }

  /** The messages of its log that fit. */
  logged(pattern: RegExp): string[] {
    return this.log.lines.map(({ message }) => message).filter((message) => pattern.test(message));
  }

  async close(): Promise<void> {
    await this.stop();
    await this.door.close();
    for (const database of this.databases) await database.remove();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
