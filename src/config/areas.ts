import { httpUrl, originFault, redisFault } from '../common/urls';
import { area } from './area';
import { flag, int, list, oneOf, optionalFlag, optionalInt, optionalText, prices, text } from './field';

/** Where and how the server listens. */
export class HttpConfig extends area('HTTP', {
  port: int('PORT', { default: 8080, min: 0, max: 65535, doc: 'TCP port; 0 takes a free one.' }),
  host: optionalText('HOST', {
    doc: 'Address to listen on. Unset: 127.0.0.1 with the embedded database, 0.0.0.0 with DATABASE_URL.',
  }),
  corsOrigins: list('CORS_ORIGINS', {
    default: ['*'],
    check: (item) => (item === '*' ? undefined : originFault(item)),
    doc: 'Origins whose pages may call the API, comma-separated; * for all. https://*.example.com stands for any one label; web views and extensions have origins such as capacitor://localhost; null stands for local files. Cookies are never used.',
  }),
  trustProxy: flag('TRUST_PROXY', {
    default: false,
    doc: 'Take the client address from X-Forwarded-For: its last entry, which the nearest proxy wrote. Only behind a proxy that sets it.',
  }),
  metricsPublic: flag('METRICS_PUBLIC', {
    default: true,
    doc: 'Serve /metrics without a credential; false asks for the master key.',
  }),
  uiEnabled: flag('UI_ENABLED', {
    default: true,
    doc: 'Serve the pages: / for browsers, the console at /admin/ui, the playground at /playground. false: / answers JSON alone, the others are 404.',
  }),
}) {}

