/**
 * Those who are live while others come back, a process of its own that is asked; `node probe.mjs '<json>'`. The
 * first of a room's watchers sends to it by the clock, and all of them time what they get. Options: url (ws), key, rooms[{room, from,
 * watchers, rate}]. Questions: `open`, and `p99`: per room the p99 in ms since the last question, and of how many
 * deliveries. A message carries the time at which it was due, so a sender that was held up is charged for it.
 */
import { randomUUID } from 'node:crypto';
import { answer } from '../asked.mjs';
import { Histogram } from '../stats.mjs';
import { RawSocket } from '../ws-socket.mjs';

const o = JSON.parse(process.argv[2]);
const MARK = '^!';
const TIME_LENGTH = 14;
const PADDING = 'abcdefghij'.repeat(20).slice(MARK.length + TIME_LENGTH);
const READY = '"type":"presence.snapshot"';
const PONG_MS = 15_000;
const probes = o.rooms.map((room) => ({ ...room, histogram: new Histogram() }));
const sockets = [];

/** Times that stand in what was read; one that is split between two reads is left out. */
function hear(probe, buffer, length) {
  const bytes = buffer.subarray(0, length);
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
    const from = at + MARK.length;
    const due = Number(bytes.latin1Slice(from, from + TIME_LENGTH));
    if (from + TIME_LENGTH <= length && due > 0) probe.histogram.add(performance.now() - due);
  }
}

async function socket(user, onBytes) {
  const opened = await new RawSocket(onBytes).open(o.url, { 'X-API-Key': o.key, 'X-User-Id': user }, READY);
  opened.fail = () => undefined;
  sockets.push(opened);
  return opened;
}

async function open() {
  for (const probe of probes)
    for (let n = 0; n < probe.watchers; n++) {
      const opened = await socket(`user${probe.from + n}`, (buffer, length) => hear(probe, buffer, length));
      probe.sender ??= opened;
    }
  setInterval(() => sockets.forEach((each) => each.pong()), PONG_MS);
  for (const probe of probes) byTheClock(probe.rate, (due) => send(probe.sender, probe.room, due));
}

function byTheClock(rate, each) {
  const began = performance.now();
  let sent = 0;
  const tick = () => {
    for (; sent < ((performance.now() - began) / 1000) * rate; sent++) each(began + (sent * 1000) / rate);
    setTimeout(tick, 1);
  };
  tick();
}

function send(sender, room_id, due) {
  const content = `${MARK}${due.toFixed(3).padStart(TIME_LENGTH, '0')}${PADDING}`;
  sender.send(JSON.stringify({ type: 'send_message', room_id, content, client_message_id: randomUUID() }));
}

function p99() {
  return probes.map((probe) => {
    const { histogram } = probe;
    probe.histogram = new Histogram();
    return { p99: histogram.quantile(0.99), count: histogram.count };
  });
}

answer({ open, p99 });
