import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Log } from '../logging';
import { every } from './hooks';
import { type Lifecycle, StopStage } from './lifecycle';

/**
 * How far the heap may grow beyond what a full collection left, in percent. A full collection of some 50 MB stalls a
 * busy two-core machine for about 40 ms; by V8's own measure one came every one to five seconds at 6,300 messages/s
 * and made the 99th percentile. Costs up to about 150 MB of memory under such a load, and nothing on an idle server.
 */
const GROWTH_PERCENT = 300;
const LOOK_MS = 5000;
/**
 * So many idle looks in a row, 20 s, make an idle time. A collection costs the traffic that comes after it some 0.4 s of
 * processor time (sends are a quarter dearer for two seconds): after a look's 5 s, every burst of a server whose users
 * pause paid for it, most of all on Node 24, whose young generation grows to 40 MB where that of 20 stays at 14.
 */
const IDLE_LOOKS = 4;
/** The part of the event loop's time up to which a server counts as idle: few would notice a stall. */
const IDLE_USE = 0.1;
/** A stall is worth so much memory. */
const WORTH_BYTES = 32 * 1024 * 1024;

/** Makes full garbage collections rare. V8 reads the flag at each collection, so it may be set while running. */
export function spaceOutFullCollections(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

export interface HeapPorts {
  /** The part of the time since the last call in which the event loop was in use. */
  readonly use: () => number;
  /** What the heap has taken from the system, in bytes. */
  readonly taken: () => number;
  /** A full collection that gives back what it frees. */
  readonly collect: () => void;
}

/**
 * Gives the memory of a load back when it is over: collections being rare, nothing else would for minutes, and what a
 * storm of connects left behind would look like what the connections cost. A collection comes at most once after each
 * growth, and only after 20 s that were idle.
 */
export class HeapTidier {
  private tidied = 0;
  private idleLooks = 0;

  constructor(private readonly ports: HeapPorts) {}

  look(): void {
    const { use, taken, collect } = this.ports;
    this.idleLooks = use() > IDLE_USE ? 0 : this.idleLooks + 1;
    if (this.idleLooks < IDLE_LOOKS || taken() - this.tidied < WORTH_BYTES) return;
    collect();
    this.tidied = taken();
  }
}

/** Looks every 5 s until the server stops. */
export function tidyHeapWhenIdle(lifecycle: Lifecycle, log: Log): void {
  setFlagsFromString('--expose-gc');
  // The flag holds for contexts that are made after it.
  const gc = runInNewContext('gc') as () => void;
  let last = performance.eventLoopUtilization();
  const tidier = new HeapTidier({
    use: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    taken: () => process.memoryUsage().heapTotal,
    collect: () => {
      setFlagsFromString('--compact-on-every-full-gc');
      // Without options: `{ type: 'major' }` is a minor one in Node 20.
      gc();
      setFlagsFromString('--no-compact-on-every-full-gc');
    },
  });
  const timer = every(LOOK_MS, 'tidying the heap', () => tidier.look(), log);
  lifecycle.onStop(StopStage.workers, 'tidying the heap', () => timer.stop());
}
