/**
 * The configuration: one class per area, the only reader of the environment. All faults are reported at once.
 * docs/config.md and .env.example are generated from the same fields.
 */
import { readArea } from './area';
import {
  ClusterConfig,
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
  ClusterConfig,
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
  ClusterConfig,
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
  readonly cluster: ClusterConfig;
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
export function loadConfig(given: NodeJS.ProcessEnv): AppConfig {
  const faults: string[] = [];
  const env = isSet(given, ClusterConfig.fields.redisUrls) ? withClusterDefaults(given) : given;
  const config: AppConfig = {
    http: new HttpConfig(readArea(HttpConfig.fields, env, faults)),
    socket: new SocketConfig(readArea(SocketConfig.fields, env, faults)),
    database: new DatabaseConfig(readArea(DatabaseConfig.fields, env, faults)),
    security: new SecurityConfig(readArea(SecurityConfig.fields, env, faults)),
    webhook: new WebhookConfig(readArea(WebhookConfig.fields, env, faults)),
    models: new ModelsConfig(readArea(ModelsConfig.fields, env, faults)),
    exports: new ExportsConfig(readArea(ExportsConfig.fields, env, faults)),
    transfer: new TransferConfig(readArea(TransferConfig.fields, env, faults)),
    cluster: new ClusterConfig(readArea(ClusterConfig.fields, env, faults)),
    runtime: new RuntimeConfig(readArea(RuntimeConfig.fields, env, faults)),
  };
  const { masterKey, jwtSecret, encryptionKey } = SecurityConfig.fields;
  const secrets = [masterKey, jwtSecret, encryptionKey];
  if (isSet(env, ClusterConfig.fields.redisUrls)) {
    const lacking = [DatabaseConfig.fields.url, ...secrets].filter((field) => !isSet(env, field));
    if (lacking.length > 0)
      faults.push(
        `REDIS_URL makes this server one of several on one database: set ${lacking.map(({ name }) => name).join(', ')} too, the same for all`,
      );
    if (!faults.some((fault) => fault.startsWith('REDIS_URL must')) && namesOneTwice(config.cluster.redisUrls))
      faults.push('REDIS_URL names one Redis twice');
  } else if (config.runtime.nodeEnv === 'production' && config.database.url !== undefined)
    for (const field of secrets.filter((each) => !isSet(env, each)))
      faults.push(`${field.name} is required with DATABASE_URL when NODE_ENV=production`);
  if (config.socket.silenceMs <= config.socket.heartbeatMs)
    faults.push(`WS_SILENCE_MS must be longer than WS_HEARTBEAT_MS (${config.socket.heartbeatMs})`);
  faults.push(...modelFaults(env, config.models));
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

/** The environment has one channel: which of the two ways of saying it holds must be plain. */
function modelFaults(env: NodeJS.ProcessEnv, { provider }: ModelsConfig): string[] {
  const { openaiApiKey, openaiBaseUrl, openaiModel, openaiAuthHeader, openaiPrices, openaiVision, ...own } =
    ModelsConfig.fields;
  const { apiKey, baseUrl, model, prices, vision } = own;
  const set = (fields: readonly EnvField<unknown>[]): string =>
    fields
      .filter((field) => isSet(env, field))
      .map(({ name }) => name)
      .join(', ');
  if (!isSet(env, own.provider)) {
    const idle = set([apiKey, baseUrl, model, prices, vision]);
    return idle === '' ? [] : [`MODEL_PROVIDER is not set: without it ${idle} would be for nobody`];
  }
  const others = set([openaiApiKey, openaiBaseUrl, openaiModel, openaiAuthHeader, openaiPrices, openaiVision]);
  if (others !== '') return [`MODEL_PROVIDER names the channel of the environment: leave out ${others}, or it`];
  if (isSet(env, apiKey)) return [];
  if (provider !== 'openai-compatible') return [`MODEL_PROVIDER ${provider ?? ''} needs MODEL_API_KEY`];
  return isSet(env, baseUrl) ? [] : ['MODEL_PROVIDER openai-compatible needs MODEL_API_KEY or MODEL_BASE_URL'];
}

function isSet(env: NodeJS.ProcessEnv, { name }: EnvField<unknown>): boolean {
  return (env[name]?.trim() ?? '') !== '';
}

/** Several databases of one Redis share its publications. */
function namesOneTwice(redisUrls: readonly string[]): boolean {
  const places = redisUrls.map((url) => new URL(url)).map(({ hostname, port }) => `${hostname}:${port || '6379'}`);
  return new Set(places).size < places.length;
}

/** What is unset is what it is for one of several servers. */
function withClusterDefaults(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const unset = ALL_FIELDS.filter((field) => field.clusterDefault !== undefined && !isSet(env, field));
  return { ...env, ...Object.fromEntries(unset.map(({ name, clusterDefault }) => [name, clusterDefault])) };
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

/** Whether the server is one of several on its database. */
export function isClustered({ redisUrls }: ClusterConfig): boolean {
  return redisUrls.length > 0;
}

/** Logs are kept and read by more than the operator there: keys are not printed. */
export function isProduction({ nodeEnv }: RuntimeConfig): boolean {
  return nodeEnv === 'production';
}
