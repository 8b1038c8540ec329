import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const { KEY, USER_ID = 'alice', SERVER = 'http://127.0.0.1:8080' } = process.env;
const { ROOM = 'room_019000000000700080000000000000d0' } = process.env;
if (!KEY) {
  console.error('Set KEY to an API key: KEY=chatapi_… node examples/client.mjs');
  process.exit(1);
}
const headers = { 'X-API-Key': KEY, 'X-User-Id': USER_ID };
const nothing = () => ({ seq: 0, rev: 0, ids: new Map(), revs: new Map(), live: false }); // ids: seq → message_id
let room = nothing(); // what this client has; a real one keeps it with the messages
let [epoch, socket, pulse, acking] = [];
let [attempt, waitMs] = [0, 0]; // waitMs: what the server asked for
const unanswered = new Map(); // client_message_id → frame: sent again until it is accepted or refused for good

function connect() {
  const on = (socket = new WebSocket(`${SERVER.replace(/^http/, 'ws')}/ws?close_codes=1&sync=manual`, { headers }));
  let turn = Promise.resolve(); // frames are handled one after the other
  on.on('message', (data) => (turn = turn.then(() => handle(JSON.parse(data))).catch(() => on.terminate())));
  on.on('ping', alive); // every 30 s
  on.on('error', ({ message }) => attempt === 0 && console.log(`${SERVER}: ${message}; set SERVER if it is elsewhere`));
  on.on('close', (code, reason) => turn.then(() => closed(code, reason)));
  alive();
}

async function handle(frame) {
  if (frame.type === 'hello') {
    attempt = 0;
    if (epoch !== undefined && frame.epoch !== epoch) room = nothing(); // the log is another one
    epoch = frame.epoch;
    sync();
    for (const each of unanswered.values()) send(each); // stored once, however often it is sent
  } else if (frame.type === 'message.accepted') unanswered.delete(frame.request_id);
  else if (frame.type === 'error') refused(frame);
  else if (frame.type === 'server.shutdown') waitMs = frame.reconnect_after_ms;
  else if (frame.room_id !== ROOM) return;
  else if (frame.type === 'sync.reset')
    room = nothing(); // the log is another one: it was restored
  else if (frame.type === 'sync.truncated') await fill(frame);
  else if (frame.type === 'sync.complete') complete(frame);
  else if (frame.rev !== undefined) apply(frame);
  // Whatever else comes is ignored: the protocol grows by new frames and new fields.
}
function sync() {
  room.live = false;
  const position = { after_seq: room.seq, after_id: room.ids.get(room.seq), after_rev: room.rev };
  send({ type: 'sync', request_id: 'sync', room_id: ROOM, ...position });
}
function complete({ first_seq, last_seq, last_rev }) {
  room.seq = Math.max(room.seq, first_seq - 1); // what lies before is not kept
  if (room.seq !== last_seq) return sync();
  Object.assign(room, { live: true, rev: last_rev });
}

// More was missed than a sync brings; the first time the newest will do. Edits beyond the newest 1,000 changes are left
// out: who keeps messages reads GET /rooms/{id}/changes between after_rev and before_rev.
async function fill({ first_seq, before_seq }) {
  room.seq = Math.max(room.seq || before_seq - 1, first_seq - 1);
  while (room.seq < before_seq - 1) {
    const page = await get(`messages?after_seq=${room.seq}&before_seq=${before_seq}&limit=100`);
    if (page.length === 0) room.seq = before_seq - 1; // gone meanwhile
    for (const message of page) apply({ ...message, type: 'message' });
  }
}

function apply(frame) {
  const { type, seq, rev, message_id: id = 'room' } = frame;
  if (type === 'message') {
    const isOther = room.ids.has(seq) && room.ids.get(seq) !== id; // the log was restored
    if ((seq > room.seq + 1 && room.live) || isOther) sync();
    if (seq !== room.seq + 1) return; // twice, or live before the sync, which brings it in its turn
    room.ids.set((room.seq = seq), id);
    acking ??= setTimeout(() => send({ type: 'ack', room_id: ROOM, seq: room.seq }, (acking = undefined)), 100);
  } else if (rev <= (room.revs.get(id) ?? 0)) return; // twice
  room.revs.set(id, rev);
  if (type === 'member.joined' && frame.user_id === USER_ID) sync(); // what was missed while out
  if (frame.deleted_at) console.log(`${seq} is deleted`);
  else if (frame.sender_id) console.log(`${seq} ${frame.sender_id}: ${frame.content}`);
  // An edited message keeps its place: lower revisions may come after it.
  if (room.live && !(type === 'message' && (frame.edited_at || frame.deleted_at))) room.rev = Math.max(room.rev, rev);
}
async function get(path) {
  const answer = await fetch(`${SERVER}/rooms/${ROOM}/${path}`, { headers });
  return answer.ok ? answer.json() : Promise.reject(new Error(`${path} answered ${answer.status}`));
}

function refused({ request_id: id, message, retryable, retry_after_ms = 1000 }) {
  console.log(`refused: ${message}`);
  if (!retryable) unanswered.delete(id);
  else if (id === 'sync') setTimeout(sync, retry_after_ms);
  else if (unanswered.has(id)) setTimeout(() => send(unanswered.get(id)), retry_after_ms);
  else waitMs = retry_after_ms;
}
function send(frame) {
  if (frame && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}
function alive() {
  clearTimeout(pulse);
  pulse = setTimeout(() => socket.terminate(), 60_000);
}

function closed(code, reason) {
  console.log(`closed ${code} ${reason}`);
  clearTimeout(pulse);
  if ([1002, 1003, 1007, 1009, 4001, 4003, 4004].includes(code)) process.exit(1); // coming back would change nothing
  setTimeout(connect, waitMs + Math.random() * Math.min(30_000, 500 * 2 ** attempt++)); // full jitter
  waitMs = 0;
}

connect();
createInterface({ input: process.stdin }).on('line', (content) => {
  const id = randomUUID();
  unanswered.set(id, { type: 'send_message', request_id: id, client_message_id: id, room_id: ROOM, content });
  send(unanswered.get(id));
});
