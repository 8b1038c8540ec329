/** What the address says on the pages of rooms, users and connections. */
import { useCallback, useEffect, useState } from 'react';
import { useSearchParams } from 'wouter';
import { useSession } from '../../../api/session';
import { useTenant } from '../tenant';

/** The tenant of a page that is shown only with one. */
export function useTenantId(): string {
  const [tenant] = useTenant();
  if (tenant === undefined) throw new Error('no tenant is chosen');
  return tenant;
}

/** Makes links to pages of the console that stay with the tenant. */
export function useHref(): (path: string, query?: Readonly<Record<string, string>>) => string {
  const [tenant] = useTenant();
  const { tenantId } = useSession();
  return (path, query = {}) => {
    const kept = tenant === undefined || tenantId !== undefined ? {} : { tenant };
    const search = new URLSearchParams({ ...kept, ...query }).toString();
    return search === '' ? path : `${path}?${search}`;
  };
}

/** A user's id may have any sign in it, a slash too: it stands behind the question mark. */
export function useUserHref(): (userId: string) => string {
  const href = useHref();
  return (userId) => href('/users', { id: userId });
}

const CURSOR = 'cursor';

/** Where a list stands: the cursor of its page, and the way to the pages before. */
export interface Place {
  /** Undefined: the first page. */
  readonly cursor: string | undefined;
  readonly go: (cursor: string | undefined) => void;
  /** Goes one page back; undefined where the page before is not known. */
  readonly back: (() => void) | undefined;
}

export function usePlace(): Place {
  const [search, setSearch] = useSearchParams();
  const [before, setBefore] = useState<readonly (string | undefined)[]>([]);
  const cursor = search.get(CURSOR) ?? undefined;
  const set = (next: string | undefined): void =>
    setSearch((now) => {
      const after = new URLSearchParams(now);
      if (next === undefined) after.delete(CURSOR);
      else after.set(CURSOR, next);
      return after;
    });
  const go = (next: string | undefined): void => {
    setBefore(next === undefined ? [] : [...before, cursor]);
    set(next);
  };
  const back = (): void => {
    setBefore(before.slice(0, -1));
    set(before.at(-1));
  };
  return { cursor, go, back: before.length === 0 || cursor === undefined ? undefined : back };
}

/** A filter in the address; who changes it is at the beginning of the list again. */
export function useFilter(name: string): readonly [string, (value: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = useCallback(
    (value: string) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before);
          after.delete(CURSOR);
          if (value === '') after.delete(name);
          else after.set(name, value);
          return after;
        },
        { replace: true },
      ),
    [name, setSearch],
  );
  return [search.get(name) ?? '', set];
}

const SETTLED_MS = 250;

/** A text once nobody types in it: not every letter is asked for. */
export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
