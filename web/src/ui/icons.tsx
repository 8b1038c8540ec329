import type { ReactNode } from 'react';

/** Strokes on a field of 16 × 16. */
const PATHS = {
  live: 'M1.5 8.5h3l2-5.5 3.2 10 2-4.5h2.8',
  tenants: 'M2.5 13.5v-9l5-2.5v11.5m0-8 6 2.2v5.8m-12 0h13M5 6v.1M5 9v.1m5.5-.6v.1m0 2.4v.1',
  rooms: 'M2 3h9v6.5H6L3.5 12V9.5H2zM13 6h1.5v6.5H13V14l-2-1.5H7.5',
  users:
    'M6 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 6 8zM1.5 14a4.5 4.5 0 0 1 9 0M11 2.8a2.6 2.6 0 0 1 0 5M12.5 10a4.4 4.4 0 0 1 2 4',
  connections: 'M5 1.5v4m6-4v4M3.5 5.5h9v2a4.5 4.5 0 0 1-9 0zM8 12v2.5',
  letters: 'M1.5 3.5h13v9h-13zm.5.5 6 5 6-5',
  models: 'M8 1.5l1.6 4.9 4.9 1.6-4.9 1.6L8 14.5 6.4 9.6 1.5 8l4.9-1.6z',
  usage: 'M2 14h12M3.5 14V9.5m4.5 4.5V3m4.5 11V6.5',
  audit: 'M5.5 3h8M5.5 8h8M5.5 13h8M2.5 3v.1m0 4.9v.1m0 4.9v.1',
  jobs: 'M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 4v4l2.8 1.8',
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
