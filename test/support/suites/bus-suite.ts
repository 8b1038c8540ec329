import type { Bus, BusEnvelope, BusGap, Topic } from '../../../src/platform/cluster';
import { untilPasses, type MakeFixture, type PeerFixture, testsOf } from './port-fixture';

interface Word {
  readonly text: string;
}

const WORDS: Topic<Word> = 'words';
const OTHER: Topic<Word> = 'other';
const VALUES: Topic<unknown> = 'values';

/** The topics of these suites, for an implementation that has to know them beforehand. */
export const SUITE_TOPICS: readonly string[] = [WORDS, OTHER, VALUES];

/** Three nodes of one cluster. */
export interface BusFixture extends PeerFixture<Bus> {
  readonly third: Bus;
}

/** Of which `port` can be cut from the others. */
export interface LossyBusFixture extends BusFixture {
  /** Returns when `port` hears nothing more of the others. */
  readonly cut: () => Promise<void>;
  readonly mend: () => Promise<void>;
}

type Test = (name: string, run: (harness: BusFixture) => Promise<void>) => void;

/** What every Bus must do. */
export function busSuite(name: string, make: MakeFixture<BusFixture>): void {
  describe(`Bus: ${name}`, () => {
    const test = testsOf(make);
    delivery(test);
    addresses(test);
    order(test);
    handlers(test);
    subscriptions(test);
  });
}

/** What every Bus must do that can lose something. */
export function lossyBusSuite(name: string, make: MakeFixture<LossyBusFixture>): void {
  describe(`Bus that is cut: ${name}`, () => losses(testsOf(make)));
}

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
    const payloads: unknown[] = [];
    h.peer.subscribe(VALUES, ({ payload }) => void payloads.push(payload));
    const values = [null, 0, '', 'ü😀', [1, [2]], { a: { b: null } }];
    for (const value of values) h.port.publish(VALUES, value);
    await untilPasses(() => expect(payloads).toEqual(values));
  });

  test('is live and tells no gap where nothing is lost', async (h) => {
    const gaps = [h.port, h.peer, h.third].map(gapsOf);
    const there = listen(h.peer);
    for (let i = 0; i < 50; i++) say(h.port, `${i}`);
    await untilPasses(() => expect(there.envelopes).toHaveLength(50));
    expect([h.port.state, h.peer.state, h.port.isShared]).toEqual(['live', 'live', true]);
    expect(gaps).toEqual([[], [], []]);
  });

  test('delivers its own publications in the same turn, once, and as they are', async (h) => {
    const here = listen(h.port);
    await h.port.follow('r:t/1');
    const [first, second] = [{ text: 'a' }, { text: 'b' }];
    h.port.publish(WORDS, first);
    h.port.publish(WORDS, second, 'r:t/1');
    await new Promise<void>((resolve) => queueMicrotask(() => resolve()));
    expect(here.envelopes.map(({ payload }) => payload === first || payload === second)).toEqual([true, true]);
    // What another node answers has come the whole way, after any echo.
    h.peer.subscribe(OTHER, () => say(h.peer, 'answer'));
    h.port.publish(OTHER, { text: 'ask' });
    await untilPasses(() => expect(here.texts()).toContain('answer'));
    expect(here.texts()).toEqual(['a', 'b', 'answer']);
  });
}

function addresses(test: Test): void {
  test('brings what is addressed to its followers, on whichever node, and to nobody else', async (h) => {
    const [here, there, third] = [listen(h.port), listen(h.peer), listen(h.third)];
    await Promise.all([h.peer.follow('r:t/1'), h.third.follow('u:t/ann'), h.port.follow('r:t/2')]);
    h.port.publish(WORDS, { text: 'to 1' }, 'r:t/1');
    h.port.publish(WORDS, { text: 'to 2' }, 'r:t/2');
    h.port.publish(WORDS, { text: 'to ann' }, 'u:t/ann');
    say(h.port, 'all');
    await untilPasses(() => expect(there.texts().sort()).toEqual(['all', 'to 1']));
    await untilPasses(() => expect(third.texts().sort()).toEqual(['all', 'to ann']));
    await untilPasses(() => expect(here.texts().sort()).toEqual(['all', 'to 2']));
  });

  test('counts those who follow, and ends with the last of them', async (h) => {
    const there = listen(h.peer);
    await Promise.all([h.peer.follow('r:t/1'), h.peer.follow('r:t/1'), h.peer.follow('r:t/end')]);
    h.peer.unfollow('r:t/1');
    h.port.publish(WORDS, { text: 'still' }, 'r:t/1');
    await untilPasses(() => expect(there.texts()).toEqual(['still']));
    h.peer.unfollow('r:t/1');
    h.peer.unfollow('r:t/1');
    h.port.publish(WORDS, { text: 'no more' }, 'r:t/1');
    h.port.publish(WORDS, { text: 'end' }, 'r:t/end');
    await untilPasses(() => expect(there.texts()).toEqual(['still', 'end']));
    await h.peer.follow('r:t/1');
    h.port.publish(WORDS, { text: 'again' }, 'r:t/1');
    await untilPasses(() => expect(there.texts()).toEqual(['still', 'end', 'again']));
  });
}

