import { UnreliableBus } from '../../../test/support/cluster/unreliable-bus';
import { FeedNode } from '../../../test/support/realtime/feed-nodes';
import type { JsonLineConnection } from '../../../test/support/realtime/json-line-connection';
import { ModelDatabase } from '../../../test/support/realtime/model-log';
import { type MemoryNodeRegistry, NODE_TTL_MS } from '../../platform/cluster';
import type { SignalRule } from './ports';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
const ROOM = '0190bbbb-0000-7000-8000-000000000001';
const LASTS_MS = 13_000;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Three nodes; ben listens on the first. */
class Nodes {
  readonly database = new ModelDatabase(TENANT, 3);
  readonly wire = new UnreliableBus();
  readonly all: readonly FeedNode[];
  private ben: JsonLineConnection | undefined;

  constructor() {
    this.database.room(ROOM, ['ann', 'ben']);
    const heartbeats: ConstructorParameters<typeof MemoryNodeRegistry>[2] = new Map();
    this.all = [0, 1, 2].map(() => new FeedNode(this.database, this.wire, 1, undefined, heartbeats));
  }

  async start(): Promise<void> {
    for (const node of [...this.all, ...this.all]) await node.nodes.heartbeat();
    const { connection, opened } = this.at(0).open('ben');
    await opened;
    this.ben = connection;
  }

  at(n: number): FeedNode {
    return this.all[n] as FeedNode;
  }

  /** Ann types on that node, or stops. @param isLost the others do not hear of it */
  async type(n: number, action: 'start' | 'stop', isLost = false): Promise<void> {
    const frame = (what: string) => ({ type: 'typing', room_id: 'room', user_id: 'ann', action: what });
    const rule: SignalRule =
      action === 'stop' ? { kind: 'end' } : { kind: 'begin', lastsMs: LASTS_MS, end: frame('stop') };
    this.at(n).feed.feed.signalMembers(TENANT, ROOM, 'typing:ann', frame(action), 'ann', rule);
    await this.travel(isLost);
  }

  async read(n: number, seq: number): Promise<void> {
    const frame = { type: 'read.update', room_id: 'room', user_id: 'ann', seq };
    const rule: SignalRule = { kind: 'merge', everyMs: 1000, order: seq };
    this.at(n).feed.feed.signalMembers(TENANT, ROOM, 'read/room/ann', frame, undefined, rule);
    await this.travel(false);
  }

  /** What ben has been sent since the last call. */
  heard(field: 'action' | 'seq'): unknown[] {
    return this.ben?.ephemeral.splice(0).map(({ frame }) => frame[field]) ?? [];
  }

  after(ms: number): void {
    for (const { clock, feed } of this.all) {
      clock.advance(ms);
      feed.feed.tick();
    }
  }

  stop(): void {
    for (const node of this.all) node.stop();
  }

  private async travel(isLost: boolean): Promise<void> {
    await turn();
    if (isLost) while (this.wire.onTheWay.length > 0) this.wire.drop(0);
    this.wire.deliverAll();
  }
}

let nodes: Nodes;

beforeEach(async () => {
  nodes = new Nodes();
  await nodes.start();
});
afterEach(() => nodes.stop());

describe('typing on another node', () => {
  it('is ended by its own stop, once', async () => {
    await nodes.type(1, 'start');
    nodes.after(3000);
    await nodes.type(1, 'start');
    await nodes.type(1, 'stop');
    await nodes.type(1, 'stop');
    nodes.after(LASTS_MS);
    expect(nodes.heard('action')).toEqual(['start', 'start', 'stop']);
  });

  it('is ended by whoever heard it where the stop is lost, and once where it is only late', async () => {
    await nodes.type(1, 'start');
    await nodes.type(1, 'stop', true);
    nodes.after(LASTS_MS - 1);
    expect(nodes.heard('action')).toEqual(['start']);
    nodes.after(1);
    await nodes.type(1, 'stop');
    nodes.after(LASTS_MS);
    expect(nodes.heard('action')).toEqual(['stop']);
  });

  it('lasts as long as it is repeated', async () => {
    for (let n = 0; n < 5; n++) {
      await nodes.type(1, 'start');
      nodes.after(LASTS_MS - 1);
    }
    expect(nodes.heard('action')).toEqual(Array.from({ length: 5 }, () => 'start'));
  });

  it('is ended at once when the node is lost', async () => {
    await nodes.type(1, 'start');
    await nodes.type(2, 'start');
    expect(nodes.heard('action')).toEqual(['start', 'start']);
    await nodes.at(2).nodes.leaveCluster();
    await nodes.at(0).nodes.heartbeat();
    expect(nodes.heard('action')).toEqual([]);
    // Long before its time is over by the clock that ends typing: the others' stands still.
    nodes.at(0).clock.advance(NODE_TTL_MS);
    await nodes.at(0).nodes.heartbeat();
    expect(nodes.heard('action')).toEqual(['stop']);
    nodes.after(LASTS_MS);
    expect(nodes.heard('action')).toEqual([]);
  });

  it('goes on while the user types on any node, this one too', async () => {
    await nodes.type(0, 'start');
    await nodes.type(1, 'start');
    await nodes.type(2, 'start');
    nodes.heard('action');
    await nodes.type(1, 'stop');
    await nodes.type(0, 'stop');
    expect(nodes.heard('action')).toEqual([]);
    await nodes.type(2, 'stop');
    expect(nodes.heard('action')).toEqual(['stop']);
  });
});

describe('read updates of several nodes', () => {
  it('are one a second, the highest, whichever nodes they come from', async () => {
    await nodes.read(1, 1);
    await nodes.read(2, 4);
    await nodes.read(0, 3);
    await nodes.read(1, 2);
    expect(nodes.heard('seq')).toEqual([1]);
    nodes.after(999);
    expect(nodes.heard('seq')).toEqual([]);
    nodes.after(1);
    expect(nodes.heard('seq')).toEqual([4]);
    await nodes.read(2, 5);
    await nodes.read(1, 3);
    nodes.after(1000);
    expect(nodes.heard('seq')).toEqual([5]);
    nodes.after(1000);
    await nodes.read(1, 6);
    expect(nodes.heard('seq')).toEqual([6]);
  });

  it('of one that is sent again, or came late, nothing is told', async () => {
    await nodes.read(1, 7);
    await nodes.read(2, 7);
    await nodes.read(2, 6);
    nodes.after(1000);
    expect(nodes.heard('seq')).toEqual([7]);
  });
});
