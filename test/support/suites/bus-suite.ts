import type { Bus, BusEnvelope, Topic } from '../../../src/platform/cluster';
import { untilPasses, type MakeFixture, type PeerFixture, testsOf } from './port-fixture';

interface Word {
  readonly text: string;
}

const WORDS: Topic<Word> = 'words';
const OTHER: Topic<Word> = 'other';

/** What every Bus must do. */
export function busSuite(name: string, make: MakeFixture<PeerFixture<Bus>>): void {
  describe(`Bus: ${name}`, () => {
    const test = testsOf(make);
    delivery(test);
    order(test);
    handlers(test);
    subscriptions(test);
  });
}

type Test = (name: string, run: (harness: PeerFixture<Bus>) => Promise<void>) => void;

function delivery(test: Test): void {
  test('delivers in order to every subscriber of the topic, on all nodes, and to no other', async (h) => {
    const [here, there, other] = [listen(h.port), listen(h.peer), listen(h.port, OTHER)];
    say(h.port, 'a', 'b', 'c');
    h.port.publish(OTHER, { text: 'x' });
    await untilPasses(() => expect(other.texts()).toEqual(['x']));
    await untilPasses(() => expect(there.texts()).toEqual(['a', 'b', 'c']));
    expect(here.texts()).toEqual(['a', 'b', 'c']);
  });

  test('carries JSON values unchanged', async (h) => {
    const topic: Topic<unknown> = 'values';
    const payloads: unknown[] = [];
    h.peer.subscribe(topic, ({ payload }) => void payloads.push(payload));
    const values = [null, 0, '', 'ü😀', [1, [2]], { a: { b: null } }];
    for (const value of values) h.port.publish(topic, value);
    await untilPasses(() => expect(payloads).toEqual(values));
  });
}

function order(test: Test): void {
  test('numbers the publications of a node on a topic from 1 without gaps', async (h) => {
    const [words, other] = [listen(h.peer), listen(h.peer, OTHER)];
    h.port.publish(OTHER, { text: 'x' });
    say(h.port, 'a', 'b');
    h.port.publish(OTHER, { text: 'y' });
    say(h.port, 'c');
    await untilPasses(() => expect(words.numbers()).toEqual([1, 2, 3]));
    await untilPasses(() => expect(other.numbers()).toEqual([1, 2]));
  });

  test('counts what was published while nobody listened, so that a late subscriber continues the numbers', async (h) => {
    say(h.port, 'a', 'b');
    const late = listen(h.port);
    say(h.port, 'c');
    await untilPasses(() => expect(late.numbers().at(-1)).toBe(3));
  });

  test('tells the publishers apart and keeps the order of each', async (h) => {
    const all = listen(h.port);
    for (let i = 0; i < 20; i++) {
      say(h.port, `p${i}`);
      say(h.peer, `q${i}`);
    }
    await untilPasses(() => expect(all.envelopes).toHaveLength(40));
    const nodes = [...new Set(all.envelopes.map((e) => e.node))];
    expect(nodes).toHaveLength(2);
    for (const node of nodes) {
      const own = all.envelopes.filter((e) => e.node === node);
      expect(own.map((e) => e.n)).toEqual(own.map((_, i) => i + 1));
      expect(own.map((e) => e.payload.text.slice(1))).toEqual(own.map((_, i) => String(i)));
    }
  });
}

function handlers(test: Test): void {
  test('calls no handler before publish returns', async (h) => {
    const here = listen(h.port);
    say(h.port, 'a');
    expect(here.envelopes).toHaveLength(0);
    await untilPasses(() => expect(here.envelopes).toHaveLength(1));
  });

  test('takes a publication from within a handler and delivers it after the ones before', async (h) => {
    const here = listen(h.port);
    let depth = 0;
    h.port.subscribe(WORDS, ({ payload }) => {
      expect(++depth).toBe(1);
      if (payload.text === 'a') say(h.port, 'nested');
      depth--;
    });
    say(h.port, 'a', 'b');
    await untilPasses(() => expect(here.texts()).toEqual(['a', 'b', 'nested']));
    expect(h.errors).toEqual([]);
  });

  test('a throwing handler is reported and disturbs nobody', async (h) => {
    const failure = new Error('broken handler');
    h.port.subscribe(WORDS, () => {
      throw failure;
    });
    const here = listen(h.port);
    say(h.port, 'a', 'b');
    await untilPasses(() => expect(here.texts()).toEqual(['a', 'b']));
    expect(h.errors).toEqual([failure, failure]);
  });
}

function subscriptions(test: Test): void {
  test('calls nothing after unsubscribe, not even with what is on its way', async (h) => {
    const [gone, stays] = [listen(h.port), listen(h.port)];
    say(h.port, 'a');
    gone.stop();
    gone.stop();
    await untilPasses(() => expect(stays.texts()).toEqual(['a']));
    expect(gone.envelopes).toHaveLength(0);
  });

  test('one function subscribed twice is two subscriptions', async (h) => {
    const texts: string[] = [];
    const handler = ({ payload }: BusEnvelope<Word>): void => void texts.push(payload.text);
    const stop = h.port.subscribe(WORDS, handler);
    h.port.subscribe(WORDS, handler);
    say(h.port, 'a');
    await untilPasses(() => expect(texts).toEqual(['a', 'a']));
    stop();
    say(h.port, 'b');
    await untilPasses(() => expect(texts).toEqual(['a', 'a', 'b']));
  });
}

function say(bus: Bus, ...texts: string[]): void {
  for (const text of texts) bus.publish(WORDS, { text });
}

function listen(bus: Bus, topic: Topic<Word> = WORDS) {
  const envelopes: BusEnvelope<Word>[] = [];
  const stop = bus.subscribe(topic, (envelope) => void envelopes.push(envelope));
  return {
    envelopes,
    stop,
    texts: () => envelopes.map((e) => e.payload.text),
    numbers: () => envelopes.map((e) => e.n),
  };
}
