import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Tenant } from '../tenant';
import type { Area, Drafts } from './fields';

/** What was typed and not saved, and the tenant as it was when that began. */
export interface Unsaved {
  readonly base: Tenant;
  readonly drafts: Drafts;
  readonly name: string | undefined;
}

/** How long it is there for whoever comes back to the page. */
const KEPT_MS = 3_600_000;

/** What was typed outlives a look at another page. Signing out forgets it. */
export function useUnsaved(
  tenantId: string,
  area: Area,
): readonly [Unsaved | undefined, (unsaved: Unsaved | undefined) => void] {
  const queries = useQueryClient();
  const key = ['unsaved', tenantId, area];
  const [unsaved, setUnsaved] = useState(() => queries.getQueryData<Unsaved | null>(key) ?? undefined);
  const set = (next: Unsaved | undefined): void => {
    queries.setQueryDefaults(key, { gcTime: KEPT_MS });
    queries.setQueryData(key, next ?? null);
    setUnsaved(next);
  };
  return [unsaved, set];
}

/** Asks before the tab is closed, as long as whoever uses it is shown. */
export function useAskBeforeClosing(): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, []);
}
