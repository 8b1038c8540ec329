import { afterEach, describe, it } from 'node:test';
import { RuleTester } from 'eslint';
import house from './index.mjs';

Object.assign(RuleTester, { afterAll: afterEach, describe, it, itOnly: it.only });
const tester = new RuleTester();
const lines = (n) => '\n'.repeat(n - 1);

tester.run('constructor-dependencies', house.rules['constructor-dependencies'], {
  valid: [
    'class A { constructor(a, b, c, d, e, f) {} }',
    'class A { other(a, b, c, d, e, f, g) {} }',
    'const p = { provide: A, useFactory: f, inject: [a, b, c, d, e, f] };',
    'const p = { others: [a, b, c, d, e, f, g] };',
  ],
  invalid: [
    { code: 'class A { constructor(a, b, c, d, e, f, g) {} }', errors: [{ messageId: 'tooMany' }] },
    { code: 'const p = { inject: [a, b, c, d, e, f, g] };', errors: [{ messageId: 'tooManyInjected' }] },
  ],
});

tester.run('function-lines', house.rules['function-lines'], {
  valid: [
    `function a() {${lines(50)}}`,
    `describe('a', () => {${lines(51)}});`,
    `describe.each([1])('a', () => {${lines(51)}});`,
    `describeRedis('a', () => {${lines(51)}});`,
  ],
  invalid: [
    { code: `function a() {${lines(51)}}`, errors: [{ messageId: 'tooLong' }] },
    { code: `const a = async () => {${lines(51)}};`, errors: [{ messageId: 'tooLong' }] },
    { code: `class A { a() {${lines(51)}} }`, errors: [{ messageId: 'tooLong' }] },
    { code: `described('a', () => {${lines(51)}});`, errors: [{ messageId: 'tooLong' }] },
    { code: `describe('a', () => { it('b', () => {${lines(51)}}); });`, errors: [{ messageId: 'tooLong' }] },
  ],
});

// Put together here, or the rule would report this file.
const TODO = 'TO' + 'DO';
const DISABLE = 'eslint-' + 'disable-next-line no-console';
tester.run('reasons', house.rules.reasons, {
  valid: [`// ${TODO}: bounded once the appender has its queue`, `// ${DISABLE} -- the start-up banner is for people`],
  invalid: [
    { code: `// ${TODO}`, errors: [{ messageId: 'undone' }] },
    { code: `// ${TODO}: later`, errors: [{ messageId: 'undone' }] },
    { code: `/* FIX${'ME'} this */`, errors: [{ messageId: 'undone' }] },
    { code: `// ${DISABLE}\n`, errors: [{ messageId: 'silenced' }] },
  ],
});
