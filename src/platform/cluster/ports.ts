/** What a subscriber gets. */
export interface BusEnvelope<T> {
  /** The node that published; also its own subscribers get it, and skip what they need not see twice. */
  readonly node: string;
  /** Shared between subscribers: not to be changed. */
  readonly payload: T;
}

export type BusHandler<T> = (envelope: BusEnvelope<T>) => void;

/**
 * The name of a topic and, for the compiler only, what is published on it:
 * `const ROOM_HINTS: Topic<RoomHint> = 'room-hints'`. Topics are few and fixed, one per kind of hint and not one per
 * room: whom a hint concerns is said by its address.
 */
export type Topic<T> = string & { readonly __payload?: T };

/**
 * Whom a hint concerns: `r:<tenant>/<room>` (`roomAddress`), `u:<tenant>/<user>` (`userAddress`) or `n:<node>` (`nodeAddress`). At
 * most 255 bytes.
 */
export type Address = string;

/** Hints may have been lost. */
export interface BusGap {
  /** Of this node alone; undefined: of any. */
  readonly node?: string;
  /** In these lanes alone, the numbered parts of the bus that addresses are spread over; undefined: in any. */
  readonly lanes?: readonly number[];
}

/**
 * Carries hints between nodes: best effort, at most once. A subscriber that needs certainty reads the log.
 *
 * Invariants
 * - What one node publishes to one address arrives in that order, whatever the topics; so does what has no address. Nothing
 *   is said of the order between nodes, between addresses, or between an address and none.
 * - A node hears what has no address, and what is addressed to what it follows; of its own publications too, without a
 *   trip through the network and once.
 * - Whatever was lost of what others published is told by `onGap` after a handler could have had it: at the latest about a
 *   second after the bus is live again. A loss may be told that concerned nothing here.
 *
 * `publish` neither blocks nor fails, and calls no handler before it returns: it may be called from within a handler
 * or in the middle of a change of state. A handler that throws disturbs no other one.
 */
export abstract class Bus {
  /** `down`: nothing comes from other nodes, and nothing gets to them. Whoever polls anyway may poll faster meanwhile. */
  abstract readonly state: 'live' | 'down';

  /** Whether there may be other nodes. Where not, what one process publishes for others alone need not be made. */
  abstract readonly isShared: boolean;

  /** @param to whom it concerns; undefined: every node */
  abstract publish<T>(topic: Topic<T>, payload: NoInfer<T>, to?: Address): void;

  abstract subscribe<T>(topic: Topic<T>, handler: BusHandler<NoInfer<T>>): Unsubscribe;

  /**
   * This node wants what is addressed there, until `unfollow` was called as often. Resolves when nothing that is published
   * from then on is missed without an `onGap`, also while the bus is down. Read what it is about after that, not before.
   */
  abstract follow(to: Address): Promise<void>;

  abstract unfollow(to: Address): void;

  /** Calls back when hints may have been lost, outside of all other handlers. Never called for what this node published. */
  abstract onGap(handler: (gap: BusGap) => void): Unsubscribe;
}

/** Ends a subscription; its handler is not called again once this has returned. */
export type Unsubscribe = () => void;

/** Told of an exception that a subscriber's handler threw; `source` names what it was subscribed to. */
export type OnHandlerError = (error: unknown, source: string) => void;

/** Where a window stands after a call. */
export interface CounterState {
  /**
   * Calls that were taken in this window, this one included; more than the limit: there was none left for this one. Of
   * other nodes' calls the latest may be missing. The first call that is refused here has one more than the limit.
   */
  readonly count: number;
  /** When the window ends and counting starts at 0 again, by this node's wall clock. */
  readonly resetAtMs: number;
}

/**
 * Counts calls against limits in fixed windows, across nodes. Windows lie on multiples of their length since 1970 by one
 * clock, so that all nodes and all keys agree where one ends. The same key with another window length is another counter.
 *
 * Invariant: of one window no more calls are taken than its limit, on all nodes together, as long as they reach what they
 * share. It never rejects: a node that does not reach it takes its share of the limit.
 */
export abstract class Counters {
  /**
   * Takes one call of the window, if there is one left. May answer at once: this runs for every request, so `await` it only
   * when it is a promise. Window lengths are few: one per kind of limit.
   * @param limit 0 or more; may be another one with the next call
   */
  abstract take(key: string, windowMs: number, limit: number): CounterState | Promise<CounterState>;
  /** What was taken of the key in its current window, without taking any; what was refused may count or not. */
  abstract count(key: string, windowMs: number): number | Promise<number>;
}

/** Who has a place, and where: the path of an endpoint. */
export interface PlaceOwner {
  readonly where: string;
  readonly tenantId: string;
  readonly userId: string;
}

/** How many places a tenant and one user of it may have at one time; null is any number. */
export interface PlaceLimits {
  readonly tenant: number | null;
  readonly user: number | null;
}

/** Whose limit is reached. */
export type FullPlaces = 'tenant' | 'user';

