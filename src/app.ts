import { type AppConfig, isManagedProduction } from './config';
import { type FirstStart, FirstStartService } from './modules/admin';
import { createNest, listen } from './nest';
import { openDatabase } from './platform/database';
import { Lifecycle } from './platform/lifecycle';
import { type Log, PinoLog } from './platform/logging';
import { loadSecrets } from './platform/secrets';

/** A server that takes requests. */
export interface App {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly lifecycle: Lifecycle;
  /** What the very first start made, to be shown once. */
  readonly firstStart: FirstStart | undefined;
  /** A master key that this start made, and the file that it is in; to be shown once. */
  readonly newMasterKey: { readonly key: string; readonly file: string } | undefined;
}

/** Starts a server; rejects with one clear line and leaves nothing running. `main` and the tests call this. */
export async function createApp(
  config: AppConfig,
  onProgress: (line: string) => void = () => undefined,
  log: Log = new PinoLog(config.runtime.logLevel),
): Promise<App> {
  const lifecycle = new Lifecycle(log);
  try {
    const database = await openDatabase({ config: config.database, log, lifecycle, onProgress });
    const secrets = loadSecrets(config);
    const nest = await createNest({ config, log, lifecycle, secrets }, database);
    const firstStart = isManagedProduction(config) ? undefined : await nest.get(FirstStartService).run();
    const url = await listen(nest, config, lifecycle);
    const file = secrets.newMasterKeyFile;
    return {
      url,
      lifecycle,
      firstStart,
      newMasterKey: file === undefined ? undefined : { key: secrets.masterKey, file },
    };
  } catch (error) {
    await lifecycle.stop('the start failed');
    throw error;
  }
}
