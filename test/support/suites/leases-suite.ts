import type { Leases } from '../../../src/platform/cluster';
import { type MakeFixture, type PortFixture, testsOf } from './port-fixture';

/** An implementation as two nodes of one cluster have it. */
export interface LeasesFixture extends PortFixture<Leases> {
  readonly peer: Leases;
}

const TTL = 1000;

/** What every Leases must do. */
export function leasesSuite(name: string, make: MakeFixture<LeasesFixture>): void {
  describe(`Leases: ${name}`, () => {
    const test = testsOf(make);
    holds(test);
    holdQueries(test);
    claims(test);
    nodes(test);

    test('holds and claims of one key do not touch each other', async ({ port }) => {
      await port.holdLease('k', 'a', TTL);
      expect(await port.claim('k', 'b', TTL)).toBe(true);
      await port.dropLease('k', 'a');
      expect(await port.renewClaim('k', 'b', TTL)).toBe(true);
      expect(await alive(port, 'k')).toEqual([]);
    });
  });
}

type Test = (name: string, run: (harness: LeasesFixture) => Promise<void>) => void;

function holds(test: Test): void {
  test('a key is alive while any holder holds it', async ({ port }) => {
    expect(await alive(port, 'k')).toEqual([]);
    await port.holdLease('k', 'a', TTL);
    await port.holdLease('k', 'b', TTL);
    await port.dropLease('k', 'a');
    expect(await alive(port, 'k')).toEqual(['k']);
    await port.dropLease('k', 'b');
    expect(await alive(port, 'k')).toEqual([]);
  });

  test('a hold ends with its ttl, each holder at its own time', async ({ port, advance }) => {
    await port.holdLease('k', 'a', TTL);
    await port.holdLease('k', 'b', 3 * TTL);
    await advance(1.5 * TTL);
    expect(await alive(port, 'k')).toEqual(['k']);
    await advance(2 * TTL);
    expect(await alive(port, 'k')).toEqual([]);
  });

  test('holding again extends, and does not need a second drop', async ({ port, advance }) => {
    await port.holdLease('k', 'a', TTL);
    await advance(TTL / 2);
    await port.holdLease('k', 'a', TTL);
    await advance(0.7 * TTL);
    expect(await alive(port, 'k')).toEqual(['k']);
    await port.dropLease('k', 'a');
    expect(await alive(port, 'k')).toEqual([]);
  });
}

function holdQueries(test: Test): void {
  test('answers for many keys at once, and only for those asked', async ({ port, advance }) => {
    await port.holdLease('short', 'a', TTL);
    await port.holdLease('long', 'a', 5 * TTL);
    await port.holdLease('not asked', 'a', 5 * TTL);
    expect(await alive(port, 'short', 'long', 'none', 'long')).toEqual(['long', 'short']);
    await advance(2 * TTL);
    expect(await alive(port, 'short', 'long', 'none')).toEqual(['long']);
    expect(await alive(port)).toEqual([]);
  });

  test('dropping what is not held does nothing', async ({ port }) => {
    await port.holdLease('k', 'a', TTL);
    await port.dropLease('k', 'b');
    await port.dropLease('none', 'a');
    expect(await alive(port, 'k')).toEqual(['k']);
  });

  test('an expired key can be held again', async ({ port, advance }) => {
    await port.holdLease('k', 'a', TTL);
    await advance(2 * TTL);
    await port.holdLease('k', 'a', TTL);
    expect(await alive(port, 'k')).toEqual(['k']);
  });
}

function claims(test: Test): void {
  test('one holder at a time gets a claim', async ({ port }) => {
    const won = await Promise.all(['a', 'b', 'c'].map((holder) => port.claim('k', holder, TTL)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await port.claim('other', 'z', TTL)).toBe(true);
  });

  test('claiming again by the same holder succeeds and extends', async ({ port, advance }) => {
    await port.claim('k', 'a', TTL);
    await advance(TTL / 2);
    expect(await port.claim('k', 'a', TTL)).toBe(true);
    await advance(0.7 * TTL);
    expect(await port.claim('k', 'b', TTL)).toBe(false);
  });

  test('renewing extends the claim', async ({ port, advance }) => {
    await port.claim('k', 'a', TTL);
    await advance(TTL / 2);
    expect(await port.renewClaim('k', 'a', TTL)).toBe(true);
    await advance(0.7 * TTL);
    expect(await port.claim('k', 'b', TTL)).toBe(false);
  });

  test('an expired claim is lost: it cannot be renewed, and anyone may take it', async ({ port, advance }) => {
    await port.claim('k', 'a', TTL);
    await advance(2 * TTL);
    expect(await port.renewClaim('k', 'a', TTL)).toBe(false);
    expect(await port.claim('k', 'b', TTL)).toBe(true);
    expect(await port.renewClaim('k', 'a', TTL)).toBe(false);
  });

  test('renewing what another holds, or nobody, is refused', async ({ port }) => {
    expect(await port.renewClaim('k', 'a', TTL)).toBe(false);
    await port.claim('k', 'a', TTL);
    expect(await port.renewClaim('k', 'b', TTL)).toBe(false);
  });

  test('giving a claim back frees it; only its holder can', async ({ port }) => {
    await port.claim('k', 'a', TTL);
    await port.unclaim('k', 'b');
    expect(await port.claim('k', 'b', TTL)).toBe(false);
    await port.unclaim('k', 'a');
    expect(await port.claim('k', 'b', TTL)).toBe(true);
  });
}

function nodes(test: Test): void {
  test('every node sees what the others hold', async ({ port, peer }) => {
    await port.holdLease('k', 'a', TTL);
    expect(await alive(peer, 'k', 'none')).toEqual(['k']);
    await port.dropLease('k', 'a');
    expect(await alive(peer, 'k')).toEqual([]);
  });

  test('a claim is one node’s, under whatever name others ask for it', async ({ port, peer }) => {
    expect(await port.claim('k', 'port', TTL)).toBe(true);
    expect(await peer.claim('k', 'peer', TTL)).toBe(false);
    expect(await peer.renewClaim('k', 'peer', TTL)).toBe(false);
    await peer.unclaim('k', 'peer');
    expect(await port.renewClaim('k', 'port', TTL)).toBe(true);
    await port.unclaim('k', 'port');
    expect(await peer.claim('k', 'peer', TTL)).toBe(true);
  });

  test('answers for more keys than go into one call', async ({ port, peer }) => {
    const keys = Array.from({ length: 1201 }, (_, n) => `user ${n}`);
    await Promise.all(keys.map((key) => port.holdLease(key, 'a', TTL)));
    expect(await alive(peer, ...keys, 'none')).toEqual(keys.toSorted());
    await Promise.all(keys.map((key) => port.dropLease(key, 'a')));
    expect(await alive(peer, ...keys)).toEqual([]);
  });
}

async function alive(leases: Leases, ...keys: string[]): Promise<string[]> {
  const { held, isComplete, isSettling } = await leases.heldAmong(keys);
  // Nothing has happened to the cluster: every answer is a sure one.
  expect({ isComplete, isSettling }).toEqual({ isComplete: true, isSettling: false });
  return [...held].sort();
}
