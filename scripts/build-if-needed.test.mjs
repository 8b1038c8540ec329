import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'build-if-needed.js');

/** Stands for the compiler: empties dist as it does, fails when it is told to. */
const FAKE_NEST = `
const { existsSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
rmSync('dist', { recursive: true, force: true });
if (existsSync('broken')) process.exit(3);
mkdirSync('dist');
writeFileSync('dist/main.js', '');
`;
/** Stands for the pages' one. */
const FAKE_VITE = `
const { existsSync, mkdirSync, writeFileSync } = require('node:fs');
if (existsSync('broken-page')) process.exit(4);
mkdirSync('dist/web');
writeFileSync('dist/web/index.html', '');
`;

describe('build-if-needed', () => {
  let root;
  const put = (path, text) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const run = (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/build-if-needed.js'), ...args]);
    return { status, built: /^Building \(/m.test(stdout.toString()), stderr: stderr.toString() };
  };
  const BUILT = { status: 0, built: true, stderr: '' };
  const NOTHING = { status: 0, built: false, stderr: '' };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'build-'));
    mkdirSync(join(root, 'scripts'));
    cpSync(SCRIPT, join(root, 'scripts/build-if-needed.js'));
    put('package.json', '{}');
    put('tsconfig.json', '{}');
    put('src/deep/a.ts', '1');
    put('node_modules/@nestjs/cli/bin/nest.js', FAKE_NEST);
    put('node_modules/typescript/index.js', '');
    put('web/src/page.tsx', '1');
    put('node_modules/vite/package.json', '{}');
    put('node_modules/vite/bin/vite.js', FAKE_VITE);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('builds the first time and not the second', () => {
    assert.deepEqual(run(), BUILT);
    assert.deepEqual(run(), NOTHING);
    assert.deepEqual(run('--force'), BUILT);
  });

  for (const [what, change] of [
    ['a changed source', () => put('src/deep/a.ts', '2')],
    ['a new source', () => put('src/b.ts', '')],
    ['a removed source', () => rmSync(join(root, 'src/deep/a.ts'))],
    ['a changed page', () => put('web/src/page.tsx', '2')],
    ['pages that are gone', () => rmSync(join(root, 'dist/web'), { recursive: true })],
    ['another version of a package', () => put('package-lock.json', '{}')],
    ['a changed setting', () => put('tsconfig.json', '{ }')],
    ['a removed dist', () => rmSync(join(root, 'dist'), { recursive: true })],
    ['a build made past it', () => rmSync(join(root, 'dist/.build-stamp'))],
  ])
    it(`builds after ${what}`, () => {
      run();
      change();
      assert.deepEqual(run(), BUILT);
      assert.deepEqual(run(), NOTHING);
    });

  it('does not build for times or tests', () => {
    run();
    utimesSync(join(root, 'src/deep/a.ts'), new Date(), new Date(Date.now() + 60_000));
    put('src/deep/a.spec.ts', '1');
    assert.deepEqual(run(), NOTHING);
  });

  it('passes on a failure and tries again the next time', () => {
    put('broken', '');
    assert.equal(run().status, 3);
    assert.equal(existsSync(join(root, 'dist/.build-stamp')), false);
    rmSync(join(root, 'broken'));
    put('broken-page', '');
    assert.equal(run().status, 4);
    assert.equal(existsSync(join(root, 'dist/.build-stamp')), false);
    rmSync(join(root, 'broken-page'));
    assert.deepEqual(run(), BUILT);
    assert.match(readFileSync(join(root, 'dist/.build-stamp'), 'utf8'), /^[0-9a-f]{64}$/);
  });

  it('says what to do when the development dependencies are missing', () => {
    rmSync(join(root, 'node_modules'), { recursive: true });
    const { status, stderr } = run();
    assert.equal(status, 1);
    assert.match(stderr, /npm install/);
  });

  it('needs no sources where dist is shipped', () => {
    run();
    rmSync(join(root, 'src'), { recursive: true });
    assert.deepEqual(run(), NOTHING);
    rmSync(join(root, 'dist'), { recursive: true });
    assert.equal(run().status, 1);
  });
});
