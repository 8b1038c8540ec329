/**
 * A server with some life in it, for the pictures: tenants, people who talk, an assistant, a webhook that fails at times.
 * All of it comes by the server's own APIs, but for the days before today, which no API can write.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import pg from 'pg';
import { WebSocket } from 'ws';

const ROOT = join(import.meta.dirname, '..', '..');
const PEOPLE = [
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'frank',
  'grace',
  'heidi',
  'ivan',
  'judy',
  'mallory',
  'olivia',
];
const LINES = [
  'Morning! The build is green again.',
  'I have put the notes of yesterday into the wiki.',
  'Can somebody look at the search before lunch?',
  'On it. It was the index, as always 🙈',
  'Release notes are ready for a second pair of eyes.',
  'The customer says that it works now. Thank you all!',
  'Lunch at one?',
];
const ANSWER =
  'Of course. Open Settings → Invoices, choose the month, and press Download. The file has every line with its tax, ready for your accountant. Shall I send you the one of October?';
const ROOMS = ['Support', 'Release 4.2', 'announcements', 'Design', 'Search team', 'lunch', 'On call', 'Data platform'];
/** What somebody may call a room; the pages stay whole. */
const HOSTILE_ROOMS = ['<script>alert(1)</script>', 'غرفة الاجتماعات 🛠️ مع علامة', 'W'.repeat(100)];
/** So short that who never acknowledges has dead letters within seconds. */
const SETTINGS = {
  HOST: '127.0.0.1',
  PORT: '0',
  WS_ACK_TIMEOUT_MS: '400',
  WEBHOOK_ALLOW_PRIVATE: 'true',
  WEBHOOK_OFFLINE_DELAY_MS: '200',
  WEBHOOK_RETRY_SECONDS: '1,1',
  CHANNEL_ALLOW_PRIVATE: 'true',
};

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const uuidOf = (id) => id.replace(/^[a-z]+_/, '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** A model that answers, one that is down, and an endpoint that takes three webhooks of four. */
async function startNeighbours() {
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
      await pause(25);
    }
    write({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    write({ choices: [], usage: { prompt_tokens: 412, completion_tokens: 46, total_tokens: 458 } });
    response.end('data: [DONE]\n\n');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

/** A server of its own; resolves when it listens. */
function startServer(dataDir) {
  const env = { PATH: process.env.PATH, DATA_DIR: dataDir, ...SETTINGS };
  const child = spawn(process.execPath, ['dist/main.js'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((found, failed) => {
    let output = '';
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}`)));
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (!output.includes('/api/chat')) return;
      found({
        url: /listens on (http:\S+)/.exec(output)[1],
        masterKey: /^ {2}(master_\S+)/m.exec(output)[1],
        demoKey: /API key +(chatapi_\S+)/.exec(output)[1],
        demoId: /Tenant +(tenant_\S+)/.exec(output)[1],
        async stop() {
          const gone = new Promise((done) => child.once('exit', done));
          child.kill('SIGTERM');
          await gone;
        },
      });
    });
  });
}

/** What calls the server as somebody; `tenant` is {tenant_id, api_key}. */
function callers({ url, masterKey }) {
  const call = async (headers, method, path, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  };
  return {
    operator: (...what) => call({ 'X-Master-Key': masterKey }, ...what),
    as: (tenant, user, ...what) => call({ 'X-API-Key': tenant.api_key, 'X-User-Id': user }, ...what),
    backEnd: (tenant, ...what) => call({ 'X-API-Key': tenant.api_key }, ...what),
  };
}

/** Rooms with what was said in them. @returns the rooms and the last message of each */
async function talkIn(tenant, names, { as }) {
  const rooms = [];
  for (const [index, name] of names.entries()) {
    const members = PEOPLE.slice(1, 4 + ((index * 3) % 9));
    const type = index % 3 === 2 ? 'channel' : 'group';
    const { room_id: id } = await as(tenant, 'alice', 'POST', '/rooms', { type, name, members });
    let last;
    for (let n = 0; n < 12 - index; n++) {
      const by = ['alice', ...members][n % (members.length + 1)];
      last = await as(tenant, by, 'POST', `/rooms/${id}/messages`, { content: LINES[(n + index) % LINES.length] });
    }
    rooms.push({ id, name, members: ['alice', ...members], message: last.message_id });
  }
  return rooms;
}

/** A person's socket. @param acks `never`: acknowledges once, so that the rest is sent again until it is given up */
function connect({ url }, tenant, user, acks) {
  const headers = { 'X-API-Key': tenant.api_key, 'X-User-Id': user, 'User-Agent': 'Acme for iOS 4.2' };
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?close_codes=1`, { headers });
  let count = 0;
  socket.on('message', (data) => {
    const { type, room_id, seq } = JSON.parse(data);
    if (type !== 'message' || (acks === 'never' && count++ > 0)) return;
    socket.send(JSON.stringify({ type: Math.random() < 0.6 ? 'read' : 'ack', room_id, seq }));
  });
  socket.on('error', () => undefined);
  return socket;
}

/** People who go on talking until it is stopped: livelier at times, so that charts have a shape. */
function chatter(server, tenant, rooms, people) {
  const sockets = new Map(people.map((user) => [user, connect(server, tenant, user)]));
  let turn = 0;
  const timer = setInterval(() => {
    const wave = 1.5 + Math.sin(turn++ / 9) + (turn % 70 < 8 ? 3 : 0);
    for (let n = 0; n < wave; n++) {
      const room = rooms[(turn + n) % rooms.length];
      const socket = sockets.get(room.members[turn % room.members.length]);
      if (socket?.readyState !== WebSocket.OPEN) continue;
      const content = LINES[(turn + n) % LINES.length];
      socket.send(JSON.stringify({ type: 'send_message', room_id: room.id, content }));
    }
  }, 300);
  return () => {
    clearInterval(timer);
    for (const socket of sockets.values()) socket.terminate();
  };
}

/** An assistant with a channel that answers and one that is down; some chats. */
async function assist(tenant, neighbours, { as, backEnd }) {
  const channel = { provider: 'openai-compatible', model: 'small-1', apiKey: 'sk-of-the-pictures' };
  await backEnd(tenant, 'POST', '/api/channels', {
    ...channel,
    name: 'primary',
    baseUrl: `${neighbours.url}/down`,
    priority: 5,
  });
  await backEnd(tenant, 'POST', '/api/channels', {
    ...channel,
    name: 'fallback',
    baseUrl: `${neighbours.url}/v1`,
    priority: 10,
  });
  const systemPrompt = 'You help customers of a shop. Be brief, and say where in the app a thing is found.';
  await backEnd(tenant, 'POST', '/api/presets', { name: 'support', systemPrompt, model: 'small-1', temperature: 0.3 });
  for (const user of PEOPLE.slice(0, 4))
    await as(tenant, user, 'POST', '/api/chat', {
      message: 'Where do I find my invoices?',
      userId: user,
      preset: 'support',
    });
}

/** What an operator did: keys, limits, a webhook, a notification, an export. */
async function operate(tenant, neighbours, { operator, backEnd }) {
  const path = `/admin/tenants/${tenant.tenant_id}`;
  const webhook = { url: `${neighbours.url}/hook`, events: ['message.offline', 'message.created', 'member.joined'] };
  await operator('PATCH', path, { settings: { webhook, retention_days: 365 } });
  const limits = { requests_per_second: 250, tokens_per_day: 2_000_000, ws_connections: 5000 };
  await operator('PATCH', path, { limits });
  const { key_id: id } = await operator('POST', `${path}/keys`, { name: 'old mobile back end', scopes: ['chat'] });
  await operator('POST', `${path}/keys`, {
    name: 'nightly reports',
    scopes: ['admin'],
    expires_at: '2027-12-31T00:00:00Z',
  });
  await operator('DELETE', `${path}/keys/${id}`);
  const notice = { topic: 'order.shipped', payload: { order: 4711 }, targets: { user_ids: ['bob', 'zoe'] } };
  await backEnd(tenant, 'POST', '/notify', notice);
  await operator('POST', `${path}/exports`);
}

const A_DAY = `(CASE WHEN extract(isodow FROM day) > 5 THEN 0.3 ELSE 0.8 + random() / 2 END * $2::float8)`;
const DAYS = `generate_series(current_date - 28, current_date - 1, interval '1 day') day`;
/** Of the tenant $1, so many times $2: what the days and the minutes before this one have used. */
const PAST = [
  `INSERT INTO usage_days (tenant_id, day, part, messages_sent, storage_delta, runs, prompt_tokens, completion_tokens,
     deliveries, webhook_posts, peak_connections)
   SELECT $1, day, 0, 41000 * n, 9400000 * n, 830 * n, 342000 * n, 98000 * n, 260000 * n, 5200 * n, 940 * n
   FROM (SELECT day, ${A_DAY} n FROM ${DAYS}) d`,
  `INSERT INTO usage_users (tenant_id, user_id, day, messages_sent, runs, prompt_tokens, completion_tokens)
   SELECT $1, name, day, 2900 * n / place, 70 * n / place, 29000 * n / place, 8100 * n / place
   FROM (SELECT day, name, place, ${A_DAY} n FROM ${DAYS},
     unnest('{alice,grace,bob,erin,carol,ivan,dave,heidi}'::text[]) WITH ORDINALITY u (name, place)) d`,
  `INSERT INTO usage_models (tenant_id, channel, preset, day, runs, prompt_tokens, completion_tokens)
   SELECT $1, channel, preset, day, 410 * n / place, 171000 * n / place, 49000 * n / place
   FROM (SELECT day, channel, preset, place, ${A_DAY} n FROM ${DAYS},
     unnest('{primary,fallback}'::text[], '{support,default}'::text[]) WITH ORDINALITY u (channel, preset, place)) d`,
  `INSERT INTO stats_minutes (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens, p50_ms, p99_ms)
   SELECT $1, minute, 400 + 300 * n, 380 + 280 * n, 1700 * n, 9800 * n, 14 * random(), 5200 * n, 3 + 2 * random(), 9 + 14 * n
   FROM (SELECT minute, $2::float8 * (1.2 + sin(extract(epoch FROM minute) / 5400) + random() / 4) n
     FROM generate_series(now() - interval '24 hours', now() - interval '2 minutes', interval '1 minute') minute) m`,
];

/** The days before today: no API writes them, so the tables are written, as the server's own role. */
async function rememberPast(dataDir, tenants) {
  const names = readdirSync(join(dataDir, 'postgres'), { recursive: true });
  const pid = names.find((name) => name.endsWith('postmaster.pid'));
  const [, , , port, host] = readFileSync(join(dataDir, 'postgres', pid), 'utf8').split('\n');
  const database = new pg.Client({ host, port: Number(port), user: 'chatapi', database: 'chatapi' });
  await database.connect();
  for (const [index, { tenant_id: id }] of tenants.entries()) {
    await database.query('BEGIN');
    await database.query('SET LOCAL ROLE chatapi_tenant');
    await database.query(`SELECT set_config('app.tenant', $1, true)`, [uuidOf(id)]);
    for (const text of PAST) await database.query(text, [uuidOf(id), 1 / (index + 1)]);
    await database.query('COMMIT');
  }
  await database.end();
}

/** Starts a server, fills it, and lets people talk in it until `stop`. */
export async function startLivelyServer(dataDir) {
  const neighbours = await startNeighbours();
  const server = await startServer(dataDir);
  const { url } = server;
  const by = callers(server);
  const tenants = [];
  for (const name of ['Acme', 'Globex', 'Initech', 'Umbrella', 'Wayne Enterprises'])
    tenants.push(await by.operator('POST', '/admin/tenants', { name }));
  const [acme, globex, initech] = tenants;
  const demo = { tenant_id: server.demoId, api_key: server.demoKey };
  await by.operator('PATCH', `/admin/tenants/${tenants[3].tenant_id}`, { status: 'suspended' });
  await operate(acme, neighbours, by);
  const rooms = await talkIn(acme, ROOMS, by);
  await talkIn(acme, HOSTILE_ROOMS, by);
  await assist(acme, neighbours, by);
  await rememberPast(dataDir, [acme, globex, initech]);
  const silent = connect(server, acme, 'bob', 'never');
  const stops = [
    chatter(
      server,
      acme,
      rooms,
      PEOPLE.filter((name) => name !== 'bob'),
    ),
  ];
  for (const [tenant, count] of [
    [globex, 5],
    [initech, 2],
  ]) {
    const theirs = await talkIn(tenant, ROOMS.slice(0, 3), by);
    stops.push(chatter(server, tenant, theirs, PEOPLE.slice(0, count)));
  }
  return {
    ...server,
    url,
    acme: acme.tenant_id,
    acmeKey: acme.api_key,
    empty: tenants[4].tenant_id,
    demo,
    rooms,
    by,
    async stop() {
      for (const stop of stops) stop();
      silent.terminate();
      await server.stop();
      neighbours.stop();
    },
  };
}
