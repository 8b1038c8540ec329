/**
 * A model that costs nothing: `node model.mjs '<json>'` answers `POST …/chat/completions` in the OpenAI wire format with
 * `tokens` tokens, `perSecond` a second. Each token is the monotonic time at which it was written, in µs, and a blank: one
 * clock for all processes of a machine, so whoever reads it knows how long it was under way.
 *
 * A question that begins with `start` is answered with one token: `GET …/starts` says when each was asked, in ms since 1970. One
 * that begins with `wait` gets no token before `POST …/release`; `GET …/waiting` says how many there are.
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

const starts = [];
const waiting = new Set();

function begin(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.write(`data: ${JSON.stringify(FIRST)}\n\n`);
}

function finish(response) {
  response.end(`data: ${JSON.stringify(LAST)}\n\ndata: ${JSON.stringify(USAGE)}\n\ndata: [DONE]\n\n`);
}

function answerShortly(response) {
  response.write(`${BEFORE}One${AFTER}\n\n`);
  finish(response);
}

function stream(response) {
  let left = tokens;
  const timer = setInterval(() => {
    if (left-- > 0) {
      response.write(`${BEFORE}${process.hrtime.bigint() / 1000n} ${AFTER}\n\n`);
      return;
    }
    clearInterval(timer);
    finish(response);
  }, 1000 / perSecond);
  response.on('close', () => clearInterval(timer));
}

function answer(response, body) {
  const asked = JSON.parse(body).messages.at(-1).content;
  const at = performance.timeOrigin + performance.now();
  begin(response);
  if (asked.startsWith('start')) {
    starts.push([asked, at]);
    answerShortly(response);
  } else if (asked.startsWith('wait')) {
    waiting.add(response);
    response.on('close', () => waiting.delete(response));
  } else stream(response);
}

function tell(response, what) {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(what));
}

const server = createServer((request, response) => {
  const parts = [];
  request
    .on('data', (part) => parts.push(part))
    .on('end', () => {
      if (request.url.endsWith('/starts')) tell(response, starts);
      else if (request.url.endsWith('/waiting')) tell(response, waiting.size);
      else if (request.url.endsWith('/release')) {
        for (const held of waiting) answerShortly(held);
        waiting.clear();
        tell(response, 0);
      } else answer(response, Buffer.concat(parts).toString());
    });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listens on http://127.0.0.1:${server.address().port}/v1\n`));
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
