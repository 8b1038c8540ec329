import type { EnvField } from './field';
import { ALL_FIELDS, CONFIG_AREAS, ConfigError, loadConfig, makesDemo, unknownVariables } from '.';

/** The faults of an environment; empty when it is good. */
function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const SECRETS = { MASTER_API_KEY: 'm'.repeat(16), JWT_SECRET: 'j'.repeat(32), ENCRYPTION_KEY: 'a'.repeat(64) };
const URL = 'postgres://user:hunter2@host/db';

describe('the configuration', () => {
  it('has the defaults that operators rely on', () => {
    const { http, socket, database, security, models, transfer, cluster, runtime } = loadConfig({});
    expect(http).toEqual({
      port: 8080,
      host: undefined,
      corsOrigins: ['*'],
      trustProxy: false,
      metricsPublic: true,
      uiEnabled: true,
    });
    expect(socket).toEqual({
      allowApiKeyInQuery: undefined,
      cacheMegabytes: 64,
      heartbeatMs: 30_000,
      silenceMs: 60_000,
      ackTimeoutMs: 30_000,
      shutdownSpreadMs: 5000,
      upgradesAtOnce: 500,
      upgradesWaiting: 20_000,
      comebackShare: 60,
    });
    expect(database).toMatchObject({ dataDir: './data', url: undefined, poolSize: 20, allowUnsafe: false });
    expect(security).toEqual({
      masterKey: undefined,
      jwtSecret: undefined,
      encryptionKey: undefined,
      oldEncryptionKeys: [],
      backupPassphrase: undefined,
    });
    expect(models).toEqual({
      openaiApiKey: undefined,
      openaiBaseUrl: undefined,
      openaiVision: false,
      vision: false,
      openaiModel: 'gpt-4o-mini',
      openaiAuthHeader: 'authorization',
      firstMs: 120_000,
      idleMs: 60_000,
      totalMs: 600_000,
      maxAnswerBytes: 1_048_576,
      allowPrivate: false,
    });
    expect(transfer).toMatchObject({ importMaxGb: 20 });
    expect(cluster).toEqual({ redisUrls: [], redisDeadlineMs: 100, nodeName: undefined });
    expect(runtime).toMatchObject({ nodeEnv: 'development', logLevel: 'info' });
    expect(runtime).toMatchObject({ shutdownGraceMs: 8000, drainDelayMs: 0, runDrainMs: undefined });
  });

  it('takes an empty variable for an unset one, and trims', () => {
    const { http, database } = loadConfig({ PORT: ' ', HOST: '', DATA_DIR: ' /srv/data ' });
    expect([http.port, http.host, database.dataDir]).toEqual([8080, undefined, '/srv/data']);
  });

  it.each([
    ['PORT', '0'],
    ['PORT', '65535'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://a.example, http://localhost:3000,'],
    ['TRUST_PROXY', 'yes'],
    ['METRICS_PUBLIC', '0'],
    ['DATABASE_URL', 'postgresql://host/db'],
    ['LOG_LEVEL', 'silent'],
    ['ENCRYPTION_KEY', 'AB'.repeat(32)],
    ['ENCRYPTION_KEYS_OLD', `${'ab'.repeat(32)},${'cd'.repeat(32)}`],
    ['WEBHOOK_RETRY_SECONDS', '1, 60'],
    ['OPENAI_BASE_URL', 'http://127.0.0.1:11434/v1'],
    ['OPENAI_PRICES', '15,60'],
    ['OPENAI_MODEL', 'gpt-5'],
    ['OPENAI_PRICES', '0.15,0.6,0.075'],
  ])('takes %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([]);
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', '1e3'],
    ['PORT', 'http'],
    ['CORS_ORIGINS', 'example.com'],
    ['CORS_ORIGINS', 'https://a.example/path'],
    ['CORS_ORIGINS', 'https://a.example https://b.example'],
    ['TRUST_PROXY', 'maybe'],
    ['DATABASE_URL', 'mysql://host/db'],
    ['DATABASE_POOL_SIZE', '1'],
    ['DATABASE_DEADLINE_MS', '0'],
    ['MASTER_API_KEY', 'short'],
    ['JWT_SECRET', 'x'.repeat(31)],
    ['ENCRYPTION_KEY', 'x'.repeat(64)],
    ['ENCRYPTION_KEYS_OLD', `${'ab'.repeat(32)},${'x'.repeat(64)}`],
    ['WEBHOOK_RETRY_SECONDS', '5,0'],
    ['OPENAI_BASE_URL', 'localhost:11434'],
    ['OPENAI_PRICES', '15'],
    ['OPENAI_PRICES', '15,-1'],
    ['OPENAI_PRICES', '1,2,3,4'],
    ['OPENAI_BASE_URL', 'https://user:secret@host/v1'],
    ['NODE_ENV', 'prod'],
    ['LOG_LEVEL', 'loud'],
    ['REDIS_URL', 'redis://host'],
    ['CLUSTER_NODE_NAME', 'a b'],
  ])('refuses %s=%s in one line that names it', (name, value) => {
    const faults = faultsOf({ [name]: value });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^${name} .+`));
    expect(faults[0]).not.toContain('\n');
  });

  it('tells all faults at once', () => {
    const faults = faultsOf({ PORT: 'x', LOG_LEVEL: 'loud', JWT_SECRET: 'short', REDIS_URL: 'redis://h' });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['PORT', 'JWT_SECRET', 'LOG_LEVEL', 'REDIS_URL']);
    expect(() => loadConfig({ PORT: 'x', LOG_LEVEL: 'loud' })).toThrow(/PORT .*; LOG_LEVEL /);
  });

  it('never repeats a secret in a fault', () => {
    const secrets = CONFIG_AREAS.flatMap((area) => Object.values<EnvField<unknown>>(area.fields)).filter(
      (field) => field.secret,
    );
    expect(secrets.map((field) => field.name).sort()).toEqual(
      [
        ...[
          'DATABASE_URL',
          'ENCRYPTION_KEY',
          'ENCRYPTION_KEYS_OLD',
          'JWT_SECRET',
          'MASTER_API_KEY',
          'MODEL_API_KEY',
          'OPENAI_API_KEY',
        ],
        ...['REDIS_URL', 'BACKUP_PASSPHRASE'],
      ].sort(),
    );
    const text = faultsOf(Object.fromEntries(secrets.map((field) => [field.name, 'hunter2']))).join();
    expect(text).not.toContain('hunter2');
  });

  it('shows a bad value that is no secret', () => {
    expect(faultsOf({ PORT: 'eighty' })).toEqual(['PORT must be a whole number from 0 to 65535, not "eighty"']);
  });

  describe('one of several servers', () => {
    const several = { DATABASE_URL: URL, ...SECRETS, REDIS_URL: 'redis://h' };

    it('has defaults of its own, which what is set goes before', () => {
      const { cluster, database, runtime } = loadConfig({ ...several, CLUSTER_NODE_NAME: 'chat-1', RUN_DRAIN_MS: '0' });
      expect(cluster).toEqual({ redisUrls: ['redis://h'], redisDeadlineMs: 100, nodeName: 'chat-1' });
      expect([database.poolSize, runtime.drainDelayMs, runtime.runDrainMs]).toEqual([10, 5000, 0]);
      expect(loadConfig(several).runtime.runDrainMs).toBe(60_000);
    });

    it('needs a database and secrets that are the same for all, in one line that names what lacks', () => {
      const text = 'REDIS_URL makes this server one of several on one database: set';
      const all = 'DATABASE_URL, MASTER_API_KEY, JWT_SECRET, ENCRYPTION_KEY';
      expect(faultsOf({ REDIS_URL: 'redis://h' })).toEqual([`${text} ${all} too, the same for all`]);
      const { JWT_SECRET: _, ...lacking } = several;
      expect(faultsOf({ ...lacking, NODE_ENV: 'production' })).toEqual([`${text} JWT_SECRET too, the same for all`]);
    });

    it.each([
      'redis://h',
      'rediss://u:p%2C%20w@h:6380/3',
      'redis://:pw@[::1]:6379/',
      ' redis://a , redis://a:1 ,redis://b ',
    ])('takes REDIS_URL=%s', (REDIS_URL) => expect(faultsOf({ ...several, REDIS_URL })).toEqual([]));

    it.each([
      ...['hunter2', 'http://hunter2@h', 'redis:h', 'redis:///0', 'redis://:hunter2@h/db', 'redis://:hunter2%@h'],
      ...['redis://h?password=hunter2', 'redis://u:hunter2#@h', 'redis://h,:hunter2@h2'],
    ])('refuses REDIS_URL=%s in one line that does not repeat it', (REDIS_URL) => {
      const faults = faultsOf({ ...several, REDIS_URL });
      expect(faults).toEqual([expect.stringMatching(/^REDIS_URL must be redis:\/\//)]);
      expect(faults[0]).not.toContain('hunter2');
    });

    it('refuses one Redis that is named twice', () => {
      expect(faultsOf({ ...several, REDIS_URL: 'redis://h,rediss://u:hunter2@h:6379/1' })).toEqual([
        'REDIS_URL names one Redis twice',
      ]);
    });
  });

  describe('production with a database of its own', () => {
    const production = { NODE_ENV: 'production', DATABASE_URL: URL };

    it('requires the three secrets, by name', () => {
      expect(faultsOf(production)).toEqual([
        'MASTER_API_KEY is required with DATABASE_URL when NODE_ENV=production',
        'JWT_SECRET is required with DATABASE_URL when NODE_ENV=production',
        'ENCRYPTION_KEY is required with DATABASE_URL when NODE_ENV=production',
      ]);
      expect(faultsOf({ ...production, ...SECRETS })).toEqual([]);
    });

    it('says one thing of a secret that is there and bad', () => {
      expect(faultsOf({ ...production, ...SECRETS, JWT_SECRET: 'short' })).toEqual([
        'JWT_SECRET must have at least 32 characters',
      ]);
    });
  });

  it.each([
    [true, {}],
    [true, { DATABASE_URL: URL }],
    [true, { NODE_ENV: 'test' }],
    [false, { DEMO: 'false' }],
    [false, { NODE_ENV: 'production' }],
    [false, { NODE_ENV: 'production', DATABASE_URL: URL, ...SECRETS }],
    [true, { NODE_ENV: 'production', DEMO: 'true' }],
  ])('S19: a first start makes the demo tenant: %s with %j', (expected, env) => {
    expect(makesDemo(loadConfig(env))).toBe(expected);
  });

  it.each([
    ['a transposed letter in .env', { PROT: '1' }, ['PROT'], ['PROT (did you mean PORT?)']],
    ['a transposed letter on the command line', { PROT: '1' }, [], ['PROT (did you mean PORT?)']],
    ['two errors in a long name', { DATABSE_URI: '1' }, [], ['DATABSE_URI (did you mean DATABASE_URL?)']],
    ['the wrong case', { log_level: 'info' }, [], ['log_level (did you mean LOG_LEVEL?)']],
    ['a prefix', { CHATAPI_PORT_: '1' }, [], ['CHATAPI_PORT_ (did you mean PORT?)']],
    ['a prefix, and nothing like it', { CHATAPI_COLOUR: 'red' }, [], ['CHATAPI_COLOUR']],
    ['something else in .env', { SMTP_HOST: 'x' }, ['SMTP_HOST'], ['SMTP_HOST']],
    ['what belongs to docker-compose.yml', { POSTGRES_PASSWORD: 'x', CHATAPI_PORT: '1' }, ['POSTGRES_PASSWORD'], []],
    [
      'what every shell has',
      {
        HOME: '/root',
        HOSTNAME: 'h',
        PATH: '/',
        USER: 'u',
        TERM: 't',
        LANG: 'C',
        PWD: '/',
        SHLVL: '1',
        NODE_OPTIONS: '',
      },
      [],
      [],
    ],
    ['all of ours', Object.fromEntries(ALL_FIELDS.map(({ name }) => [name, 'x'])), ALL_FIELDS.map((f) => f.name), []],
  ])('S18: tells of unknown variables: %s', (_, env: Record<string, string>, inFile: string[], told: string[]) => {
    expect(unknownVariables(ALL_FIELDS, env, inFile)).toEqual(told);
  });

  it('has a name and a text for every field, and no name twice', () => {
    const fields = CONFIG_AREAS.flatMap((area) => Object.values<EnvField<unknown>>(area.fields));
    expect(fields.filter((field) => !/^[A-Z_]+$/.test(field.name) || field.doc.length < 10)).toEqual([]);
    expect(new Set(fields.map((field) => field.name)).size).toBe(fields.length);
  });

  it.each<[Record<string, string>, string | undefined]>([
    [{ MODEL_PROVIDER: 'anthropic', MODEL_API_KEY: 'k', MODEL_NAME: 'm', MODEL_PRICES: '3,15,0.3' }, undefined],
    [{ MODEL_PROVIDER: 'google', MODEL_API_KEY: 'k', MODEL_BASE_URL: 'https://proxy.example/v1beta' }, undefined],
    [{ MODEL_PROVIDER: 'openai-compatible', MODEL_BASE_URL: 'http://127.0.0.1:11434/v1' }, undefined],
    [{ MODEL_PROVIDER: 'claude', MODEL_API_KEY: 'k' }, 'MODEL_PROVIDER must be one of'],
    [{ MODEL_PROVIDER: 'anthropic' }, 'MODEL_PROVIDER anthropic needs MODEL_API_KEY'],
    [
      { MODEL_PROVIDER: 'google', MODEL_BASE_URL: 'https://proxy.example' },
      'MODEL_PROVIDER google needs MODEL_API_KEY',
    ],
    [{ MODEL_PROVIDER: 'openai-compatible' }, 'MODEL_PROVIDER openai-compatible needs'],
    [{ MODEL_PROVIDER: 'google', MODEL_API_KEY: 'k', OPENAI_API_KEY: 'o' }, 'MODEL_PROVIDER names the channel'],
    [{ MODEL_API_KEY: 'k', MODEL_NAME: 'm' }, 'MODEL_PROVIDER is not set: without it MODEL_API_KEY, MODEL_NAME'],
    [{ MODEL_PROVIDER: 'google', MODEL_API_KEY: 'k', MODEL_BASE_URL: 'x' }, 'MODEL_BASE_URL must be'],
  ])('a channel of the environment of any provider is named once and whole: %j', (env, fault) => {
    const faults = faultsOf(env);
    expect(faults).toEqual(fault === undefined ? [] : [expect.stringContaining(fault)]);
    expect(faults.join()).not.toMatch(/\bk\b/);
  });

  it('reads prices of input, output and, where they are said, input from a cache', () => {
    const prices = (OPENAI_PRICES: string): unknown => loadConfig({ OPENAI_PRICES }).models.openaiPrices;
    expect(prices('0.15,0.6')).toEqual({ input: 0.15, output: 0.6 });
    expect(prices('15,60,7.5')).toEqual({ input: 15, output: 60, cached: 7.5 });
    expect(loadConfig({}).models.openaiPrices).toBeUndefined();
  });
});
