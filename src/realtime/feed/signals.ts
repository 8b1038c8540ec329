import { roomKey } from '../../common/ids';
import type { Clock } from '../../common/time';

/** A signal as it goes to the connections of a room. */
export interface RoomSignal {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly key: string;
  /** JSON of the frame. */
  readonly text: string;
  readonly except: string | undefined;
}

type Send = (signal: RoomSignal) => void;

function keyOf({ tenantId, roomId, key }: RoomSignal): string {
  return `${roomKey(tenantId, roomId)} ${key}`;
}

/** What was begun: what ends it, and until when each node that says so counts. */
interface Begun {
  readonly end: RoomSignal;
  readonly nodes: Map<string, number>;
}

/**
 * Signals that begin something and are to be followed by an end, as typing is, of this node and of others.
 *
 * Invariant: of what was begun, connections here are sent an end once: when the node that began it says so, when its time is
 * over since the end was lost, or when the node is gone; where several nodes have begun the same, with the last of them. An end
 * of what was not begun, or has ended, is sent to nobody.
 */
export class BegunSignals {
  private readonly begun = new Map<string, Begun>();

  constructor(
    private readonly clock: Clock,
    private readonly send: Send,
  ) {}

  /** @param end what is sent if nothing more is heard for `lastsMs` */
  begin(node: string, signal: RoomSignal, end: string, lastsMs: number): void {
    const key = keyOf(signal);
    const nodes = this.begun.get(key)?.nodes ?? new Map<string, number>();
    this.begun.set(key, { end: { ...signal, text: end }, nodes: nodes.set(node, this.clock.monotonicMs() + lastsMs) });
    this.send(signal);
  }

  end(node: string, signal: RoomSignal): void {
    const key = keyOf(signal);
    const begun = this.begun.get(key);
    if (begun?.nodes.delete(node) === true) this.close(key, begun);
  }

  endOf(node: string): void {
    for (const [key, begun] of this.begun) if (begun.nodes.delete(node)) this.close(key, begun);
  }

  tick(): void {
    const now = this.clock.monotonicMs();
    for (const [key, begun] of this.begun) {
      for (const [node, until] of begun.nodes) if (until <= now) begun.nodes.delete(node);
      this.close(key, begun);
    }
  }

  private close(key: string, { nodes, end }: Begun): void {
    if (nodes.size > 0) return;
    this.begun.delete(key);
    this.send(end);
  }
}

interface Merged {
  /** Nothing is sent before. */
  readonly until: number;
  /** Of what was sent last. */
  readonly order: number;
  readonly everyMs: number;
  /** The highest that has come since. */
  next: { readonly signal: RoomSignal; readonly order: number } | undefined;
}

/**
 * Signals of which the highest says all that lower ones do, as how far somebody has read: the first is sent at once, then the
 * highest at most once per `everyMs`, whichever nodes they come from. With N nodes that each merge their own, connections
 * would be sent N times as many.
 */
export class MergedSignals {
  private readonly recent = new Map<string, Merged>();

  constructor(
    private readonly clock: Clock,
    private readonly send: Send,
  ) {}

  merge(signal: RoomSignal, order: number, everyMs: number): void {
    const key = keyOf(signal);
    const known = this.recent.get(key);
    if (known === undefined) this.sendNow(key, signal, order, everyMs);
    else if (order > (known.next?.order ?? known.order)) known.next = { signal, order };
  }

  tick(): void {
    const now = this.clock.monotonicMs();
    for (const [key, { until, everyMs, next }] of this.recent) {
      if (until > now) continue;
      this.recent.delete(key);
      if (next !== undefined) this.sendNow(key, next.signal, next.order, everyMs);
    }
  }

  private sendNow(key: string, signal: RoomSignal, order: number, everyMs: number): void {
    this.recent.set(key, { until: this.clock.monotonicMs() + everyMs, order, everyMs, next: undefined });
    this.send(signal);
  }
}
