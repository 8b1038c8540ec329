import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Epoch, noticeCopy } from '../../src/platform/database/epoch';
import { openTestDatabase, type OpenTestDatabase } from '../support/open-database';
import { RecordingLog } from '../support/recording-log';
import { scratchDirectory } from '../support/scratch';

const MARK = 'postgres.start-';

describe('S1: a data directory that is a copy', () => {
  let site: OpenTestDatabase;
  let place: string;
  let dir: string;

  beforeAll(async () => {
    site = await openTestDatabase();
  });
  beforeEach(async () => {
    place = mkdtempSync(join(scratchDirectory(), 'chatapi-copied-'));
    dir = join(place, 'data');
    cpSync(mkdtempSync(join(place, 'empty-')), dir, { recursive: true });
    writeFileSync(join(dir, 'postgres.log'), '');
    await site.database.sql('UPDATE instance SET directory = NULL, bootstrapped_at = NULL, epoch = 1');
    expect(await start()).toEqual({ isRaised: false, told: [] });
    await site.database.sql('UPDATE instance SET bootstrapped_at = now()');
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));
  afterAll(() => site.close());

  /** What a start on the directory does. */
  async function start(at = dir): Promise<{ isRaised: boolean; told: string[] }> {
    const { system } = site.open;
    const log = new RecordingLog();
    const before = await new Epoch(system).readEpoch();
    await noticeCopy(system, new Epoch(system), at, log);
    const marks = readdirSync(at).filter((name) => name.startsWith(MARK));
    expect(marks).toHaveLength(1);
    return { isRaised: (await new Epoch(system).readEpoch()) > before, told: log.lines.map(({ message }) => message) };
  }

  const copy = (from: string, to: string): unknown => spawnSync('cp', ['-a', from, to]).status;
  const moveTo = (name: string): void => {
    const to = join(place, `${name}-${readdirSync(place).length}`);
    renameSync(dir, to);
    dir = to;
  };
  const mark = (): string => join(dir, readdirSync(dir).find((name) => name.startsWith(MARK)) ?? '');
  const RAISED = [expect.stringMatching(/^this data directory is a copy, .*the epoch was raised/)];

  it.each<[string, () => unknown]>([
    ['was started on before', () => undefined],
    ['was moved on its disk', () => moveTo('moved')],
    ['is written to', () => writeFileSync(join(dir, 'secrets'), 'x')],
    ['had a start that was cut short', () => writeFileSync(join(dir, `${MARK}unknown`), '')],
  ])('is none when it %s', async (_, happens) => {
    for (let i = 0; i < 2; i++) {
      happens();
      expect(await start()).toEqual({ isRaised: false, told: [] });
    }
  });

  it.each<[string, () => unknown]>([
    ['copied elsewhere', () => [copy(dir, join(place, 'copy')), (dir = join(place, 'copy'))]],
    [
      'deleted and put back',
      () => {
        copy(dir, join(place, 'copy'));
        rmSync(dir, { recursive: true });
        return copy(join(place, 'copy'), dir);
      },
    ],
    [
      'emptied and filled from a copy',
      () => {
        copy(dir, join(place, 'copy'));
        for (const name of readdirSync(dir)) rmSync(join(dir, name));
        return copy(`${join(place, 'copy')}/.`, dir);
      },
    ],
    ['left by its mark', () => rmSync(mark())],
    [
      'given a mark of the same name',
      () => {
        const path = mark();
        renameSync(path, join(place, 'mark'));
        return copy(join(place, 'mark'), path);
      },
    ],
  ])('is noticed when it was %s, once', async (_, happens) => {
    happens();
    expect(await start()).toEqual({ isRaised: true, told: RAISED });
    expect(await start()).toEqual({ isRaised: false, told: [] });
  });

  it('is taken for one when it is of a release that marked none', async () => {
    await site.database.sql('UPDATE instance SET directory = NULL');
    expect(await start()).toMatchObject({ isRaised: true });
    expect(await start()).toEqual({ isRaised: false, told: [] });
  });
});
