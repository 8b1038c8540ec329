'use strict';
// Loaded behind server-hook.cjs into a server: tells its parent which functions of src ran between two messages, and in
// which order each ran first. V8's coverage knows no order, and counts the getters by which modules export their names.
const ts = require('typescript');

/** Calls by function, in the order of the first ones; undefined while nothing is recorded. */
let calls;

globalThis.__walked = (name) => {
  if (calls !== undefined) calls.set(name, (calls.get(name) ?? 0) + 1);
};
process.on('message', (message) => {
  const recorded = [...(calls ?? [])];
  calls = message === 'begin' ? new Map() : undefined;
  process.send(recorded);
});
process.channel?.unref();

/** What the compiler adds to a module: helpers, and getters of what it exports. */
const isOfTheCompiler = (node) =>
  (ts.isFunctionDeclaration(node) && /^_(export|ts_|interop_|class_|object_)/.test(node.name?.text ?? '')) ||
  (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === '_export');

/** The code with a call at the beginning of each function. */
function probed(code, file) {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS);
  const inserts = [];
  const visit = (node) => {
    if (isOfTheCompiler(node)) return;
    const { body } = node;
    if (body !== undefined && ts.isFunctionLike(node)) {
      const call = `__walked(${JSON.stringify(`${file}:${node.pos}`)})`;
      if (ts.isBlock(body)) inserts.push([body.getStart(source) + 1, `${call};`]);
      else inserts.push([body.getStart(source), `(${call},`], [body.end, ')']);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  // From the end, so that the places before it stay; what closes at a place comes before what opens there.
  return inserts
    .sort(([a, first], [b, second]) => b - a || (first === ')' ? 1 : 0) - (second === ')' ? 1 : 0))
    .reduce((text, [at, insert]) => text.slice(0, at) + insert + text.slice(at), code);
}

const compile = require.extensions['.ts'];
require.extensions['.ts'] = (module, filename) => {
  const plain = module._compile;
  module._compile = (code, name) => plain.call(module, probed(code, filename), name);
  compile(module, filename);
};
