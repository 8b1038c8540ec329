import { access, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { livePostmaster } from './postmaster-file';
import { APPLICATION, parametersFor } from './provision';
import type { ConnectionParameters } from './session';

/** Whether there is a database in <dataDir>. */
export async function hasCluster(dataDir: string): Promise<boolean> {
  return access(join(dataDir, 'postgres', 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/**
 * How the application's role gets to the PostgreSQL that a server of another process runs on <dataDir>, once it takes
 * connections. Its end is that server's business.
 */
export async function runningConnection(dataDir: string): Promise<ConnectionParameters | undefined> {
  const found = await livePostmaster(join(await realpath(dataDir), 'postgres'));
  return found?.status === 'ready' ? parametersFor(found.socketDir, APPLICATION, APPLICATION) : undefined;
}
