import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import { FollowedAddresses } from './memory-bus';
import { HeardNumbers } from './reception';

describe('FollowedAddresses', () => {
  it('has what no address was given for, and each address as long as it is wanted', () => {
    const follows = new FollowedAddresses();
    expect([follows.has(undefined), follows.has('r:t/1')]).toEqual([true, false]);
    follows.add('r:t/1');
    follows.add('r:t/1');
    follows.remove('r:t/1');
    expect([follows.has('r:t/1'), follows.size]).toEqual([true, 1]);
    follows.remove('r:t/1');
    follows.remove('r:t/1');
    follows.remove('never');
    expect([follows.has('r:t/1'), follows.size]).toEqual([false, 0]);
    follows.add('r:t/1');
    expect(follows.has('r:t/1')).toBe(true);
  });
});

describe('HeardNumbers', () => {
  it('tells of a gap exactly when a number is first missing, whatever comes late or twice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12).map((n) => n + 1)), fc.nat(12), (numbers, published) => {
        const heard = new HeardNumbers();
        let last = 0;
        for (const n of numbers) {
          expect(heard.hear('a', 0, n)).toBe(n > last + 1);
          last = Math.max(last, n);
        }
        expect(heard.compare('a', 0, published)).toBe(published > last);
        expect(heard.compare('a', 0, published)).toBe(false);
        expect(heard.hear('a', 0, Math.max(last, published) + 1)).toBe(false);
      }),
      { numRuns: runs(200) },
    );
  });

  it('keeps nodes and streams apart, and forgets a node', () => {
    const heard = new HeardNumbers();
    expect([heard.hear('a', 0, 1), heard.hear('a', 1, 2), heard.hear('b', 0, 1)]).toEqual([false, true, false]);
    heard.forget('a');
    expect([heard.hear('a', 0, 2), heard.hear('b', 0, 2)]).toEqual([true, false]);
  });
});
