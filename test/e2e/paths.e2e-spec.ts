import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Servers } from '../support/server-process';
import { filesOnPage, PAGE } from '../support/walks/page';
import { type Recorded, recordWalks, WALKS } from '../support/walks/walks';

const HOUSE = JSON.parse(readFileSync(join(__dirname, '..', '..', 'scripts', 'house.json'), 'utf8')) as {
  readonly walks: Readonly<Record<string, { readonly ceiling: number; readonly target: number }>>;
};

describe('docs/paths.md', () => {
  const page = filesOnPage(readFileSync(PAGE, 'utf8'));
  let recorded: Recorded;

  beforeAll(async () => {
    const servers = new Servers();
    recorded = await recordWalks(servers, servers.seededDir());
  });

  it('names the files that any call comes through: else run npm run docs:paths', () => {
    expect([...page.call].sort()).toEqual([...recorded.call].sort());
  });

  it('names the files that any job comes through: else run npm run docs:paths', () => {
    expect([...page.job].sort()).toEqual([...recorded.job].sort());
  });

  it.each(WALKS)('names the files that a %s comes through: else run npm run docs:paths', (walk) => {
    expect([...page.walks[walk]].sort()).toEqual([...recorded.walks[walk]].sort());
  });

  it.each(WALKS)('a %s comes through no more files than scripts/house.json says', (walk) => {
    expect(recorded.walks[walk].length).toBeLessThanOrEqual(HOUSE.walks[walk]?.ceiling ?? 0);
  });
});
