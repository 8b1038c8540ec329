/**
 * A model that costs nothing: `node model.mjs '<json>'` answers `POST …/chat/completions` in the OpenAI wire format with
 * `tokens` tokens, `perSecond` a second. Each token is the monotonic time at which it was written, in µs, and a blank: one
 * clock for all processes of a machine, so whoever reads it knows how long it was under way.
 */
import { createServer } from 'node:http';

const { tokens, perSecond } = JSON.parse(process.argv[2]);
const BASE = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 0, model: 'bench' };
const PREFIX = `data: ${JSON.stringify({ ...BASE, choices: [{ index: 0, delta: { content: '@' }, finish_reason: null }] })}`;
const [BEFORE, AFTER] = PREFIX.split('@');
const FIRST = { ...BASE, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] };
const LAST = { ...BASE, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
const USAGE = {
  ...BASE,
  choices: [],
  usage: { prompt_tokens: 1, completion_tokens: tokens, total_tokens: tokens + 1 },
};

function stream(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.write(`data: ${JSON.stringify(FIRST)}\n\n`);
  let left = tokens;
  const timer = setInterval(() => {
    if (left-- > 0) {
      response.write(`${BEFORE}${process.hrtime.bigint() / 1000n} ${AFTER}\n\n`);
      return;
    }
    clearInterval(timer);
    response.end(`data: ${JSON.stringify(LAST)}\n\ndata: ${JSON.stringify(USAGE)}\n\ndata: [DONE]\n\n`);
  }, 1000 / perSecond);
  response.on('close', () => clearInterval(timer));
}

const server = createServer((request, response) => {
  request.resume().on('end', () => stream(response));
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listens on http://127.0.0.1:${server.address().port}/v1\n`));
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
