/** The gates bite: for each rule that a slip in a pattern would switch off silently, one violation that it must report. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

describe('eslint.config.mjs', () => {
  const eslint = new ESLint({ cwd: ROOT });

  /** Lints a text as if it stood in that file, which must exist: the rules with types ask its project. */
  async function rules(path, code) {
    const [result] = await eslint.lintText(code, { filePath: join(ROOT, path) });
    return result.messages.map((message) => message.ruleId ?? message.message);
  }

  const OUTSIDE = 'src/common/time.ts';
  for (const [what, code, rule] of [
    ['any', 'export const a = (b: any): void => void b();', '@typescript-eslint/no-explicit-any'],
    ['!', 'export const a = (b?: string): string => b!;', '@typescript-eslint/no-non-null-assertion'],
    ['a floating promise', 'Promise.resolve();', '@typescript-eslint/no-floating-promises'],
    ['console', 'console.log(1);', 'no-console'],
    ['the environment', 'export const a = process.env["A"];', 'no-restricted-properties'],
    ['the environment, taken apart', 'export const { env } = process;', 'no-restricted-properties'],
    ['a factory of seven', 'export const p = { inject: [1, 2, 3, 4, 5, 6, 7] };', 'house/constructor-dependencies'],
    ['forwardRef', 'export { forwardRef } from "@nestjs/common";', 'no-restricted-imports'],
    ['SystemDatabase', 'export { SystemDatabase } from "../platform/database";', 'no-restricted-syntax'],
    ['SystemDatabase as a type', 'import type { SystemDatabase } from "../x";', 'no-restricted-syntax'],
    ['a long file', '// a line\n'.repeat(451), 'max-lines'],
    ['a long function', `export function a(): void {${'\n'.repeat(50)}}`, 'house/function-lines'],
    ['all of the database', 'import * as all from "../platform/database";', 'no-restricted-syntax'],
  ])
    it(`reports ${what}`, async () => assert.ok((await rules(OUTSIDE, code)).includes(rule)));

  it('lets those listed use SystemDatabase', async () => {
    const found = await rules('src/platform/database/migrator.ts', 'export { SystemDatabase } from "./database";');
    assert.deepEqual(found, []);
  });

  it('leaves the imports of decorated classes alone: Nest needs them as values', async () => {
    const code = [
      'import { Injectable } from "@nestjs/common";',
      'import { Clock } from "./clock";',
      '@Injectable()',
      'export class A { constructor(readonly clock: Clock) {} }\n',
    ].join('\n');
    assert.deepEqual(await rules('src/common/limits.ts', code), []);
  });
});

describe('.dependency-cruiser.cjs', () => {
  const FILES = {
    'src/common/a/index.ts': 'import "../../config"; import "@nestjs/common"; export const a = 1;',
    'src/common/a/inner.ts': 'export const inner = 1;',
    'src/config/index.ts': 'import "../common/a/inner"; export const config = 1;',
    'src/platform/database/index.ts': 'import "../../modules/tenants"; import "./embedded/run"; export const d = 1;',
    'src/platform/database/embedded/index.ts': 'import "./run"; export const e = 1;',
    'src/platform/database/embedded/run.ts': 'export const run = 1;',
    'src/modules/tenants/index.ts': 'export { t } from "./entities/t"; import "../../platform/database/embedded";',
    'src/modules/tenants/entities/t.ts': 'import "typeorm"; export const t = 1;',
    'src/modules/tenants/tenants.spec.ts': 'import "../rooms/rooms.service"; import "fast-check";',
    'src/modules/rooms/index.ts': 'import "./rooms.service"; import "../delivery"; export const r = 1;',
    'src/modules/rooms/rooms.service.ts': 'import "../tenants/entities/t"; import "typeorm"; import "ws"; export {};',
    'src/modules/delivery/index.ts': 'import type { r } from "../rooms"; export type D = typeof r;',
    'src/modules/other/index.ts': 'import "../tenants"; export {};',
    'src/app.ts': 'import "./modules/rooms/rooms.service"; import "fast-check"; import "./gone"; export const app = 1;',
  };
  const EXPECTED = [
    'layer-common src/common/a/index.ts',
    'common-is-pure src/common/a/index.ts',
    'doors-common-outside src/config/index.ts',
    'layer-platform src/platform/database/index.ts',
    'door-embedded src/platform/database/index.ts',
    'doors-platform-outside src/modules/tenants/index.ts',
    'entities-stay-inside src/modules/tenants/index.ts',
    'layer-rooms src/modules/rooms/index.ts',
    'layer-delivery src/modules/delivery/index.ts',
    'no-cycles src/modules/delivery/index.ts',
    'doors-modules-inside src/modules/rooms/rooms.service.ts',
    'typeorm-is-for-rows src/modules/rooms/rooms.service.ts',
    'sockets-in-realtime-only src/modules/rooms/rooms.service.ts',
    'layer-unknown src/modules/other/index.ts',
    'doors-modules-outside src/app.ts',
    'no-dev-dependencies-in-production src/app.ts',
    'no-unresolvable src/app.ts',
  ];
  let dir;
  let found;

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'gates-'));
    const put = (path, text) => {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    };
    for (const [path, text] of Object.entries(FILES)) put(path, text);
    for (const name of ['typeorm', 'ws', '@nestjs/common', 'fast-check']) {
      put(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
      put(`node_modules/${name}/index.js`, '');
    }
    const dependencies = { typeorm: '1.0.0', ws: '1.0.0', '@nestjs/common': '1.0.0' };
    put('package.json', JSON.stringify({ dependencies, devDependencies: { 'fast-check': '1.0.0' } }));
    put('tsconfig.json', '{}');
    const [cli, config] = ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', '.dependency-cruiser.cjs'];
    const args = [join(ROOT, cli), 'src', '--config', join(ROOT, config), '--output-type', 'json'];
    // With the type json the exit code says nothing about violations.
    const { summary } = JSON.parse(execFileSync(process.execPath, args, { cwd: dir, maxBuffer: 1e8 }).toString());
    found = summary.violations.map(({ rule, from }) => `${rule.name} ${from}`);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  for (const violation of EXPECTED)
    it(`reports ${violation}`, () => assert.ok(found.includes(violation), found.join('\n')));

  it('lets tests look behind the doors', () => {
    assert.deepEqual(
      found.filter((line) => line.includes('.spec.ts')),
      [],
    );
  });
});
