import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../src/platform/database/embedded';
import { migrate } from '../../src/platform/database/migrator';
import { measureSpeed } from './timing';
import { copyTree, scratchDirectory } from './scratch';

/** Settings of a cluster whose data nobody will miss: the tests that kill servers start clusters of their own. */
export const FAST_SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_connections: '300',
};

declare global {
  var testCluster: { postgres: EmbeddedPostgres; dataDir: string } | undefined;
}

/**
 * One cluster per jest run; its database `chatapi` is migrated once and is the template of every test's database. A copy
 * of the cluster, which no server has been on, is where the servers in processes of their own begin (`Servers.seededDir`).
 */
export default async function setup(): Promise<void> {
  const dataDir = mkdtempSync(join(scratchDirectory(), 'chatapi-jest-'));
  const cluster = new EmbeddedPostgres({ dataDir, settings: FAST_SETTINGS });
  await cluster.start();
  await migrate({ connection: cluster.connection(), allowUnsafe: true, onProgress: () => undefined });
  await cluster.stop();
  const seed = join(dataDir, 'seed');
  copyTree(join(dataDir, 'postgres'), seed);
  process.env['TEST_SEED'] = seed;
  await cluster.start();
  process.env['TEST_PACE'] = String(measureSpeed());
  globalThis.testCluster = { postgres: cluster, dataDir };
  process.env['TEST_PG'] = JSON.stringify({ admin: cluster.adminConnection(), app: cluster.connection() });
}
