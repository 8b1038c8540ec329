/**
 * Reads answers of `bench/reference/model.mjs`, a process of its own: `node ai-load.mjs '<json>'` prints one JSON line.
 * Modes: `bare` asks the model itself, `ours` asks it through our server, one chat and socket per answer, `ui` one chat and UI
 * message stream, `responses` one chat and stream of OpenAI's Responses.
 * Options: mode, model (URL), url, headers{}, chats[] (ids), count, warmup and seconds (of which the tokens are counted).
 * Latency is from when the model writes a token until it is read here.
 */
import { createRequire } from 'node:module';
import { Agent, request } from 'node:http';
import { Histogram } from './stats.mjs';

const WebSocket = createRequire(import.meta.url)('ws');
const o = { count: 200, warmup: 2, seconds: 8, headers: {}, chats: [], ...JSON.parse(process.argv[2]) };
const latencies = new Histogram();
let [isMeasuring, ok, ended] = [false, 0, 0];

const nowUs = () => Number(process.hrtime.bigint() / 1000n);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Every token in a text that was read. */
function count(text) {
  const now = nowUs();
  for (const [, at] of text.matchAll(/(\d{6,}) /g)) {
    if (!isMeasuring) continue;
    latencies.add((now - Number(at)) / 1000);
    ok++;
  }
}

function askModel(agent) {
  const body = JSON.stringify({ model: 'bench', stream: true, messages: [{ role: 'user', content: 'go' }] });
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const asked = request(`${o.model}/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      response.setEncoding('latin1');
      response.on('data', count);
      response.on('end', resolve);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

function askOurs(chat) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${o.url.replace('http', 'ws')}/ws/chat?chat_id=${chat}`, { headers: o.headers });
    socket.on('message', (data) => {
      const text = data.latin1Slice();
      if (text.startsWith('{"event_type":"message_stream_token"')) count(text.slice(text.indexOf('"token":')));
      else if (text.startsWith('{"event_type":"connection_established"')) socket.send('{"content":"go"}');
      else if (text.startsWith('{"event_type":"message_stream_ended"')) {
        if (text.includes('"status":"completed"')) ended++;
        socket.close();
        resolve();
      } else if (text.startsWith('{"event_type":"error"')) reject(new Error(text));
    });
    socket.on('error', reject);
  });
}

function askUi(chat) {
  const messages = [{ id: 'm', role: 'user', parts: [{ type: 'text', text: 'go' }] }];
  return askStream('/api/ui/chat', { id: chat, messages, trigger: 'submit-message' }, '"type":"finish"');
}

function askResponses() {
  return askStream('/v1/responses', { model: 'default', input: 'go', stream: true }, 'event: response.completed');
}

/** @param end what only its last event says */
function askStream(path, body, end) {
  const text = JSON.stringify(body);
  const headers = { ...o.headers, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const asked = request(`${o.url}${path}`, { method: 'POST', agent, headers }, (response) => {
      response.setEncoding('latin1');
      response.on('data', (text) => {
        count(text);
        if (text.includes(end)) ended++;
        if (text.includes('"type":"error"') || response.statusCode !== 200) reject(new Error(text));
      });
      response.on('end', resolve).on('error', reject);
    });
    asked.on('error', reject);
    asked.end(text);
  });
}

const ask = { ours: askOurs, ui: askUi, responses: askResponses };
const agent = new Agent({ maxSockets: Infinity });
const all = [];
for (let i = 0; i < o.count; i++) {
  all.push(o.mode === 'bare' ? askModel(agent) : ask[o.mode](o.chats[i]));
  // Chats do not begin in the same moment, nor do the tokens of models.
  await sleep(5);
}
await sleep(o.warmup * 1000);
isMeasuring = true;
process.send?.('measuring');
await sleep(o.seconds * 1000);
isMeasuring = false;
process.send?.('measured');
await Promise.all(all);
const [p50, p99, max] = [0.5, 0.99, 1].map((p) => latencies.quantile(p));
process.stdout.write(JSON.stringify({ ok, failed: 0, ended, p50, p99, max, rate: ok / o.seconds }));
process.disconnect?.();
