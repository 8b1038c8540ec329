/** The house keeps what `scripts/house.json` says, and what counts it sees each kind of thing. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { faults, found, glossary, lowered, meanLines, readTable } from './house.mjs';

const LONG = '// a line\n'.repeat(30);
const FILES = {
  'a/one.ts': `${LONG}export class Twice {}\nexport const once = 1;\nexport { other } from './two';\n`,
  'a/two.ts': `${LONG}export interface Twice {}\nexport const other = 1;\n`,
  'a/doors.ts': `${LONG}export class SocketDoor {}\nexport const MAX_DOORS = 1;\nexport const indoors = 1;\n`,
  'a/tiny.ts': 'export const tiny = 1;\n',
  'a/tiny.spec.ts': 'export const once = 1;\n',
  'a/a.module.ts': `${LONG}@Global()\n@Module({ providers: [{ provide: A, useFactory: () => 1 }] })\nexport class AModule {}\n`,
  'a/makes.ts': `${LONG}export const makes = \`CREATE OR REPLACE FUNCTION append_messages(\${1})\`;\n`,
  'a/schema/append.sql': 'CREATE FUNCTION append_messages(p integer)\n',
  'a/service.ts': `${LONG}export const sql = \`UPDATE rooms SET \${1}\`;\n`,
  'a/rooms.repository.ts': `${LONG}export const sql2 = 'SELECT 1';\n`,
  'a/words.ts': `${LONG}/** SELECT and CREATE TABLE are words here. */\nexport const words = 'Select one';\n`,
  'platform/database/roles.ts': `${LONG}export const roles = 'SELECT 1 FROM pg_roles';\n`,
};
const EXPECTED = {
  'files of at most 20 lines': ['src/a/tiny.ts'],
  'exported names with two homes': ['Twice'],
  'exported names that the glossary replaces': ['MAX_DOORS', 'SocketDoor'],
  '@Global modules': ['src/a/a.module.ts'],
  useFactory: ['src/a/a.module.ts'],
  'TypeScript that makes tables or functions': ['src/a/makes.ts'],
  'texts of append_messages': ['src/a/makes.ts', 'src/a/schema/append.sql'],
  'SQL outside of repositories': ['src/a/service.ts'],
};

describe('scripts/house.json', () => {
  const table = readTable();

  it('is kept: else see node scripts/house.mjs', () => assert.deepEqual(faults(found(), table), []));

  it('is kept by the size of files', () => assert.ok(meanLines() >= table.meanLines.least));

  it('has a glossary of at most 30 words, none of which it replaces', () => {
    const words = glossary();
    assert.ok(words.length > 0 && words.length <= 30);
    const replaced = words.flatMap(({ instead }) => instead);
    assert.deepEqual(
      words.filter(({ word }) => replaced.includes(word)),
      [],
    );
  });

  it('never asks for less than there is to be', () => {
    for (const { ceiling, target } of [...Object.values(table.gates), ...Object.values(table.walks)])
      assert.ok(ceiling >= target);
  });
});

describe('what counts the house', () => {
  const root = mkdtempSync(join(tmpdir(), 'house-'));
  before(() => {
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(root, 'src', path)), { recursive: true });
      writeFileSync(join(root, 'src', path), text);
    }
    mkdirSync(join(root, 'docs'));
    writeFileSync(join(root, 'docs', 'glossary.md'), '| **endpoint** | What is served under one path. | door |\n');
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  for (const [gate, things] of Object.entries(EXPECTED))
    it(`sees ${gate}`, () => assert.deepEqual(found(root)[gate], things));

  it('reports each of them where none may be', () => {
    const gates = Object.fromEntries(Object.keys(EXPECTED).map((gate) => [gate, { ceiling: 0, target: 0 }]));
    assert.deepEqual(
      faults(found(root), { gates }).map((line) => line.split(':')[0]),
      Object.keys(EXPECTED),
    );
  });

  it('reports what is new where as much is known', () => {
    const table = { gates: { names: { ceiling: 2, target: 0, known: ['a', 'b'] } } };
    assert.deepEqual(faults({ names: ['a', 'c'] }, table), ['names: c']);
    assert.deepEqual(faults({ names: ['a'] }, table), []);
  });

  it('asks for no longer files than there are to be', () => {
    assert.equal(lowered({}, 99, { meanLines: { least: 70, target: 80 }, gates: {} }).meanLines.least, 80);
  });

  it('lowers what may be, and never raises it', () => {
    const gates = { a: { ceiling: 3, target: 0, known: ['x', 'y'] }, b: { ceiling: 1, target: 0 } };
    const table = { meanLines: { least: 70, target: 80 }, gates };
    assert.deepEqual(lowered({ a: ['y'], b: ['1', '2'] }, 72.5, table), {
      meanLines: { least: 72, target: 80 },
      gates: { a: { ceiling: 1, target: 0, known: ['y'] }, b: { ceiling: 1, target: 0 } },
    });
  });
});
