import { ManualClock } from '../../../common/time';
import { Breakers, OPEN_MS, type Permit } from './breakers';

describe('the breakers', () => {
  let clock: ManualClock;
  let breakers: Breakers;

  beforeEach(() => {
    clock = new ManualClock();
    breakers = new Breakers(clock);
  });

  function enter(key = 'a'): Permit {
    const permit = breakers.enter(key);
    if (permit === undefined) throw new Error(`${key} may not be tried`);
    return permit;
  }

  function fail(times: number, key = 'a'): void {
    for (let i = 0; i < times; i++) enter(key).failed();
  }

  it('open after five failures in a row, of one channel and no other', () => {
    fail(4);
    expect(breakers.waitMs('a')).toBe(0);
    fail(1);
    expect(breakers.enter('a')).toBeUndefined();
    expect([breakers.waitMs('a'), breakers.waitMs('b'), breakers.open()]).toEqual([OPEN_MS, 0, 1]);
    enter('b').succeeded();
  });

  it('forget the failures after a success, and old ones', () => {
    fail(4);
    enter().succeeded();
    fail(4);
    clock.advance(60_001);
    fail(4);
    expect(breakers.waitMs('a')).toBe(0);
  });

  it('do not count what says nothing about the channel', () => {
    fail(4);
    enter().abandoned();
    expect(breakers.waitMs('a')).toBe(0);
    fail(1);
    expect(breakers.waitMs('a')).toBe(OPEN_MS);
  });

  it('let one try after a while, and nobody else until it is known', () => {
    fail(5);
    clock.advance(OPEN_MS - 1);
    expect(breakers.enter('a')).toBeUndefined();
    clock.advance(1);
    const probe = enter();
    expect([breakers.enter('a'), breakers.waitMs('a'), breakers.open()]).toEqual([undefined, OPEN_MS, 1]);
    probe.alive();
    expect([breakers.waitMs('a'), breakers.open()]).toEqual([0, 0]);
    probe.succeeded();
    fail(4);
    expect(breakers.waitMs('a')).toBe(0);
  });

  it('are open again when the try fails, at once', () => {
    fail(5);
    clock.advance(OPEN_MS);
    enter().failed();
    expect(breakers.waitMs('a')).toBe(OPEN_MS);
  });

  it('let the next one try when the first has left', () => {
    fail(5);
    clock.advance(OPEN_MS);
    enter().abandoned();
    enter().failed();
    expect(breakers.waitMs('a')).toBe(OPEN_MS);
  });

  it('stay closed for a channel that answers and is cut, until it is cut again and again', () => {
    for (let i = 0; i < 4; i++) {
      const permit = enter();
      permit.alive();
      permit.failed();
    }
    expect(breakers.waitMs('a')).toBe(0);
    fail(1);
    expect(breakers.waitMs('a')).toBe(OPEN_MS);
  });
});
