import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type App, createApp } from '../../src/app';
import { loadConfig } from '../../src/config';
import { SilentLog } from '../../src/platform/logging';
import { createTenantOn, MASTER_KEY, type TestTenant } from './app';
import { createTestDatabase, type TestDatabase, testCluster } from './database';
import { copyTree } from './scratch';
import { freePort, type ServerProcess, Servers } from './server-process';

/** A server that is stopped and started again at the same address, whose data can be put back. */
export interface RestorableServer {
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** While it is stopped: keeps a copy of its data. */
  backUp(): Promise<void>;
  /** While it is stopped: puts the copy in the place of its data. */
  putBack(): Promise<void>;
  /** A tenant without limits of rates. */
  tenant(): Promise<TestTenant>;
  close(): Promise<void>;
}

const tenantOf = (url: string): Promise<TestTenant> =>
  createTenantOn(url, { requests_per_second: null, ws_messages_per_second: null });

/** The server with its own database, whose directory is copied, as the README of the first releases had it. */
export class CopiedDirectoryServer implements RestorableServer {
  private readonly copies = mkdtempSync(join(tmpdir(), 'chatapi-copies-'));
  private server: ServerProcess | undefined;

  private constructor(
    readonly servers: Servers,
    readonly dataDir: string,
    private readonly port: number,
    private readonly how: 'replaced' | 'filled',
  ) {}

  /** @param how the directory is deleted and copied anew, or what is in it alone */
  static async open(how: 'replaced' | 'filled' = 'replaced'): Promise<CopiedDirectoryServer> {
    const servers = new Servers();
    return new CopiedDirectoryServer(servers, servers.seededDir(), await freePort(), how);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get env(): Record<string, string> {
    return { DATA_DIR: this.dataDir, PORT: String(this.port), MASTER_API_KEY: MASTER_KEY };
  }

  /** The process that runs. */
  get running(): ServerProcess {
    if (this.server === undefined) throw new Error('the server does not run');
    return this.server;
  }

  async start(): Promise<void> {
    this.server = (await this.servers.start({ env: this.env })).server;
  }

  async stop(): Promise<void> {
    await this.server?.kill('SIGTERM');
    this.server = undefined;
  }

  backUp(): Promise<void> {
    rmSync(join(this.copies, 'data'), { recursive: true, force: true });
    copyTree(this.dataDir, join(this.copies, 'data'));
    return Promise.resolve();
  }

  putBack(): Promise<void> {
    const backup = join(this.copies, 'data');
    if (this.how === 'replaced') {
      rmSync(this.dataDir, { recursive: true });
      copyTree(backup, this.dataDir);
    } else {
      for (const name of readdirSync(this.dataDir)) rmSync(join(this.dataDir, name), { recursive: true });
      copyTree(`${backup}/.`, this.dataDir);
    }
    return Promise.resolve();
  }

  tenant(): Promise<TestTenant> {
    return tenantOf(this.url);
  }

  async close(): Promise<void> {
    await this.servers.cleanUp();
    rmSync(this.copies, { recursive: true, force: true });
  }
}

/** The server with its own database, backed up into a file and restored from it as the README says. */
export class RestoredFileServer implements RestorableServer {
  private constructor(private readonly site: CopiedDirectoryServer) {}

  static async open(): Promise<RestoredFileServer> {
    return new RestoredFileServer(await CopiedDirectoryServer.open());
  }

  get url(): string {
    return this.site.url;
  }

  start(): Promise<void> {
    return this.site.start();
  }

  stop(): Promise<void> {
    return this.site.stop();
  }

  async backUp(): Promise<void> {
    await this.site.servers.done(['backup', this.file], this.site.env);
  }

  /** The keys of the installation stay where they are. */
  async putBack(): Promise<void> {
    rmSync(join(this.site.dataDir, 'postgres'), { recursive: true });
    await this.site.servers.done(['restore', this.file], this.site.env);
  }

  tenant(): Promise<TestTenant> {
    return this.site.tenant();
  }

  close(): Promise<void> {
    return this.site.close();
  }

  private get file(): string {
    return join(this.site.dataDir, 'backup');
  }
}

/** The app on a database of somebody else's, which is put back without a word: nothing tells the server. */
export class ClonedDatabaseServer implements RestorableServer {
  private readonly dataDir = mkdtempSync(join(tmpdir(), 'chatapi-clone-'));
  private app: App | undefined;

  private constructor(
    private readonly database: TestDatabase,
    private readonly port: number,
  ) {}

  static async open(): Promise<ClonedDatabaseServer> {
    return new ClonedDatabaseServer(await createTestDatabase(), await freePort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const config = loadConfig({
      ...{ NODE_ENV: 'test', PORT: String(this.port), HOST: '127.0.0.1', DATA_DIR: this.dataDir },
      ...{ DATABASE_URL: this.database.url, DATABASE_ALLOW_UNSAFE: 'true', DATABASE_POOL_SIZE: '8' },
      MASTER_API_KEY: MASTER_KEY,
    });
    this.app = await createApp(config, () => undefined, new SilentLog());
  }

  async stop(): Promise<void> {
    await this.app?.lifecycle.stop('for the test');
    this.app = undefined;
  }

  async backUp(): Promise<void> {
    await this.clone(this.database.name, this.backup);
  }

  async putBack(): Promise<void> {
    await this.clone(this.backup, this.database.name);
  }

  tenant(): Promise<TestTenant> {
    return tenantOf(this.url);
  }

  async close(): Promise<void> {
    await this.stop();
    await this.database.drop();
    await this.sql(`DROP DATABASE IF EXISTS ${this.backup} WITH (FORCE)`);
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private get backup(): string {
    return `${this.database.name}_backup`;
  }

  private async clone(from: string, to: string): Promise<void> {
    await this.sql(`DROP DATABASE IF EXISTS ${to} WITH (FORCE)`);
    await this.sql(`CREATE DATABASE ${to} TEMPLATE ${from} STRATEGY file_copy OWNER chatapi`);
  }

  private async sql(text: string): Promise<void> {
    const client = new Client(testCluster().admin);
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }
}
