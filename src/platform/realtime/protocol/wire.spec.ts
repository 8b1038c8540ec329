import { decode } from '../../../../test/support/realtime/recording-connection';
import { toWire } from './wire';

describe('toWire', () => {
  it.each([0, 100, 125 - 21, 126 - 21, 127, 65_535 - 21, 65_536 - 21, 200_000])('frames %i characters', (length) => {
    const frame = { type: 'x', text: 'y'.repeat(length) };
    expect(decode(toWire(frame))).toEqual(frame);
  });

  it('counts bytes, not characters', () => {
    const frame = { type: 'x', text: '🙂é'.repeat(40) };
    expect(decode(toWire(frame))).toEqual(frame);
  });
});
