import { type AppConfig, isClustered, isProduction, makesDemo } from './config';
import { type FirstStart, FirstStartService } from './modules/first-start';
import { createNest, listen } from './nest';
import { openDatabase } from './platform/database';
import { Lifecycle, watchDescriptors } from './platform/lifecycle';
import { type Log, PinoLog } from './platform/logging';
import { join } from 'node:path';
import { keepSecret, loadSecrets, type Secrets } from './platform/secrets';

/** A server that takes requests. */
export interface App {
  /** Where it is reached from this machine, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  /** What it is bound to, e.g. `http://0.0.0.0:8080`. */
  readonly bound: string;
  /** It serves the pages: the first one, the console and the playground. */
  readonly hasPages: boolean;
  readonly lifecycle: Lifecycle;
  /** What the very first start made, to be shown once; say so with its `shown`. */
  readonly firstStart: (FirstStart & { readonly keyFile: string | undefined }) | undefined;
  /** A master key that this start made, and the file that it is in; to be shown once. In production the file alone. */
  readonly newMasterKey: { readonly key: string | undefined; readonly file: string } | undefined;
}

/**
 * Starts a server; rejects with one clear line and leaves nothing running. `main` and the tests call this.
 * A `lifecycle` that is stopped meanwhile cuts the start short.
 */
export async function createApp(
  config: AppConfig,
  onProgress: (line: string) => void = () => undefined,
  log: Log = new PinoLog(config.runtime.logLevel),
  lifecycle = Lifecycle.configured(log, config.runtime),
): Promise<App> {
  try {
    watchDescriptors(lifecycle, log);
    const isShared = isClustered(config.cluster);
    const database = await openDatabase({ config: config.database, isShared, log, lifecycle, onProgress });
    const secrets = loadSecrets(config);
    const nest = await createNest({ config, log, lifecycle, secrets }, database);
    const firstStart = makesDemo(config) ? await nest.get(FirstStartService).prepare() : undefined;
    const listening = await listen(nest, config, lifecycle);
    return {
      ...listening,
      lifecycle,
      firstStart: firstStart && { ...firstStart, keyFile: keyFile(config, firstStart) },
      newMasterKey: newMasterKey(config, secrets, firstStart),
    };
  } catch (error) {
    await lifecycle.stop('the start failed');
    throw error;
  }
}

/** In production the demo tenant's key is kept, to be named instead of printed. */
function keyFile(config: AppConfig, { apiKey }: FirstStart): string | undefined {
  return isProduction(config.runtime) ? keepSecret(config, 'demo-api-key', apiKey) : undefined;
}

/**
 * Until a first start has come to its end the operator has not seen the key, also where an attempt before has made it.
 * A file may be named at every start.
 */
function newMasterKey(config: AppConfig, secrets: Secrets, firstStart: FirstStart | undefined): App['newMasterKey'] {
  if (config.security.masterKey !== undefined) return undefined;
  const file = secrets.newMasterKeyFile ?? join(config.database.dataDir, 'secrets', 'master-key');
  if (isProduction(config.runtime)) return { key: undefined, file };
  return secrets.newMasterKeyFile === undefined && firstStart === undefined
    ? undefined
    : { key: secrets.masterKey, file };
}
