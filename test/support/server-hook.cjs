'use strict';
// Runs the server from its sources in a process of its own, compiled as jest compiles them (.swcrc).
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { transformSync } = require('@swc/core');

const options = { ...JSON.parse(readFileSync(join(__dirname, '..', '..', '.swcrc'), 'utf8')), $schema: undefined };

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    ...options,
    swcrc: false,
    sourceMaps: 'inline',
    filename,
  });
  module._compile(code, filename);
};
