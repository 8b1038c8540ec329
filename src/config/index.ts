/**
 * The configuration: one class per area, the only reader of the environment. All faults are reported at once.
 * docs/config.md and .env.example are generated from the same fields.
 */
import { readArea } from './area';
import {
  DatabaseConfig,
  ExportsConfig,
  HttpConfig,
  ModelsConfig,
  RuntimeConfig,
  SecurityConfig,
  SocketConfig,
  TransferConfig,
  WebhookConfig,
} from './areas';
import type { EnvField } from './field';

export { unknownVariables } from './unknown';
export {
  DatabaseConfig,
  ExportsConfig,
  HttpConfig,
  ModelsConfig,
  RuntimeConfig,
  SecurityConfig,
  SocketConfig,
  TransferConfig,
  WebhookConfig,
} from './areas';

/** Every area, in the order of the reference page. */
export const CONFIG_AREAS = [
  HttpConfig,
  SocketConfig,
  DatabaseConfig,
  SecurityConfig,
  WebhookConfig,
  ModelsConfig,
  ExportsConfig,
  TransferConfig,
  RuntimeConfig,
] as const;

/** Every variable. */
export const ALL_FIELDS: readonly EnvField<unknown>[] = CONFIG_AREAS.flatMap((area) =>
  Object.values<EnvField<unknown>>(area.fields),
);

/** The whole configuration. */
export interface AppConfig {
  readonly http: HttpConfig;
  readonly socket: SocketConfig;
  readonly database: DatabaseConfig;
  readonly security: SecurityConfig;
  readonly webhook: WebhookConfig;
  readonly models: ModelsConfig;
  readonly exports: ExportsConfig;
  readonly transfer: TransferConfig;
  readonly runtime: RuntimeConfig;
}

/** The environment is not usable; one line per fault. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`Bad configuration: ${faults.join('; ')}`);
    this.name = 'ConfigError';
  }
}

/** Reads the configuration from an environment; throws ConfigError with all faults. */
export function loadConfig(env: NodeJS.ProcessEnv): AppConfig {
  const faults: string[] = [];
  const config: AppConfig = {
    http: new HttpConfig(readArea(HttpConfig.fields, env, faults)),
    socket: new SocketConfig(readArea(SocketConfig.fields, env, faults)),
    database: new DatabaseConfig(readArea(DatabaseConfig.fields, env, faults)),
    security: new SecurityConfig(readArea(SecurityConfig.fields, env, faults)),
    webhook: new WebhookConfig(readArea(WebhookConfig.fields, env, faults)),
    models: new ModelsConfig(readArea(ModelsConfig.fields, env, faults)),
    exports: new ExportsConfig(readArea(ExportsConfig.fields, env, faults)),
    transfer: new TransferConfig(readArea(TransferConfig.fields, env, faults)),
    runtime: new RuntimeConfig(readArea(RuntimeConfig.fields, env, faults)),
  };
  if (config.runtime.nodeEnv === 'production' && config.database.url !== undefined) {
    for (const field of [
      SecurityConfig.fields.masterKey,
      SecurityConfig.fields.jwtSecret,
      SecurityConfig.fields.encryptionKey,
    ])
      if (!env[field.name]?.trim() && !faults.some((f) => f.startsWith(field.name)))
        faults.push(`${field.name} is required with DATABASE_URL when NODE_ENV=production`);
  }
  if (config.socket.silenceMs <= config.socket.heartbeatMs)
    faults.push(`WS_SILENCE_MS must be longer than WS_HEARTBEAT_MS (${config.socket.heartbeatMs})`);
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

/**
 * Takes the variables of PostgreSQL's own clients (PGSSLMODE, PGOPTIONS, PGPASSWORD …) out of this process, whose driver
 * would read them: what concerns the database is said by DATABASE_URL alone, and nothing concerns the embedded one.
 */
export function forgetPostgresVariables(): void {
  for (const name of Object.keys(process.env)) if (/^PG[A-Z]/.test(name)) Reflect.deleteProperty(process.env, name);
}

/** Whether a first start makes the demo tenant. */
export function makesDemo({ runtime }: AppConfig): boolean {
  return runtime.demo ?? !isProduction(runtime);
}

/** Logs are kept and read by more than the operator there: keys are not printed. */
export function isProduction({ nodeEnv }: RuntimeConfig): boolean {
  return nodeEnv === 'production';
}
