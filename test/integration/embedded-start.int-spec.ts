import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketDirFor } from '../../src/platform/database/embedded/layout';
import { EmbeddedFixture, query } from '../support/embedded/fixture';
import { eventually, kill, processesOn } from '../support/embedded/processes';

const harness = new EmbeddedFixture();
jest.setTimeout(45_000);
afterEach(() => harness.cleanUp());
afterAll(() => harness.dispose());

/** A cluster whose processes were all killed, as by a power cut, and whose lock files say what is given. */
async function leftBehind(text: (before: string) => string): Promise<string> {
  const dir = await harness.seededDir();
  const server = harness.spawn({ dataDir: dir });
  await server.next('ready');
  const files = [join(dir, 'postgres/postmaster.pid'), join(socketDirFor(dir, tmpdir()), '.s.PGSQL.5432.lock')];
  const before = files.map((file) => readFileSync(file, 'utf8'));
  kill([server.pid, ...processesOn(dir).map(({ pid }) => pid)]);
  await eventually('no process', () => processesOn(dir).length === 0);
  files.forEach((file, i) => writeFileSync(file, text(before[i] ?? '')));
  return dir;
}

describe('S9: lock files after a power cut', () => {
  it.each([
    ['are empty', () => '', 2],
    ['are zeros', () => '\0'.repeat(80), 2],
    ['are garbage', () => 'not a pid', 2],
    ['name pid 1', (before: string) => before.replace(/^\d+/, '1'), 0],
    ['end in the middle of a line', (before: string) => before.slice(0, 2), 0],
  ])('%s: the server starts, and says what it has removed', async (_, text, told) => {
    const dir = await leftBehind(text);
    const warnings: string[] = [];
    const quiet = (): void => undefined;
    const log = { info: quiet, error: quiet, warn: (line: string): void => void warnings.push(line) };
    const postgres = await harness.started(dir, { log });
    expect(await query(postgres.connection(), 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(warnings.filter((line) => line.startsWith('removed '))).toHaveLength(told);
  });
});

it('S23: extensions know the letters of other alphabets in a new cluster', async () => {
  const postgres = await harness.started(harness.tempDir());
  const superuser = { ...postgres.adminConnection(), database: 'chatapi' };
  await query(superuser, 'create extension pg_trgm');
  const [trigrams] = await query<{ all: string[] }>(superuser, `select show_trgm('привет') as all`);
  expect(trigrams?.all).toHaveLength(7);
  const [upper] = await query<{ text: string }>(postgres.connection(), `select upper('привет') as text`);
  expect(upper?.text).toBe('ПРИВЕТ');
});
