/** What the server of the pictures talks to: a model, and somebody's back end. */
import { createServer } from 'node:http';

const ANSWER =
  'Of course. Open Settings → Invoices, choose the month, and press Download. The file has every line with its tax, ready for your accountant. Shall I send you the one of October?';
const TOKEN_MS = 25;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** A model that answers, one that is down, and an endpoint that takes three webhooks of four. */
export async function startNeighbours() {
  let posts = 0;
  const server = createServer(async (request, response) => {
    request.resume();
    if (request.url === '/hook') return void response.writeHead(++posts % 4 === 0 ? 503 : 200).end('{"ok":true}');
    if (!request.url.startsWith('/v1')) return void response.writeHead(502).end('{"error":{"message":"Bad gateway"}}');
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const write = (chunk) =>
      response.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', ...chunk })}\n\n`);
    for (const content of ANSWER.split(/(?<= )/)) {
      write({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
      await pause(TOKEN_MS);
    }
    write({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    write({ choices: [], usage: { prompt_tokens: 412, completion_tokens: 46, total_tokens: 458 } });
    response.end('data: [DONE]\n\n');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}
