/**
 * The bare socket server: ws on Fastify, rooms as sets of sockets. No credentials, no limits, no queue bounds: a reader
 * that stops fills the memory. `node ws.mjs '<json>'`: the options of `openAppend`, and `fan`:
 *
 * - coalesce: a message is framed once, and a socket gets what one turn brought in one write;
 * - frame: a message is framed once and written at once;
 * - string: `ws.send(string)` in a loop, as most examples do.
 *
 * `/ws?room=<id>` listens to a room. A frame `send_message {room_id, content, request_id?}` is answered with
 * `message.accepted`. Messages also come in by REST.
 */
import { createRequire } from 'node:module';
import { openAppend, sendRoute, store } from './send-route.mjs';

const require = createRequire(import.meta.url);
const { Sender, WebSocketServer } = require('ws');
const o = { fan: 'coalesce', append: 'stub', ...JSON.parse(process.argv[2]) };
const FRAME = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: false };
const rooms = new Map();

/** What this turn brings to each room. */
let pending = new Map();

function framed(text) {
  return Buffer.concat(Sender.frame(Buffer.from(text), FRAME));
}

function flush() {
  const due = pending;
  pending = new Map();
  for (const [sockets, frames] of due) {
    const bytes = frames.length === 1 ? frames[0] : Buffer.concat(frames);
    for (const ws of sockets) ws._socket.write(bytes);
  }
}

const FANS = {
  coalesce(sockets, text) {
    if (pending.size === 0) setImmediate(flush);
    const frames = pending.get(sockets);
    if (frames) frames.push(framed(text));
    else pending.set(sockets, [framed(text)]);
  },
  frame(sockets, text) {
    const bytes = framed(text);
    for (const ws of sockets) ws._socket.write(bytes);
  },
  string(sockets, text) {
    for (const ws of sockets) ws.send(text);
  },
};

function broadcast(roomId, stored, content) {
  const sockets = rooms.get(roomId);
  if (!sockets?.size) return;
  const { message_id, seq, created_at } = stored;
  const message = { type: 'message', room_id: roomId, message_id, seq, sender_id: 'alice', content, created_at };
  FANS[o.fan](sockets, JSON.stringify(message));
}

function join(ws, roomId) {
  const sockets = rooms.get(roomId) ?? new Set();
  rooms.set(roomId, sockets.add(ws));
  ws.on('close', () => sockets.delete(ws));
}

const append = await openAppend(o);

async function answer(ws, frame) {
  const stored = await store(append, frame.room_id, frame);
  broadcast(frame.room_id, stored, frame.content);
  ws.send(
    JSON.stringify({ type: 'message.accepted', request_id: frame.request_id, room_id: frame.room_id, ...stored }),
  );
}

const app = require('fastify')();
sendRoute(app, append, broadcast);
await app.listen({ host: '127.0.0.1', port: 0, backlog: 4096 });
const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
app.server.on('upgrade', (request, socket, head) =>
  wss.handleUpgrade(request, socket, head, (ws) => {
    const room = new URL(request.url, 'http://localhost').searchParams.get('room');
    if (room !== null) join(ws, room);
    ws.on('message', (data) => answer(ws, JSON.parse(data)));
    ws.on('error', () => undefined);
  }),
);
console.log(`listens on http://127.0.0.1:${app.server.address().port}`);
process.on('SIGTERM', () => process.exit(0));
