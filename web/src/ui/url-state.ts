import { useCallback } from 'react';
import { useSearchParams } from 'wouter';

/**
 * A filter that lives in the address, so that it is there after a reload and in a link that is sent on. The standard
 * value is left out of the address. Nothing secret belongs here.
 */
export function useUrlState(name: string, standard = ''): readonly [string, (value: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = useCallback(
    (value: string) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === standard) after.delete(name);
          else after.set(name, value);
          return after;
        },
        // Back leads to the page before, not through every letter that was typed.
        { replace: true },
      ),
    [name, standard, setSearch],
  );
  return [search.get(name) ?? standard, set];
}

/** The same for one of a few values; what else stands in the address counts as the first of them. */
export function useUrlChoice<T extends string>(
  name: string,
  values: readonly [T, ...T[]],
): readonly [T, (value: T) => void] {
  const [value, set] = useUrlState(name, values[0]);
  return [values.find((one) => one === value) ?? values[0], set];
}

const OFFSET = /^\d{1,9}$/;

/** Before which row of a list a page begins. */
export function useUrlOffset(): readonly [number, (offset: number) => void] {
  const [text, set] = useUrlState('from', '0');
  const setOffset = useCallback((offset: number) => set(String(offset)), [set]);
  return [OFFSET.test(text) ? Number(text) : 0, setOffset];
}
