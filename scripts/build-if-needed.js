'use strict';
/**
 * Builds dist when it does not match the sources. `npm start` runs it first; it costs some 20 ms when there is
 * nothing to do. The comparison is by content: after a clone or a copy the times of the files say nothing.
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
const { join, relative } = require('node:path');

const ROOT = join(__dirname, '..');
const ENTRY = join(ROOT, 'dist', 'main.js');
const STAMP = join(ROOT, 'dist', '.build-stamp');
const TESTS = /\.(spec|int-spec|e2e-spec)\.ts$/;
const SETTINGS = /^(package|nest-cli|tsconfig(\..+)?)\.json$/;

function inputs() {
  const settings = readdirSync(ROOT).filter((name) => SETTINGS.test(name));
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
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
    return existsSync(ENTRY) ? readFileSync(STAMP, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

function nestCli() {
  try {
    // Not its file alone: without TypeScript it starts, and then fails in words that help nobody.
    require.resolve('typescript', { paths: [ROOT] });
    return require.resolve('@nestjs/cli/bin/nest.js', { paths: [ROOT] });
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

function build(wanted) {
  const cli = nestCli();
  if (cli === undefined) {
    fail(
      'dist is missing or older than src, and the tools that build it are not installed.\n' +
        'Run "npm install" with the development dependencies (NODE_ENV=production and --omit=dev leave them out).',
    );
    return;
  }
  console.log(`Building (${existsSync(ENTRY) ? 'the sources have changed' : 'first start'}, about 20 s) …`);
  const child = spawn(process.execPath, [cli, 'build'], { cwd: ROOT, stdio: 'inherit' });
  child.on('error', (error) => fail(`The build could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (code === 0 && existsSync(ENTRY)) writeFileSync(STAMP, wanted);
    else if (code === 0) fail('The build wrote no dist/main.js.');
    else if (signal === null) process.exitCode = code;
    else process.kill(process.pid, signal);
  });
  // Ctrl-C reaches the child too; its end decides how this process ends.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
}

/** A release or an image has dist and no sources: there is nothing to compare. */
if (existsSync(join(ROOT, 'src'))) {
  const wanted = fingerprint();
  if (process.argv.includes('--force') || storedFingerprint() !== wanted) build(wanted);
} else if (!existsSync(ENTRY)) {
  fail('There is neither src nor dist/main.js: nothing to start.');
}
