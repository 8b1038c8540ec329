import fc from 'fast-check';
import { UnreliableBus } from '../../../test/support/cluster/unreliable-bus';
import { FeedNode } from '../../../test/support/realtime/feed-nodes';
import type { JsonLineConnection } from '../../../test/support/realtime/json-line-connection';
import { ModelDatabase, turns } from '../../../test/support/realtime/model-log';
import { runs } from '../../../test/support/timing';
import { encodeId } from '../../common/ids';
import { ManualClock } from '../../common/time';
import type { Connection, StreamPart } from '../transport';
import { HeardStreams, type StreamChannel } from './heard-streams';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
const ROOM = '0190bbbb-0000-7000-8000-000000000001';
const MESSAGE = '0190cccc-0000-7000-8000-000000000001';
const IDS = { room_id: encodeId('room', ROOM), message_id: encodeId('message', MESSAGE) };
const START = { type: 'message.stream.start', ...IDS, sender_id: 'agent_default' };
const END = { type: 'message.stream.end', ...IDS, seq: 2, status: 'completed', finish_reason: 'stop' };

/** A node that writes an answer, and another one on which people come and go. */
class TwoNodes {
  readonly wire: UnreliableBus;
  readonly writer: FeedNode;
  readonly other: FeedNode;
  private text = '';
  private count = 0;
  private isOver = true;

  constructor(confirmsLate = false) {
    this.wire = new UnreliableBus(confirmsLate);
    const database = new ModelDatabase(TENANT);
    database.room(ROOM, ['ann', 'ben']);
    [this.writer, this.other] = [new FeedNode(database, this.wire), new FeedNode(database, this.wire)];
    this.writer.feed.feed.streamsFrom(() => (this.isOver ? [] : [{ messageId: MESSAGE, parts: this.soFar() }]));
  }

  start(): void {
    this.isOver = false;
    this.tell({ type: 'start', senderId: 'agent_default' });
  }

  /** One more token. */
  grow(token: string): void {
    this.text += token;
    this.tell({ type: 'delta', text: token, index: this.count++ });
  }

  end(): void {
    this.isOver = true;
    this.tell({ type: 'end', seq: 2, status: 'completed', finishReason: 'stop' });
  }

  get whole(): string {
    return this.text;
  }

  /** All that is on its way arrives, and what comes of it. */
  async settle(): Promise<void> {
    for (let rounds = 0; rounds < 4; rounds++) {
      await turns();
      this.wire.deliverAll();
    }
  }

  async open(): Promise<JsonLineConnection> {
    const { connection, opened } = this.other.open('ann');
    await this.settle();
    await opened;
    await this.settle();
    return connection;
  }

  stop(): void {
    for (const node of [this.writer, this.other]) node.stop();
  }

  private tell(part: StreamPart): void {
    this.writer.feed.feed.streamPart(TENANT, ROOM, MESSAGE, part);
  }

  private soFar(): StreamPart[] {
    const delta: StreamPart[] = this.count === 0 ? [] : [{ type: 'delta', text: this.text, index: this.count - 1 }];
    return [{ type: 'start', senderId: 'agent_default' }, ...delta];
  }
}

function delta(text: string, index: number): object {
  return { type: 'message.stream.delta', ...IDS, text, index };
}

