/**
 * The types of the bodies of docs/openapi.json, for the tests: they read answers as the page has them, not as somebody
 * once copied them.
 *
 *   node scripts/api-types.mjs           writes them
 *   node scripts/api-types.mjs --check   exits with 1 when they do not match the page
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';

const ROOT = join(import.meta.dirname, '..');
const TYPES = 'test/support/http/api-types.ts';
const HEAD = '// Generated from docs/openapi.json by "npm run docs". Do not edit.\n\n';
const { openapi, info, components } = JSON.parse(readFileSync(join(ROOT, 'docs', 'openapi.json'), 'utf8'), shapeOf);

/** A value of the page without what only explains it; a field may be named so, too. */
function shapeOf(key, value) {
  return key === 'example' || (key === 'description' && typeof value === 'string') ? undefined : value;
}

const types = await openapiTS(
  { openapi, info, paths: {}, components: { schemas: components.schemas } },
  { immutable: true, alphabetize: true, defaultNonNullable: false },
);
const text = HEAD + astToString(types.filter(({ name }) => name.text === 'components'));

if (!process.argv.includes('--check')) {
  writeFileSync(join(ROOT, TYPES), text);
  console.log(`${TYPES} written`);
} else if (readFileSync(join(ROOT, TYPES), 'utf8') === text) console.log(`${TYPES} is up to date`);
else {
  console.error(`${TYPES} does not match docs/openapi.json: run "npm run docs" and commit it`);
  process.exitCode = 1;
}