function order(test: Test): void {
  test('tells the publishers apart and keeps the order of each', async (h) => {
    const all = listen(h.third);
    for (let i = 0; i < 20; i++) {
      say(h.port, `p${i}`);
      say(h.peer, `q${i}`);
    }
    await untilPasses(() => expect(all.envelopes).toHaveLength(40));
    const nodes = [...new Set(all.envelopes.map((e) => e.node))];
    expect(nodes).toHaveLength(2);
    for (const node of nodes) {
      const own = all.envelopes.filter((e) => e.node === node);
      expect(own.map((e) => e.payload.text.slice(1))).toEqual(own.map((_, i) => String(i)));
    }
  });

  test('keeps the order of what goes to one address, over all topics and turns', async (h) => {
    const got: string[] = [];
    for (const topic of [WORDS, OTHER]) h.peer.subscribe(topic, ({ payload }) => void got.push(payload.text));
    const rooms = ['r:t/1', 'r:t/2', 'r:t/3'];
    await Promise.all(rooms.map((room) => h.peer.follow(room)));
    const sent: string[] = [];
    for (let i = 0; i < 60; i++) {
      const room = rooms[i % rooms.length] ?? '';
      sent.push(`${room} ${i}`);
      h.port.publish(i % 2 === 0 ? WORDS : OTHER, { text: `${room} ${i}` }, room);
      if (i % 7 === 0) await new Promise(setImmediate);
    }
    await untilPasses(() => expect(got).toHaveLength(sent.length));
    for (const room of rooms) {
      const of = (all: readonly string[]): string[] => all.filter((text) => text.startsWith(`${room} `));
      expect(of(got)).toEqual(of(sent));
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

function losses(test: (name: string, run: (harness: LossyBusFixture) => Promise<void>) => void): void {
  test('tells of exactly one gap when it is live again, and hears what is published from then on', async (h) => {
    const here = listen(h.port);
    await h.port.follow('r:t/1');
    const gaps = gapsOf(h.port);
    await h.cut();
    expect(h.port.state).toBe('down');
    say(h.peer, 'lost');
    await h.mend();
    await untilPasses(() => expect(gaps).toHaveLength(1));
    expect(h.port.state).toBe('live');
    say(h.peer, 'after');
    h.peer.publish(WORDS, { text: 'to 1' }, 'r:t/1');
    await untilPasses(() => expect(here.texts().sort()).toEqual(['after', 'to 1']));
    expect(gaps).toHaveLength(1);
  });

  test('works within the node while it is cut, and neither blocks nor fails', async (h) => {
    const here = listen(h.port);
    await h.cut();
    await h.port.follow('r:t/1');
    h.port.publish(WORDS, { text: 'own' }, 'r:t/1');
    say(h.port, 'too');
    await untilPasses(() => expect(here.texts()).toEqual(['own', 'too']));
    await h.mend();
  });

  test('what a cut node published is a gap for the others', async (h) => {
    const [gaps, there] = [gapsOf(h.peer), listen(h.peer)];
    say(h.port, 'before');
    await untilPasses(() => expect(there.texts()).toEqual(['before']));
    await h.cut();
    say(h.port, 'unheard');
    await new Promise(setImmediate);
    await h.mend();
    await untilPasses(() => expect(gaps).toHaveLength(1));
    expect(gaps[0]?.node).toBe(there.envelopes[0]?.node);
  });
}

function say(bus: Bus, ...texts: string[]): void {
  for (const text of texts) bus.publish(WORDS, { text });
}

function gapsOf(bus: Bus): BusGap[] {
  const gaps: BusGap[] = [];
  bus.onGap((gap) => void gaps.push(gap));
  return gaps;
}

function listen(bus: Bus, topic: Topic<Word> = WORDS) {
  const envelopes: BusEnvelope<Word>[] = [];
  const stop = bus.subscribe(topic, (envelope) => void envelopes.push(envelope));
  return { envelopes, stop, texts: () => envelopes.map((e) => e.payload.text) };
}