/** Where the data lives. */
export class DatabaseConfig extends area('Database', {
  dataDir: text('DATA_DIR', {
    default: './data',
    doc: 'Directory of the embedded database and of the secrets that the server makes itself.',
  }),
  url: optionalText('DATABASE_URL', {
    secret: true,
    check: (raw) => (/^postgres(ql)?:\/\//.test(raw) ? undefined : 'must begin with postgres:// or postgresql://'),
    doc: 'An outside PostgreSQL 15 or newer. Its role owns the database, may create roles and is no superuser. A pooler in front of it has to pool by session (PgBouncer: pool_mode = session). The variables of PostgreSQL clients (PGPASSWORD, PGSSLMODE, PGOPTIONS …) and ~/.pgpass are not read: all is said in the URL, e.g. ?sslmode=verify-full&sslrootcert=FILE. Unset: the embedded PostgreSQL in DATA_DIR.',
  }),
  poolSize: int('DATABASE_POOL_SIZE', {
    default: 20,
    inCluster: 10,
    min: 4,
    max: 500,
    doc: 'Connections of this server to the database. With several servers max_connections of PostgreSQL has to be enough for all of them, with four more each.',
  }),
  deadlineMs: int('DATABASE_DEADLINE_MS', {
    default: 4000,
    min: 100,
    max: 60_000,
    doc: 'Milliseconds after which a call to the database is given up and answered 503.',
  }),
  allowUnsafe: flag('DATABASE_ALLOW_UNSAFE', {
    default: false,
    doc: 'Start although fsync, full_page_writes or synchronous_commit is off: acknowledged messages may then be lost.',
  }),
  requireSyncStandby: flag('DATABASE_REQUIRE_SYNC_STANDBY', {
    default: false,
    doc: 'Take messages only while each commit waits for a standby (synchronous_standby_names is set, synchronous_commit is on or remote_apply): without that the server refuses to start, and answers 503 to messages when it is so later. With DATABASE_URL only.',
  }),
}) {}

/** Keys and secrets. */
export class SecurityConfig extends area('Secrets', {
  masterKey: optionalText('MASTER_API_KEY', {
    secret: true,
    check: minLength(16),
    doc: 'The key of /admin/* for all tenants (header X-Master-Key), at least 16 characters. Unset: made at the first start and stored in DATA_DIR/secrets/master-key.',
  }),
  jwtSecret: optionalText('JWT_SECRET', {
    secret: true,
    check: minLength(32),
    doc: 'Signs user tokens and socket tickets, at least 32 characters. Unset: made and stored like the master key.',
  }),
  encryptionKey: optionalText('ENCRYPTION_KEY', {
    secret: true,
    check: (raw) => (/^[0-9a-f]{64}$/i.test(raw) ? undefined : 'must be 64 hex digits (32 bytes)'),
    doc: 'Encrypts what is secret at rest, 64 hex digits. Unset: made and stored like the master key.',
  }),
  oldEncryptionKeys: list('ENCRYPTION_KEYS_OLD', {
    default: [],
    secret: true,
    check: (item) => (/^[0-9a-f]{64}$/i.test(item) ? undefined : 'must be 64 hex digits each, comma-separated'),
    doc: 'Earlier values of ENCRYPTION_KEY, comma-separated: they still read what they encrypted, and prove the rows of the audit log that were written with them.',
  }),
  backupPassphrase: optionalText('BACKUP_PASSPHRASE', {
    secret: true,
    check: minLength(12),
    doc: 'Seals the secrets in a backup made --with-secrets, and opens them at its restore; at least 12 characters. The server does not use it. Unset: asked for at the terminal.',
  }),
}) {}

/** The sockets. */
export class SocketConfig extends area('Sockets', {
  allowApiKeyInQuery: optionalFlag('ALLOW_API_KEY_IN_QUERY', {
    shownDefault: 'true, but false when NODE_ENV=production',
    doc: 'Take ?api_key=&user_id= on the sockets. URLs end up in the logs of proxies; browsers should use tokens or tickets.',
  }),
  heartbeatMs: int('WS_HEARTBEAT_MS', {
    default: 30_000,
    min: 100,
    max: 600_000,
    doc: 'Milliseconds between two pings of the server to a client.',
  }),
  silenceMs: int('WS_SILENCE_MS', {
    default: 60_000,
    min: 200,
    max: 1_200_000,
    doc: 'Milliseconds without a sign of life from a client after which its socket is closed (4000). Must be longer than WS_HEARTBEAT_MS.',
  }),
  ackTimeoutMs: int('WS_ACK_TIMEOUT_MS', {
    default: 30_000,
    min: 20,
    max: 600_000,
    doc: 'Milliseconds that a message waits for its ack before it is sent again to a client that acks; each further wait is twice as long.',
  }),
  cacheMegabytes: int('WS_CACHE_MB', {
    default: 64,
    min: 0,
    max: 65_536,
    doc: 'Memory for the newest messages of rooms, in MB, from which clients that come back are brought up to date; one tenant has at most a quarter of it. With 0 nothing is kept.',
  }),
  upgradesAtOnce: int('WS_UPGRADES_AT_ONCE', {
    default: 500,
    min: 1,
    max: 10_000,
    doc: 'Sockets that are opened at the same time, from the check of their credential until they sit in their rooms; others wait. What they ask of the database is asked together.',
  }),
  upgradesWaiting: int('WS_UPGRADES_WAITING', {
    default: 20_000,
    min: 0,
    max: 1_000_000,
    doc: 'Sockets that may wait to be opened, for 20 seconds each; beyond it they are refused with 503 and Retry-After (1013 with close_codes=1). One that waits takes about 10 KiB of memory.',
  }),
  comebackShare: int('WS_COMEBACK_SHARE', {
    default: 60,
    min: 5,
    max: 90,
    doc: 'Percent of the time of the event loop, all its work included, up to which clients that come back are let in and brought up to date without delay while others are sent live messages. More brings them back sooner, and makes live messages wait for longer. While nothing live was sent for a second it is 80, or this where it is more.',
  }),
  shutdownSpreadMs: int('WS_SHUTDOWN_SPREAD_MS', {
    default: 5000,
    min: 0,
    max: 60_000,
    doc: 'Longest delay, in milliseconds, that clients are told to wait before they reconnect when the server stops; it is spread over them. With several servers it is longer where the others would be asked to take more than 200 connections a second each.',
  }),
}) {}

/** Webhooks of tenants. */
export class WebhookConfig extends area('Webhooks', {
  allowPrivate: flag('WEBHOOK_ALLOW_PRIVATE', {
    default: false,
    doc: 'Let webhooks reach private networks and this host. Only where every tenant is trusted.',
  }),
  timeoutMs: int('WEBHOOK_TIMEOUT_MS', {
    default: 15_000,
    min: 100,
    max: 60_000,
    doc: 'Milliseconds that a webhook may take in all, answer included.',
  }),
  offlineDelayMs: int('WEBHOOK_OFFLINE_DELAY_MS', {
    default: 5000,
    min: 0,
    max: 600_000,
    doc: 'Milliseconds after a message is stored before members without a connection are posted to the webhook.',
  }),
  retrySeconds: list('WEBHOOK_RETRY_SECONDS', {
    default: ['5', '300', '1800', '7200', '18000', '36000', '50400', '72000', '86400'],
    check: (item) => (/^\d{1,6}$/.test(item) && Number(item) >= 1 ? undefined : 'must be whole seconds from 1'),
    doc: 'Seconds to wait after the first, second … failed attempt, comma-separated, give or take 20 %. After one attempt more than there are entries a delivery becomes a dead letter.',
  }),
}) {}

/** Those that a channel of the environment can have. */
const PROVIDERS: readonly string[] = ['openai-compatible', 'anthropic', 'google'];

function baseUrlFault(raw: string): string | undefined {
  return httpUrl(raw) === undefined ? 'must be an http or https URL without credentials' : undefined;
}

/** The ways to models: the environment's own channel, which every tenant has, and what tenants' own may do. */
export class ModelsConfig extends area('Models', {
  openaiApiKey: optionalText('OPENAI_API_KEY', {
    secret: true,
    doc: 'Key of a provider that speaks the OpenAI protocol. With it or OPENAI_BASE_URL every tenant has a model, after those channels that it has made itself.',
  }),
  openaiBaseUrl: optionalText('OPENAI_BASE_URL', {
    check: baseUrlFault,
    doc: 'Base URL of that provider, e.g. http://127.0.0.1:11434/v1 for Ollama. A query (Azure: ?api-version=…) goes with every request. Unset: https://api.openai.com/v1.',
  }),
  openaiModel: text('OPENAI_MODEL', { default: 'gpt-4o-mini', doc: 'Model that it is asked for.' }),
  openaiAuthHeader: oneOf<'authorization' | 'api-key'>('OPENAI_AUTH_HEADER', ['authorization', 'api-key'], {
    default: 'authorization',
    doc: 'Header that carries OPENAI_API_KEY: authorization (as Bearer), or api-key (Azure).',
  }),
  openaiPrices: prices('OPENAI_PRICES', {
    doc: 'What that provider asks for a million tokens: input,output or input,output,cached, e.g. 15,60,7.5 in cents. Unset: not known, and then it answers no tenant that has a budget of money (cost_per_day).',
  }),
  openaiVision: flag('OPENAI_VISION', {
    default: false,
    doc: 'Whether that provider is shown the images of users; false: it is told their names.',
  }),
  provider: optionalText('MODEL_PROVIDER', {
    check: (raw) => (PROVIDERS.includes(raw) ? undefined : `must be one of: ${PROVIDERS.join(', ')}`),
    doc: 'Whose protocol the channel of the environment speaks: openai-compatible, anthropic or google. With it the channel is what MODEL_API_KEY, MODEL_BASE_URL, MODEL_NAME, MODEL_PRICES and MODEL_VISION say, and the OPENAI_* variables are to be left out. Unset: openai-compatible, as the OPENAI_* variables say.',
  }),
  apiKey: optionalText('MODEL_API_KEY', {
    secret: true,
    doc: 'Key of MODEL_PROVIDER; anthropic and google need one.',
  }),
  baseUrl: optionalText('MODEL_BASE_URL', {
    check: baseUrlFault,
    doc: 'Base URL of MODEL_PROVIDER, for a proxy or a region of its own. Unset: the provider’s own, e.g. https://api.anthropic.com/v1.',
  }),
  model: optionalText('MODEL_NAME', {
    doc: 'Model that MODEL_PROVIDER is asked for. Unset: a small one of the provider.',
  }),
  prices: prices('MODEL_PRICES', { doc: 'What MODEL_PROVIDER asks for a million tokens, as OPENAI_PRICES.' }),
  vision: flag('MODEL_VISION', {
    default: false,
    doc: 'Whether MODEL_PROVIDER is shown the images of users, as OPENAI_VISION.',
  }),
  firstMs: int('MODEL_FIRST_MS', {
    default: 120_000,
    min: 100,
    max: 3_600_000,
    doc: 'Milliseconds that a model may take until the first sign of life in its answer, of channels that do not say otherwise. Any byte is one.',
  }),
  idleMs: int('MODEL_IDLE_MS', {
    default: 60_000,
    min: 100,
    max: 3_600_000,
    doc: 'Milliseconds that may pass between two signs of life in an answer, of channels that do not say otherwise.',
  }),
  totalMs: int('MODEL_TOTAL_MS', {
    default: 600_000,
    min: 100,
    max: 3_600_000,
    doc: 'Milliseconds that a whole answer may take, of channels that do not say otherwise.',
  }),
  maxAnswerBytes: int('MODEL_MAX_ANSWER_BYTES', {
    default: 1_048_576,
    min: 1024,
    max: 16_777_216,
    doc: 'UTF-8 bytes that an answer may have; a longer one ends there, with finish_reason length.',
  }),
  allowPrivate: flag('CHANNEL_ALLOW_PRIVATE', {
    default: false,
    doc: 'Let model channels of tenants reach private networks and this host. Only where every tenant is trusted.',
  }),
}) {}

/** Exports of tenants and of users' data. */
export class ExportsConfig extends area('Exports', {
  hours: int('EXPORT_HOURS', {
    default: 24,
    min: 1,
    max: 720,
    doc: 'Hours that the file of an export is kept in DATA_DIR/exports. With several servers that directory has to be a shared one.',
  }),
}) {}

/** Imports of tenants. */
export class TransferConfig extends area('Imports', {
  importMaxGb: int('IMPORT_MAX_GB', {
    default: 20,
    min: 1,
    max: 1000,
    doc: 'Gigabytes (of 1,073,741,824 bytes) that the uploaded file of one import may have, and what is packed in it. It waits in DATA_DIR/imports until the import is done.',
  }),
}) {}

/** How the process presents itself. */
export class RuntimeConfig extends area('Runtime', {
  nodeEnv: oneOf('NODE_ENV', ['development', 'production', 'test'] as const, {
    default: 'development',
    doc: 'production makes no demo tenant and prints no key that it makes, only the file that it is in; with DATABASE_URL it requires MASTER_API_KEY, JWT_SECRET and ENCRYPTION_KEY.',
  }),
  demo: optionalFlag('DEMO', {
    shownDefault: 'true, but false when NODE_ENV=production',
    doc: 'Make a tenant "demo" with a channel, users and an API key at the very first start.',
  }),
  logLevel: oneOf('LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const, {
    default: 'info',
    doc: 'Lowest level that is logged; debug has a line per request.',
  }),
  shutdownGraceMs: int('SHUTDOWN_GRACE_MS', {
    default: 8000,
    min: 0,
    max: 600_000,
    doc: 'Milliseconds for the whole stop after SIGTERM: running requests get the first 60 % of it, answers of models that are being written 75 %. What stores and closes has a few seconds in any case. The default ends before the 10 s of `docker stop`; give more only where whoever stops the server waits longer.',
  }),
  drainDelayMs: int('DRAIN_DELAY_MS', {
    default: 0,
    inCluster: 5000,
    min: 0,
    max: 600_000,
    doc: 'Milliseconds after SIGTERM in which /health/ready answers 503 and everything is served as before, so that a load balancer can notice: a little more than the time between two of its checks, times the failures that it waits for. SHUTDOWN_GRACE_MS begins afterwards.',
  }),
  runDrainMs: optionalInt('RUN_DRAIN_MS', {
    shownDefault: 'what SHUTDOWN_GRACE_MS leaves',
    inCluster: 60_000,
    min: 0,
    max: 600_000,
    doc: 'Milliseconds that answers of models which are being written get to come to their end when the server stops, once its clients have been let go; then they are kept as interrupted. The stop takes longer than SHUTDOWN_GRACE_MS by this at most.',
  }),
}) {}

