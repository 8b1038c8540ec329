import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cannotHold, erasedBy, notExported } from '../platform/tenant-data';
import { configPage, type DocumentedArea, envExample } from './config-page';
import { dataPage } from './data-page';
import { errorsPage, metricsPage } from './errors-page';
import { prose, table } from './markdown';
import { GENERATED_PAGES, type GeneratedPage } from './pages';
import { publish } from './publish';

const AREA: DocumentedArea = {
  title: 'HTTP',
  fields: {
    port: { name: 'PORT', doc: 'TCP port.', shownDefault: '8080', secret: false },
    key: { name: 'MASTER_API_KEY', doc: 'The key of /admin/*.', shownDefault: undefined, secret: true },
  },
};

describe('markdown', () => {
  it('aligns the columns of a table and escapes what would end a cell', () => {
    expect(
      table(
        ['A', 'Meaning'],
        [
          ['x|y', 'long text'],
          ['z', ''],
        ],
      ),
    ).toBe(
      ['| A    | Meaning   |', '| ---- | --------- |', '| x\\|y | long text |', '| z    |           |'].join('\n'),
    );
  });

  it('escapes asterisks and tags outside of code only', () => {
    expect(prose('all of /admin/* and `a*b` <b>')).toBe('all of /admin/\\* and `a*b` \\<b>');
  });
});

describe('docs/errors.md', () => {
  it('has one row per code, with status, close code and whether a retry helps', () => {
    const text = errorsPage({
      GONE: { status: 410, closeCode: 4010, retryable: false, meaning: 'It is gone.', hint: 'Forget it.' },
      BUSY: { status: 503, closeCode: 1013, retryable: true, meaning: 'Later.', hint: 'Wait.' },
    });
    expect(text).toMatch(/^\| `GONE` \| 410 {4}\| 4010 {7}\| no {4}\| It is gone\. \| Forget it\. \|$/m);
    expect(text).toMatch(/^\| `BUSY` .*\| yes .*\| Later\. +\| Wait\. +\|$/m);
  });
});

describe('docs/config.md', () => {
  it('shows defaults, marks secrets and keeps the order of the code', () => {
    const text = configPage([AREA]);
    expect(text).toContain('## HTTP\n\n- `PORT` (default `8080`): TCP port.\n');
    expect(text).toContain('- `MASTER_API_KEY` (unset by default, secret): The key of /admin/\\*.\n');
  });
});

describe('.env.example', () => {
  const secretWithDefault: DocumentedArea = {
    title: 'Secrets',
    fields: { token: { name: 'TOKEN', doc: 'word '.repeat(60).trim(), shownDefault: 'oops', secret: true } },
  };

  it('changes nothing when it is copied as it is: every line is a comment or empty', () => {
    for (const line of envExample([AREA, secretWithDefault]).split('\n')) expect(line).toMatch(/^(#.*)?$/);
  });

  it('shows defaults, but never the value of a secret', () => {
    const text = envExample([AREA, secretWithDefault]);
    expect(text).toContain('# TCP port.\n#PORT=8080\n');
    expect(text).toContain('#MASTER_API_KEY=\n');
    expect(text).not.toContain('oops');
  });

  it('wraps long texts', () => {
    const lengths = envExample([secretWithDefault])
      .split('\n')
      .map((line) => line.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(102);
  });
});

describe('docs/metrics.md', () => {
  it('lists name, type, labels and the buckets of histograms', () => {
    const text = metricsPage(
      {
        a_total: { type: 'counter', help: 'Counts.', labels: ['code', 'door'] },
        b_seconds: { type: 'histogram', help: 'Times.', labels: [], buckets: [0.1, 1] },
      },
      'app_',
    );
    expect(text).toMatch(/^\| `a_total` +\| counter +\| `code`, `door` \| Counts\. +\|$/m);
    expect(text).toMatch(/^\| `b_seconds` +\| histogram +\| – +\| Times\. +\|$/m);
    expect(text).toContain('- `b_seconds`: 0.1, 1\n');
    expect(text).toContain('`app_process_…`');
  });
});

describe('docs/data.md', () => {
  it('has the tables in the order in which their rows go, and the fate of every column', () => {
    const exported = { tenant: 'user', user: notExported('nothing *of* a person') } as const;
    const text = dataPage(
      new Map([
        ['parents', { rank: 2, exported, kept: 'a day', columns: { name: erasedBy('users') } }],
        ['leaves', { rank: 1, exported, kept: 'an hour', columns: { state: cannotHold('a word') } }],
      ]),
    );
    expect(text).toMatch(/^\| `leaves` +\| `user` +\| no: nothing \\\*of\\\* a person +\| an hour \|\n\| `parents`/m);
    expect(text).toMatch(
      /^\| `leaves\.state` +\| nothing of a person: a word \|\n\| `parents\.name` \| step \*\*users\*\* /m,
    );
  });
});

describe('the generated pages', () => {
  it('have paths of their own', () => {
    const paths = GENERATED_PAGES.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
  });

  it.each(GENERATED_PAGES.filter(({ path }) => !path.endsWith('.json')))(
    '$path is the same every time',
    async (page) => {
      const text = await page.render();
      expect(text.length).toBeGreaterThan(200);
      expect(await page.render()).toBe(text);
      expect(text).toMatch(/[^\n]\n$/);
    },
  );
});

describe('publish', () => {
  const good: GeneratedPage = { path: 'docs/deep/good.md', render: () => 'text\n' };
  const bad: GeneratedPage = { path: 'bad.md', render: () => Promise.reject(new Error('no source')) };
  let root: string;

  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'pages-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  it('writes a missing page, and leaves it alone when it is the same', async () => {
    expect(await publish([good], root, false)).toEqual([{ path: good.path, outcome: 'written' }]);
    const before = statSync(join(root, good.path)).mtimeMs;
    expect(await publish([good], root, false)).toEqual([{ path: good.path, outcome: 'unchanged' }]);
    expect(statSync(join(root, good.path)).mtimeMs).toBe(before);
  });

  it('with check reports drift and writes nothing', async () => {
    await publish([good], root, false);
    const changed = { ...good, render: () => 'other\n' };
    expect(await publish([changed], root, true)).toEqual([{ path: good.path, outcome: 'drifted' }]);
    expect(readFileSync(join(root, good.path), 'utf8')).toBe('text\n');
  });

  it('reports a page that cannot be made and goes on with the others', async () => {
    expect(await publish([bad, good], root, false)).toEqual([
      { path: bad.path, outcome: 'failed', reason: 'no source' },
      { path: good.path, outcome: 'written' },
    ]);
  });
});
