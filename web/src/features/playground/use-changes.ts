import { useSyncExternalStore } from 'react';
import type { Changes } from '../../socket';

/** Renders again when something of it changed. */
export function useChanges(changes: Changes): number {
  return useSyncExternalStore(changes.subscribe, changes.version);
}
