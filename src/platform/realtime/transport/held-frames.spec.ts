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
});
