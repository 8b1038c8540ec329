/** What is left undone, and every check that is silenced, says why. */
const UNDONE = /\b(TODO|FIXME|XXX|HACK)\b(?!:? .{10,})/;
const SILENCED = /^\s*eslint-disable/;
const REASON = / -- .{10,}/;

export default {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      undone: '{{word}} without a reason: write "{{word}}: why it is not done, and when it must be".',
      silenced: 'A silenced check without a reason: end the comment with " -- why it does not apply here".',
    },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const word = UNDONE.exec(comment.value)?.[1];
          if (word) context.report({ loc: comment.loc, messageId: 'undone', data: { word } });
          if (SILENCED.test(comment.value) && !REASON.test(comment.value))
            context.report({ loc: comment.loc, messageId: 'silenced' });
        }
      },
    };
  },
};
