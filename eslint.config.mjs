import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';
import house from './scripts/eslint/index.mjs';

/** The only files that may go past the tenants. Every other one sees one tenant's rows, through `Database`. */
const SYSTEM_DATABASE_USERS = [
  'src/platform/**',
  'src/modules/tenants/**',
  'src/modules/messages/appender/**',
  'src/modules/rooms/rooms/room-heads.repository.ts',
  'src/modules/rooms/rooms/room-lists.repository.ts',
  'src/modules/delivery/dead-letters/dead-letters.repository.ts',
  'src/modules/delivery/delivery.repository.ts',
  'src/modules/notifications/delivery/deliveries.repository.ts',
  'src/modules/changes/changes.repository.ts',
  'src/modules/webhooks/deliveries.repository.ts',
  'src/modules/chats/runs/charges.repository.ts',
  'src/modules/chats/runs/run-chunks.repository.ts',
  'src/modules/chats/streams/followed.repository.ts',
  'src/modules/webhooks/webhooks.repository.ts',
  'src/modules/removal/deletion/deletions.repository.ts',
  'src/modules/stats/*.repository.ts',
  'src/modules/usage/usage-flush.repository.ts',
  'src/modules/removal/erase/erasures.repository.ts',
  'src/modules/transfer/exports/sweep.repository.ts',
  'src/modules/transfer/imports/load/imported-log.repository.ts',
  '**/*.spec.ts',
];

/** The only files that may read the environment; run.ts hands PATH on to its children. */
const ENVIRONMENT_READERS = [
  'src/config/**',
  'src/main.ts',
  'src/backup.ts',
  'src/epoch.ts',
  'src/platform/database/embedded/process.ts',
];

const TESTS = ['test/**/*.ts', '**/*.spec.ts', '**/*.int-spec.ts', '**/*.e2e-spec.ts'];

const NODE_GLOBALS = Object.fromEntries(
  [
    ...['AbortController', 'AbortSignal', 'Buffer', 'URL', 'URLSearchParams', 'WebSocket', 'clearInterval'],
    ...['clearTimeout', 'console', 'fetch', 'performance', 'process', 'queueMicrotask', 'setImmediate', 'setInterval'],
    ...['setTimeout', 'structuredClone', 'TextDecoder', 'TextEncoder'],
  ].map((name) => [name, 'readonly']),
);
const BROWSER_GLOBALS = Object.fromEntries(
  ['addEventListener', 'document', 'location', 'localStorage', 'matchMedia', 'sessionStorage'].map((name) => [
    name,
    'readonly',
  ]),
);
const COMMONJS_GLOBALS = { require: 'readonly', module: 'writable', __dirname: 'readonly', __filename: 'readonly' };

const FORBIDDEN_IMPORTS = [
  { name: '@nestjs/common', importNames: ['forwardRef'], message: 'forwardRef hides an import cycle: declare a port.' },
  { name: 'node:process', message: 'Use the global; only src/config reads the environment.' },
  { name: 'process', message: 'Use the global; only src/config reads the environment.' },
];
/** They would reach the data source itself, which refuses whatever has no tenant and role (docs/adr/0026). */
const UNSCOPED = {
  typeorm: ['BaseEntity', 'DataSource', 'EventSubscriber', 'getMetadataArgsStorage'],
  '@nestjs/typeorm': ['InjectDataSource', 'InjectEntityManager', 'InjectRepository'],
};
const NO_UNSCOPED = Object.entries(UNSCOPED).map(([name, importNames]) => ({
  ...{ name, importNames, message: 'Use Database.repository, or the repository of a transaction.' },
}));
const NO_SYSTEM_DATABASE = [
  'ImportSpecifier[imported.name="SystemDatabase"]',
  'ExportSpecifier[local.name="SystemDatabase"]',
  'ImportDeclaration[source.value=/database/] > ImportNamespaceSpecifier',
  'ExportAllDeclaration[source.value=/database/]',
].map((selector) => ({
  selector,
  message: 'SystemDatabase sees all tenants; who may use it is listed in eslint.config.mjs.',
}));

