/**
 * Types made of docs/openapi.json: of the bodies, for the tests, which read answers as the page has them and not as
 * somebody once copied them; of the routes, for the pages of `web/`.
 *
 *   node scripts/api-types.mjs           writes them
 *   node scripts/api-types.mjs --check   exits with 1 when they do not match the page
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';

const ROOT = join(import.meta.dirname, '..');
const HEAD = '// Generated from docs/openapi.json by "npm run docs". Do not edit.\n\n';
const { openapi, info, paths, components } = JSON.parse(
  readFileSync(join(ROOT, 'docs', 'openapi.json'), 'utf8'),
  shapeOf,
);

/** A value of the page without what only explains it; a field may be named so, too. */
function shapeOf(key, value) {
  return key === 'example' || (key === 'description' && typeof value === 'string') ? undefined : value;
}

/** The routes with what they take and what they answer when all is well: errors have one shape, which is no route's. */
function withoutErrors(routes) {
  const kept = ([status]) => status.startsWith('2');
  const operation = ([method, { responses, ...rest }]) => [
    method,
    {
      ...rest,
      responses: Object.fromEntries(
        Object.entries(responses)
          .filter(kept)
          .map(([status, { content }]) => [status, { description: '', ...(content && { content }) }]),
      ),
    },
  ];
  return Object.fromEntries(
    Object.entries(routes).map(([path, methods]) => [path, Object.fromEntries(Object.entries(methods).map(operation))]),
  );
}

/** @param immutable false for openapi-fetch, which takes `readonly` lists for objects */
async function typesOf(document, names, immutable) {
  const types = await openapiTS(
    { openapi, info, ...document },
    { immutable, alphabetize: true, defaultNonNullable: false },
  );
  return HEAD + astToString(types.filter(({ name }) => names.includes(name?.text)));
}

const bodies = { schemas: components.schemas };
const written = {
  'test/support/http/api-types.ts': await typesOf({ paths: {}, components: bodies }, ['components'], true),
  'web/src/api/api-types.ts': await typesOf(
    { paths: withoutErrors(paths), components },
    ['paths', 'components', 'operations'],
    false,
  ),
};

for (const [path, text] of Object.entries(written))
  if (!process.argv.includes('--check')) {
    writeFileSync(join(ROOT, path), text);
    console.log(`${path} written`);
  } else if (readFileSync(join(ROOT, path), 'utf8') === text) console.log(`${path} is up to date`);
  else {
    console.error(`${path} does not match docs/openapi.json: run "npm run docs" and commit it`);
    process.exitCode = 1;
  }
