/** The house rules that no published plugin has. */
import constructorDependencies from './constructor-dependencies.mjs';
import functionLines from './function-lines.mjs';
import reasons from './reasons.mjs';

export default {
  meta: { name: 'chatapi' },
  rules: {
    'constructor-dependencies': constructorDependencies,
    'function-lines': functionLines,
    reasons,
  },
};
