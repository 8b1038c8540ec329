'use strict';
// Runs the server from its sources in a process of its own, compiled as jest compiles them (.swcrc). What was compiled is
// kept: tests start some two hundred servers.
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { transformSync, version } = require('@swc/core');

const ROOT = join(__dirname, '..', '..');
const settings = readFileSync(join(ROOT, '.swcrc'), 'utf8');
const options = { ...JSON.parse(settings), $schema: undefined };
const kept = join(ROOT, 'node_modules', '.cache', 'server-hook');
mkdirSync(kept, { recursive: true });

function compiled(filename) {
  const source = readFileSync(filename, 'utf8');
  const name = createHash('sha256').update(`${version}\0${settings}\0${filename}\0${source}`).digest('hex');
  const file = join(kept, `${name}.js`);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const { code } = transformSync(source, { ...options, swcrc: false, sourceMaps: 'inline', filename });
    try {
      // Aside first: several servers start at once.
      writeFileSync(`${file}.${process.pid}`, code);
      renameSync(`${file}.${process.pid}`, file);
    } catch {
      // A server of another user may not write here.
    }
    return code;
  }
}

require.extensions['.ts'] = (module, filename) => module._compile(compiled(filename), filename);