/**
 * Places that are had for as long as something is open, limited per tenant and user, across nodes.
 *
 * Invariants
 * - Limits up to 99 hold exactly, as long as nodes reach what they share. Of larger ones nodes may together give out up to a
 *   quarter of what was left within one moment; a node that does not reach it gives out its share.
 * - Nothing that is open is ever closed for it. The places of a node that is gone are free again.
 */
export abstract class Places {
  /**
   * Takes a place, unless a limit is reached: then it says whose. May answer at once: `await` it only when it is a promise,
   * so that what one process decides is decided in one turn. Never rejects.
   */
  abstract take(owner: PlaceOwner, limits: PlaceLimits): FullPlaces | undefined | Promise<FullPlaces | undefined>;

  /** Gives back a place that was taken, once. */
  abstract giveBack(owner: PlaceOwner): void;

  /** Whether `take` would surely refuse, as far as this node knows without asking. */
  abstract fullHere(owner: PlaceOwner, limits: PlaceLimits): FullPlaces | undefined;

  /** Places that are taken, on all nodes: of the tenant, or of one user of it. */
  abstract taken(where: string, tenantId: string, userId?: string): number | Promise<number>;
}

/** Which of some keys are held, and what that says of the others. */
export interface HeldKeys {
  /** Those that at least one holder holds now. */
  readonly held: ReadonlySet<string>;
  /**
   * The others are held by nobody whom this node can see. False: nothing is known of them, and what was known before still
   * counts.
   */
  readonly isComplete: boolean;
  /**
   * A surer answer about the others comes within minutes: what cannot be taken back waits for it. Also where `isComplete`: a
   * node that was there within the last two minutes is missing, and may hold them where it is.
   */
  readonly isSettling: boolean;
}

/**
 * Facts that die with the node that stated them: each lasts `ttlMs` unless it is stated again, and no longer than its node is
 * there. A crashed node's leases run out by themselves.
 *
 * A hold has any number of holders per key ("these connections of the user are open"); a claim has one ("this node
 * runs the job"). Holds and claims are separate: the same key may have both. A holder is its node's: the same name on another
 * node is another holder. A holder whose process stood still for longer than the ttl has lost its claim without knowing: what
 * must not happen twice is also fenced in the database.
 *
 * Where the leases are out of reach, what was held and dropped is stated as soon as they are back, also where they come back
 * empty; nobody has to state it again. Nothing here rejects.
 */
export abstract class Leases {
  /** Makes or extends the holder's lease on the key. Resolves when that is stated, or cannot be just now. */
  abstract holdLease(key: string, holder: string, ttlMs: number): Promise<void>;

  /** Gives the holder's lease on the key back; nothing happens when it has none. Resolves as `holdLease` does. */
  abstract dropLease(key: string, holder: string): Promise<void>;

  /** Those of the keys that are held. Implementations for one node always answer for sure. */
  abstract heldAmong(keys: readonly string[]): Promise<HeldKeys>;

  /**
   * Takes the key for one holder alone; true also when this holder has it already, and then it is extended. False, too, where
   * the leases are out of reach.
   */
  abstract claim(key: string, holder: string, ttlMs: number): Promise<boolean>;

  /** Extends the holder's claim; false when it has none any more, even if no other holder took the key, or out of reach. */
  abstract renewClaim(key: string, holder: string, ttlMs: number): Promise<boolean>;

  /** Gives the claim back; nothing happens when the holder does not have it. */
  abstract unclaim(key: string, holder: string): Promise<void>;
}

/** One server process. */
export interface NodeInfo {
  /** New with every start of the process, so that counters and leases of a former life are never mistaken. */
  readonly nodeId: string;
  readonly startedAt: Date;
  /** Which release it runs, and which version of what nodes tell each other; undefined: of a cluster of one. */
  readonly release?: string;
  readonly protocol?: number;
  /** As the operator calls it. A node of the same name that starts when this one is silent takes its place. */
  readonly name?: string;
}

/** A node that sent no heartbeat for so long is gone. */
export const NODE_TTL_MS = 15_000;

/** Which nodes there are. */
export abstract class NodeRegistry {
  /** This process; known at once, before the first heartbeat. */
  abstract readonly self: NodeInfo;

  /** The nodes that are there now, as far as this one can see, oldest first; this one among them until it leaves. */
  abstract nodes(): Promise<readonly NodeInfo[]>;

  /**
   * Says that this node is there, and notices those that are gone. Its owner calls it at least three times per
   * NODE_TTL_MS; the first call joins. It does not reject where the others are out of reach.
   */
  abstract heartbeat(): Promise<void>;

  /** Says that this node stops; its owner sends no more heartbeats. */
  abstract leaveCluster(): Promise<void>;

  /**
   * Calls back once, during a heartbeat, for every node that an earlier heartbeat has seen and that is gone: it left
   * or fell silent. Hints of it may be lost.
   */
  abstract onNodeLost(handler: (node: NodeInfo) => void): Unsubscribe;

  /**
   * Calls back, during a heartbeat, when the others have taken this node for gone: it was frozen or cut off. What it has
   * told them may be forgotten, and it may have missed what they told.
   */
  abstract onReturned(handler: () => void): Unsubscribe;
}