describe('what another node writes', () => {
  let nodes: TwoNodes;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
    nodes = new TwoNodes();
  });
  afterEach(() => {
    nodes.stop();
    jest.useRealTimers();
  });

  it('is shown from its beginning to the first that comes in the middle, then as it comes', async () => {
    nodes.start();
    nodes.grow('Hel');
    nodes.grow('lo');
    await nodes.settle();
    const ann = await nodes.open();
    expect(ann.frames).toEqual([START, delta('Hello', 1)]);
    nodes.grow('!');
    nodes.end();
    await nodes.settle();
    expect(ann.frames).toEqual([START, delta('Hello', 1), delta('!', 2), END]);
  });

  it('is shown so to each that comes later, and again to nobody', async () => {
    nodes.start();
    const first = await nodes.open();
    nodes.grow('One');
    await nodes.settle();
    const second = await nodes.open();
    const third = await nodes.open();
    nodes.grow(' two');
    await nodes.settle();
    expect(first.frames).toEqual([START, delta('One', 0), delta(' two', 1)]);
    for (const late of [second, third]) expect(late.frames).toEqual([START, delta('One', 0), delta(' two', 1)]);
  });

  it('is not shown in pieces while its beginning is on its way', async () => {
    nodes.start();
    await nodes.open();
    nodes.grow('One');
    await nodes.settle();
    const { connection, opened } = nodes.other.open('ben');
    await opened;
    nodes.grow(' two');
    await turns();
    // The parts come before the answer to what was asked.
    expect(connection.frames).toEqual([]);
    await nodes.settle();
    expect(connection.frames).toEqual([START, delta('One two', 1)]);
  });

  it('is asked for again where the answer was lost', async () => {
    nodes.start();
    await nodes.open();
    nodes.grow('One');
    await nodes.settle();
    const { connection, opened } = nodes.other.open('ben');
    await opened;
    await turns();
    while (nodes.wire.onTheWay.length > 0) nodes.wire.drop(0);
    nodes.other.clock.advance(1000);
    nodes.grow(' two');
    await nodes.settle();
    expect(connection.frames).toEqual([START, delta('One two', 1)]);
  });

  it('leaves nothing behind when it is over, nor when nobody is there any more', async () => {
    nodes.start();
    nodes.grow('One');
    const ann = await nodes.open();
    const told = ann.frames.length;
    ann.close();
    nodes.end();
    await nodes.settle();
    expect(ann.frames).toHaveLength(told);
    const late = await nodes.open();
    expect(late.frames).toEqual([]);
  });
});

it('keeps who is not in yet until it is, and does not ask for it with each token', () => {
  const asked = jest.fn();
  const clock = new ManualClock();
  const heard = new HeardStreams(clock, asked);
  const [ann, ben] = [{ tenantId: TENANT }, { tenantId: TENANT }] as [Connection, Connection];
  const isIn = new Set([ann]);
  const sent = new Map<Connection, string[]>([ann, ben].map((connection) => [connection, []]));
  const channel: StreamChannel = {
    ...{ tenantId: TENANT, roomId: ROOM },
    connections: () => [ann, ben],
    stream: (_id, { type }, { only = [ann, ben], except } = {}) => {
      const meant = [...only].filter((connection) => except?.has(connection) !== true);
      for (const connection of meant) if (isIn.has(connection)) sent.get(connection)?.push(type);
      return meant.filter((connection) => !isIn.has(connection));
    },
  };
  const grow = (): void => heard.take(channel, MESSAGE, { type: 'delta', text: 'x', index: 1 });
  const soFar = { messageId: MESSAGE, parts: [{ type: 'start', senderId: 'agent_a' } as const] };
  grow();
  heard.takeSoFar(channel, soFar);
  grow();
  isIn.add(ben);
  grow();
  expect([sent.get(ann), sent.get(ben), asked.mock.calls.length]).toEqual([['start', 'delta', 'delta'], [], 1]);
  clock.advance(1000);
  grow();
  heard.takeSoFar(channel, soFar);
  grow();
  expect([sent.get(ben), asked.mock.calls.length]).toEqual([['start', 'delta'], 2]);
});

type Step = 'token' | 'join' | 'arrive' | 'turn';

it('is whole, in order and once for whoever comes at whatever moment', async () => {
  const steps = fc.array(fc.constantFrom<Step>('token', 'join', 'arrive', 'arrive', 'turn'), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (script, confirmsLate) => {
      const nodes = new TwoNodes(confirmsLate);
      const readers: JsonLineConnection[] = [];
      try {
        nodes.start();
        for (const [n, step] of script.entries())
          if (step === 'token') nodes.grow(`${n} `);
          else if (step === 'join') readers.push(nodes.other.open('ann').connection);
          else if (step === 'arrive') nodes.wire.deliver(0);
          else await turns();
        await nodes.settle();
        // Nothing that is asked twice within a second is asked at once.
        nodes.other.clock.advance(1000);
        nodes.grow('last');
        await nodes.settle();
        nodes.end();
        await nodes.settle();
        for (const { frames } of readers) {
          const types = frames.map(({ type }) => type);
          expect([types[0], types.at(-1), types.lastIndexOf('message.stream.start')]).toEqual([
            START.type,
            END.type,
            0,
          ]);
          expect(frames.map(({ text = '' }) => String(text)).join('')).toBe(nodes.whole);
        }
      } finally {
        nodes.stop();
      }
    }),
    { numRuns: runs(300) },
  );
});
