import type { Unsubscribe } from './subscription';

/** What a subscriber gets. */
export interface BusEnvelope<T> {
  /** The node that published; also its own subscribers get it, who skip what they need not see twice. */
  readonly node: string;
  /**
   * Counts this node's publications on this topic from 1. A number that does not follow the last one seen of that
   * node is a gap: hints were lost, so ask the log.
   */
  readonly n: number;
  /** Shared between subscribers: not to be changed. */
  readonly payload: T;
}

export type BusHandler<T> = (envelope: BusEnvelope<T>) => void;

/**
 * The name of a topic and, for the compiler only, what is published on it:
 * `const ROOM_HINTS: Topic<RoomHint> = 'room-hints'`. Topics are few and fixed, one per kind of hint and not one per
 * room: each keeps a counter for ever.
 */
export type Topic<T> = string & { readonly __payload?: T };

/**
 * Carries hints between nodes: best effort, at most once, in order per publisher and topic. Whoever needs certainty
 * reads the log.
 *
 * `publish` neither blocks nor fails, and calls no handler before it returns: it may be called from within a handler
 * or in the middle of a change of state. A handler that throws disturbs nobody else.
 */
export abstract class Bus {
  abstract publish<T>(topic: Topic<T>, payload: NoInfer<T>): void;
  abstract subscribe<T>(topic: Topic<T>, handler: BusHandler<NoInfer<T>>): Unsubscribe;
}
