import { spawnSync } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { configurationFor, describeHaproxy, Haproxy } from '../support/cluster/haproxy';
import { until } from '../support/poll';

type Answering = (request: IncomingMessage, response: ServerResponse) => void;

const ok: Answering = (_request, response) => response.end('ok');
const notNow: Answering = (_request, response) => {
  response.writeHead(503, { 'retry-after': '1' }).end();
};
const noAnswer: Answering = (request) => request.socket.destroy();

/** A server that does what it is told, and counts. */
class Node {
  answer: Answering = ok;
  isReady = true;
  /** Method and path of each request, without health checks. */
  readonly asked: string[] = [];
  readonly sockets = new Set<WebSocket>();
  private readonly connections = new Set<Socket>();

  private constructor(private readonly server: Server) {
    const upgrades = new WebSocketServer({ noServer: true });
    server.on('connection', (socket) => this.connections.add(socket));
    server.on('request', (request, response) => this.take(request, response));
    server.on('upgrade', (request, socket, head) => {
      this.asked.push(`UPGRADE ${request.url}`);
      if (this.answer === notNow) socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
      else upgrades.handleUpgrade(request, socket, head, (ws) => this.sockets.add(ws));
    });
  }

  static async start(port = 0): Promise<Node> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return new Node(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** As a process that is killed: nobody listens, and what was open ends. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.connections) socket.destroy();
    await closed;
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/health/ready') {
      response.writeHead(this.isReady ? 200 : 503).end();
      return;
    }
    this.asked.push(`${request.method} ${request.url}`);
    this.answer(request, response);
  }
}

const nodes: Node[] = [];
let proxy: Haproxy | undefined;
let url: string;

beforeEach(async () => {
  for (let n = 0; n < 3; n++) nodes.push(await Node.start());
  proxy = await Haproxy.inFrontOf(nodes.map((node) => node.url));
  ({ url } = proxy);
});
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  await Promise.all(nodes.splice(0).map((node) => node.kill()));
});

const asked = (): string[] => nodes.flatMap((node) => node.asked);
/** The status; undefined where the connection ended without an answer. */
const call = async (method: string): Promise<number | undefined> =>
  fetch(`${url}/x`, { method }).then(
    ({ status }) => status,
    () => undefined,
  );

/** Asks until each node has answered. */
async function metAll(those: readonly Node[]): Promise<void> {
  await until(
    async () => {
      await call('GET');
      return those.every((node) => node.asked.length > 0);
    },
    (all) => all,
  );
}

async function open(): Promise<WebSocket | number> {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  return new Promise((resolve, reject) => {
    ws.once('open', () => resolve(ws));
    ws.once('error', reject);
    ws.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
  });
}

describeHaproxy('HAProxy as examples/haproxy.cfg has it, of its requests:', () => {
  it('takes the example as it stands, and with addresses from the environment', () => {
    const check = (env: Record<string, string>): number | null =>
      spawnSync('/usr/sbin/haproxy', ['-c', '-f', join(__dirname, '../../examples/haproxy.cfg')], { env }).status;
    expect(check({})).toBe(0);
    expect(check({ CHATAPI_BIND: '127.0.0.1:9', CHATAPI_NODE1: '127.0.0.2:1', CHATAPI_NODE3: 'no-such-name:1' })).toBe(
      0,
    );
    expect(check({ CHATAPI_BIND: 'nonsense' })).toBe(1);
    expect(configurationFor('a:1', ['b:2', 'c:3'])).toMatch(/bind a:1\n[^]*server node1 b:2\n +server node2 c:3\n$/);
  });

  it('sends what is repeated without harm to another node where one says 503 or nothing, and nothing else', async () => {
    await metAll(nodes);
    const [bad, ...good] = nodes;
    if (bad === undefined) throw new Error('there is no node');
    for (const answer of [notNow, noAnswer]) {
      bad.answer = answer;
      const before = bad.asked.length;
      // Each node is asked first by a third of them.
      for (let n = 0; n < 9; n++) for (const method of ['GET', 'PUT', 'DELETE']) expect(await call(method)).toBe(200);
      expect(bad.asked.length).toBeGreaterThan(before);
      for (const node of nodes) node.asked.length = 0;
      const statuses = [];
      for (let n = 0; n < 9; n++) for (const method of ['POST', 'PATCH']) statuses.push(await call(method));
      // Each was asked once, and the client hears what came of it.
      expect(asked()).toHaveLength(statuses.length);
      expect(statuses.filter((status) => status === 200)).toHaveLength(good.flatMap((node) => node.asked).length);
      // Of a connection that was used before HAProxy does not know whether the node has begun: it ends the client's, too.
      const failed = new Set(statuses.filter((status) => status !== 200));
      if (answer === notNow) expect([...failed]).toEqual([503]);
      else expect([502, undefined]).toEqual(expect.arrayContaining([...failed]));
    }
  });

  it('sends a request that no node has seen to another one, whatever it is', async () => {
    await metAll(nodes);
    await nodes[1]?.kill();
    // Some of these come before its checks have failed twice.
    for (let n = 0; n < 30; n++) expect(await call('POST')).toBe(200);
  });
});

describeHaproxy('HAProxy as examples/haproxy.cfg has it, of its nodes:', () => {
  it('asks no node that is not ready, and again one that is', async () => {
    const [first, ...others] = nodes;
    if (first === undefined) throw new Error('there is no node');
    first.isReady = false;
    await until(
      async () => proxy?.output ?? '',
      (output) => output.includes('Server nodes/node1 is DOWN'),
    );
    first.asked.length = 0;
    for (let n = 0; n < 9; n++) expect(await call('POST')).toBe(200);
    expect([first.asked.length, others.flatMap((node) => node.asked).length]).toEqual([0, 9]);
    first.isReady = true;
    await metAll([first]);
  });

  it('spreads sockets evenly, also over a node that comes back, and does not send on who is told to come later', async () => {
    const sockets = [];
    for (let n = 0; n < 30; n++) sockets.push(await open());
    expect(nodes.map((node) => node.sockets.size)).toEqual([10, 10, 10]);
    const [first] = nodes;
    if (first === undefined) throw new Error('there is no node');
    // Its sockets stay with it: the others have more, so the next one is its.
    first.answer = notNow;
    for (const ws of [...first.sockets].slice(0, 5)) ws.terminate();
    const all = asked().length;
    await until(open, (opened) => opened === 503);
    expect(asked().length - all).toBe(
      first.asked.length - 10 + (nodes[1]?.asked.length ?? 0) + (nodes[2]?.asked.length ?? 0) - 20,
    );
    for (const ws of sockets) if (typeof ws !== 'number') ws.terminate();
  });
});
