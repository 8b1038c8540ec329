import { type AppConfig, isManagedProduction } from './config';
import { type FirstStart, FirstStartService } from './modules/admin';
import { createNest, listen } from './nest';
import { openDatabase } from './platform/database';
import { Lifecycle } from './platform/lifecycle';
import { type Log, PinoLog } from './platform/logging';
import { join } from 'node:path';
import { loadSecrets, type Secrets } from './platform/secrets';

/** A server that takes requests. */
export interface App {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly lifecycle: Lifecycle;
  /** What the very first start made, to be shown once; say so with its `shown`. */
  readonly firstStart: FirstStart | undefined;
  /** A master key that this start made, and the file that it is in; to be shown once. */
  readonly newMasterKey: { readonly key: string; readonly file: string } | undefined;
}

/**
 * Starts a server; rejects with one clear line and leaves nothing running. `main` and the tests call this.
 * A `lifecycle` that is stopped meanwhile cuts the start short.
 */
export async function createApp(
  config: AppConfig,
  onProgress: (line: string) => void = () => undefined,
  log: Log = new PinoLog(config.runtime.logLevel),
  lifecycle = new Lifecycle(log, config.runtime.shutdownGraceMs),
): Promise<App> {
  try {
    const database = await openDatabase({ config: config.database, log, lifecycle, onProgress });
    const secrets = loadSecrets(config);
    const nest = await createNest({ config, log, lifecycle, secrets }, database);
    const firstStart = isManagedProduction(config) ? undefined : await nest.get(FirstStartService).run();
    const url = await listen(nest, config, lifecycle);
    return { url, lifecycle, firstStart, newMasterKey: newMasterKey(config, secrets, firstStart) };
  } catch (error) {
    await lifecycle.stop('the start failed');
    throw error;
  }
}

/** Until a first start has come to its end nobody has seen the key, also where an attempt before has made it. */
function newMasterKey(config: AppConfig, secrets: Secrets, firstStart: FirstStart | undefined): App['newMasterKey'] {
  const isOurs = config.security.masterKey === undefined;
  const file =
    secrets.newMasterKeyFile ??
    (isOurs && firstStart ? join(config.database.dataDir, 'secrets', 'master-key') : undefined);
  return file === undefined ? undefined : { key: secrets.masterKey, file };
}
