/**
 * Functions fit on a screen. The core rule counts a `describe` callback as one function; here it is a list of tests
 * and does not count, while everything inside it, the tests included, does. A `describe` of our own, which skips where
 * something is not installed, has its name: `describeRedis`.
 */
const GROUP = /^[fx]?describe(?![a-z])/;

/** `describe(…)`, `describe.each(…)(…)`, `describe.skip(…)` → `describe`. */
function calleeName(node) {
  if (node.type === 'Identifier') return node.name;
  if (node.type === 'MemberExpression') return calleeName(node.object);
  if (node.type === 'CallExpression') return calleeName(node.callee);
  if (node.type === 'TaggedTemplateExpression') return calleeName(node.tag);
  return undefined;
}

function isTestGroup({ parent }) {
  return parent.type === 'CallExpression' && GROUP.test(calleeName(parent.callee) ?? '');
}

export default {
  meta: {
    type: 'suggestion',
    schema: [{ type: 'object', properties: { max: { type: 'integer' } }, additionalProperties: false }],
    messages: { tooLong: 'This function has {{lines}} lines; at most {{max}} are allowed.' },
  },
  create(context) {
    const { max = 50 } = context.options[0] ?? {};
    function check(node) {
      if (isTestGroup(node)) return;
      const { start, end } = node.loc;
      const lines = end.line - start.line + 1;
      if (lines > max) context.report({ node, messageId: 'tooLong', data: { lines, max } });
    }
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};
