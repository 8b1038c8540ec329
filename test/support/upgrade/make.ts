/**
 * Makes the fixture of the upgrade test (test/e2e/upgrade.e2e-spec.ts) anew: what a release leaves in its data directory.
 * To be run when a release is out, in a checkout of what comes after it:
 *
 *     git worktree add /tmp/release v1.2.0 && (cd /tmp/release && npm ci && npm run build)
 *     npm run fixture:upgrade -- /tmp/release
 *
 * The release's own server plays the story on an empty directory and is stopped. Its database is written down then; and
 * it is started once more, with a model and a webhook target that answer nothing, to be asked what a client can read.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EmbeddedPostgres } from '../../../src/platform/database/embedded';
import { FakeModel, type ProviderServer } from '../fake-model';
import { Api } from '../http/api';
import { copyTree } from '../scratch';
import { Servers } from '../server-process';
import { Receiver } from '../webhooks/receiver';
import { dumpSql } from './dump';
import { askAgain, holdBack, untilHeld, UPGRADE_ENV, writeFixture } from './fixture';
import { readsOf } from './reads';
import { playScenario, type ScenarioResult } from './scenario';

/** A stop that is waited for; a message that nobody acknowledges is given up on after 31 times the other. */
const IMPATIENT = { SHUTDOWN_GRACE_MS: '3000', WS_ACK_TIMEOUT_MS: '25' };

class Maker {
  readonly servers = new Servers();
  readonly dataDir = this.servers.dataDir();

  constructor(
    private readonly release: string,
    private readonly model: ProviderServer,
    private readonly hook: Receiver,
  ) {}

  async run(): Promise<void> {
    const world = await this.serve((api) =>
      playScenario({ api, masterKey: this.secrets()['master-key'] ?? '', model: this.model, hook: this.hook }),
    );
    const sql = await this.dump();
    holdBack(this.model, this.hook);
    const places = { model: this.model.url, hook: this.hook.url };
    const answers = await this.serve(async (api) => {
      await untilHeld(api, world);
      return askAgain(api, world, readsOf(world, await messagesOf(api, world)), places, places);
    });
    const { version } = JSON.parse(readFileSync(join(this.release, 'package.json'), 'utf8')) as { version: string };
    writeFixture({ release: version, world, places, secrets: this.secrets(), answers }, sql);
  }

  /** Works with the release's server on the directory. */
  private async serve<T>(work: (api: Api) => Promise<T>): Promise<T> {
    const env = { ...UPGRADE_ENV, ...IMPATIENT, DATA_DIR: this.dataDir };
    const { server, url } = await this.servers.start({ env, checkout: this.release });
    const result = await work(new Api(url));
    const code = await server.kill('SIGTERM');
    if (code !== 0) throw new Error(`the server ended with ${code}:\n${server.output}`);
    return result;
  }

  /** Of a copy: it is opened by what comes after the release. */
  private async dump(): Promise<string> {
    const copy = join(this.servers.dataDir(), 'data');
    copyTree(this.dataDir, copy);
    const postgres = new EmbeddedPostgres({ dataDir: copy });
    await postgres.start();
    return dumpSql(postgres.adminConnection()).finally(() => postgres.stop());
  }

  private secrets(): Record<string, string> {
    const dir = join(this.dataDir, 'secrets');
    return Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
  }
}

/** Of the group, an edited and a deleted one among them. */
async function messagesOf(api: Api, { callers, rooms }: ScenarioResult): Promise<string[]> {
  const path = `/rooms/${rooms.group}/messages?limit=4&order=desc`;
  const { body } = await api.with(callers['alice'] ?? {}).get<{ message_id: string }[]>(path);
  return body.map(({ message_id }) => message_id);
}

async function main(): Promise<void> {
  const [release] = process.argv.slice(2);
  if (release === undefined) throw new Error('Name the checkout of the release, built');
  const [model, hook] = await Promise.all([FakeModel.start(), Receiver.start()]);
  const maker = new Maker(resolve(release), model, hook);
  try {
    await maker.run();
  } finally {
    await Promise.all([maker.servers.cleanUp(), model.stop(), hook.stop()]);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
