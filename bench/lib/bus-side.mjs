/**
 * One node of bench/cluster.mjs: its bus, as the server has it, and what it publishes or hears. Its parent calls the
 * functions of `calls`, one after the other.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { roomAddress } = require('../../dist/common/ids');
const { SystemClock } = require('../../dist/common/time');
const { RedisBus } = require('../../dist/platform/cluster/redis/redis-bus');
const { BUS_TOPICS } = require('../../dist/platform/cluster/redis/topics');
const { SilentLog } = require('../../dist/platform/logging');

const { nodeId, installation, url, tenantId, rooms, userId } = JSON.parse(process.argv[2]);
const TOPIC = 'room-hints';
const addresses = rooms.map((roomId) => roomAddress(tenantId, roomId));
const content = 'All that is new in this room, in about two hundred bytes of text. '.repeat(3);

const options = { nodeId, installation, instances: [{ name: '0', url }], topics: BUS_TOPICS };
const bus = new RedisBus(options, (error) => fail(error), new SystemClock(), new SilentLog());
let heard = 0;
bus.subscribe(TOPIC, ({ node, payload }) => {
  if (node !== nodeId) heard += payload.hints.length;
});
bus.start();

/** What the feed publishes of one message: its head, and the frame as clients get it. */
function hintOf(n) {
  const roomId = rooms[n % rooms.length];
  const message = {
    message_id: `message_${roomId}`,
    room_id: roomId,
    seq: n,
    user_id: userId,
    content,
    created_at: '',
  };
  const text = JSON.stringify({ type: 'message.new', ...message });
  return { tenantId, roomId, hints: [{ kind: 'change', rev: n, text, seq: n, messageId: roomId }] };
}
const hints = rooms.map((_, n) => hintOf(n));

/** Lets so many turns come one after the other, at a rate; what they cost and how many publications there were. */
async function turns({ perTurn, rate, seconds, isPublishing }) {
  const begun = performance.now();
  const before = process.cpuUsage();
  let n = 0;
  for (;;) {
    const ms = performance.now() - begun;
    if (ms >= seconds * 1000) break;
    if ((n * 1000) / rate <= ms) {
      for (const end = n + perTurn; n < end; n++)
        if (isPublishing) bus.publish(TOPIC, hints[n % hints.length], addresses[n % addresses.length]);
      await new Promise(setImmediate);
    } else await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { n, cpu: since(before), dropped: bus.counts.dropped };
}

/** Items of others, whether they were followed or not. */
const received = () => heard + (bus.skipped.get(TOPIC) ?? 0);
let before;

const calls = {
  async live() {
    while (bus.state !== 'live') await new Promise((resolve) => setTimeout(resolve, 10));
    return { bytesPerHint: JSON.stringify(hints[0]).length };
  },
  async follow(isFollowed) {
    for (const address of addresses) {
      if (isFollowed) await bus.follow(address);
      else bus.unfollow(address);
    }
  },
  turns,
  async begin() {
    before = { cpu: process.cpuUsage(), received: received(), heard };
  },
  /** When that many have come. */
  async end(expected) {
    const until = performance.now() + 10_000;
    while (received() - before.received < expected && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 50));
    return { n: received() - before.received, heard: heard - before.heard, cpu: since(before.cpu) };
  },
  stop: () => bus.stop(),
};

process.on('message', async ({ name, argument }) => {
  process.send({ result: await calls[name](argument) });
  if (name === 'stop') process.disconnect();
});

/** CPU µs of this process. */
function since(start) {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

function fail(error) {
  console.error(error);
  process.exit(1);
}
