/** Whether the server answers: what the pages say at their top, and when they ask anew. */
import { useSyncExternalStore } from 'react';

/** `away`: no answer. `unwell`: it answers, but cannot work; mostly its database is away. */
export type Reach = 'fine' | 'away' | 'unwell';

/** So often is a server asked that did not answer. */
const AWAY_MS = 2000;
/** So often is one asked that does: what is open should say so though nobody presses anything. */
const FINE_MS = 10_000;
const PROBE_TIMEOUT_MS = 5000;

let reach: Reach = 'fine';
let timer: ReturnType<typeof setTimeout> | undefined;
let isProbing = false;
const listeners = new Set<() => void>();

/** Something did not get an answer, or 503: finds out what is the matter, and asks until it is over. */
export function doubtReach(): void {
  if (!isProbing) void probe();
}

async function probe(): Promise<void> {
  clearTimeout(timer);
  isProbing = true;
  const found = await ask();
  isProbing = false;
  if (found !== reach) {
    reach = found;
    for (const tell of listeners) tell();
  }
  if (listeners.size > 0) timer = setTimeout(again, reach === 'fine' ? FINE_MS : AWAY_MS);
}

async function ask(): Promise<Reach> {
  try {
    const answer = await fetch('/health/ready', { cache: 'no-store', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return answer.ok ? 'fine' : 'unwell';
  } catch {
    return 'away';
  }
}

/** A tab that nobody sees waits until somebody does. */
function again(): void {
  if (document.visibilityState === 'visible') void probe();
  else document.addEventListener('visibilitychange', doubtReach, { once: true });
}

/** How it was when it was last asked. */
export function reachNow(): Reach {
  return reach;
}

/** Asks the server, and waits until it answers well. Resolves with whether it had to wait. */
export async function untilReached(): Promise<boolean> {
  for (let tries = 0; ; tries++) {
    if ((await ask()) === 'fine') return tries > 0;
    doubtReach();
    await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
  }
}

function listen(tell: () => void): () => void {
  listeners.add(tell);
  if (listeners.size === 1) {
    addEventListener('online', doubtReach);
    addEventListener('offline', doubtReach);
    timer = setTimeout(again, FINE_MS);
  }
  return () => {
    listeners.delete(tell);
    if (listeners.size > 0) return;
    removeEventListener('online', doubtReach);
    removeEventListener('offline', doubtReach);
    clearTimeout(timer);
  };
}

/** How it is now; who uses it has the server asked every few seconds. */
export function useReach(): Reach {
  return useSyncExternalStore(listen, () => reach);
}
