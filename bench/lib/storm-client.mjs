/**
 * A client of the storm on a bare socket: cheap enough that two thousand of them leave the machine to the server, and it
 * reads and parses every frame all the same.
 */
import net from 'node:net';
import { headerLines } from './http-connection.mjs';
import { clientFrame } from './ws-socket.mjs';

/** All sockets read into it: what a read brought is taken out before the next one. */
const shared = Buffer.allocUnsafe(256 * 1024);
const NOTHING = Buffer.alloc(0);
const HEAD_END = '\r\n\r\n';
const [TEXT, CLOSE, PING] = [1, 8, 9];
const PONG = clientFrame('', 10);
/** Until what was answered with an error is tried again. */
const ERROR_REST_MS = 200;

export class StormClient {
  rest = NOTHING;
  head = '';
  isOpen = false;

  /**
   * Connects.
   * @param onFrame gets each frame, parsed
   * @param onRefused gets the answer's head where there is no upgrade, or '' where the socket ended before
   * @param onOpen is called with the upgrade
   * @param onLost is called with the code where the server ends an open socket
   */
  constructor(url, headers, { onFrame, onRefused, onOpen, onLost }) {
    this.onLost = onLost;
    this.onFrame = onFrame;
    this.onOpen = onOpen;
    this.onRefused = onRefused;
    const { hostname, port, host, pathname, search } = new URL(url);
    const onread = { buffer: shared, callback: (length) => this.read(length) };
    this.socket = net.connect({ host: hostname, port: Number(port), noDelay: true, onread });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.isOpen ? this.onLost?.(this.code) : this.refused('')));
    this.socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n${headerLines(headers)}\r\n`,
    );
  }

  close() {
    this.isOpen = true;
    this.onLost = undefined;
    this.socket.destroy();
  }

  send(text) {
    this.socket.write(clientFrame(text));
  }

  /**
   * Says that it has stored what it has, room after room. Resolves with the errors that it got: what was answered with one is
   * tried again, since a server that a crowd asks at once may say that it cannot now.
   * @param seqs room → seq
   */
  acknowledge(seqs) {
    const errors = [];
    const { onFrame } = this;
    const left = [...seqs].map(([room_id, seq]) => JSON.stringify({ type: 'ack', room_id, seq }));
    return new Promise((resolve) => {
      const next = () => {
        if (left.length > 0) return this.send(left.at(-1));
        this.onFrame = onFrame;
        resolve(errors);
      };
      this.onFrame = (frame) => {
        if (frame.type === 'ack.received') {
          left.pop();
          next();
        } else if (frame.type === 'error') {
          errors.push(`${frame.code}: ${frame.message}`);
          setTimeout(next, ERROR_REST_MS);
        }
      };
      next();
    });
  }

  refused(head) {
    this.close();
    this.onRefused(head);
  }

  read(length) {
    let bytes = shared.subarray(0, length);
    if (!this.isOpen) {
      this.head += bytes.latin1Slice();
      const end = this.head.indexOf(HEAD_END);
      if (end < 0) return true;
      if (!this.head.startsWith('HTTP/1.1 101')) {
        this.refused(this.head.slice(0, end));
        return false;
      }
      bytes = Buffer.from(this.head.slice(end + HEAD_END.length), 'latin1');
      this.isOpen = true;
      this.head = '';
      this.onOpen?.();
    }
    this.frames(this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]));
    return true;
  }

  /** One text, which lies in `bytes` for as long as the call takes. */
  take(bytes, from, to) {
    this.onFrame(JSON.parse(bytes.utf8Slice(from, to)));
  }

  /** Whole, unmasked frames, as a server sends them; what is left of the last one is kept. */
  frames(bytes) {
    let at = 0;
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1] & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length - at < header) break;
      const size =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      if (bytes.length - at < header + size) break;
      const opcode = bytes[at] & 0x0f;
      if (opcode === TEXT) this.take(bytes, at + header, at + header + size);
      // Who does not answer is taken for dead; the server asks no more of an answer than that it comes.
      else if (opcode === PING) this.socket.write(PONG);
      else if (opcode === CLOSE && size >= 2) this.code = bytes.readUInt16BE(at + header);
      at += header + size;
    }
    this.rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }
}
