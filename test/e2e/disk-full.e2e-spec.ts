import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isConnectionLoss } from '../../src/platform/database';
import { query } from '../support/embedded/fixture';
import { eventually } from '../support/embedded/processes';
import { Api, metricOf } from '../support/http/api';
import { adminOf, createServedTenant, SERVED_MASTER_KEY, type ServerProcess, Servers } from '../support/server-process';

const MB = 1024 * 1024;
const PATIENCE_MS = 60_000;
/** Random: PostgreSQL stores it as long as it is. */
const content = (): string => randomBytes(20_000).toString('base64');
const FULL = 'the disk of the database is full; answering 503 to what it cannot store until there is room';
const WRITES_AGAIN = 'database takes writes again';

jest.setTimeout(4 * PATIENCE_MS);

/** A disk of the test's own, which it can fill. */
class SmallDisk {
  private readonly filler: string;

  private constructor(readonly dir: string) {
    this.filler = join(dir, 'filler');
  }

  /** undefined where this user may not mount one. */
  static make(): SmallDisk | undefined {
    const dir = mkdtempSync(join(tmpdir(), 'chatapi-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', dir]);
    if (mounted.status === 0) return new SmallDisk(dir);
    rmSync(dir, { recursive: true });
    return undefined;
  }

  fill(): void {
    const file = openSync(this.filler, 'a');
    try {
      for (const size of [MB, 4096]) {
        const block = Buffer.alloc(size);
        while (statfsSync(this.dir).bavail * 4096 >= size && writeSync(file, block) === size);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.filler, { force: true });
  }

  remove(): void {
    spawnSync('umount', ['--lazy', this.dir]);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const disk = SmallDisk.make();
const describeOnDisk = (
  disk === undefined
    ? (name: string, tests: () => void) => describe.skip(`${name} (skipped: this user may not mount a tmpfs)`, tests)
    : describe
) as jest.Describe;

/** A server on the small disk, and somebody who sends. */
class Site {
  private constructor(
    readonly url: string,
    readonly server: ServerProcess,
    readonly dataDir: string,
    private readonly writer: Api,
    private readonly path: string,
  ) {}

  static async start(servers: Servers): Promise<Site> {
    const dataDir = servers.dataDir();
    const { server, url } = await servers.start({ env: { DATA_DIR: dataDir, MASTER_API_KEY: SERVED_MASTER_KEY } });
    const target = await createServedTenant(() => url, 1, 1);
    const path = `/rooms/${target.roomIds[0]}/messages`;
    return new Site(url, server, dataDir, target.as(target.userIds[0] ?? ''), path);
  }

  send(): Promise<{ status: number; body: Answer }> {
    return this.writer.post<Answer>(this.path, { content: content() });
  }

  async read(): Promise<number> {
    return (await this.writer.get(`${this.path}?limit=1`)).status;
  }

  async health(): Promise<[number, unknown]> {
    const response = await fetch(`${this.url}/health`);
    return [response.status, ((await response.json()) as { db_writable: boolean }).db_writable];
  }

  async ready(): Promise<number> {
    return (await fetch(`${this.url}/health/ready`)).status;
  }

  metric(series: string): Promise<number> {
    return metricOf(new Api(this.url), series);
  }

  said(message: string): number {
    return this.server.log.filter((line) => line.msg === message).length;
  }

  /** Sends until one is refused for want of room. */
  refusedForStorage(): Promise<Answer> {
    return eventually(
      'a send that is refused because of the disk',
      async () => {
        const { status, body } = await this.send();
        if (status === 201) return undefined;
        expect(status).toBe(503);
        return body.error?.details?.['reason'] === 'storage' && body;
      },
      PATIENCE_MS,
    );
  }

  async healed(): Promise<void> {
    await eventually('a send is stored', async () => (await this.send()).status === 201, PATIENCE_MS);
    await eventually('health', async () => (await this.health())[0] === 200, PATIENCE_MS);
    expect(await this.health()).toEqual([200, true]);
    expect(await this.ready()).toBe(200);
    expect(await this.metric('chatapi_database_writable')).toBe(1);
  }
}

describeOnDisk('S4: the disk of DATA_DIR fills', () => {
  const servers = new Servers(disk?.dir);
  let site: Site;
  beforeAll(async () => (site = await Site.start(servers)));
  afterAll(async () => {
    disk?.empty();
    await servers.cleanUp();
    disk?.remove();
  });

  it('sends are refused with the reason, health says so, reads go on; it is told once and heals by itself', async () => {
    expect((await site.send()).status).toBe(201);
    disk?.fill();
    expect((await site.refusedForStorage()).error).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      message: 'The disk of the database is full. Its operator has to make room',
      details: { outcome: 'none', reason: 'storage' },
    });
    for (let i = 0; i < 20; i++) await site.send();
    expect(await site.health()).toEqual([503, false]);
    expect(await site.ready()).toBe(200);
    expect(await site.read()).toBe(200);
    expect(await site.metric('chatapi_database_writable')).toBe(0);
    expect(await site.metric('chatapi_database_failures_total{reason="storage"}')).toBeGreaterThan(0);
    disk?.empty();
    await site.healed();
    expect([site.said(FULL), site.said(WRITES_AGAIN)]).toEqual([1, 1]);
  });

  it('also when PostgreSQL cannot write its log, crashes of that, and cannot start', async () => {
    const before = site.said(FULL);
    disk?.fill();
    // A message of the WAL needs no page of a table: what fails for want of one is an error, and no crash.
    const crash = async (): Promise<boolean> => {
      const sql = `select pg_logical_emit_message(false, 'test', repeat('x', 1000000)); select pg_switch_wal()`;
      return query(adminOf(site.dataDir), sql).then(() => false, isConnectionLoss);
    };
    await eventually('PostgreSQL crashes', crash, PATIENCE_MS);
    await eventually('away', async () => (await site.ready()) === 503, PATIENCE_MS);
    await site.refusedForStorage();
    expect(await site.health()).toEqual([503, false]);
    disk?.empty();
    await site.healed();
    expect([site.said(FULL), site.said(WRITES_AGAIN)]).toEqual([before + 1, before + 1]);
    expect(site.said('database is away; answering 503 until it is back')).toBe(0);
  });
});

interface Answer {
  readonly error?: { readonly details?: Readonly<Record<string, unknown>> };
}
