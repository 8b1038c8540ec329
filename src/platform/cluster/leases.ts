/**
 * Facts that die with whoever stated them: each lasts `ttlMs` unless it is stated again. A crashed node's leases run
 * out by themselves.
 *
 * A hold has any number of holders per key ("these connections of the user are open"); a claim has one ("this node
 * runs the job"). Holds and claims are separate: the same key may have both. A holder whose process stood still for
 * longer than the ttl has lost its claim without knowing: what must not happen twice is also fenced in the database.
 */
export abstract class Leases {
  /** Makes or extends the holder's lease on the key. */
  abstract hold(key: string, holder: string, ttlMs: number): Promise<void>;

  /** Gives the holder's lease on the key back; nothing happens when it has none. */
  abstract drop(key: string, holder: string): Promise<void>;

  /** Those of the keys that at least one holder holds now. */
  abstract alive(keys: readonly string[]): Promise<Set<string>>;

  /** Takes the key for one holder alone; true also when this holder has it already, and then it is extended. */
  abstract claim(key: string, holder: string, ttlMs: number): Promise<boolean>;

  /** Extends the holder's claim; false when it has none any more, even if nobody else took the key. */
  abstract renewClaim(key: string, holder: string, ttlMs: number): Promise<boolean>;

  /** Gives the claim back; nothing happens when the holder does not have it. */
  abstract unclaim(key: string, holder: string): Promise<void>;
}
