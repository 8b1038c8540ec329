/** Three levels, named by what is real: *.spec.ts (nothing), *.int-spec.ts (PostgreSQL), *.e2e-spec.ts (the app). */
module.exports = {
  rootDir: __dirname,
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testEnvironment: 'node',
  testRegex: '\\.(spec|int-spec|e2e-spec)\\.ts$',
  moduleFileExtensions: ['ts', 'js', 'json'],
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  setupFiles: ['reflect-metadata'],
  runtime: '<rootDir>/test/support/jest-runtime.cjs',
  globalSetup: './test/support/global-setup.ts',
  globalTeardown: './test/support/global-teardown.ts',
  // More than ten times what the longest test takes on a quiet machine: a slow one takes its time, and passes.
  testTimeout: 600_000,
  // Of two cores: tests that kill and restart wait half of their time.
  maxWorkers: 4,
  // What each file leaves behind adds up, and a full heap is collected again and again: a worker that has more than this begins
  // anew. Without it the last files of a run take up to a hundred times as long.
  workerIdleMemoryLimit: '600MB',
};
