import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../poll';
import { type AnswerStep, DEFAULT_STEPS, type ProviderScript } from './script';

/** A request that reached the fake, and what became of its connection. */
export interface SeenRequest extends WireRequest {
  /** `whole` when the answer was written to its end, `early` when somebody hung up before. */
  readonly closed: Promise<'whole' | 'early'>;
}

const SSE = { 'content-type': 'text/event-stream' };

/** A real HTTP server that speaks one provider's protocol and does what the test's scripts say. */
export class ProviderServer {
  /** All requests, the refused ones too, in the order in which they came. */
  readonly requests: SeenRequest[] = [];
  /** What is done where no script waits. */
  otherwise: ProviderScript = {};
  /** What this provider refuses beyond what its protocol does; undefined: it takes the request. */
  refuse: Wire['refuse'] = () => undefined;
  private readonly scripts: ProviderScript[] = [];

  private constructor(
    private readonly server: Server,
    private readonly wire: Wire,
  ) {}

  /** Listens on a free port of the loopback. `stop` in afterAll, or in afterEach. */
  static async start(wire: Wire): Promise<ProviderServer> {
    const server = createServer({ noDelay: true });
    const provider = new ProviderServer(server, wire);
    server.on('request', (request, response) => void provider.take(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return provider;
  }

  /** The base URL for a channel, or for the environment. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${this.wire.basePath}`;
  }

  /** Scripts of the next requests, one each, in their order. */
  next(...scripts: ProviderScript[]): void {
    this.scripts.push(...scripts);
  }

  /** The n-th request from 1, once it has come. */
  async request(n: number): Promise<SeenRequest> {
    const seen = await until(
      () => Promise.resolve(this.requests),
      (all) => all.length >= n,
    );
    return seen[n - 1] as SeenRequest;
  }

  /** Forgets requests and scripts. */
  reset(): void {
    this.requests.length = 0;
    this.scripts.length = 0;
    this.otherwise = {};
    this.refuse = () => undefined;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new Promise<'whole' | 'early'>((resolve) =>
      response.once('close', () => resolve(response.writableFinished ? 'whole' : 'early')),
    );
    let text = '';
    try {
      for await (const chunk of incoming.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
    } catch {
      return;
    }
    const { method = '', url = '', headers } = incoming;
    const request = { method, url, headers, body: parsed(text), closed };
    this.requests.push(request);
    const refusal = this.wire.refuse(request) ?? this.refuse(request);
    if (refusal) {
      response.writeHead(refusal.status, { 'content-type': 'application/json' }).end(JSON.stringify(refusal.body));
      return;
    }
    await this.play(request, response, this.scripts.shift() ?? this.otherwise);
  }

  private async play(request: WireRequest, response: ServerResponse, script: ProviderScript): Promise<void> {
    const { status = 200, headers = {}, steps = DEFAULT_STEPS } = script;
    await script.holdHeaders?.pass();
    if (response.destroyed) return;
    const body = script.told === undefined ? script.body : JSON.stringify(this.wire.refusal(status, script.told));
    if (body !== undefined) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
      return;
    }
    if (!this.wire.streams(request)) {
      const text = steps.filter((step) => typeof step === 'string').join('');
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(this.wire.whole(request, text, script)));
      return;
    }
    response.writeHead(status, { ...SSE, ...headers }).flushHeaders();
    if (script.bare !== true) await written(response, this.wire.begin(request, script));
    for (const step of steps) {
      if (response.destroyed) return;
      if (!(await this.step(request, response, step))) return;
    }
    if (script.bare === true) response.end();
    if (response.destroyed || script.bare === true) return;
    const tokens = steps.filter((step) => typeof step === 'string' || 'bytewise' in step).length;
    response.end(this.wire.end(request, tokens, script));
  }

  /** false when the answer ends with this step. */
  private async step(request: WireRequest, response: ServerResponse, step: AnswerStep): Promise<boolean> {
    if (typeof step === 'string') await written(response, this.wire.token(request, step));
    else if ('bytewise' in step) await slowly(response, this.wire.token(request, step.bytewise));
    else if ('hold' in step) await Promise.race([step.hold.pass(), new Promise((r) => response.once('close', r))]);
    else if ('reasoning' in step) await written(response, this.wire.reasoning(request, step.reasoning));
    else if ('toolCall' in step) await written(response, this.wire.toolCall(request, step.toolCall));
    else if ('raw' in step) await (step.slowly === true ? slowly : written)(response, step.raw);
    else {
      if ('error' in step) response.end(this.wire.error(step.error));
      else response.destroy();
      return false;
    }
    return true;
  }
}

function parsed(text: string): WireRequest['body'] {
  try {
    return JSON.parse(text) as WireRequest['body'];
  } catch {
    return {};
  }
}

/** Each piece in a write of its own, which the other side gets by itself. */
async function written(response: ServerResponse, piece: string | Buffer): Promise<void> {
  if (piece.length === 0 || response.destroyed) return;
  await new Promise<void>((resolve) => response.write(piece, () => setImmediate(resolve)));
}

async function slowly(response: ServerResponse, piece: string): Promise<void> {
  for (const byte of Buffer.from(piece)) await written(response, Buffer.from([byte]));
}

type Json = Readonly<Record<string, unknown>>;

/** How one provider's protocol writes an answer; a fake of another protocol is another wire. */
export interface Wire {
  /** What is appended to the server's address to make a channel's base URL, e.g. `/v1`. */
  readonly basePath: string;
  /** What is wrong with a request, as a status and a body; undefined when the real provider would take it. */
  refuse(request: WireRequest): { readonly status: number; readonly body: Json } | undefined;
  /** The body of a refusal. */
  refusal(status: number, message: string): Json;
  /** Whether the request asks for a stream. */
  streams(request: WireRequest): boolean;
  /** The answer in one piece. */
  whole(request: WireRequest, text: string, script: ProviderScript): Json;
  /** Events before the first token. */
  begin(request: WireRequest, script: ProviderScript): string;
  token(request: WireRequest, text: string): string;
  reasoning(request: WireRequest, text: string): string;
  toolCall(request: WireRequest, name: string): string;
  error(message: string): string;
  /** Events after the last token. */
  end(request: WireRequest, tokens: number, script: ProviderScript): string;
}

export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
}
