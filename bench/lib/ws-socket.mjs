/** A raw WebSocket client: cheap enough for thousands in one process, and it sees bytes before any parser. */
import net from 'node:net';
import { headerLines } from './http-connection.mjs';

/** All sockets read into it: what a read brought is looked at before the next one. */
const shared = Buffer.allocUnsafe(256 * 1024);
const OPEN_TIMEOUT_MS = 30_000;

/** A masked text frame with a zero key: legal, and the text stays as it is. */
export function clientFrame(text, opcode = 1) {
  const payload = Buffer.from(text);
  const extended = payload.length < 126 ? 0 : payload.length < 65536 ? 2 : 8;
  const frame = Buffer.alloc(6 + extended + payload.length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extended === 0 ? payload.length : extended === 2 ? 126 : 127);
  if (extended === 2) frame.writeUInt16BE(payload.length, 2);
  if (extended === 8) frame.writeBigUInt64BE(BigInt(payload.length), 2);
  payload.copy(frame, 6 + extended);
  return frame;
}

const PONG = clientFrame('', 10);

export class RawSocket {
  /** @param onBytes gets `(buffer, length)` of each read once the socket is open; the buffer is reused */
  constructor(onBytes) {
    this.onBytes = onBytes;
    this.closed = false;
    this.text = '';
  }

  /** Resolves when the upgrade is done and, if `ready` is given, that text has come. */
  async open(url, headers, ready) {
    const target = new URL(url);
    const opened = new Promise((resolve, reject) => {
      this.progress = () => {
        const end = this.text.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!this.text.startsWith('HTTP/1.1 101')) return reject(new Error(`refused: ${this.text.slice(0, 300)}`));
        if (ready === undefined || this.text.includes(ready, end)) resolve();
      };
      this.fail = reject;
    });
    const timeout = setTimeout(
      () => this.fail(new Error(`not open in time: ${this.text.slice(-300)}`)),
      OPEN_TIMEOUT_MS,
    );
    this.connect(target, `${target.pathname}${target.search}`, headers);
    try {
      await opened;
    } finally {
      clearTimeout(timeout);
      this.progress = undefined;
      this.text = '';
    }
    return this;
  }

  connect(target, path, headers) {
    const onread = { buffer: shared, callback: (length) => this.read(length) };
    this.socket = net.connect({ host: target.hostname, port: Number(target.port), noDelay: true, onread });
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('close', () => {
      this.closed = true;
      this.fail(new Error(`closed: ${this.text.slice(-300)}`));
    });
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${target.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n${headerLines(headers)}\r\n`,
    );
  }

  read(length) {
    if (this.progress) {
      this.text += shared.latin1Slice(0, length);
      this.progress();
    } else this.onBytes(shared, length);
    return true;
  }

  send(text) {
    this.socket.write(clientFrame(text));
  }

  /** A sign of life that nobody asked for: cheaper than looking for the server's pings. */
  pong() {
    if (!this.closed) this.socket.write(PONG);
  }
}
