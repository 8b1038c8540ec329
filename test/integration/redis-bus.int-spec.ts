import { randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import { SystemClock } from '../../src/common/time';
import { encodeEnvelope } from '../../src/platform/cluster/redis/frames';
import { RedisBus } from '../../src/platform/cluster/redis/redis-bus';
import { describeRedis, RedisServer } from '../support/cluster/redis';
import { type NodeOnRedis, RedisBuses, textsOf } from '../support/cluster/redis-buses';
import { RecordingLog } from '../support/recording-log';
import { busSuite, lossyBusSuite, type LossyBusFixture } from '../support/suites/bus-suite';
import { untilPasses } from '../support/suites/port-fixture';

const item = (topic: number, text: string, address = '') => ({ topic, address, json: JSON.stringify({ text }) });
const say = ({ bus }: NodeOnRedis, ...texts: string[]): void => {
  for (const text of texts) bus.publish('words', { text });
};
const numbered = (n: number): string[] => Array.from({ length: n }, (_, i) => `${i}`);

describeRedis('the bus through Redis', () => {
  let redis: RedisServer;
  let buses: RedisBuses;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());

  const fixture = async (): Promise<LossyBusFixture> => {
    const made = await RedisBuses.on([redis]);
    const [port, peer, third] = [made.get(0), made.get(1), made.get(2)];
    const [proxy] = port.proxies;
    return {
      ...{ port: port.bus, peer: peer.bus, third: third.bus, errors: made.errors },
      advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      close: () => made.close(),
      cut: async () => {
        proxy?.cut();
        await untilPasses(() => expect(port.bus.state).toBe('down'));
      },
      mend: async () => proxy?.pass(),
    };
  };
  busSuite('Redis', fixture);
  lossyBusSuite('Redis', fixture);

  describe('when Redis', () => {
    afterEach(() => buses.close());

    it('is killed and comes back empty: works within each node meanwhile, then tells each of one gap', async () => {
      buses = await RedisBuses.on([redis]);
      const heard = buses.nodes.map((node) => textsOf(node));
      await redis.kill();
      await untilPasses(() => expect(buses.nodes.map(({ bus }) => bus.state)).toEqual(['down', 'down', 'down']));
      say(buses.get(0), 'own');
      await untilPasses(() => expect(heard).toEqual([['own'], [], []]));
      await redis.restart();
      await untilPasses(() => expect(buses.nodes.map(({ gaps }) => gaps)).toEqual([[{}], [{}], [{}]]));
      say(buses.get(1), 'after');
      await untilPasses(() => expect(heard).toEqual([['own', 'after'], ['after'], ['after']]));
      expect(buses.get(0).bus.counts.dropped).toBe(1);
      const said = buses.log.lines.map(({ level, message }) => `${level} ${message}`);
      const states = ['info the bus is live', 'warn the bus is down: nodes find by polling what the others do'];
      expect([...new Set(said)].sort()).toEqual(states);
      expect(said).toHaveLength(9);
    });

    it('hangs, which breaks no connection: a node notices by its own position, and hears again after it', async () => {
      buses = await RedisBuses.on([redis], { timing: { canaryMs: 1000 } });
      const heard = textsOf(buses.get(2));
      redis.freeze();
      try {
        await untilPasses(() => expect(buses.nodes.map(({ bus }) => bus.state)).toEqual(['down', 'down', 'down']));
        say(buses.get(0), 'lost');
      } finally {
        redis.thaw();
      }
      await untilPasses(() => {
        for (const { bus, gaps } of buses.nodes) expect([bus.state, gaps.length > 0]).toEqual(['live', true]);
      });
      await untilPasses(() => {
        say(buses.get(0), 'after');
        expect(heard).toContain('after');
      });
    });

    it('is there, and the network keeps one node’s bytes: that one notices, and the others go on', async () => {
      buses = await RedisBuses.on([redis], { timing: { canaryMs: 1000 } });
      const [cut, other] = [buses.get(0), buses.get(1)];
      const heard = textsOf(buses.get(2));
      cut.proxies[0]?.blackhole();
      await untilPasses(() => expect(cut.bus.state).toBe('down'));
      await untilPasses(() => {
        say(other, 'on');
        expect(heard).toContain('on');
      });
      cut.proxies[0]?.pass();
      await untilPasses(() => expect([cut.bus.state, cut.gaps.length > 0]).toEqual(['live', true]));
    });

    it('is slow to be reached: what is late is not lost', async () => {
      buses = await RedisBuses.on([redis]);
      const [from, to] = [buses.get(0), buses.get(1)];
      const heard = textsOf(to);
      for (const { proxies } of buses.nodes) proxies[0]?.delay(60);
      for (const n of numbered(20)) {
        say(from, n);
        await new Promise(setImmediate);
      }
      await untilPasses(() => expect(heard).toEqual(numbered(20)));
      expect(buses.nodes.map(({ gaps }) => gaps)).toEqual([[], [], []]);
    });

    it('takes nothing for a while: what waits is bounded, the rest dropped, and the others notice', async () => {
      buses = await RedisBuses.on([redis], { mostQueuedBytes: 1024 * 1024 });
      const [from, to] = [buses.get(0), buses.get(1)];
      const heard = textsOf(to);
      redis.freeze();
      try {
        for (const n of numbered(30)) say(from, n + 'x'.repeat(100_000));
        await new Promise(setImmediate);
        // Envelopes of a little more than 100,000 bytes: ten of them fit.
        expect([from.bus.counts.published, from.bus.counts.dropped]).toEqual([10, 20]);
      } finally {
        redis.thaw();
      }
      await untilPasses(() => expect(to.gaps).toEqual([{ node: from.nodeId }]));
      expect(heard.map((text) => Number.parseInt(text, 10))).toEqual(numbered(10).map(Number));
      say(from, 'after');
      await untilPasses(() => expect(heard.at(-1)).toBe('after'));
    });
  });

  describe('of one node alone', () => {
    beforeEach(async () => {
      buses = await RedisBuses.on([redis], {}, 1);
    });
    afterEach(() => buses.close());

    it('sends nothing, until another one is there', async () => {
      const first = buses.get(0);
      const own = textsOf(first);
      say(first, 'alone');
      await untilPasses(() => expect(own).toEqual(['alone']));
      expect(first.bus.counts).toMatchObject({ published: 0, dropped: 0, unheard: 1 });
      const second = await buses.add([redis]);
      const heard = textsOf(second);
      second.bus.start();
      await untilPasses(() =>
        expect([second.gaps[0], first.bus.othersHeard, second.bus.othersHeard]).toEqual([{}, 1, 1]),
      );
      say(first, 'together');
      await untilPasses(() => expect(heard).toEqual(['together']));
      expect(first.bus.counts).toMatchObject({ published: 1, dropped: 0, unheard: 1 });
    });

    it('tells one that it has not heard of what it did not send, by its next position', async () => {
      const [first, second] = [buses.get(0), await buses.add([redis])];
      // What the second one publishes, which says that it is there, does not get to the first.
      first.proxies[0]?.blackhole();
      second.bus.start();
      await untilPasses(() => expect(second.bus.state).toBe('live'));
      await untilPasses(() => expect(second.gaps).toEqual([{}]));
      say(first, 'unheard');
      expect(first.bus.counts.unheard).toBe(1);
      first.proxies[0]?.pass();
      await untilPasses(() => expect(second.gaps).toEqual([{}, { node: first.nodeId }]));
      const heard = textsOf(second);
      await untilPasses(() => {
        say(first, 'heard');
        expect(heard).toContain('heard');
      });
    });
  });

  it('says why it does not get in, and never with what', async () => {
    const locked = await RedisServer.start('right-password');
    const [log, nodeId] = [new RecordingLog(), randomUUID()];
    const url = `redis://:wrong-password@127.0.0.1:${locked.port}`;
    const options = { nodeId, installation: randomUUID(), instances: [{ name: '0', url }], topics: {} };
    const bus = new RedisBus(options, () => undefined, new SystemClock(), log);
    bus.start();
    try {
      await untilPasses(() => expect(log.lines).toMatchObject([{ level: 'warn', fields: { reason: 'WRONGPASS' } }]));
      expect(JSON.stringify(log.lines)).not.toMatch(/wrong-password|127\.0\.0\.1/);
    } finally {
      await bus.stop();
      await locked.stop();
    }
  });

  it('is stopped: what was published before is heard, what comes after is dropped', async () => {
    buses = await RedisBuses.on([redis]);
    const [{ bus }, heard] = [buses.get(0), textsOf(buses.get(1))];
    say(buses.get(0), 'last');
    await bus.stop();
    say(buses.get(0), 'late');
    await untilPasses(() => expect(heard).toEqual(['last']));
    await untilPasses(() => expect(bus.counts.dropped).toBe(1));
    expect(buses.get(1).gaps).toEqual([]);
    await buses.close();
  });

  it('sends nothing that would fail what is sent with it', async () => {
    buses = await RedisBuses.on([redis]);
    const [{ bus }, heard] = [buses.get(0), textsOf(buses.get(1))];
    bus.publish<unknown>('unnumbered', { text: 'a' });
    bus.publish<unknown>('words', undefined);
    bus.publish('words', { text: 'b' }, `u:t/${'x'.repeat(252)}`);
    say(buses.get(0), 'c');
    await untilPasses(() => expect(heard).toEqual(['c']));
    expect(buses.errors).toHaveLength(3);
    await buses.close();
  });

  describe('envelopes', () => {
    afterEach(() => buses.close());

    it('of which the last one is lost, and silence after it: the next position tells', async () => {
      buses = await RedisBuses.on([redis], { mostQueuedBytes: 1000 });
      const [from, to] = [buses.get(0), buses.get(1)];
      const heard = textsOf(to);
      say(from, 'a');
      await untilPasses(() => expect(heard).toEqual(['a']));
      say(from, 'x'.repeat(2000));
      await untilPasses(() => expect(to.gaps).toEqual([{ node: from.nodeId }]));
      expect(heard).toEqual(['a']);
    });

    it('are divided at 64 KB, in order, and a longer item goes alone; what no hint can be is not sent', async () => {
      buses = await RedisBuses.on([redis]);
      const [from, to] = [buses.get(0), buses.get(1)];
      const heard = textsOf(to);
      const texts = numbered(200).map((n) => n + 'x'.repeat(1000));
      say(from, ...texts, 'y'.repeat(100_000), 'z');
      await untilPasses(() => expect(heard).toHaveLength(202));
      expect(heard.slice(0, 200)).toEqual(texts);
      expect(from.bus.counts.published).toBe(6);
      expect([from.bus.counts.dropped, to.gaps]).toEqual([0, []]);
      say(from, 'y'.repeat(1024 * 1024));
      await untilPasses(() => expect(to.gaps).toEqual([{ node: from.nodeId }]));
      expect([from.bus.counts.dropped, heard.length]).toEqual([1, 202]);
    });

    it('of what one turn publishes to however many rooms are one', async () => {
      buses = await RedisBuses.on([redis]);
      const [from, to] = [buses.get(0), buses.get(1)];
      const heard = textsOf(to);
      const rooms = numbered(50).map((n) => `r:t/${n}`);
      await Promise.all(rooms.slice(0, 10).map((room) => to.bus.follow(room)));
      for (const room of rooms) from.bus.publish('words', { text: room }, room);
      await untilPasses(() => expect(heard).toEqual(rooms.slice(0, 10)));
      expect([from.bus.counts.published, to.bus.counts.received]).toEqual([1, 1]);
      expect([...to.bus.skipped]).toEqual([['words', 40]]);
    });

    it('of another release are read as far as they are known', async () => {
      buses = await RedisBuses.on([redis]);
      const [{ bus, gaps }] = [buses.get(0)];
      const heard = textsOf(buses.get(0));
      const { send, end } = await publisherTo(redis, buses);
      const nodeId = randomUUID();
      const at = (n: number, ...items: ReturnType<typeof item>[]) => encodeEnvelope({ nodeId, lane: 0, n }, items);
      const laterMinor = at(1, item(1, 'known'), item(200, 'unknown topic'), item(1, 'too'));
      laterMinor[2] = 0x1f;
      const flagged = at(2, item(1, 'unknown flag'), item(1, 'three'));
      flagged[30] = 0x80;
      const laterMajor = at(7, item(1, 'another format'));
      laterMajor[2] = 0x20;
      const withPosition = positioned(at(3, item(1, 'four')));
      const [cut, noJson] = [at(4, item(1, 'cut')).subarray(0, -1), at(5, { topic: 1, address: '', json: '{' })];
      for (const bytes of [laterMinor, flagged, laterMajor, withPosition, cut, noJson, Buffer.from('hello')])
        await send(bytes);
      await send(at(6, item(1, 'last')));
      await untilPasses(() => expect(heard).toEqual(['known', 'too', 'three', 'four', 'last']));
      const { unknown, foreign, malformed } = bus.counts;
      expect([unknown, foreign, malformed, gaps]).toEqual([2, 2, 2, []]);
      await send(at(8));
      await untilPasses(() => expect(gaps).toEqual([{ node: nodeId }]));
      end();
    });
  });

  it('through two of them keeps the order of an address, and tells of which lanes a gap is', async () => {
    const second = await RedisServer.start();
    buses = await RedisBuses.on([redis, second]);
    try {
      const [from, to] = [buses.get(0), buses.get(1)];
      const heard = textsOf(to);
      const rooms = numbered(40).map((n) => `r:t/${n}`);
      await Promise.all(rooms.map((room) => to.bus.follow(room)));
      for (const n of numbered(5)) for (const room of rooms) from.bus.publish('words', { text: `${room} ${n}` }, room);
      await untilPasses(() => expect(heard).toHaveLength(200));
      for (const room of rooms)
        expect(heard.filter((text) => text.startsWith(`${room} `))).toEqual(numbered(5).map((n) => `${room} ${n}`));
      expect(from.bus.counts.published).toBe(2);
      await second.kill();
      await untilPasses(() => expect(to.bus.state).toBe('down'));
      await second.restart();
      await untilPasses(() => expect(to.gaps).toEqual([{ lanes: expect.any(Array) }]));
      expect(to.gaps[0]?.lanes?.length).toBeLessThan(16);
    } finally {
      await buses.close();
      await second.stop();
    }
  });
});

/** Publishes bytes to what the buses listen to, past them. */
async function publisherTo(redis: RedisServer, { installation }: RedisBuses) {
  const client = createClient({ url: `redis://127.0.0.1:${redis.port}` });
  await client.connect();
  return {
    send: (bytes: Buffer) => client.publish(`chatapi:{${installation}}:b`, bytes),
    end: () => client.destroy(),
  };
}

/** The first item's room and message are named, as a later release may do. */
function positioned(bytes: Buffer): Buffer {
  bytes[30] = 1;
  return Buffer.concat([bytes.subarray(0, 32), Buffer.alloc(12, 7), bytes.subarray(32)]);
}
