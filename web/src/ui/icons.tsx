import type { ReactNode } from 'react';

/** Strokes on a field of 16 × 16. */
const PATHS = {
  live: 'M1.5 8.5h3l2-5.5 3.2 10 2-4.5h2.8',
  tenants: 'M2.5 13.5v-9l5-2.5v11.5m0-8 6 2.2v5.8m-12 0h13M5 6v.1M5 9v.1m5.5-.6v.1m0 2.4v.1',
  search: 'M11 11l3 3M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10z',
  page: 'M4 2h5l3 3v9H4zM9 2v3h3',
  out: 'M9.5 2.5h4v11h-4M6 11 3 8l3-3M3 8h7',
} as const;

export type IconName = keyof typeof PATHS;

/** A small drawing beside words that say the same. */
export function Icon({ name }: { readonly name: IconName }): ReactNode {
  return (
    <svg className="drawing" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
