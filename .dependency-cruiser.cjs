/**
 * Who may import whom (docs/architecture.md):
 *
 *   common ← config ← platform ← realtime ← tenants ← {rooms, delivery, models} ← messages ← {notifications, chats, changes}
 *     ← webhooks ← {stats, usage, retention, removal, transfer, admin, first-start} ← app
 *
 * A layer sees itself and the rows above it; two in one row do not see each other. Type imports count too.
 */
const LAYERS = [
  ['src/common'],
  ['src/config'],
  ['src/platform'],
  ['src/realtime'],
  ['src/modules/tenants'],
  ['src/modules/rooms', 'src/modules/delivery', 'src/modules/models'],
  ['src/modules/messages'],
  ['src/modules/notifications', 'src/modules/chats', 'src/modules/changes'],
  ['src/modules/webhooks'],
  [
    ...['src/modules/stats', 'src/modules/usage', 'src/modules/retention', 'src/modules/removal'],
    ...['src/modules/transfer', 'src/modules/admin', 'src/modules/first-start'],
  ],
];

const TESTS = '\\.(spec|int-spec|e2e-spec)\\.ts$';
const anyOf = (folders) => `^(?:${folders.join('|')})/`;

const layering = LAYERS.flatMap((row, rank) =>
  row.map((folder) => ({
    name: `layer-${folder.replace(/^src\/(modules\/)?/, '')}`,
    comment: 'A lower layer knows nothing of an upper one: declare a port below, implement it above, or emit an event.',
    severity: 'error',
    from: { path: anyOf([folder]), pathNot: TESTS },
    to: { path: '^src/', pathNot: anyOf([folder, ...LAYERS.slice(0, rank).flat()]) },
  })),
);

/** A folder whose index.ts is its only door: from outside nothing else of it is imported. Tests may. */
const door = (name, parent) => ({
  name: `door-${name}`,
  comment: "Import the folder's index.ts; what it does not export is private.",
  severity: 'error',
  from: { path: '^src/', pathNot: [`^${parent}/`, TESTS] },
  to: { path: `^${parent}/`, pathNot: `^${parent}/index\\.ts$` },
});

/** The same for every folder directly below `parent`. */
const doorsBelow = (name, parent) => [
  {
    name: `doors-${name}-inside`,
    comment: "Import the other folder's index.ts; what it does not export is private.",
    severity: 'error',
    from: { path: `^${parent}/([^/]+)/`, pathNot: TESTS },
    to: { path: `^${parent}/[^/]+/`, pathNot: [`^${parent}/$1/`, `^${parent}/[^/]+/index\\.ts$`] },
  },
  {
    name: `doors-${name}-outside`,
    comment: "Import the folder's index.ts; what it does not export is private.",
    severity: 'error',
    from: { path: '^src/', pathNot: [`^${parent}/[^/]+/`, TESTS] },
    to: { path: `^${parent}/[^/]+/`, pathNot: `^${parent}/[^/]+/index\\.ts$` },
  },
];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...layering,
    {
      name: 'layer-unknown',
      comment: 'A new folder has no place yet: add it to LAYERS in .dependency-cruiser.cjs.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: [anyOf([...LAYERS.flat(), 'src/docs'])] },
      to: {},
    },
    {
      name: 'nothing-imports-the-top',
      comment: 'Only tests start the app from outside, and the pages generator reads it.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/[^/]+\\.ts$', '^src/docs/', TESTS] },
      to: { path: ['^src/[^/]+\\.ts$', '^src/docs/'] },
    },
    door('config', 'src/config'),
    door('realtime', 'src/realtime'),
    door('embedded', 'src/platform/database/embedded'),
    ...doorsBelow('common', 'src/common'),
    ...doorsBelow('platform', 'src/platform'),
    ...doorsBelow('realtime', 'src/realtime'),
    ...doorsBelow('modules', 'src/modules'),
    {
      name: 'web-stands-alone',
      comment: 'The pages speak to the server by HTTP and sockets, as any client does.',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: ['^src/', '^test/', '^bench/'] },
    },
    {
      name: 'web-layers',
      comment:
        'pages ← features ← {ui, api, socket}: a lower one knows nothing of an upper one, nor of its neighbours.',
      severity: 'error',
      from: { path: '^web/src/(ui|api|socket)/' },
      to: { path: '^web/src/', pathNot: '^web/src/$1/' },
    },
    {
      name: 'web-features',
      comment: 'Features do not see each other, nor the pages that they are put on.',
      severity: 'error',
      from: { path: '^web/src/features/([^/]+)/' },
      to: { path: ['^web/src/pages/', '^web/src/features/'], pathNot: '^web/src/features/$1/' },
    },
    {
      name: 'common-is-pure',
      comment: 'src/common is plain TypeScript: node and uuidv7, no framework.',
      severity: 'error',
      from: { path: '^src/common/', pathNot: TESTS },
      to: { dependencyTypesNot: ['core', 'local', 'type-only'], pathNot: ['(^|/)node_modules/uuidv7/', '^src/'] },
    },
    {
      name: 'entities-stay-inside',
      comment: 'A table is read and written by its module alone: entities do not leave through the door.',
      severity: 'error',
      from: { path: '^src/modules/[^/]+/index\\.ts$' },
      to: { path: '/entities/' },
    },
    {
      name: 'typeorm-is-for-rows',
      comment: 'TypeORM is used by entities and repositories; its data source, driver and runner are Database’s alone.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/platform/database/', '/entities/', '\\.repository\\.ts$', TESTS] },
      to: { path: '(^|/)node_modules/typeorm/' },
    },
    {
      name: 'sockets-in-realtime-only',
      comment: 'src/realtime is the only socket code.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/realtime/', TESTS] },
      to: { path: '(^|/)node_modules/(?:@types/)?ws/' },
    },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { path: ['^test/', TESTS] },
    },
    {
      name: 'no-dev-dependencies-in-production',
      comment: 'The image is built without devDependencies.',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only', 'npm'],
        pathNot: '(^|/)node_modules/@types/',
      },
    },
    {
      name: 'no-undeclared-packages',
      comment:
        'What is imported stands in package.json: a package of a package may vanish with its next version. Types of ' +
        'fastify are free: it comes with @nestjs/platform-fastify, and a version of our own would be a second one.',
      severity: 'error',
      from: { path: '^(src|test|bench|web)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'types', 'default'] },
  },
};
