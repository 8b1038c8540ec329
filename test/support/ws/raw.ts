import { connect, type Socket } from 'node:net';
import { type Channel, channelOf } from './asyncapi';
import { seenFrame } from './client';
import { MAX_WAIT_MS } from '../timing';

/** The example of RFC 6455. */
export const WS_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** A frame as it is on the wire. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A TCP client that speaks WebSocket as badly as a test wants. */
export class RawSocket {
  private received = Buffer.alloc(0);
  private over = false;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly socket: Socket,
    private readonly channel: Channel = 'socket',
  ) {
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    socket.on('close', () => {
      this.over = true;
      this.wake();
    });
    socket.on('error', () => undefined);
  }

  static async open(url: string, target = '/ws'): Promise<RawSocket> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawSocket(socket, channelOf(target));
  }

  /** A socket whose upgrade was accepted; `after` goes in the same bytes as the request. */
  static async upgraded(
    url: string,
    headers: Readonly<Record<string, string>>,
    target = '/ws',
    after: Buffer = Buffer.alloc(0),
  ): Promise<RawSocket> {
    const raw = await RawSocket.open(url, target);
    raw.write(Buffer.concat([upgradeRequest(headers, target), after]));
    const head = await raw.head();
    if (!head.startsWith('HTTP/1.1 101')) throw new Error(`the upgrade answered ${head}`);
    return raw;
  }

  write(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  /** The head of an HTTP answer; its bytes are taken. */
  async head(): Promise<string> {
    const end = await this.until('the head of an answer', () => {
      const at = this.received.indexOf('\r\n\r\n');
      return at < 0 ? undefined : at + 4;
    });
    return this.take(end).toString('latin1');
  }

  /** All that comes until the server hangs up. */
  async rest(): Promise<string> {
    await this.until('the end', () => (this.over ? true : undefined));
    return this.take(this.received.length).toString();
  }

  /** The next frame. */
  async frame(): Promise<RawFrame> {
    const [end, frame] = await this.until('a frame', () => parseFrame(this.received));
    this.take(end);
    if (frame.opcode === 1) seenFrame(frame.payload.toString(), this.channel);
    return frame;
  }

  /** The code of the close frame; others before it are skipped. */
  async closeCode(): Promise<number> {
    for (;;) {
      const { opcode, payload } = await this.frame();
      if (opcode === 8) return payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    }
  }

  /** The server has closed the TCP connection. */
  async ended(): Promise<void> {
    await this.until('the end', () => (this.over ? true : undefined));
  }

  destroy(): void {
    this.socket.destroy();
  }

  private take(bytes: number): Buffer {
    const taken = this.received.subarray(0, bytes);
    this.received = this.received.subarray(bytes);
    return taken;
  }

  private until<T>(about: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && !this.over) return;
        clearTimeout(late);
        this.waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`${about} did not come; the connection is over, left: ${this.received.toString()}`));
      };
      const late = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`${about} did not come within ${MAX_WAIT_MS} ms`));
      }, MAX_WAIT_MS);
      this.waiting.add(look);
      look();
    });
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }
}

/** The bytes of an upgrade request; a header of undefined is left out. */
export function upgradeRequest(headers: Readonly<Record<string, string | undefined>>, target = '/ws'): Buffer {
  const all: Record<string, string | undefined> = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': WS_KEY,
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
}

export interface FrameOptions {
  /** Default true. */
  readonly fin?: boolean;
  /** Default true, as clients have to. */
  readonly masked?: boolean;
  /** Reserved bits, e.g. 0x40. */
  readonly reserved?: number;
}

/** A frame of a client. */
export function clientFrame(opcode: number, payload: Buffer | string, options: FrameOptions = {}): Buffer {
  const { fin = true, masked = true, reserved = 0 } = options;
  const data = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | reserved | opcode;
  const bit = masked ? 0x80 : 0;
  const mask = Buffer.from([1, 2, 3, 4]);
  const length =
    data.length < 126
      ? Buffer.from([bit | data.length])
      : data.length < 65_536
        ? Buffer.from([bit | 126, data.length >> 8, data.length & 0xff])
        : Buffer.concat([Buffer.from([bit | 127]), bigEndian(data.length)]);
  if (!masked) return Buffer.concat([Buffer.from([first]), length, data]);
  const hidden = data.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([Buffer.from([first]), length, mask, hidden]);
}

function bigEndian(n: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(n));
  return bytes;
}

/** The first frame of a server's bytes, and where it ends. */
function parseFrame(bytes: Buffer): [number, RawFrame] | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  return [start + length, { opcode: bytes.readUInt8(0) & 0x0f, payload: bytes.subarray(start, start + length) }];
}
