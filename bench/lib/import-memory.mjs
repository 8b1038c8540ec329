/**
 * `npm run bench:big`: a file with a million messages, one of which is wrong, is looked at, found faulty and changes nothing;
 * mended, it is looked at and taken in. What each adds to the memory of the server.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { memoryColumns, memoryOf } from './memory.mjs';

const require = createRequire(import.meta.url);
const { LINE_KEYS } = require('../../dist/modules/transfer/format');

const POLL_MS = 100;
/** What an import of any size may add to a server that has been at work. */
const MOST_MB = 40;
const ROOM_MESSAGES = 10_000;
/** Messages of the import that is not measured: it loads what every later one has. */
const WARM_UP = 20_000;
const USERS = ['ann', 'ben'];
const PART_BYTES = 32 * 1024 * 1024;
const MADE_AT = Date.parse('2025-06-01T12:00:00.000Z');
const CONTENT = 'abcdefghij'.repeat(10);
/** The header, the users. */
const LINES_BEFORE_ROOMS = 1 + USERS.length;
/** A room, its members. */
const LINES_BEFORE_MESSAGES = 1 + USERS.length;

/** @param count messages, a multiple of 10,000 */
export async function importMemory({ url, pid, master }, sql, count) {
  await imported({ url, master }, sql, WARM_UP, (work) => work());
  const rows = [];
  const measured = async (work, what) => {
    const memory = await memoryOf(pid, work);
    rows.push({ import: `${count} messages, ${what}`, ...memoryColumns(memory, MOST_MB) });
    return memory.result;
  };
  await imported({ url, master }, sql, count, measured);
  return rows;
}

/** @param measure does the work that it is given, and returns what that returns */
async function imported({ url, master }, sql, count, measure) {
  const { tenant_id } = await call('POST', `${url}/admin/tenants`, master, { name: 'imported' });
  const imports = `${url}/admin/tenants/${tenant_id}/imports`;
  const { import_id } = await call('POST', imports, master, { source: 'chatapi' });
  const path = `${imports}/${import_id}`;
  const stored = async () => {
    const uuid = tenant_id.slice('tenant_'.length);
    const [row] = await sql('SELECT count(*)::int AS n FROM messages WHERE tenant_id = $1::uuid', [uuid]);
    return row.n;
  };

  // In the middle of a room: the first message of one comes after nothing.
  const faulty = Math.floor((count * 0.77) / ROOM_MESSAGES) * ROOM_MESSAGES + ROOM_MESSAGES / 2;
  await upload(path, master, count, faulty);
  const found = await measure(() => ended(path, master, 'validate', 'validating'), 'one wrong, looked at');
  const line = lineOf(faulty);
  const isTold = found.state === 'invalid' && found.fault_count === 1 && found.faults[0].line === line;
  if (!isTold || (await stored()) > 0)
    throw new Error(`line ${line} is wrong, and what was found is ${JSON.stringify(found)}`);

  await upload(path, master, count, undefined);
  const valid = await measure(() => ended(path, master, 'validate', 'validating'), 'looked at');
  if (valid.state !== 'valid') throw new Error(`the file has faults: ${JSON.stringify(valid.faults.slice(0, 3))}`);
  const done = await measure(() => ended(path, master, 'start', 'running'), 'taken in');
  if (done.state !== 'done' || done.counts.message !== count || (await stored()) !== count)
    throw new Error(`the import ended as ${JSON.stringify(done)}`);
}

/** Asks for the next step, and waits until it is over. */
async function ended(path, master, step, state) {
  let now = await call('POST', `${path}/${step}`, master);
  for (; now.state === state; now = await call('GET', path, master)) await pause(POLL_MS);
  return now;
}

/** Sends a file as it is made, in parts. @param faulty which message is wrong, from 0; undefined: none */
async function upload(path, master, count, faulty) {
  let pieces = [];
  let bytes = 0;
  let part = 0;
  const send = async () => {
    const headers = { ...master, 'Content-Type': 'application/octet-stream' };
    const body = Buffer.concat(pieces);
    const answer = await fetch(`${path}/file?part=${++part}`, { method: 'PUT', headers, body });
    if (!answer.ok) throw new Error(`part ${part} was answered ${answer.status}: ${await answer.text()}`);
    [pieces, bytes] = [[], 0];
  };
  for await (const piece of Readable.from(texts(count, faulty)).pipe(createGzip({ level: 1 }))) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= PART_BYTES) await send();
  }
  if (bytes > 0) await send();
}

/** The file, some lines at a time. */
function* texts(count, faulty) {
  const hash = createHash('sha256');
  const counts = Object.fromEntries(Object.keys(LINE_KEYS).map((kind) => [kind, 0]));
  yield `${JSON.stringify({ kind: 'chatapi.export', format: 1, export_id: id('exp', 1) })}\n`;
  let text = '';
  for (const line of lines(count, faulty)) {
    counts[line.kind]++;
    text += `${JSON.stringify(Object.fromEntries(['kind', ...LINE_KEYS[line.kind]].map((key) => [key, line[key] ?? null])))}\n`;
    if (text.length < 65_536) continue;
    hash.update(text);
    yield text;
    text = '';
  }
  hash.update(text);
  yield text;
  yield `${JSON.stringify({ kind: 'end', counts, sha256: hash.digest('hex') })}\n`;
}

function* lines(count, faulty) {
  const first = time(0);
  for (const user_id of USERS) yield { kind: 'user', user_id, profile: {}, created_at: first, legal_hold: false };
  for (let n = 0; n < count; n++) {
    const room_id = id('room', Math.floor(n / ROOM_MESSAGES) + 1);
    const seq = (n % ROOM_MESSAGES) + 1;
    if (seq === 1) yield* roomLines(room_id, first);
    const place = { room_id, seq, rev: seq, message_id: id('msg', n + 1), sender_id: USERS[n % 2] };
    const created_at = n === faulty ? first : time(seq);
    yield { kind: 'message', ...place, role: 'user', content: `${CONTENT} ${n}`, created_at };
  }
}

function* roomLines(room_id, at) {
  const [last, times] = [ROOM_MESSAGES, { created_at: at, updated_at: at, last_message_at: time(ROOM_MESSAGES) }];
  const revs = { first_seq: 1, last_seq: last, first_rev: 0, last_rev: last, members_added: USERS.length };
  yield {
    kind: 'room',
    room_id,
    type: 'group',
    name: 'a room',
    posting: 'members',
    ...revs,
    legal_hold: false,
    ...times,
  };
  for (const [i, user_id] of USERS.entries()) {
    const role = i === 0 ? 'admin' : 'member';
    yield { kind: 'member', room_id, user_id, role, member_no: i + 1, joined_seq: 0, joined_at: at };
  }
}

/** Where a message stands in the file, from 1. */
function lineOf(n) {
  return LINES_BEFORE_ROOMS + (Math.floor(n / ROOM_MESSAGES) + 1) * LINES_BEFORE_MESSAGES + n + 1;
}

function id(prefix, n) {
  return `${prefix}_01900000000070008000${n.toString(16).padStart(12, '0')}`;
}

function time(seconds) {
  return new Date(MADE_AT + seconds * 1000).toISOString();
}

async function call(method, url, headers, body) {
  const json =
    body === undefined
      ? {}
      : { headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(url, { method, headers, ...json });
  if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}