/** Whatever makes markup or code of a text; React and textContent show it. */
const NO_MARKUP_OF_TEXTS = [
  ['JSXAttribute[name.name="dangerouslySetInnerHTML"]', 'Text is shown as text.'],
  ['MemberExpression[property.name=/^(inner|outer)HTML$/]', 'Text is shown as text.'],
  ['MemberExpression[property.name=/^(insertAdjacentHTML|createContextualFragment)$/]', 'Text is shown as text.'],
  ['MemberExpression[object.name="document"][property.name=/^write/]', 'Text is shown as text.'],
  ['JSXAttribute[name.name=/^(href|src)$/] Literal[value=/^(javascript|data):/i]', 'Links lead to http(s).'],
  [
    'JSXOpeningElement:has(JSXAttribute[name.name="target"]):not(:has(JSXAttribute[name.name="rel"]))',
    'A link that opens a window says rel="noopener".',
  ],
].map(([selector, message]) => ({ selector, message }));

export default defineConfig(
  {
    ignores: [
      'dist/',
      'coverage/',
      'data/',
      'node_modules/',
      'docs/',
      'test/support/http/api-types.ts',
      'web/src/api/api-types.ts',
      'web/src/socket/frame-types.ts',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,

  {
    name: 'house rules, everywhere',
    plugins: { house },
    rules: {
      'house/constructor-dependencies': ['error', { max: 6 }],
      'house/function-lines': ['error', { max: 50 }],
      'house/reasons': 'error',
      'max-lines': ['error', { max: 450, skipBlankLines: false, skipComments: false }],
      'no-restricted-imports': ['error', { paths: FORBIDDEN_IMPORTS }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },

  {
    name: 'TypeScript, with types',
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A file with decorators is left alone: emitDecoratorMetadata needs constructor parameters as values.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': ['error', { fixMixedExportsWithInlineTypeSpecifier: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],

      // `() => this.stop()` is read as "and nothing more"; braces add no safety.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // Nest modules are empty classes under a decorator.
      '@typescript-eslint/no-extraneous-class': 'off',
      // DTO classes are shapes: their instances come from object literals, parsed JSON and spreads.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      // Its narrowing forgets that an await or a callback may change `this.stopped`: mostly false alarms here.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Implementations of asynchronous ports need not wait for anything.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    },
  },

  {
    name: 'server code',
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only src/config reads the environment: add a field there.' },
      ],
      'no-restricted-syntax': ['error', ...NO_SYSTEM_DATABASE],
      'no-restricted-imports': ['error', { paths: [...FORBIDDEN_IMPORTS, ...NO_UNSCOPED] }],
    },
  },
  {
    name: 'who makes data sources',
    files: ['src/platform/database/scoped-source.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: FORBIDDEN_IMPORTS }] },
  },
  { name: 'who may go past the tenants', files: SYSTEM_DATABASE_USERS, rules: { 'no-restricted-syntax': 'off' } },
  { name: 'who may read the environment', files: ENVIRONMENT_READERS, rules: { 'no-restricted-properties': 'off' } },
  {
    name: 'who may write to the terminal',
    files: ['src/main.ts', 'src/backup.ts', 'src/epoch.ts', 'src/banner*.ts', 'src/docs/generate.ts'],
    rules: { 'no-console': 'off' },
  },

  {
    name: 'tests',
    files: TESTS,
    rules: {
      // jest's matchers (expect.any, expect.objectContaining) are typed any; reading from an any stays forbidden.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },

  {
    name: 'pages',
    files: ['web/src/**/*.ts', 'web/src/**/*.tsx'],
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      'no-console': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-script-url': 'error',
      'no-restricted-syntax': ['error', ...NO_MARKUP_OF_TEXTS],
      // They have no Nest modules; what they wait for is said by the types.
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },

  {
    name: 'plain JavaScript',
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: NODE_GLOBALS },
  },
  {
    name: 'CommonJS',
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: COMMONJS_GLOBALS },
  },
  {
    name: 'scripts of the pages',
    files: ['assets/**/*.js'],
    languageOptions: { sourceType: 'module', globals: BROWSER_GLOBALS },
  },
);
