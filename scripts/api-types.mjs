/**
 * Types made of docs/openapi.json: of the bodies, for the tests, which read answers as the page has them and not as
 * somebody once copied them; of the routes, for the pages of `web/`. And of docs/asyncapi.json: the frames of the sockets.
 *
 *   node scripts/api-types.mjs           writes them
 *   node scripts/api-types.mjs --check   exits with 1 when they do not match the page
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';

const ROOT = join(import.meta.dirname, '..');
const headOf = (page) => `// Generated from docs/${page} by "npm run docs". Do not edit.\n\n`;
const pageOf = (name) => JSON.parse(readFileSync(join(ROOT, 'docs', name), 'utf8'), shapeOf);
const { openapi, info, paths, components } = pageOf('openapi.json');

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

/** The frames by their names, and as one type what each side sends on a socket: ClientFrame, ServerFrame, ChatClientFrame … */
function framesOf({ channels, operations, components: { messages, schemas } }) {
  const fromClient = new Set(Object.keys(operations).filter((name) => operations[name].action === 'receive'));
  const oneOf = (prefix, isClient) => {
    const names = Object.values(channels[prefix === 'Chat' ? 'chat' : 'socket'].messages).map(({ $ref }) =>
      $ref.slice('#/components/messages/'.length),
    );
    return names
      .filter((name) => fromClient.has(name) === isClient)
      .map((name) => ({ $ref: `#/components/schemas/${name}` }));
  };
  return {
    ...schemas,
    ...Object.fromEntries(Object.entries(messages).map(([name, { payload }]) => [name, payload])),
    ...Object.fromEntries(
      ['', 'Chat'].flatMap((prefix) => [
        [`${prefix}ClientFrame`, { oneOf: oneOf(prefix, true) }],
        [`${prefix}ServerFrame`, { oneOf: oneOf(prefix, false) }],
      ]),
    ),
  };
}

/** @param immutable false for openapi-fetch, which takes `readonly` lists for objects */
async function typesOf(page, document, names, immutable) {
  const types = await openapiTS(
    { openapi, info, ...document },
    { immutable, alphabetize: true, defaultNonNullable: false },
  );
  return headOf(page) + astToString(types.filter(({ name }) => names.includes(name?.text)));
}

const bodies = { schemas: components.schemas };
const written = {
  'test/support/http/api-types.ts': await typesOf(
    'openapi.json',
    { paths: {}, components: bodies },
    ['components'],
    true,
  ),
  'web/src/api/api-types.ts': await typesOf(
    'openapi.json',
    { paths: withoutErrors(paths), components },
    ['paths', 'components', 'operations'],
    false,
  ),
  'web/src/socket/frame-types.ts': await typesOf(
    'asyncapi.json',
    { paths: {}, components: { schemas: framesOf(pageOf('asyncapi.json')) } },
    ['components'],
    true,
  ),
};

for (const [path, text] of Object.entries(written))
  if (!process.argv.includes('--check')) {
    writeFileSync(join(ROOT, path), text);
    console.log(`${path} written`);
  } else if (readFileSync(join(ROOT, path), 'utf8') === text) console.log(`${path} is up to date`);
  else {
    console.error(`${path} does not match docs/: run "npm run docs" and commit it`);
    process.exitCode = 1;
  }
