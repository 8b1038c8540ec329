'use strict';
// Runs the server from its sources in a process of its own, compiled as jest compiles them (.swcrc). What was compiled is
// kept, by swc and by V8: tests start some two hundred servers, and each spends most of its start on loading.
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join } = require('node:path');
const v8 = require('node:v8');
const { constants, Script } = require('node:vm');

const ROOT = join(__dirname, '..', '..');
const settings = readFileSync(join(ROOT, '.swcrc'), 'utf8');
const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', '@swc', 'core', 'package.json'), 'utf8'));
const kept = join(ROOT, 'node_modules', '.cache', 'server-hook');
mkdirSync(kept, { recursive: true });

const hashOf = (...parts) => createHash('sha256').update(parts.join('\0')).digest('base64url');

function keep(file, content) {
  try {
    // Aside first: several servers start at once.
    writeFileSync(`${file}.${process.pid}`, content);
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A server of another user may not write here.
  }
}

function compiled(filename) {
  const source = readFileSync(filename, 'utf8');
  const file = join(kept, `${hashOf(version, settings, filename, source)}.js`);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const { transformSync } = require('@swc/core');
    const options = { ...JSON.parse(settings), $schema: undefined };
    const { code } = transformSync(source, { ...options, swcrc: false, sourceMaps: 'inline', filename });
    keep(file, code);
    return code;
  }
}

require.extensions['.ts'] = (module, filename) => module._compile(compiled(filename), filename);

/** V8's code of the modules that a command loads, by their text: in one file, which a later process of it begins with. */
const codeFile = join(kept, `${hashOf(process.version, ...process.execArgv, process.argv[1])}.code`);
const known = codeOf(codeFile);
/** Those that are loaded while the command begins; undefined later. */
let loaded = new Map();

function codeOf(file) {
  try {
    return v8.deserialize(readFileSync(file));
  } catch {
    return new Map();
  }
}

function requireOf(module) {
  const require = (id) => module.require(id);
  require.resolve = (request, options) => Module._resolveFilename(request, module, false, options);
  require.resolve.paths = (request) => Module._resolveLookupPaths(request, module);
  return Object.assign(require, { main: process.mainModule, extensions: Module._extensions, cache: Module._cache });
}

const compile = Module.prototype._compile;
Module.prototype._compile = function (content, filename, format) {
  const key = hashOf(filename, content);
  let script;
  try {
    const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    script = new Script(Module.wrap(content), { filename, cachedData: known.get(key), importModuleDynamically });
  } catch {
    // An ES module, or one with a fault: node's own way, and words.
    return compile.call(this, content, filename, format);
  }
  loaded?.set(key, script);
  return script.runInThisContext().call(this.exports, this.exports, requireOf(this), this, filename, dirname(filename));
};

/** The command's modules are loaded by now, and what ran of them is compiled. */
function keepCode() {
  const scripts = [...(loaded ?? [])];
  loaded = undefined;
  const isNew = ([key, { cachedDataRejected }]) => cachedDataRejected !== false || !known.has(key);
  if (scripts.filter(isNew).length > scripts.length / 10)
    keep(codeFile, v8.serialize(new Map(scripts.map(([key, script]) => [key, script.createCachedData()]))));
}
setImmediate(keepCode);

// V8 takes back only what was made under the flags that it begins with; the server changes them first of all.
const { setFlagsFromString } = v8;
v8.setFlagsFromString = (flags) => {
  keepCode();
  setFlagsFromString(flags);
};
