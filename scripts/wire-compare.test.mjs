import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { changesOf } from './wire-compare.mjs';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'wire-compare.mjs');
const run = (...args) => spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });

describe('what has changed in a document', () => {
  const json = (before, after) => changesOf('openapi.json', JSON.stringify(before), JSON.stringify(after));

  it('what has gone, come and changed', () => {
    const before = { paths: { '/a': { get: { summary: 'x' } }, '/b': {} }, list: [1, 2] };
    const after = { paths: { '/a': { get: { summary: 'y' } }, '/c': {} }, list: [1] };
    assert.deepEqual(json(before, after), [
      '- paths › /b {}',
      '- list › 1 2',
      '+ paths › /c {}',
      '~ paths › /a › get › summary: "x" → "y"',
    ]);
  });

  it('no order of fields', () => assert.deepEqual(json({ a: 1, b: { c: 2 } }, { b: { c: 2 }, a: 1 }), []));

  it('rows of a page, and no width of a table', () => {
    const before = '| code | is |\n| ---- | -- |\n| A | 1 |\n| B | 2 |\n';
    const after = '| code    | is |\n| ------- | -- |\n| A       | 1  |\n| LONGER  | 2  |\n';
    assert.deepEqual(changesOf('errors.md', before, after), ['- | B | 2 |', '+ | LONGER | 2 |']);
  });

  it('a document that was not there', () => assert.deepEqual(changesOf('a.json', '', '{"a":1}'), ['+ a 1']));
});

describe('the command', () => {
  it('wants a commit, and one that there is', () => {
    assert.equal(run().status, 2);
    assert.deepEqual([run('no-such-commit').status, /no-such-commit/.test(run('no-such-commit').stderr)], [2, true]);
  });
});
