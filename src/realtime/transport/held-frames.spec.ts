import type { StreamPart } from './connection';
import { HeldFrames } from './held-frames';

const frame = (text: string): Buffer => Buffer.from(text);

describe('held ephemeral frames', () => {
  it('are the newest of each key, in the order in which they came', () => {
    const held = new HeldFrames();
    for (const [key, text] of [
      ['a', 'a1'],
      ['b', 'b1'],
      ['a', 'a2'],
      ['c', 'c1'],
    ] as const)
      held.hold(key, frame(text));
    expect(held.take().map(String)).toEqual(['b1', 'a2', 'c1']);
    expect(held.take()).toEqual([]);
  });

  it('are bounded: the oldest keys go', () => {
    const held = new HeldFrames();
    for (let n = 0; n < 1005; n++) held.hold(String(n), frame(String(n)));
    const kept = held.take().map(String);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([1000, '5', '1004']);
  });

  describe('of a stream', () => {
    const reframe = (part: StreamPart): Buffer => frame(JSON.stringify(part));
    const add = (held: HeldFrames, key: string, part: StreamPart): void =>
      held.add(key, { part, frame: reframe(part), reframe });
    const delta = (text: string, index: number): StreamPart => ({ type: 'delta', text, index });
    const parts = (frames: Buffer[]): unknown[] => frames.map((each) => JSON.parse(each.toString()) as unknown);
    const start: StreamPart = { type: 'start', senderId: 'agent_default' };

    it('become one delta behind its start, in the order of the streams', () => {
      const held = new HeldFrames();
      add(held, 'a', start);
      add(held, 'a', delta('He', 0));
      add(held, 'b', delta('Good', 3));
      add(held, 'a', delta('llo', 1));
      add(held, 'b', delta(' day', 4));
      expect(parts(held.take())).toEqual([start, delta('Hello', 1), delta('Good day', 4)]);
      expect(held.take()).toEqual([]);
    });

    it('are taken alone when the stream ends', () => {
      const held = new HeldFrames();
      held.hold('typing', frame('{}'));
      add(held, 'a', delta('x', 0));
      expect([parts(held.takeOf('a')), parts(held.takeOf('a'))]).toEqual([[delta('x', 0)], []]);
      expect(parts(held.take())).toEqual([{}]);
    });

    it('are bounded: the text of the oldest streams goes, other frames stay', () => {
      const held = new HeldFrames();
      held.hold('typing', frame('{}'));
      const text = 'x'.repeat(100_000);
      for (const key of ['a', 'b', 'c', 'd']) add(held, key, delta(text, 0));
      expect(parts(held.take())).toEqual([{}, delta(text, 0), delta(text, 0)]);
      for (const key of ['a', 'b']) add(held, key, delta(text, 1));
      expect(held.take()).toHaveLength(2);
    });
  });
});
