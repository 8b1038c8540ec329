import { type ComponentType, createElement, type ReactElement, useEffect, useState } from 'react';
import type { IconName } from '../../ui';
import { fetched } from './page-fault';

/** A page of the console. */
export interface Section {
  /** Below /admin/ui; the first one is at its root. */
  readonly path: string;
  readonly title: string;
  readonly icon?: IconName;
  /** It is about one tenant: with the master key one has to be chosen first. */
  readonly needsTenant: boolean;
  /** Fetches its code. */
  readonly load: () => Promise<{ readonly default: ComponentType }>;
}

/** In the order of the rail. A page is fetched when it is opened. */
export const SECTIONS: readonly Section[] = [
  {
    path: '/',
    title: 'Live',
    icon: 'live',
    needsTenant: false,
    load: () => import('./live/live-page'),
  },
  {
    path: '/tenants',
    title: 'Tenants',
    icon: 'tenants',
    needsTenant: false,
    load: () => import('./tenants/tenants-page'),
  },
  {
    path: '/rooms',
    title: 'Rooms',
    icon: 'rooms',
    needsTenant: true,
    load: () => import('./rooms/rooms-page'),
  },
  {
    path: '/users',
    title: 'Users',
    icon: 'users',
    needsTenant: true,
    load: () => import('./users/users-page'),
  },
  {
    path: '/connections',
    title: 'Connections',
    icon: 'connections',
    needsTenant: true,
    load: () => import('./connections/connections-page'),
  },
  {
    path: '/dead-letters',
    title: 'Dead letters',
    icon: 'letters',
    needsTenant: true,
    load: () => import('./letters/letters-page'),
  },
  {
    path: '/audit',
    title: 'Audit',
    icon: 'audit',
    needsTenant: false,
    load: () => import('./audit/audit-page'),
  },
  {
    path: '/jobs',
    title: 'Jobs',
    icon: 'jobs',
    needsTenant: false,
    load: () => import('./jobs/jobs-page'),
  },
  {
    path: '/usage',
    title: 'Usage',
    icon: 'usage',
    needsTenant: true,
    load: () => import('./usage/usage-page'),
  },
  {
    path: '/models',
    title: 'Models',
    icon: 'models',
    needsTenant: false,
    load: () => import('./models/models-page'),
  },
];

/** Whether an address below /admin/ui is of a section. */
export function isOf({ path }: Pick<Section, 'path'>, address: string): boolean {
  return path === '/' ? address === '/' : address === path || address.startsWith(`${path}/`);
}

/** Pages that were fetched. */
const arrived = new Map<Section, ReactElement>();

async function fetchPage(section: Section): Promise<void> {
  const { default: page } = await fetched(section.load);
  arrived.set(section, createElement(page));
}

/** Fetches what an address names, beside whatever has to be known before it is shown. */
export function fetchEarly(address: string): void {
  const named = SECTIONS.find((section) => isOf(section, address)) ?? SECTIONS[0];
  // What cannot be had now is fetched once more when it is shown, and said there.
  if (named !== undefined) fetchPage(named).catch(() => undefined);
}

/**
 * The page of a section; undefined: it is fetched. Throws where it cannot be had.
 * Not by React's `lazy`: that holds a page back for 300 ms from when its place was shown empty.
 */
export function usePage(section: Section): ReactElement | undefined {
  const [fault, setFault] = useState<Error>();
  const [page, setPage] = useState(() => arrived.get(section));
  useEffect(() => {
    if (page !== undefined) return undefined;
    let isCurrent = true;
    const show = (): void => {
      if (isCurrent) setPage(arrived.get(section));
    };
    const fail = (error: unknown): void => {
      if (isCurrent) setFault(error instanceof Error ? error : new Error(String(error)));
    };
    fetchPage(section).then(show, fail);
    return () => {
      isCurrent = false;
    };
  }, [section, page]);
  if (fault !== undefined) throw fault;
  return page;
}