/** Several servers on one database. */
export class ClusterConfig extends area('Several servers', {
  redisUrls: list('REDIS_URL', {
    default: [],
    secret: true,
    check: redisFault,
    doc: 'Makes this server one of several on one database, which tell each other through Redis 7.0 or newer (or what speaks its protocol) what they do: redis://user:password@host:6379/0, or rediss:// for TLS; a comma in the password is %2C. Several Redises, comma-separated, share the load: the same ones in the same order on all servers. With it DATABASE_URL, MASTER_API_KEY, JWT_SECRET and ENCRYPTION_KEY are required, the same for all. Nothing that matters is kept in Redis, and the servers work on while it is away. Unset: this server is the only one on its database.',
  }),
  redisDeadlineMs: int('REDIS_DEADLINE_MS', {
    default: 100,
    min: 10,
    max: 2000,
    doc: 'Milliseconds that Redis may take for an answer. Beyond it a server goes on by itself: with its share of rate and connection limits, and with what it knows of who is online.',
  }),
  nodeName: optionalText('CLUSTER_NODE_NAME', {
    check: (raw) => (/^[\w.-]{1,64}$/.test(raw) ? undefined : 'must be 1 to 64 of A-Z a-z 0-9 _ . -'),
    doc: 'Name of this server among several, as it stands in its log lines and in the list of Redis’ clients. Unset: an id that every start makes anew.',
  }),
}) {}

function minLength(n: number): (raw: string) => string | undefined {
  return (raw) => (raw.length >= n ? undefined : `must have at least ${n} characters`);
}
