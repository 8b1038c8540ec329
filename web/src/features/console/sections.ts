import { type ComponentType, lazy, type LazyExoticComponent } from 'react';
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
  readonly load: () => Promise<{ readonly default: ComponentType }>;
  readonly page: LazyExoticComponent<ComponentType>;
}

const PAGES: readonly Omit<Section, 'page'>[] = [
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

/** In the order of the rail. A page is fetched when it is opened. */
export const SECTIONS: readonly Section[] = PAGES.map((page) => ({ ...page, page: lazy(() => fetched(page.load)) }));

/** Whether an address below /admin/ui is of a section. */
export function isOf({ path }: Pick<Section, 'path'>, address: string): boolean {
  return path === '/' ? address === '/' : address === path || address.startsWith(`${path}/`);
}

/** Fetches what the address names, beside whatever has to be known before it is shown. */
export function fetchEarly(address: string): void {
  const named = PAGES.find((page) => isOf(page, address)) ?? PAGES[0];
  // What does not arrive now is fetched once more when it is shown, and said there.
  named?.load().catch(() => undefined);
}
