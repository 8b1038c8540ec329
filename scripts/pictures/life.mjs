/**
 * A server with some life in it, for the pictures: tenants, people who talk, an assistant, a webhook that fails at times.
 * All of it comes by the server's own APIs, but for what was before today, which no API can write.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { startNeighbours } from './neighbours.mjs';
import { rememberPast } from './past.mjs';

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
const ROOMS = ['Support', 'Release 4.2', 'announcements', 'Design', 'Search team', 'lunch', 'On call', 'Data platform'];
/** What somebody may call a room; the pages stay whole. */
const HOSTILE_ROOMS = ['<script>alert(1)</script>', 'غرفة الاجتماعات 🛠️ مع علامة', 'W'.repeat(100)];
const HOSTILE_LINES = ['<img src=x onerror="alert(1)">', 'مرحبا بالجميع 👋 كيف حالكم', 'x'.repeat(10_000)];
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
    socket.send(JSON.stringify({ type: acks === 'never' || Math.random() < 0.4 ? 'ack' : 'read', room_id, seq }));
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

/** Tenants, and what is in them. */
async function fill(server, dataDir, neighbours) {
  const by = callers(server);
  const tenants = [];
  for (const name of ['Acme', 'Globex', 'Initech', 'Umbrella', 'Wayne Enterprises'])
    tenants.push(await by.operator('POST', '/admin/tenants', { name }));
  const [acme, globex, initech, umbrella, empty] = tenants;
  const demo = { tenant_id: server.demoId, api_key: server.demoKey };
  await by.operator('PATCH', `/admin/tenants/${umbrella.tenant_id}`, { status: 'suspended' });
  await operate(acme, neighbours, by);
  const rooms = await talkIn(acme, ROOMS, by);
  const [hostile] = await talkIn(acme, HOSTILE_ROOMS, by);
  for (const content of HOSTILE_LINES) await by.as(acme, 'alice', 'POST', `/rooms/${hostile.id}/messages`, { content });
  for (const tenant of [acme, demo]) await assist(tenant, neighbours, by);
  await rememberPast(dataDir, [acme, globex, initech]);
  const talks = [[acme, rooms, PEOPLE.filter((name) => name !== 'bob')]];
  for (const [tenant, count] of [
    [globex, 5],
    [initech, 2],
  ])
    talks.push([tenant, await talkIn(tenant, ROOMS.slice(0, 3), by), PEOPLE.slice(0, count)]);
  return { acme, empty, demo, rooms, hostile, talks };
}

/** Starts a server, fills it, and lets people talk in it until `stop`. */
export async function startLivelyServer(dataDir) {
  const neighbours = await startNeighbours();
  const server = await startServer(dataDir);
  const ends = [() => server.stop(), () => neighbours.stop()];
  const stop = async () => {
    for (const end of ends.splice(0)) await end();
  };
  try {
    const { acme, empty, talks, ...rest } = await fill(server, dataDir, neighbours);
    const silent = connect(server, acme, 'bob', 'never');
    ends.unshift(() => silent.terminate(), ...talks.map((talk) => chatter(server, ...talk)));
    return { ...server, ...rest, acme: acme.tenant_id, acmeKey: acme.api_key, empty: empty.tenant_id, stop };
  } catch (fault) {
    await stop();
    throw fault;
  }
}
