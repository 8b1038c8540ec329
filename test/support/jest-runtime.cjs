'use strict';
// jest compiles every module for every test file anew; V8's code of those that a worker has seen is used again here. Half
// a second for each file that loads the server. Without it jest does the same, slower: nothing else of it is changed.
const { default: Runtime } = require('jest-runtime');
const { Script } = require('node:vm');

/** By file, with the text that it is the code of. */
const known = new Map();

module.exports = class extends Runtime {
  /** Compiled for this test file; what ran of them is known when it has ended. */
  compiled = [];

  constructor(...options) {
    super(...options);
    const { executor } = this;
    const compile = executor.compile.bind(executor);
    executor.compile = (source, filename) => {
      const context = executor.environment.getVmContext();
      if (context === null || executor.resolution.isCoreModule(filename)) return compile(source, filename);
      const code = known.get(filename);
      const cachedData = code?.source === source ? code.data : undefined;
      try {
        const wrapped = `(function (${executor.injectedModuleParameters.join(', ')}) {${source}\n})`;
        const script = new Script(wrapped, { filename, cachedData });
        if (script.cachedDataRejected !== false) this.compiled.push({ source, filename, script });
        return script.runInContext(context);
      } catch {
        // jest's own words for what is wrong with it.
        return compile(source, filename);
      }
    };
  }

  teardown() {
    for (const { source, filename, script } of this.compiled.splice(0))
      known.set(filename, { source, data: script.createCachedData() });
    return super.teardown();
  }
};
