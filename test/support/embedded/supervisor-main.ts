/**
 * A server reduced to its database: the process that the tests kill. One JSON object per line on standard output.
 * Argument: the supervisor's options as JSON, and `write: true` to insert rows and report each acknowledged id.
 */
import { writeSync } from 'node:fs';
import { Client } from 'pg';
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from '../../../src/platform/database/embedded';

export interface SupervisorArguments extends EmbeddedPostgresOptions {
  readonly write?: boolean;
}

export type SupervisorReport =
  | { type: 'ready'; pid: number; socketDir: string }
  | { type: 'failed'; name: string; message: string }
  | { type: 'progress' | 'log'; line: string }
  | { type: 'restarted'; pid: number }
  | { type: 'acked'; id: number };

// Synchronous: what was reported before a SIGKILL must arrive.
const report = (line: SupervisorReport): void => void writeSync(1, `${JSON.stringify(line)}\n`);
const note = (line: string): void => report({ type: 'log', line });

async function writeForever(client: Client): Promise<void> {
  await client.query('create table if not exists acked (id int generated always as identity primary key)');
  for (;;) {
    const { rows } = await client.query<{ id: number }>('insert into acked default values returning id');
    report({ type: 'acked', id: rows[0]?.id ?? 0 });
  }
}

async function main(): Promise<void> {
  const { write, ...options } = JSON.parse(process.argv[2] ?? '{}') as SupervisorArguments;
  const postgres = new EmbeddedPostgres({
    ...options,
    onProgress: (line) => report({ type: 'progress', line }),
    log: { info: note, warn: note, error: note },
    onRestart: () => report({ type: 'restarted', pid: postgres.pid ?? 0 }),
  });
  const alive = setInterval(() => undefined, 60_000);
  process.on('SIGTERM', () => void postgres.stop().finally(() => process.exit(0)));
  try {
    await postgres.start();
  } catch (error) {
    clearInterval(alive);
    const { name, message } = error as Error;
    report({ type: 'failed', name, message });
    process.exitCode = 3;
    return;
  }
  report({ type: 'ready', pid: postgres.pid ?? 0, socketDir: postgres.connection().host });
  if (!write) return;
  const client = new Client(postgres.connection());
  client.on('error', () => undefined);
  await client.connect();
  await writeForever(client).catch(() => undefined);
}

void main();
