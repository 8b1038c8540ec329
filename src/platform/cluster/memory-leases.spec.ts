import { leasesSuite } from '../../../test/support/suites/leases-suite';
import { ManualClock } from '../../common/time';
import { MemoryLeases } from '.';

leasesSuite('memory', () => {
  const clock = new ManualClock();
  const port = new MemoryLeases(clock);
  return { port, peer: port, advance: (ms) => clock.advance(ms), close: () => undefined };
});

describe('MemoryLeases', () => {
  it('a lease ends at the very moment of its ttl', async () => {
    const clock = new ManualClock();
    const leases = new MemoryLeases(clock);
    await leases.holdLease('k', 'a', 10);
    await leases.claim('k', 'a', 10);
    clock.advance(9);
    expect(await leases.heldAmong(['k'])).toEqual({ held: new Set(['k']), isComplete: true, isSettling: false });
    expect(await leases.claim('k', 'b', 10)).toBe(false);
    clock.advance(1);
    expect((await leases.heldAmong(['k'])).held).toEqual(new Set());
    expect(await leases.claim('k', 'b', 10)).toBe(true);
  });

  it('keeps no memory for what was given back', async () => {
    const leases = new MemoryLeases(new ManualClock());
    await leases.holdLease('k', 'a', 10);
    await leases.claim('k', 'a', 10);
    await leases.dropLease('k', 'a');
    await leases.unclaim('k', 'a');
    expect(leases.size).toBe(0);
  });

  it('sweeps what expired with later writes: memory follows what is alive', async () => {
    const clock = new ManualClock();
    const leases = new MemoryLeases(clock);
    for (let i = 0; i < 5000; i++) {
      await leases.holdLease(`user ${i}`, 'connection', 100);
      await leases.claim(`job ${i}`, 'node', 100);
      clock.advance(1);
    }
    expect(leases.size).toBeLessThan(1000);
  });

  it('sweeps the dead holders of a key that stays alive', async () => {
    const clock = new ManualClock();
    const leases = new MemoryLeases(clock);
    for (let i = 0; i < 1000; i++) {
      await leases.holdLease('user', `connection ${i}`, 100);
      clock.advance(10);
    }
    expect(leases.size).toBeLessThan(50);
    expect((await leases.heldAmong(['user'])).held).toEqual(new Set(['user']));
  });
});
