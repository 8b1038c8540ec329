import { Batching } from '../../common/batching';
import { unavailable } from '../../common/errors';
import { addressGroup } from '../../common/text';
import type { CallSource } from '../../platform/auth';
import type { KeysRepository, LiveKeyRow } from './keys.repository';

/** Keys that one statement looks up, and as many as may wait for one address. */
const AT_ONCE = 500;
/** Of all addresses. */
const MOST = 20_000;

/**
 * Looks up keys that nobody has shown before. They wait here among themselves, so that a flood of invented keys with good
 * checksums stands before nobody who is known.
 *
 * Invariants
 * - One statement runs at a time; whatever comes meanwhile goes together in the next one. So a flood costs the database
 *   one connection, and a stranger who is good waits for the statement that runs and for that of their own.
 * - An address (IPv6: its /64) has at most one statement's worth of keys here; more are refused with 503.
 */
export class StrangerKeys {
  private readonly waiting = new Map<string, number>();
  private inAll = 0;
  private readonly lookUps: Batching<Buffer, LiveKeyRow | undefined>;

  constructor(repository: KeysRepository) {
    this.lookUps = new Batching(async (hashes) => {
      const rows = await repository.liveByHashes(hashes);
      const found = new Map(rows.map((row) => [row.hash.toString('base64'), row]));
      return hashes.map((hash) => found.get(hash.toString('base64')));
    }, AT_ONCE);
  }

  /** Rejects with 503 where too many wait, or the database is away. */
  async lookUp(hash: Buffer, { ip }: CallSource): Promise<LiveKeyRow | undefined> {
    const address = addressGroup(ip);
    const others = this.waiting.get(address) ?? 0;
    if (others >= AT_ONCE || this.inAll >= MOST)
      throw unavailable('Too many unknown API keys are being looked up; try again later');
    this.waiting.set(address, others + 1);
    this.inAll++;
    try {
      return await this.lookUps.add(hash);
    } finally {
      this.inAll--;
      const left = (this.waiting.get(address) ?? 1) - 1;
      if (left === 0) this.waiting.delete(address);
      else this.waiting.set(address, left);
    }
  }
}
