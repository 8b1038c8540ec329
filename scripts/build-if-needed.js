'use strict';
/**
 * Builds dist when it does not match the sources: the server, then the pages of `web/` into dist/web. `npm start` runs
 * it first; it costs some 20 ms when there is nothing to do. The comparison is by content: after a clone or a copy the
 * times of the files say nothing.
 *
 *   node scripts/build-if-needed.js           build unless dist fits
 *   node scripts/build-if-needed.js --force   build in any case
 *
 * `nest build` empties dist first, so a build that failed, or that was made past this script, has no stamp and is
 * made again.
 */
const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const { existsSync, readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { dirname, join, relative } = require('node:path');

const ROOT = join(__dirname, '..');
/** Below dist: what there is after a build. */
const OUTPUTS = ['main.js', join('web', 'index.html')];
const ENTRY = join(ROOT, 'dist', 'main.js');
const STAMP = join(ROOT, 'dist', '.build-stamp');
const TESTS = /\.(spec|int-spec|e2e-spec)\.ts$/;
const SETTINGS = /^(package|package-lock|nest-cli|tsconfig(\..+)?)\.json$/;

function inputs() {
  const settings = readdirSync(ROOT).filter((name) => SETTINGS.test(name));
  const sources = ['src', 'web']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !TESTS.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)));
  return [...settings, ...sources].sort();
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of inputs()) {
    const content = readFileSync(join(ROOT, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function storedFingerprint() {
  try {
    const isWhole = OUTPUTS.every((file) => existsSync(join(ROOT, 'dist', file)));
    return isWhole ? readFileSync(STAMP, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** What is run, in this order; undefined: a tool is not installed. */
function steps() {
  try {
    // Not its file alone: without TypeScript it starts, and then fails in words that help nobody.
    require.resolve('typescript', { paths: [ROOT] });
    const vite = join(dirname(require.resolve('vite/package.json', { paths: [ROOT] })), 'bin', 'vite.js');
    return [
      [require.resolve('@nestjs/cli/bin/nest.js', { paths: [ROOT] }), 'build'],
      [vite, 'build', '--config', join('web', 'vite.config.mjs'), '--logLevel', 'warn'],
    ];
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

function build(wanted) {
  const tools = steps();
  if (tools === undefined) {
    fail(
      'dist is missing or older than src, and the tools that build it are not installed.\n' +
        'Run "npm install" with the development dependencies (NODE_ENV=production and --omit=dev leave them out).',
    );
    return;
  }
  console.log(`Building (${existsSync(ENTRY) ? 'the sources have changed' : 'first start'}, about 20 s) …`);
  run(tools, () => {
    const missing = OUTPUTS.filter((file) => !existsSync(join(ROOT, 'dist', file)));
    if (missing.length === 0) writeFileSync(STAMP, wanted);
    else fail(`The build wrote no dist/${missing[0]}.`);
  });
}

/** One after the other, until one fails. */
function run([step, ...later], done) {
  const child = spawn(process.execPath, step, { cwd: ROOT, stdio: 'inherit' });
  // Ctrl-C reaches the child too; its end decides how this process ends.
  const hand = (signal) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, hand);
  child.on('error', (error) => fail(`The build could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    for (const name of signals) process.off(name, hand);
    if (signal !== null) process.kill(process.pid, signal);
    else if (code !== 0) process.exitCode = code;
    else if (later.length === 0) done();
    else run(later, done);
  });
}

/** A release or an image has dist and no sources: there is nothing to compare. */
if (existsSync(join(ROOT, 'src'))) {
  const wanted = fingerprint();
  if (process.argv.includes('--force') || storedFingerprint() !== wanted) build(wanted);
} else if (!existsSync(ENTRY)) {
  fail('There is neither src nor dist/main.js: nothing to start.');
}
