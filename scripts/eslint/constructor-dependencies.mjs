/** A class, or a factory of Nest's, that needs more than `max` things does more than one thing. */
export default {
  meta: {
    type: 'suggestion',
    schema: [{ type: 'object', properties: { max: { type: 'integer' } }, additionalProperties: false }],
    messages: {
      tooMany: 'This constructor takes {{count}} dependencies; at most {{max}} are allowed.',
      tooManyInjected: 'This factory is given {{count}} dependencies; at most {{max}} are allowed.',
    },
  },
  create(context) {
    const { max = 6 } = context.options[0] ?? {};
    return {
      'MethodDefinition[kind="constructor"]'(node) {
        const count = node.value.params.length;
        if (count > max) context.report({ node, messageId: 'tooMany', data: { count, max } });
      },
      'Property[key.name="inject"] > ArrayExpression'(node) {
        const count = node.elements.length;
        if (count > max) context.report({ node, messageId: 'tooManyInjected', data: { count, max } });
      },
    };
  },
};
