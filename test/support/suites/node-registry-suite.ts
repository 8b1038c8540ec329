import { NODE_TTL_MS, type NodeInfo, type NodeRegistry } from '../../../src/platform/cluster';
import { untilPasses, type MakeFixture, type PeerFixture, testsOf } from './port-fixture';

/** What every NodeRegistry must do. */
export function nodeRegistrySuite(name: string, make: MakeFixture<PeerFixture<NodeRegistry>>): void {
  describe(`NodeRegistry: ${name}`, () => {
    const test = testsOf(make);
    membership(test);
    losses(test);
    returns(test);
  });
}

type Test = (name: string, run: (harness: PeerFixture<NodeRegistry>) => Promise<void>) => void;

function membership(test: Test): void {
  test('each process is a node of its own and lists itself before its first heartbeat', async ({ port, peer }) => {
    expect(port.self.nodeId).not.toBe(peer.self.nodeId);
    expect(port.self.startedAt).toBeInstanceOf(Date);
    expect(await ids(port)).toEqual([port.self.nodeId]);
  });

  test('nodes see each other once they have sent a heartbeat', async ({ port, peer }) => {
    await port.heartbeat();
    await peer.heartbeat();
    expect((await ids(port)).sort()).toEqual([port.self.nodeId, peer.self.nodeId].sort());
    expect(await ids(peer)).toEqual(await ids(port));
    expect(await peer.nodes()).toContainEqual(port.self);
  });

  test('a node that leaves is gone at once, from its own list too', async ({ port, peer }) => {
    await port.heartbeat();
    await peer.heartbeat();
    await peer.leaveCluster();
    expect(await ids(port)).toEqual([port.self.nodeId]);
    expect(await ids(peer)).toEqual([port.self.nodeId]);
  });

  test('a node that falls silent is gone after the ttl, unless it is oneself', async ({ port, peer, advance }) => {
    await port.heartbeat();
    await peer.heartbeat();
    await advance(NODE_TTL_MS * 0.6);
    await peer.heartbeat();
    await advance(NODE_TTL_MS * 0.6);
    expect(await ids(peer)).toEqual([peer.self.nodeId]);
    expect(await ids(port)).toContain(port.self.nodeId);
  });

  test('a node that comes back is listed again', async ({ port, peer, advance }) => {
    await peer.heartbeat();
    await advance(NODE_TTL_MS * 1.2);
    expect(await ids(port)).toEqual([port.self.nodeId]);
    await peer.heartbeat();
    expect(await ids(port)).toContain(peer.self.nodeId);
  });
}

function losses(test: Test): void {
  test('reports a node that fell silent, once, at a heartbeat', async ({ port, peer, advance }) => {
    const lost = watch(port);
    await peer.heartbeat();
    await port.heartbeat();
    await silence(port, advance);
    expect(lost).toEqual([peer.self]);
    await silence(port, advance);
    expect(lost).toEqual([peer.self]);
  });

  test('reports a node that left', async ({ port, peer }) => {
    const lost = watch(port);
    await peer.heartbeat();
    await port.heartbeat();
    await peer.leaveCluster();
    await port.heartbeat();
    await untilPasses(() => expect(lost).toEqual([peer.self]));
  });

  test('reports neither itself nor a node that it never saw', async ({ port, peer, advance }) => {
    const lost = watch(port);
    await port.heartbeat();
    await peer.heartbeat();
    await advance(NODE_TTL_MS * 1.2);
    await port.heartbeat();
    await port.leaveCluster();
    expect(lost).toEqual([]);
  });

  test('a throwing handler is reported and disturbs nobody; one that was taken off is not called', async (h) => {
    const failure = new Error('broken handler');
    h.port.onNodeLost(() => {
      throw failure;
    });
    const gone: NodeInfo[] = [];
    h.port.onNodeLost((node) => void gone.push(node))();
    const lost = watch(h.port);
    await h.peer.heartbeat();
    await h.port.heartbeat();
    await h.peer.leaveCluster();
    await h.port.heartbeat();
    await untilPasses(() => expect(lost).toEqual([h.peer.self]));
    expect(h.errors).toEqual([failure]);
    expect(gone).toEqual([]);
  });
}

function returns(test: Test): void {
  test('tells a node that the others have given it up, once', async ({ port, peer, advance }) => {
    const returned: string[] = [];
    port.onReturned(() => void returned.push('port'));
    peer.onReturned(() => void returned.push('peer'));
    peer.onReturned(() => void returned.push('taken off'))();
    await port.heartbeat();
    await peer.heartbeat();
    await silence(port, advance);
    expect(returned).toEqual([]);
    await peer.heartbeat();
    await peer.heartbeat();
    expect(returned).toEqual(['peer']);
    expect(await ids(port)).toContain(peer.self.nodeId);
  });
}

/** All but this node are silent for so long that they are lost; it sends its heartbeats, as its owner does. */
async function silence(port: NodeRegistry, advance: (ms: number) => Promise<void> | void): Promise<void> {
  for (let beat = 0; beat < 8; beat++) {
    await advance(NODE_TTL_MS / 3);
    await port.heartbeat();
  }
}

async function ids(registry: NodeRegistry): Promise<string[]> {
  return (await registry.nodes()).map((node) => node.nodeId);
}

function watch(registry: NodeRegistry): NodeInfo[] {
  const lost: NodeInfo[] = [];
  registry.onNodeLost((node) => void lost.push(node));
  return lost;
}
