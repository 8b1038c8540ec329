import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket, { type ClientOptions } from 'ws';
import { MAX_WAIT_MS } from '../timing';
import { type Channel, channelOf, checkFrame } from './asyncapi';

/** A frame of the server; of `/ws/chat` the type is its event_type. */
export interface ServerFrame {
  readonly type: string;
  readonly [field: string]: unknown;
}

const faults: string[] = [];
/** A script has no tests that could fail. */
const isTest = 'afterEach' in globalThis;

/** Whoever imports a client gets this: a frame that is not as docs/asyncapi.json says fails the test that got it. */
if (isTest)
  afterEach(() => {
    expect(faults.splice(0)).toEqual([]);
  });

/** Every text that any client of the tests is sent goes through here. */
export function seenFrame(text: string, channel: Channel): ServerFrame {
  const frame = JSON.parse(text) as ServerFrame & { readonly event_type?: string };
  try {
    checkFrame(frame, 'server', channel);
  } catch (error) {
    if (!isTest) throw error;
    faults.push(String(error));
  }
  return channel === 'socket' ? frame : { ...frame, type: frame.event_type ?? '' };
}

/** How a socket ended: 1006 when no close frame came. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** What an upgrade that was refused over HTTP was answered with. */
export interface RefusedUpgrade {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: { readonly error: Readonly<Record<string, unknown>> };
}

export interface ConnectOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Without the question mark; object or ready-made string. */
  readonly query?: Readonly<Record<string, string>> | string;
  /** Default `/ws`. */
  readonly path?: string;
  readonly options?: ClientOptions;
}

/** A client of the socket: checks and keeps every frame, and waits for the one that a test wants. */
export class WsClient {
  readonly frames: ServerFrame[] = [];
  private readonly waiting = new Set<() => void>();
  private end: SocketEnd | undefined;
  private asked = 0;

  private constructor(
    readonly ws: WebSocket,
    channel: Channel,
  ) {
    ws.on('message', (data: Buffer) => {
      this.frames.push(seenFrame(data.toString(), channel));
      this.wake();
    });
    ws.on('close', (code, reason) => {
      this.end = { code, reason: reason.toString() };
      this.wake();
    });
    ws.on('error', () => undefined);
  }

  /** Resolves when the socket is open; rejects with the answer when it was refused. */
  static async connect(url: string, options: ConnectOptions = {}): Promise<WsClient> {
    const tried = await attempt(url, options);
    if (tried instanceof WsClient) return tried;
    throw new Error(`the upgrade answered ${tried.status}: ${JSON.stringify(tried.body)}`);
  }

  /** The same for a client that comes back when it is told to (503 with Retry-After), as clients of a storm have to. */
  static async admitted(url: string, options: ConnectOptions = {}): Promise<WsClient> {
    for (;;) {
      const tried = await attempt(url, options);
      if (tried instanceof WsClient) return tried;
      if (tried.status !== 503) throw new Error(`the upgrade answered ${tried.status}: ${JSON.stringify(tried.body)}`);
      // Not for an event: the server has said when it wants to be asked again.
      await pause(Number(tried.headers['retry-after']) * 1000);
    }
  }

  /** The answer to an upgrade that has to be refused. */
  static async refused(url: string, options: ConnectOptions = {}): Promise<RefusedUpgrade> {
    const tried = await attempt(url, options);
    if (!(tried instanceof WsClient)) return tried;
    tried.ws.terminate();
    throw new Error('the upgrade was accepted');
  }

  /** For `connect` only. */
  static of(ws: WebSocket, channel: Channel): WsClient {
    return new WsClient(ws, channel);
  }

  send(frame: object): void {
    this.ws.send(JSON.stringify(frame));
  }

  /** Sends a frame with a request id of its own and waits for the frame that answers it. */
  ask(frame: object, withinMs = MAX_WAIT_MS): Promise<ServerFrame> {
    const request_id = `ask-${++this.asked}`;
    this.send({ ...frame, request_id });
    return this.frame((answer) => answer['request_id'] === request_id, withinMs);
  }

  /** Frames of a type that came so far. */
  got(type: string): ServerFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** The first frame, of those that came and will come, that is wanted. */
  frame(wanted: string | ((frame: ServerFrame) => boolean), withinMs = MAX_WAIT_MS): Promise<ServerFrame> {
    const fits = typeof wanted === 'string' ? (frame: ServerFrame) => frame.type === wanted : wanted;
    const about = typeof wanted === 'string' ? wanted : 'a frame';
    return this.until(about, () => this.frames.find(fits), withinMs);
  }

  /** Waits for so many frames of a type and returns them. */
  many(type: string, count: number, withinMs = MAX_WAIT_MS): Promise<ServerFrame[]> {
    const those = (): ServerFrame[] => this.got(type);
    return this.until(`${count} × ${type}`, () => (those().length >= count ? those() : undefined), withinMs);
  }

  /** How the socket ends. */
  ended(withinMs = MAX_WAIT_MS): Promise<SocketEnd> {
    return this.until('the end of the socket', () => this.end, withinMs);
  }

  /** A round trip: what the server sent before it is here. */
  async settled(): Promise<void> {
    const pong = new Promise((resolve) => this.ws.once('pong', resolve));
    this.ws.ping();
    await pong;
  }

  get isOpen(): boolean {
    return this.ws.readyState === WebSocket.OPEN;
  }

  async close(): Promise<void> {
    this.ws.close();
    await this.ended();
  }

  private until<T>(about: string, find: () => T | undefined, withinMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && (this.end === undefined || find() !== undefined)) return;
        stop();
        if (found !== undefined) resolve(found);
        else reject(new Error(`${about} did not come: the socket closed with ${JSON.stringify(this.end)}`));
      };
      const late = setTimeout(() => {
        stop();
        reject(
          new Error(`${about} did not come within ${withinMs} ms; came: ${JSON.stringify(this.frames.slice(-5))}`),
        );
      }, withinMs);
      const stop = (): void => {
        clearTimeout(late);
        this.waiting.delete(look);
      };
      this.waiting.add(look);
      look();
    });
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }
}

/** `http://host:1` → `ws://host:1/ws?…`. */
export function socketUrl(url: string, { path = '/ws', query }: ConnectOptions = {}): string {
  const text = typeof query === 'string' ? query : new URLSearchParams(query ?? {}).toString();
  return `${url.replace(/^http/, 'ws')}${path}${text === '' ? '' : `?${text}`}`;
}

/** Closes those that are open; none is left in the list. */
export async function closeAll(clients: WsClient[]): Promise<void> {
  await Promise.all(clients.splice(0).flatMap((client) => (client.isOpen ? [client.close()] : [])));
}

function attempt(url: string, options: ConnectOptions): Promise<WsClient | RefusedUpgrade> {
  const ws = new WebSocket(socketUrl(url, options), {
    perMessageDeflate: false,
    ...options.options,
    headers: { ...options.headers },
  });
  const client = WsClient.of(ws, channelOf(options.path ?? '/ws'));
  return new Promise((resolve, reject) => {
    ws.once('open', () => resolve(client));
    ws.once('error', reject);
    ws.once('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: refusalIn(text) });
      });
    });
  });
}

/** A balancer that finds no node says so in its own words. */
function refusalIn(text: string): RefusedUpgrade['body'] {
  return text.startsWith('{') ? (JSON.parse(text) as RefusedUpgrade['body']) : { error: { message: text } };
}
