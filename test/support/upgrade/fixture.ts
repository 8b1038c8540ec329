import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Client } from 'pg';
import { newLook } from '../../../src/platform/database/epoch';
import { EmbeddedPostgres } from '../../../src/platform/database/embedded';
import { faults, AnswerGate, type ProviderServer } from '../fake-model';
import { type Api, metricOf } from '../http/api';
import { until } from '../poll';
import type { DeliveryBody, Receiver } from '../webhooks/receiver';
import type { ScenarioResult } from './scenario';

const DIR = join(__dirname, '..', '..', 'fixtures', 'upgrade');

/** Where the story's fakes were, as it stands in rows and in answers. */
export interface FixturePlaces {
  readonly model: string;
  readonly hook: string;
}

/** What a release answered to one GET. */
export interface RecordedAnswer {
  /** Who asked: a name of `World.callers`. */
  readonly by: string;
  readonly path: string;
  readonly status: number;
  /** X-Total-Count, where there was one. */
  readonly total?: string;
  readonly body: unknown;
}

/** A data directory of a release, without its rows, and what the release answered on it. */
export interface UpgradeFixture {
  readonly release: string;
  readonly world: ScenarioResult;
  readonly places: FixturePlaces;
  /** The files of DATA_DIR/secrets, made for this fixture and used nowhere else. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly answers: readonly RecordedAnswer[];
}

/** What the servers of a fixture are started with: nothing of the story gives up while a test looks at what is due. */
export const UPGRADE_ENV = {
  WEBHOOK_ALLOW_PRIVATE: 'true',
  CHANNEL_ALLOW_PRIVATE: 'true',
  WEBHOOK_OFFLINE_DELAY_MS: '0',
  WEBHOOK_RETRY_SECONDS: '1',
  WEBHOOK_TIMEOUT_MS: '60000',
  MODEL_FIRST_MS: '600000',
};

export const JOBS_LEFT = ['chatapi_jobs{state="queued"}', 'chatapi_jobs{state="running"}'];

export function writeFixture(fixture: UpgradeFixture, sql: string): void {
  mkdirSync(DIR, { recursive: true });
  writeFileSync(join(DIR, 'release.json'), `${JSON.stringify(fixture, null, 1)}\n`);
  writeFileSync(join(DIR, 'database.sql.gz'), gzipSync(sql, { level: 9 }));
}

export function readFixture(): UpgradeFixture {
  return JSON.parse(readFileSync(join(DIR, 'release.json'), 'utf8')) as UpgradeFixture;
}

/** Makes a data directory as the release left it, whose model and webhook target are elsewhere now. */
export async function layOut(dataDir: string, { secrets, places }: UpgradeFixture, now: FixturePlaces): Promise<void> {
  const made = gunzipSync(readFileSync(join(DIR, 'database.sql.gz'))).toString();
  const sql = made.replaceAll(places.model, now.model).replaceAll(places.hook, now.hook);
  mkdirSync(join(dataDir, 'secrets'), { mode: 0o700 });
  for (const [name, secret] of Object.entries(secrets))
    writeFileSync(join(dataDir, 'secrets', name), secret, { mode: 0o600 });
  const postgres = new EmbeddedPostgres({ dataDir });
  await postgres.start();
  try {
    const client = new Client({ ...postgres.adminConnection(), database: postgres.connection().database });
    await client.connect();
    try {
      await client.query(sql);
      // The directory is the one that the release ran on, no copy of it.
      const look = JSON.stringify(await newLook(dataDir));
      await client.query('UPDATE public.instance SET directory = $1', [look]);
    } finally {
      await client.end();
    }
  } finally {
    await postgres.stop();
  }
}

/**
 * Once all work that is due is held back by the model and the target: a job for the question that waits, and one for each
 * delivery that is not at its end.
 */
export async function untilHeld(api: Api, { callers, tenantPath }: ScenarioResult): Promise<void> {
  const key = api.with(callers['key'] ?? {});
  await until(
    async () => {
      const jobs = await Promise.all(JOBS_LEFT.map((series) => metricOf(api, series)));
      const { body } = await key.get<{ deliveries: DeliveryBody[] }>(`${tenantPath}/webhook/deliveries?limit=100`);
      const pending = body.deliveries.filter(({ state }) => state === 'pending').length;
      return { jobs: jobs.reduce((sum, n) => sum + n, 0), pending };
    },
    ({ jobs, pending }) => jobs === pending + 1,
  );
}

/** What is answered now to the same GETs, in the words of `places`. */
export async function askAgain(
  api: Api,
  { callers }: ScenarioResult,
  asked: readonly Pick<RecordedAnswer, 'by' | 'path'>[],
  now: FixturePlaces,
  places: FixturePlaces,
): Promise<RecordedAnswer[]> {
  const answers: RecordedAnswer[] = [];
  for (const { by, path } of asked) {
    const { status, headers, body } = await api.with(callers[by] ?? {}).get<unknown>(path);
    const total = headers.get('x-total-count');
    const text = JSON.stringify(body).replaceAll(now.model, places.model).replaceAll(now.hook, places.hook);
    const settled = JSON.parse(text, withoutWhatMoves) as unknown;
    answers.push({ by, path, status, ...(total === null ? {} : { total }), body: settled });
  }
  return answers;
}

/** Until the gate is opened the model and the target answer nothing, so what is due stays due. */
export function holdBack(model: ProviderServer, hook: Receiver): AnswerGate {
  const gate = new AnswerGate();
  model.otherwise = faults.silentBeforeHeaders(gate);
  hook.answer = (response) => void gate.pass().then(() => response.writeHead(204).end());
  return gate;
}

/**
 * When a key was last used is written some seconds after each use; a request's id is new each time; what waits for its
 * first attempt was planned after the start.
 */
function withoutWhatMoves(this: Readonly<Record<string, unknown>>, field: string, value: unknown): unknown {
  const isPlanned = field === 'created_at' && this['webhook_id'] !== undefined && this['last_attempt_at'] === null;
  return (field === 'last_used_at' && value !== null) || field === 'request_id' || isPlanned ? 'moves' : value;
}
