/**
 * Clients that come back, each on a bare socket: of our socket, of the bare server, and of nats-server in its text
 * protocol. A client is live when it has all that it is told first: `onLive` is called once.
 */
import net from 'node:net';
import { StormClient } from '../storm-client.mjs';

/** What tells frames apart without parsing them: they begin with their type. */
const TYPE_AT = '{"type":"'.length;
const MESSAGE = Buffer.from('message"');
const COMPLETE = Buffer.from('sync.complete"');

function isType(bytes, from, type) {
  return bytes.compare(type, 0, type.length, from + TYPE_AT, from + TYPE_AT + type.length) === 0;
}

/**
 * Ours. Reading half a million messages must leave the machine to the server: most clients only look at each frame's
 * type, and `isChecked` ones parse every frame and see to the order of the messages.
 */
export class ChatClient extends StormClient {
  delivered = 0;
  faults = 0;
  left;
  /** Room → the last seq, in checked clients. */
  seqs = new Map();

  /** @param rooms how many have to be complete */
  constructor(url, headers, { rooms, isChecked, onLive, onRefused, onLost }) {
    super(url, headers, { onRefused, onLost });
    this.left = rooms;
    this.isChecked = isChecked;
    this.onLive = onLive;
  }

  take(bytes, from, to) {
    if (this.onFrame) super.take(bytes, from, to);
    else if (isType(bytes, from, MESSAGE)) {
      this.delivered++;
      if (this.isChecked) this.check(JSON.parse(bytes.utf8Slice(from, to)));
    } else if (isType(bytes, from, COMPLETE) && --this.left === 0) this.onLive();
  }

  check({ room_id, seq }) {
    const last = this.seqs.get(room_id);
    // A client that has acknowledged something begins later than at the first one.
    if (last !== undefined && seq !== last + 1) this.faults++;
    this.seqs.set(room_id, seq);
  }

  /** Has stored what it has; while that goes on it parses all that it gets. */
  acknowledge() {
    return super.acknowledge(this.seqs);
  }
}

/** The bare socket server tells nothing first: who is upgraded is live. */
export class BareClient extends StormClient {
  delivered = 0;
  faults = 0;

  constructor(url, { onLive, onRefused, onLost }) {
    super(url, {}, { onFrame: () => undefined, onOpen: onLive, onRefused, onLost });
  }
}

const shared = Buffer.allocUnsafe(64 * 1024);

/** nats-server: INFO, CONNECT, SUB, PING; with its PONG the subscription stands. */
export class NatsClient {
  delivered = 0;
  faults = 0;
  text = '';

  constructor(url, subject, { onLive, onRefused }) {
    const { hostname, port } = new URL(url);
    const onread = { buffer: shared, callback: (length) => this.read(length) };
    this.socket = net.connect({ host: hostname, port: Number(port), noDelay: true, onread });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.isClosed || onRefused(''));
    this.subject = subject;
    this.onLive = onLive;
  }

  close() {
    this.isClosed = true;
    this.socket.destroy();
  }

  read(length) {
    const bytes = shared.latin1Slice(0, length);
    if (this.isLive) {
      if (bytes.includes('PING\r\n')) this.socket.write('PONG\r\n');
      return true;
    }
    this.text += bytes;
    if (!this.isGreeted && this.text.includes('\r\n')) {
      this.isGreeted = true;
      this.socket.write(`CONNECT {"verbose":false,"pedantic":false}\r\nSUB ${this.subject} 1\r\nPING\r\n`);
    }
    if (this.text.includes('PONG\r\n')) {
      this.isLive = true;
      this.text = '';
      this.onLive();
    }
    return true;
  }
}
