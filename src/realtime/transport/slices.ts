import { setTimeout as pause } from 'node:timers/promises';

/** Works through a list without holding up the others: so many at once, then a pause. */
export async function inSlices<T>(
  items: readonly T[],
  size: number,
  ms: number,
  work: (item: T) => void,
): Promise<void> {
  for (let at = 0; at < items.length; at += size) {
    if (at > 0) await pause(ms);
    for (const item of items.slice(at, at + size)) work(item);
  }
}
