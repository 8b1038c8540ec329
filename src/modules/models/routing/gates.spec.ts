import { testChannel } from '../../../../test/support/models/channels';
import { ManualClock } from '../../../common/time';
import { ChannelFault, type FaultFacts } from '../providers/chat-model';
import { type Asking, Breakers, Gates, OPEN_MS, type Pass, type Permit } from './gates';

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

const SHARED = testChannel('environment', { isShared: true });
const OWN = testChannel('own');

describe('A1: who may try which channel', () => {
  let clock: ManualClock;
  let gates: Gates;

  beforeEach(() => {
    clock = new ManualClock();
    gates = new Gates(new Breakers(clock), clock);
  });

  function asking(tenantId: string, more: Partial<Asking> = {}): Asking {
    return { channel: SHARED, tenantId, model: SHARED.model, isModelFree: false, ...more };
  }

  function enter(asked: Asking): Pass {
    const pass = gates.enter(asked);
    if (pass === undefined) throw new Error('may not be tried');
    return pass;
  }

  function fail(times: number, asked: Asking, facts: FaultFacts = {}): void {
    for (let i = 0; i < times; i++) enter(asked).failed(new ChannelFault('failed', facts));
  }

  const isOpen = (asked: Asking): boolean => gates.waitMs(asked) === 0;

  it('a model that fails closes itself and no other, on any channel', () => {
    const broken = asking('t', { channel: OWN, model: 'm1' });
    fail(5, broken);
    expect(isOpen(broken)).toBe(false);
    for (const model of ['m2', OWN.model]) expect(isOpen(asking('t', { channel: OWN, model }))).toBe(true);
    expect(gates.leastWaitMs(OWN, 't')).toBe(0);
  });

  it('models that users name are counted together, and no more than 32 others by themselves', () => {
    for (let i = 0; i < 5; i++) fail(1, asking('t', { channel: OWN, model: `free-${i}`, isModelFree: true }));
    expect(isOpen(asking('t', { channel: OWN, model: 'free-9', isModelFree: true }))).toBe(false);
    for (let i = 0; i < 40; i++) isOpen(asking('t', { channel: OWN, model: `listed-${i}` }));
    expect(isOpen(asking('t', { channel: OWN, model: 'listed-31' }))).toBe(true);
    expect(isOpen(asking('t', { channel: OWN, model: 'listed-32' }))).toBe(false);
    expect(isOpen(asking('t', { channel: OWN, model: OWN.model }))).toBe(true);
  });

  it.each(['model', 'overflow', 'content', 'request', 'reasoning'] as const)(
    'a fault of the request (%s) moves nothing',
    (reason) => {
      fail(20, asking('a'), { reason });
      expect(isOpen(asking('a'))).toBe(true);
    },
  );

  it("one tenant's faults close the environment's channel for that tenant", () => {
    enter(asking('b')).succeeded();
    fail(5, asking('a'));
    expect([isOpen(asking('a')), isOpen(asking('b'))]).toEqual([false, true]);
    clock.advance(OPEN_MS);
    enter(asking('a')).succeeded();
    expect(isOpen(asking('a'))).toBe(true);
  });

  it('three tenants within a minute close it for all, unless somebody was answered', () => {
    enter(asking('d')).succeeded();
    for (const tenant of ['a', 'b', 'c']) fail(1, asking(tenant));
    expect(isOpen(asking('e'))).toBe(true);
    clock.advance(60_001);
    for (const tenant of ['a', 'b']) fail(1, asking(tenant));
    expect(isOpen(asking('e'))).toBe(true);
    fail(1, asking('c'));
    expect(isOpen(asking('e'))).toBe(false);
  });

  it('no more than two that have asked in ten minutes: when it is closed for each of them', () => {
    fail(4, asking('a'));
    fail(5, asking('b'));
    expect(isOpen(asking('c'))).toBe(true);
    fail(1, asking('a'));
    expect(isOpen(asking('c'))).toBe(false);
  });

  it('the first who is let through again decides for all', () => {
    for (const tenant of ['a', 'b', 'c']) fail(1, asking(tenant));
    clock.advance(OPEN_MS);
    const probe = enter(asking('d'));
    expect(gates.enter(asking('e'))).toBeUndefined();
    probe.failed(new ChannelFault('failed'));
    expect(isOpen(asking('e'))).toBe(false);
    clock.advance(OPEN_MS);
    enter(asking('d')).alive();
    expect(isOpen(asking('e'))).toBe(true);
  });

  it.each<[string, FaultFacts]>([
    ['401', { reason: 'auth', status: 401 }],
    ['402', { reason: 'money', status: 402 }],
  ])('%s counts for all at once', (_, facts) => {
    enter(asking('b')).succeeded();
    fail(4, asking('a'), facts);
    expect(isOpen(asking('b'))).toBe(true);
    fail(1, asking('c'), facts);
    expect([isOpen(asking('b')), isOpen(asking('d'))]).toEqual([false, false]);
  });

  it('A11: a slower pace is kept for as long as it is asked for, ten minutes at most, and counted nowhere', () => {
    fail(1, asking('a'), { reason: 'pace', retryAfterMs: 7000 });
    expect([gates.waitMs(asking('a')), isOpen(asking('b'))]).toEqual([7000, true]);
    expect(gates.enter(asking('a'))).toBeUndefined();
    clock.advance(7000);
    fail(1, asking('a'), { reason: 'pace', retryAfterMs: 86_400_000 });
    expect(gates.waitMs(asking('a'))).toBe(600_000);
    clock.advance(600_000);
    fail(1, asking('a'), { reason: 'pace' });
    expect(gates.waitMs(asking('a'))).toBe(1000);
    clock.advance(1000);
    fail(4, asking('a'));
    expect(isOpen(asking('a'))).toBe(true);
  });
});
